#include "crrm/check/conformance.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <unistd.h>

#include <chrono>

#include "crrm/base/error.h"
#include "crrm/base/file.h"
#include "crrm/base/random.h"
#include "crrm/bottleneck/gates.h"
#include "crrm/coupling/subsets.h"
#include "crrm/data/npy.h"
#include "crrm/data/zip.h"
#include "crrm/graph/executor.h"
#include "crrm/io/onnx.h"
#include "crrm/measure/onnxruntime.h"
#include "crrm/surgery/cut.h"

namespace crrm {

namespace fs = std::filesystem;
using Json = nlohmann::json;

namespace {

constexpr int kSingle = 8;  // closures tried alone

/// Random inputs: normal numbers, and integers that index what the network looks up.
Tensors random_inputs(const Graph& graph, int64_t batch, uint64_t seed) {
  constexpr int64_t kSmallest = 8;  // fewer rows than any table has
  const at::Generator generator = at::detail::createCPUGenerator(seed);
  Tensors inputs;
  for (const Port& port : graph.inputs) {
    Shape shape = port.shape;
    for (int64_t& extent : shape)
      if (extent <= 0) extent = batch;
    const at::TensorOptions type(port.type);
    inputs.push_back(at::isFloatingType(port.type)
                         ? at::randn(shape, generator, type)
                         : at::randint(0, kSmallest, shape, generator, type));
  }
  return inputs;
}

bool has_free_batch(const Graph& graph) {
  return std::all_of(graph.inputs.begin(), graph.inputs.end(),
                     [](const Port& port) { return !port.shape.empty() && port.shape[0] <= 0; });
}

std::string texts(const Port& port) {
  return fmt::format("{} {} [{}]", port.name, c10::toString(port.type),
                     fmt::join(port.shape, ", "));
}

/// A file of this process that goes when it goes.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& name)
      : path_(fs::temp_directory_path() / fmt::format("crrm-{}-{}", getpid(), name)) {}
  ~TemporaryFile() {
    std::error_code ignored;
    fs::remove(path_, ignored);
    fs::remove(path_.string() + ".data", ignored);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// Checks one network; what goes wrong is collected.
class Trial {
 public:
  Trial(const fs::path& model, const ConformanceOptions& options, Conformance& result)
      : model_(model), options_(options), result_(result), graph_(read_onnx(model)) {
    fold_shape_arithmetic(graph_);
    coupling_ = std::make_unique<Coupling>(
        graph_, infer_shapes(graph_, input_shapes(graph_, kCouplingBatch)));
    result_.units = coupling_->size();
    result_.frozen = coupling_->frozen();
    masked_ = std::make_unique<Executor>(insert_gates(graph_, *coupling_));
  }

  void run() {
    compare_with_reference();
    const std::vector<std::vector<bool>> subsets =
        trial_subsets(*coupling_, kSingle, options_.subsets, mix(options_.seed, 1));
    for (size_t i = 0; i < subsets.size(); ++i) check_subset(subsets[i], i);
    result_.subsets = static_cast<int>(subsets.size());
  }

 private:
  void fail(const std::string& what) {
    if (std::find(result_.failures.begin(), result_.failures.end(), what) == result_.failures.end())
      result_.failures.push_back(what);
  }

  void compare(const std::string& what, const Tensors& expected, const Tensors& found) {
    const double worst = difference(expected, found).relative;
    result_.largest_difference = std::max(result_.largest_difference, worst);
    if (!(worst < kConformanceBound)) fail(fmt::format("{}: differ by {:.3g}", what, worst));
  }

  void check_subset(const std::vector<bool>& alive, size_t index) {
    const Graph smaller = cut(graph_, *coupling_, alive);
    check_door(smaller);
    check_members(smaller, alive);
    const std::vector<int64_t> batches =
        has_free_batch(graph_) ? std::vector<int64_t>{2, 3} : std::vector<int64_t>{1};
    for (const int64_t batch : batches) {
      Tensors inputs = random_inputs(graph_, batch, mix(options_.seed, 2, index));
      const Tensors found = Executor(smaller).run(inputs);
      if (batch == batches.back()) read_back(smaller, inputs, found);
      inputs.push_back(hard_gates(alive));
      compare("masked vs cut", masked_->run(inputs), found);
    }
  }

  void check_door(const Graph& smaller) {
    const auto same = [&](const std::vector<Port>& before, const std::vector<Port>& after) {
      for (size_t i = 0; i < before.size(); ++i)
        if (texts(before[i]) != texts(after[i]))
          fail(fmt::format("{} became {}", texts(before[i]), texts(after[i])));
    };
    same(graph_.inputs, smaller.inputs);
    same(graph_.outputs, smaller.outputs);
  }

  /// No masked remnant: each member is as long as its living units say.
  void check_members(const Graph& smaller, const std::vector<bool>& alive) {
    for (const auto& [value, axes] : coupling_->kept(alive)) {
      const auto parameter = smaller.parameters.find(value);
      if (parameter == smaller.parameters.end()) continue;
      for (size_t a = 0; a < axes.size(); ++a)
        if (parameter->second.size(static_cast<int64_t>(a)) != axes[a].extent())
          fail(fmt::format("\"{}\" has {} indices on axis {}, expected {}", value,
                           parameter->second.size(static_cast<int64_t>(a)), a, axes[a].extent()));
    }
  }

  void read_back(const Graph& smaller, const Tensors& inputs, const Tensors& expected) {
    const TemporaryFile file(model_.stem().string() + ".onnx");
    write_onnx(smaller, file.path());
    compare("cut vs file read back", expected, Executor(read_onnx(file.path())).run(inputs));
    if (OnnxRuntime::available())
      compare("cut vs file in ONNX Runtime", expected,
              OnnxRuntime::from_file(file.path(), /*threads=*/1).run(inputs));
  }

  /// MODEL.npz; of the newer exporter's file NAME_dynamo.onnx, NAME.npz.
  fs::path reference() const {
    const fs::path own = fs::path(model_).replace_extension(".npz");
    if (fs::exists(own)) return own;
    std::string stem = model_.stem().string();
    constexpr std::string_view kSuffix = "_dynamo";
    if (stem.ends_with(kSuffix)) stem.resize(stem.size() - kSuffix.size());
    return model_.parent_path() / (stem + ".npz");
  }

  void compare_with_reference() {
    const fs::path file = reference();
    if (!fs::exists(file)) return;
    const ZipArchive archive(read_file(file), file.string());
    const auto arrays = [&](const std::vector<Port>& ports) {
      Tensors tensors;
      for (const Port& port : ports)
        tensors.push_back(parse_npy(archive.extract(port.name + ".npy"), file.string(), port.name));
      return tensors;
    };
    compare("outputs vs " + file.filename().string(), arrays(graph_.outputs),
            Executor(graph_).run(arrays(graph_.inputs)));
  }

  fs::path model_;
  ConformanceOptions options_;
  Conformance& result_;
  Graph graph_;
  std::unique_ptr<Coupling> coupling_;
  std::unique_ptr<Executor> masked_;
};

/// `least` of the pattern whose files hold `model`, from patterns.json beside it.
std::optional<int> least_units(const fs::path& model) {
  const fs::path file = model.parent_path() / "patterns.json";
  if (!fs::exists(file)) return std::nullopt;
  const Json patterns = Json::parse(read_file(file), nullptr, /*allow_exceptions=*/false);
  if (!patterns.is_array()) return std::nullopt;
  for (const Json& pattern : patterns)
    for (const Json& name : pattern.value("files", Json::array()))
      if (name == model.filename().string()) return pattern.value("least", 0);
  return std::nullopt;
}

}  // namespace

Conformance check_conformance(const fs::path& model, const ConformanceOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  const at::NoGradGuard no_grad;
  Conformance result;
  result.name = model.stem().string();
  result.least = least_units(model);
  try {
    Trial(model, options, result).run();
  } catch (const Interrupted&) {
    throw;
  } catch (const c10::Error& error) {
    result.failures.push_back(error.what_without_backtrace());
  } catch (const std::exception& error) {
    result.failures.push_back(error.what());
  }
  if (result.least && result.units < *result.least)
    result.failures.push_back(
        fmt::format("{} units, at least {} can leave", result.units, *result.least));
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

std::vector<fs::path> conformance_models(const fs::path& path) {
  if (fs::is_regular_file(path)) return {path};
  std::vector<fs::path> models;
  if (fs::is_directory(path))
    for (const fs::directory_entry& entry : fs::directory_iterator(path))
      if (entry.path().extension() == ".onnx") models.push_back(entry.path());
  if (models.empty())
    throw InputError({.file = path.string(),
                      .expected = "an ONNX file, or a folder with some",
                      .found = fs::exists(path) ? "none" : "no such file or folder"});
  std::sort(models.begin(), models.end());
  return models;
}

}  // namespace crrm
