#include "crrm/io/safetensors.h"

#include <array>
#include <cstring>
#include <limits>
#include <set>
#include <string_view>

#include "crrm/base/error.h"
#include "crrm/base/file.h"
#include "crrm/io/mapped_file.h"
#include "crrm/io/tensor_bytes.h"

namespace crrm {

using nlohmann::json;

namespace {

constexpr size_t kLengthBytes = sizeof(uint64_t);
constexpr size_t kMostHeader = 100'000'000;  // the reference implementation's limit
constexpr size_t kAlignment = 8;             // of the data: the widest element
constexpr const char* kMetadata = "__metadata__";

constexpr std::array<std::pair<const char*, at::ScalarType>, 10> kTypes = {{{"F64", at::kDouble},
                                                                            {"F32", at::kFloat},
                                                                            {"F16", at::kHalf},
                                                                            {"BF16", at::kBFloat16},
                                                                            {"I64", at::kLong},
                                                                            {"I32", at::kInt},
                                                                            {"I16", at::kShort},
                                                                            {"I8", at::kChar},
                                                                            {"U8", at::kByte},
                                                                            {"BOOL", at::kBool}}};

/// Reads one file.
class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : path_(path.string()), file_(path) {}

  TensorFile read() {
    const json header = parse(split());
    TensorFile result;
    for (const auto& [name, entry] : header.items()) {
      if (name == kMetadata)
        result.metadata = metadata(entry);
      else
        result.tensors.emplace(name, tensor(name, entry));
    }
    check_coverage();
    return result;
  }

 private:
  [[noreturn]] void fail(const std::string& place, const std::string& expected,
                         const std::string& found) const {
    throw InputError({.file = path_, .place = place, .expected = expected, .found = found});
  }

  /// The header; the rest becomes `data_`.
  std::string_view split() {
    const std::string_view bytes = file_.bytes();
    if (bytes.size() < kLengthBytes)
      fail("byte 0", "a safetensors file: 8 bytes that hold the header's length",
           fmt::format("a file of {} bytes", bytes.size()));
    uint64_t length = 0;
    std::memcpy(&length, bytes.data(), kLengthBytes);
    const size_t most = std::min(kMostHeader, bytes.size() - kLengthBytes);
    if (length > most)
      fail("byte 0", fmt::format("a header of at most {} bytes", most),
           fmt::format("a length of {}: no safetensors file, or one that was cut off", length));
    data_ = bytes.substr(kLengthBytes + length);
    return bytes.substr(kLengthBytes, length);
  }

  json parse(std::string_view header) const {
    std::set<std::string> names;
    std::optional<std::string> twice;
    const auto watch = [&](int depth, json::parse_event_t event, json& parsed) {
      if (event == json::parse_event_t::key && depth == 1 &&
          !names.insert(parsed.get<std::string>()).second)
        twice = parsed.get<std::string>();
      return true;
    };
    json parsed;
    try {
      parsed = json::parse(header, watch);
    } catch (const json::parse_error& error) {
      fail(fmt::format("header, byte {}", kLengthBytes + error.byte), "JSON", error.what());
    } catch (const json::out_of_range& error) {  // a number beyond float64
      fail("header", "JSON", error.what());
    }
    if (!parsed.is_object()) fail("header", "a JSON object", parsed.type_name());
    if (twice) fail("header", "each tensor once", fmt::format("\"{}\" again", *twice));
    return parsed;
  }

  std::map<std::string, std::string> metadata(const json& entry) const {
    std::map<std::string, std::string> texts;
    if (!entry.is_object()) fail(kMetadata, "a JSON object", entry.type_name());
    for (const auto& [key, value] : entry.items()) {
      if (!value.is_string()) fail(kMetadata, fmt::format("text as `{}`", key), value.type_name());
      texts.emplace(key, value.get<std::string>());
    }
    return texts;
  }

  /// The integers of the list `key`, all 0 or more.
  std::vector<int64_t> integers(const std::string& place, const json& entry,
                                const std::string& key) const {
    const auto found = entry.find(key);
    if (found == entry.end() || !found->is_array())
      fail(place, fmt::format("`{}`, a list", key), found == entry.end() ? "none" : "another type");
    std::vector<int64_t> values;
    for (const json& value : *found) {
      if (!value.is_number_unsigned() ||
          value.get<uint64_t>() > std::numeric_limits<int64_t>::max())
        fail(place, fmt::format("`{}` of integers of 0 or more", key),
             value.is_number() ? value.dump() : value.type_name());  // dump() recurses into lists
      values.push_back(value.get<int64_t>());
    }
    return values;
  }

