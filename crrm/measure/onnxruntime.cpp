#include "crrm/measure/onnxruntime.h"

#include <dlfcn.h>

#include <array>
#include <cstdlib>

#include "crrm/base/error.h"

namespace crrm {
namespace {

// The part of ONNX Runtime's C API that is used here. The library hands out one table of function
// pointers whose order is append-only; an index is a member's place in `struct OrtApi`.
// Source: microsoft/onnxruntime, onnxruntime/core/session/onnxruntime_c_api.cc, `ort_api_1_to_10`,
// whose static_assert fixes the last member of version 1, ReleaseCustomOpDomain, at 101: all that
// is used here is part of version 1. Signatures: include/onnxruntime/core/session/
// onnxruntime_c_api.h.
enum Slot : size_t {
  kGetErrorMessage = 2,
  kCreateEnv = 3,
  kCreateSession = 7,
  kCreateSessionFromArray = 8,
  kRun = 9,
  kCreateSessionOptions = 10,
  kSetIntraOpNumThreads = 24,
  kSetInterOpNumThreads = 25,
  kSessionGetInputCount = 30,
  kSessionGetOutputCount = 31,
  kSessionGetInputName = 36,
  kSessionGetOutputName = 37,
  kCreateTensorWithDataAsOrtValue = 49,
  kIsTensor = 50,
  kGetTensorMutableData = 51,
  kGetTensorElementType = 60,
  kGetDimensionsCount = 61,
  kGetDimensions = 62,
  kGetTensorTypeAndShape = 65,
  kCreateCpuMemoryInfo = 69,
  kAllocatorFree = 76,
  kGetAllocatorWithDefaultOptions = 78,
  kReleaseStatus = 93,
  kReleaseMemoryInfo = 94,
  kReleaseSession = 95,
  kReleaseValue = 96,
  kReleaseTensorTypeAndShapeInfo = 99,
  kReleaseSessionOptions = 100,
};

// Served by ONNX Runtime 1.16 (September 2023, operator set 19) and everything later.
constexpr uint32_t kApiVersion = 16;

// Values of the C API's enumerations.
constexpr int kLogFatal = 4;         // ORT_LOGGING_LEVEL_FATAL: its errors reach us as a status
constexpr int kDeviceAllocator = 0;  // OrtDeviceAllocator
constexpr int kMemoryDefault = 0;    // OrtMemTypeDefault

struct ElementType {
  int onnx;  // ONNXTensorElementDataType, as TensorProto.DataType
  at::ScalarType aten;
};
constexpr std::array<ElementType, 5> kElementTypes = {
    {{1, at::kFloat}, {6, at::kInt}, {7, at::kLong}, {9, at::kBool}, {11, at::kDouble}}};

// The library's own types, which are only ever passed by pointer.
struct OrtStatus;
struct OrtEnv;
struct OrtSession;
struct OrtSessionOptions;
struct OrtValue;
struct OrtMemoryInfo;
struct OrtAllocator;
struct OrtShapeInfo;  // OrtTensorTypeAndShapeInfo

struct ApiBase {
  const void* const* (*get_api)(uint32_t version);
  const char* (*version)();
};

template <typename Signature>
class Entry {
 public:
  Entry(const void* const* table, Slot slot)
      : function_(reinterpret_cast<Signature*>(const_cast<void*>(table[slot]))) {}
  operator Signature*() const { return function_; }

 private:
  Signature* function_;
};

using SessionCount = OrtStatus*(const OrtSession*, size_t*);
using SessionName = OrtStatus*(const OrtSession*, size_t, OrtAllocator*, char**);

struct Api {
  explicit Api(const void* const* table) : table(table) {}
  const void* const* table;