  at::ScalarType type(const std::string& place, const json& entry) const {
    const auto found = entry.find("dtype");
    const std::string name =
        found != entry.end() && found->is_string() ? found->get<std::string>() : "none";
    std::vector<std::string> known;
    for (const auto& [known_name, type] : kTypes) {
      if (name == known_name) return type;
      known.emplace_back(known_name);
    }
    fail(place, fmt::format("`dtype`, one of {}", fmt::join(known, ", ")), name);
  }

  at::Tensor tensor(const std::string& name, const json& entry) {
    const std::string place = fmt::format("tensor \"{}\"", name);
    if (!entry.is_object()) fail(place, "a JSON object", entry.type_name());
    const at::ScalarType element = type(place, entry);
    const std::vector<int64_t> dims = integers(place, entry, "shape");
    const std::vector<int64_t> offsets = integers(place, entry, "data_offsets");
    const std::string offset_text = fmt::format("[{}]", fmt::join(offsets, ", "));
    const int64_t present = static_cast<int64_t>(data_.size());
    if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > present)
      fail(place, fmt::format("`data_offsets` [begin, end] within {} bytes of data", present),
           offset_text);
    const std::optional<int64_t> size = tensor_bytes(dims, element);
    if (!size || *size != offsets[1] - offsets[0])
      fail(place, fmt::format("`shape` of {} bytes in all", offsets[1] - offsets[0]),
           fmt::format("shape [{}] of {}", fmt::join(dims, ", "), c10::toString(element)));
    ranges_.insert({offsets[0], offsets[1]});
    const at::Tensor result = tensor_of(
        data_.substr(static_cast<size_t>(offsets[0]), static_cast<size_t>(*size)), dims, element);
    if (!result.defined()) fail(place, "bools of 0 or 1", "another byte");
    return result;
  }

  /// The tensors' bytes follow each other from the first byte of data to the last.
  void check_coverage() const {
    int64_t end = 0;
    for (const auto& [first, last] : ranges_) {
      if (first != end)
        fail("header", fmt::format("a tensor that begins at byte {} of the data", end),
             fmt::format("one that begins at byte {}: tensors overlap or leave a gap", first));
      end = last;
    }
    if (end != static_cast<int64_t>(data_.size()))
      fail("header", fmt::format("tensors up to byte {} of the data", data_.size()),
           fmt::format("tensors up to byte {}", end));
  }

  std::string path_;
  MappedFile file_;
  std::string_view data_;
  std::multiset<std::pair<int64_t, int64_t>> ranges_;
};

const char* type_name(const std::string& tensor, at::ScalarType type) {
  for (const auto& [name, known] : kTypes)
    if (known == type) return name;
  throw InternalError(fmt::format("tensor \"{}\": safetensors has no name here for {}", tensor,
                                  c10::toString(type)));
}

}  // namespace

TensorFile read_safetensors(const std::filesystem::path& path) {
  return Reader(path).read();
}

void write_safetensors(const TensorFile& file, const std::filesystem::path& path) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!file.metadata.empty()) header[kMetadata] = file.metadata;
  // The widest first, so that each tensor lies aligned.
  std::multimap<int64_t, std::pair<std::string, at::Tensor>, std::greater<>> order;
  for (const auto& [name, tensor] : file.tensors)
    order.emplace(tensor.element_size(), std::pair(name, plain(tensor)));
  size_t end = 0;
  for (const auto& [width, entry] : order) {
    const auto& [name, tensor] = entry;
    if (name == kMetadata) throw InternalError("a tensor has the name of the metadata");
    const size_t begin = end;
    end += tensor.nbytes();
    header[name] = {{"dtype", type_name(name, tensor.scalar_type())},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {begin, end}}};
  }
  std::string text = header.dump();
  text.resize((text.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  const uint64_t length = text.size();
  std::string bytes;
  bytes.reserve(kLengthBytes + text.size() + end);
  bytes.append(reinterpret_cast<const char*>(&length), kLengthBytes);
  bytes += text;
  for (const auto& [width, entry] : order) bytes += bytes_of(entry.second);
  write_file(path, bytes);
}

void add_prefixed(TensorFile& file, const std::string& prefix,
                  const std::map<std::string, at::Tensor>& tensors) {
  for (const auto& [name, tensor] : tensors)
    file.tensors[prefix + name] = tensor.detach().to(at::kCPU).contiguous();
}

std::map<std::string, at::Tensor> with_prefix(const TensorFile& file, const std::string& prefix) {
  std::map<std::string, at::Tensor> result;
  for (const auto& [name, tensor] : file.tensors)
    if (name.starts_with(prefix)) result[name.substr(prefix.size())] = tensor;
  return result;
}

}  // namespace crrm