  Entry<const char*(const OrtStatus*)> error_message{table, kGetErrorMessage};
  Entry<OrtStatus*(int, const char*, OrtEnv**)> create_env{table, kCreateEnv};
  Entry<OrtStatus*(const OrtEnv*, const char*, const OrtSessionOptions*, OrtSession**)>
      create_session{table, kCreateSession};
  Entry<OrtStatus*(const OrtEnv*, const void*, size_t, const OrtSessionOptions*, OrtSession**)>
      create_session_from_array{table, kCreateSessionFromArray};
  Entry<OrtStatus*(OrtSession*, const void*, const char* const*, const OrtValue* const*, size_t,
                   const char* const*, size_t, OrtValue**)>
      run{table, kRun};
  Entry<OrtStatus*(OrtSessionOptions**)> create_options{table, kCreateSessionOptions};
  Entry<OrtStatus*(OrtSessionOptions*, int)> set_intra_threads{table, kSetIntraOpNumThreads};
  Entry<OrtStatus*(OrtSessionOptions*, int)> set_inter_threads{table, kSetInterOpNumThreads};
  Entry<SessionCount> input_count{table, kSessionGetInputCount};
  Entry<SessionCount> output_count{table, kSessionGetOutputCount};
  Entry<SessionName> input_name{table, kSessionGetInputName};
  Entry<SessionName> output_name{table, kSessionGetOutputName};
  Entry<OrtStatus*(const OrtMemoryInfo*, void*, size_t, const int64_t*, size_t, int, OrtValue**)>
      create_tensor{table, kCreateTensorWithDataAsOrtValue};
  Entry<OrtStatus*(const OrtValue*, int*)> is_tensor{table, kIsTensor};
  Entry<OrtStatus*(OrtValue*, void**)> tensor_data{table, kGetTensorMutableData};
  Entry<OrtStatus*(const OrtShapeInfo*, int*)> element_type{table, kGetTensorElementType};
  Entry<OrtStatus*(const OrtShapeInfo*, size_t*)> rank{table, kGetDimensionsCount};
  Entry<OrtStatus*(const OrtShapeInfo*, int64_t*, size_t)> extents{table, kGetDimensions};
  Entry<OrtStatus*(const OrtValue*, OrtShapeInfo**)> shape_info{table, kGetTensorTypeAndShape};
  Entry<OrtStatus*(int, int, OrtMemoryInfo**)> create_cpu_memory{table, kCreateCpuMemoryInfo};
  Entry<OrtStatus*(OrtAllocator*, void*)> free{table, kAllocatorFree};
  Entry<OrtStatus*(OrtAllocator**)> default_allocator{table, kGetAllocatorWithDefaultOptions};
  Entry<void(OrtStatus*)> release_status{table, kReleaseStatus};
  Entry<void(OrtMemoryInfo*)> release_memory{table, kReleaseMemoryInfo};
  Entry<void(OrtSession*)> release_session{table, kReleaseSession};
  Entry<void(OrtValue*)> release_value{table, kReleaseValue};
  Entry<void(OrtShapeInfo*)> release_shape_info{table, kReleaseTensorTypeAndShapeInfo};
  Entry<void(OrtSessionOptions*)> release_options{table, kReleaseSessionOptions};
};

struct Library {
  std::unique_ptr<const Api> api;  // null where none was found
  OrtEnv* env = nullptr;           // one a process, as the library wants it; never released
  std::string version;
  std::string reason;  // why `api` is null
};

// Files libonnxruntime.so[.VERSION] in a folder.
std::vector<std::string> libraries_in(const std::filesystem::path& folder) {
  std::vector<std::string> found;
  std::error_code ignored;  // an unreadable folder holds no library
  for (const std::filesystem::directory_entry& entry :
       std::filesystem::directory_iterator(folder, ignored)) {
    if (entry.path().filename().string().starts_with("libonnxruntime.so"))
      found.push_back(entry.path().string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<std::string> candidates() {
  std::vector<std::string> paths;
  if (const char* named = std::getenv("CRRM_ONNXRUNTIME")) {
    paths = libraries_in(named);
    return paths.empty() ? std::vector<std::string>{named} : paths;
  }
#ifdef CRRM_ONNXRUNTIME_HINT
  paths = libraries_in(CRRM_ONNXRUNTIME_HINT);
#endif
  paths.insert(paths.end(), {"libonnxruntime.so.1", "libonnxruntime.so"});
  return paths;
}

// Empty when `library` is filled in, else what is wrong with the file.
std::string try_load(const std::string& path, Library& library) {
  void* const handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return dlerror();
  using GetApiBase = const ApiBase*();
  GetApiBase* const get_base = reinterpret_cast<GetApiBase*>(dlsym(handle, "OrtGetApiBase"));
  if (get_base == nullptr) return path + ": does not export OrtGetApiBase";
  const ApiBase& base = *get_base();
  const void* const* table = base.get_api(kApiVersion);
  if (table == nullptr)
    return fmt::format("{}: version {} does not serve version {} of its C API", path,
                       base.version(), kApiVersion);
  std::unique_ptr<const Api> api = std::make_unique<const Api>(table);
  if (OrtStatus* const status = api->create_env(kLogFatal, "crrm", &library.env)) {
    const std::string reason = fmt::format("{}: {}", path, api->error_message(status));
    api->release_status(status);
    return reason;
  }
  library.api = std::move(api);
  library.version = base.version();
  return "";
}

const Library& library() {
  static const Library loaded = [] {
    Library library;
    std::vector<std::string> reasons;
    for (const std::string& path : candidates()) {
      const std::string reason = try_load(path, library);
      if (reason.empty()) return library;
      reasons.push_back(reason);
    }
    library.reason = fmt::format("{}", fmt::join(reasons, "; "));
    return library;
  }();
  return loaded;
}

const Library& required_library() {
  if (library().api == nullptr)
    throw InputError({.file = "ONNX Runtime",
                      .expected = fmt::format("its library, 1.{} or later", kApiVersion),
                      .found = library().reason,
                      .hint = "pip install onnxruntime, and set CRRM_ONNXRUNTIME to its capi "
                              "folder or to libonnxruntime.so"});
  return library();
}

at::ScalarType aten_type(int onnx, const std::string& model, const std::string& place) {
  for (const ElementType& type : kElementTypes)
    if (type.onnx == onnx) return type.aten;
  throw InputError({.file = model,
                    .place = place,
                    .expected = "float32, float64, int32, int64 or bool",
                    .found = fmt::format("ONNX element type {}", onnx)});
}

int onnx_type(at::ScalarType aten, const std::string& model, const std::string& place) {
  for (const ElementType& type : kElementTypes)
    if (type.aten == aten) return type.onnx;
  throw InputError({.file = model,
                    .place = place,
                    .expected = "float32, float64, int32, int64 or bool",
                    .found = c10::toString(aten)});
}

template <typename T>
using Owned = std::unique_ptr<T, void (*)(T*)>;

}  // namespace

class OnnxRuntime::Session {
 public:
  Session(std::string model, int threads);

  void load(const std::filesystem::path& path);
  void load(std::string_view bytes);
  const std::vector<std::string>& input_names() const { return input_names_; }
  const std::vector<std::string>& output_names() const { return output_names_; }
  Tensors run(const Tensors& inputs) const;

 private:
  void check(OrtStatus* status) const;
  std::vector<std::string> names(SessionCount* count, SessionName* name) const;
  void read_names();
  Owned<OrtValue> lend(const at::Tensor& tensor, const std::string& input) const;
  at::Tensor copy(OrtValue* value, const std::string& output) const;

  const Library& library_;
  const Api& api_;
  std::string model_;
  Owned<OrtSessionOptions> options_;
  Owned<OrtMemoryInfo> memory_;
  Owned<OrtSession> session_;
  std::vector<std::string> input_names_;
  std::vector<std::string> output_names_;
};

OnnxRuntime::Session::Session(std::string model, int threads)
    : library_(required_library()),
      api_(*library_.api),
      model_(std::move(model)),
      options_(nullptr, api_.release_options),
      memory_(nullptr, api_.release_memory),
      session_(nullptr, api_.release_session) {
  if (threads < 1) throw InternalError(fmt::format("ONNX Runtime with {} threads", threads));
  OrtSessionOptions* options = nullptr;
  check(api_.create_options(&options));
  options_.reset(options);
  check(api_.set_intra_threads(options, threads));
  check(api_.set_inter_threads(options, 1));
  OrtMemoryInfo* memory = nullptr;
  check(api_.create_cpu_memory(kDeviceAllocator, kMemoryDefault, &memory));
  memory_.reset(memory);
}

void OnnxRuntime::Session::check(OrtStatus* status) const {
  if (status == nullptr) return;
  const Owned<OrtStatus> owned(status, api_.release_status);
  throw InputError(
      {.file = model_,
       .expected = fmt::format("a model and inputs that ONNX Runtime {} runs", library_.version),
       .found = api_.error_message(status)});
}

void OnnxRuntime::Session::load(const std::filesystem::path& path) {
  OrtSession* session = nullptr;
  check(api_.create_session(library_.env, path.c_str(), options_.get(), &session));
  session_.reset(session);
  read_names();
}

void OnnxRuntime::Session::load(std::string_view bytes) {
  OrtSession* session = nullptr;
  check(api_.create_session_from_array(library_.env, bytes.data(), bytes.size(), options_.get(),
                                       &session));
  session_.reset(session);
  read_names();
}

void OnnxRuntime::Session::read_names() {
  input_names_ = names(api_.input_count, api_.input_name);
  output_names_ = names(api_.output_count, api_.output_name);
}

std::vector<std::string> OnnxRuntime::Session::names(SessionCount* count, SessionName* name) const {
  OrtAllocator* allocator = nullptr;
  check(api_.default_allocator(&allocator));
  size_t size = 0;
  check(count(session_.get(), &size));
  std::vector<std::string> all;
  for (size_t i = 0; i < size; ++i) {
    char* text = nullptr;
    check(name(session_.get(), i, allocator, &text));
    all.emplace_back(text);
    check(api_.free(allocator, text));
  }
  return all;
}

// A value that reads `tensor`'s own memory, which must be contiguous, on the CPU and outlive it.
Owned<OrtValue> OnnxRuntime::Session::lend(const at::Tensor& tensor,
                                           const std::string& input) const {
  const int type = onnx_type(tensor.scalar_type(), model_, fmt::format("input \"{}\"", input));
  OrtValue* value = nullptr;
  check(api_.create_tensor(memory_.get(), tensor.data_ptr(), tensor.nbytes(), tensor.sizes().data(),
                           tensor.sizes().size(), type, &value));
  return {value, api_.release_value};
}

at::Tensor OnnxRuntime::Session::copy(OrtValue* value, const std::string& output) const {
  const std::string place = fmt::format("output \"{}\"", output);
  int is_tensor = 0;
  check(api_.is_tensor(value, &is_tensor));
  if (is_tensor == 0)
    throw InputError(
        {.file = model_, .place = place, .expected = "a tensor", .found = "a sequence or a map"});
  OrtShapeInfo* info = nullptr;
  check(api_.shape_info(value, &info));
  const Owned<OrtShapeInfo> owned(info, api_.release_shape_info);
  size_t rank = 0;
  check(api_.rank(info, &rank));
  std::vector<int64_t> shape(rank);
  check(api_.extents(info, shape.data(), rank));
  int type = 0;
  check(api_.element_type(info, &type));
  void* data = nullptr;
  check(api_.tensor_data(value, &data));
  const at::ScalarType aten = aten_type(type, model_, place);
  return at::from_blob(data, shape, at::TensorOptions().dtype(aten)).clone();
}

Tensors OnnxRuntime::Session::run(const Tensors& inputs) const {
  if (inputs.size() != input_names_.size())
    throw InputError({.file = model_,
                      .expected = fmt::format("{} inputs: {}", input_names_.size(),
                                              fmt::join(input_names_, ", ")),
                      .found = fmt::format("{} inputs", inputs.size())});
  Tensors lent;  // kept until the run is over
  std::vector<Owned<OrtValue>> in, out;
  std::vector<const OrtValue*> in_values;
  std::vector<const char*> in_names, out_names;
  for (size_t i = 0; i < inputs.size(); ++i) {
    lent.push_back(inputs[i].detach().to(at::kCPU).contiguous());
    in.push_back(lend(lent.back(), input_names_[i]));
    in_values.push_back(in.back().get());
    in_names.push_back(input_names_[i].c_str());
  }
  for (const std::string& name : output_names_) out_names.push_back(name.c_str());
  std::vector<OrtValue*> out_values(out_names.size(), nullptr);
  check(api_.run(session_.get(), nullptr, in_names.data(), in_values.data(), in_names.size(),
                 out_names.data(), out_names.size(), out_values.data()));
  for (OrtValue* const value : out_values) out.emplace_back(value, api_.release_value);
  Tensors outputs;
  for (size_t i = 0; i < out.size(); ++i) outputs.push_back(copy(out[i].get(), output_names_[i]));
  return outputs;
}

bool OnnxRuntime::available() {
  return library().api != nullptr;
}

std::string OnnxRuntime::version() {
  return library().version;
}

std::string OnnxRuntime::reason_unavailable() {
  return library().api != nullptr ? "" : library().reason;
}

OnnxRuntime OnnxRuntime::from_file(const std::filesystem::path& path, int threads) {
  std::unique_ptr<Session> session = std::make_unique<Session>(path.string(), threads);
  session->load(path);
  return OnnxRuntime(std::move(session));
}

OnnxRuntime OnnxRuntime::from_bytes(const std::string& name, std::string_view model, int threads) {
  std::unique_ptr<Session> session = std::make_unique<Session>(name, threads);
  session->load(model);
  return OnnxRuntime(std::move(session));
}

OnnxRuntime::OnnxRuntime(std::unique_ptr<Session> session) : session_(std::move(session)) {}
OnnxRuntime::OnnxRuntime(OnnxRuntime&&) noexcept = default;
OnnxRuntime& OnnxRuntime::operator=(OnnxRuntime&&) noexcept = default;
OnnxRuntime::~OnnxRuntime() = default;

const std::vector<std::string>& OnnxRuntime::input_names() const {
  return session_->input_names();
}

const std::vector<std::string>& OnnxRuntime::output_names() const {
  return session_->output_names();
}

Tensors OnnxRuntime::run(const Tensors& inputs) const {
  return session_->run(inputs);
}

}  // namespace crrm
