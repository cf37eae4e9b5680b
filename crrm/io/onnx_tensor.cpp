#include "crrm/io/onnx_tensor.h"

#include <charconv>
#include <limits>

#include "crrm/base/error.h"
#include "crrm/io/onnx_fields.h"
#include "crrm/io/tensor_bytes.h"

namespace crrm::onnx {

namespace fs = std::filesystem;

struct TensorReader::Fields {
  std::string name;
  std::vector<int64_t> dims;
  int64_t code = 0;
  std::optional<std::string_view> raw;
  std::vector<int64_t> integers;  ///< int32_data, int64_data or uint64_data
  std::vector<double> reals;      ///< float_data or double_data
  uint32_t list = 0;              ///< the field that `integers` or `reals` came from
  bool external = false;
  std::map<std::string, std::string> entries;  ///< where external data lie
};

namespace {

void read_entry(Message message, std::map<std::string, std::string>& entries) {
  std::string key, value;
  while (message.next()) {
    if (message.field() == kEntryKey)
      key = message.text();
    else if (message.field() == kEntryValue)
      value = message.text();
  }
  entries[key] = value;
}

/// The typed list that holds elements of `type` when there is no raw_data.
uint32_t list_field(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return kTensorFloatData;
    case at::kDouble:
      return kTensorDoubleData;
    case at::kLong:
      return kTensorInt64Data;
    default:
      return kTensorInt32Data;
  }
}

/// The range of the integers that int32_data may hold for `type`; float16 come as their bits.
std::pair<int64_t, int64_t> integer_range(at::ScalarType type) {
  switch (type) {
    case at::kBool:
      return {0, 1};
    case at::kByte:
      return {0, 255};
    case at::kChar:
      return {-128, 127};
    case at::kShort:
      return {-32768, 32767};
    case at::kHalf:
    case at::kBFloat16:
      return {0, 65535};
    case at::kInt:
      return {std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()};
    default:
      return {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()};
  }
}

at::Tensor from_integers(const Message& message, const std::vector<int64_t>& values,
                         at::ScalarType type) {
  const auto [least, most] = integer_range(type);
  for (const int64_t value : values)
    if (value < least || value > most)
      message.fail(fmt::format("values of {} to {}", least, most), fmt::format("{}", value));
  const at::Tensor wide = at::tensor(values, at::kLong);
  if (type == at::kHalf || type == at::kBFloat16) return wide.to(at::kShort).view(type);
  return wide.to(type);
}

at::Tensor from_raw(const Message& message, std::string_view bytes,
                    const std::vector<int64_t>& dims, at::ScalarType type) {
  const at::Tensor tensor = crrm::tensor_of(bytes, dims, type);
  if (!tensor.defined()) message.fail("bools of 0 or 1", "another byte");
  return tensor;
}

/// A non-negative integer of `external_data`; `fallback` where the key is missing.
int64_t entry_integer(const Message& message, const std::map<std::string, std::string>& entries,
                      const std::string& key, int64_t fallback) {
  const auto found = entries.find(key);
  if (found == entries.end()) return fallback;
  const std::string& text = found->second;
  int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0)
    message.fail(fmt::format("external data with `{}` of 0 or more", key),
                 fmt::format("\"{}\"", text));
  return value;
}

/// Whether a location stays in the model's folder.
bool stays_inside(const fs::path& location) {
  if (location.empty() || location.is_absolute()) return false;
  return std::none_of(location.begin(), location.end(),
                      [](const fs::path& part) { return part == ".."; });
}

}  // namespace

at::ScalarType element_type(const Message& message, int64_t code) {
  for (const Element& element : kElements)
    if (element.code == code) return element.type;
  message.fail(
      "float32, float64, float16, bfloat16, int8, int16, int32, int64, uint8 or bool elements",
      fmt::format("ONNX element type {}", code));
}

NamedTensor TensorReader::read(Message message) {
  Fields fields;
  while (message.next()) read_field(message, fields);
  if (!fields.name.empty()) {
    // From here on errors name the tensor.
    return {fields.name,
            tensor_of(message.named(fmt::format("tensor \"{}\"", fields.name)), fields)};
  }
  return {fields.name, tensor_of(message, fields)};
}

void TensorReader::read_field(Message& message, Fields& fields) {
  const uint32_t field = message.field();
  const auto start_list = [&] {
    if (fields.list != 0 && fields.list != field)
      message.fail("one list of values", fmt::format("fields {} and {}", fields.list, field));
    fields.list = field;
  };
  switch (field) {
    case kTensorDims:
      return message.integers(fields.dims);
    case kTensorType:
      fields.code = message.integer();
      return;
    case kTensorName:
      fields.name = message.text();
      return;
    case kTensorRawData:
      fields.raw = message.bytes();
      return;
    case kTensorLocation:
      fields.external = message.integer() == 1;
      return;
    case kTensorExternalData:
      return read_entry(message.message("external data"), fields.entries);
    case kTensorFloatData:
      start_list();
      return message.floats(fields.reals);
    case kTensorDoubleData:
      start_list();
      return message.doubles(fields.reals);
    case kTensorInt32Data:
    case kTensorInt64Data:
    case kTensorUint64Data:
      start_list();
      return message.integers(fields.integers);
    case kTensorSegment:
      message.fail("a tensor in one piece", "a segment");
    case kTensorStringData:
      message.fail("a tensor of numbers", "strings");
    default:
      return;
  }
}

at::Tensor TensorReader::tensor_of(const Message& message, const Fields& fields) {
  const at::ScalarType type = element_type(message, fields.code);
  const std::string shape = fmt::format("[{}]", fmt::join(fields.dims, ", "));
  const std::optional<int64_t> size = tensor_bytes(fields.dims, type);
  if (!size)
    message.fail("dims of 0 or more, 64 at most, whose bytes fit 63 bits",
                 fmt::format("dims {}", shape));
  const int64_t count = *size / static_cast<int64_t>(c10::elementSize(type));
  if (int{fields.external} + int{fields.raw.has_value()} + int{fields.list != 0} > 1)
    message.fail("values in one place", "two of raw, listed and external data");
  if (fields.external)
    return from_raw(message, external_bytes(message, fields, *size), fields.dims, type);
  if (fields.list == 0) {
    const std::string_view bytes = fields.raw.value_or(std::string_view());
    if (static_cast<int64_t>(bytes.size()) != *size)
      message.fail(fmt::format("{} bytes for dims {} of {}", *size, shape, c10::toString(type)),
                   fmt::format("{} bytes", bytes.size()));
    return from_raw(message, bytes, fields.dims, type);
  }
  if (fields.list != list_field(type))
    message.fail(fmt::format("{} in field {}", c10::toString(type), list_field(type)),
                 fmt::format("values in field {}", fields.list));
  const bool real = type == at::kFloat || type == at::kDouble;
  const size_t found = real ? fields.reals.size() : fields.integers.size();
  if (static_cast<int64_t>(found) != count)
    message.fail(fmt::format("{} values for dims {}", count, shape), fmt::format("{}", found));
  const at::Tensor flat = real ? at::tensor(fields.reals, at::kDouble).to(type)
                               : from_integers(message, fields.integers, type);
  return flat.reshape(fields.dims);
}

const MappedFile& TensorReader::external_file(const Message& message, const std::string& location) {
  if (!stays_inside(location))
    message.fail("external data in the model's folder", fmt::format("location \"{}\"", location));
  std::unique_ptr<MappedFile>& file = files_[location];
  if (!file) file = std::make_unique<MappedFile>(folder_ / location);
  return *file;
}

std::string_view TensorReader::external_bytes(const Message& message, const Fields& fields,
                                              int64_t size) {
  const auto location = fields.entries.find("location");
  if (location == fields.entries.end()) message.fail("external data with a `location`", "none");
  const std::string_view bytes = external_file(message, location->second).bytes();
  const int64_t offset = entry_integer(message, fields.entries, "offset", 0);
  const int64_t length = entry_integer(message, fields.entries, "length", size);
  if (length != size)
    message.fail(fmt::format("external data of {} bytes, as dims and type say", size),
                 fmt::format("length {}", length));
  const int64_t present = static_cast<int64_t>(bytes.size());
  if (offset > present || length > present - offset)
    message.fail(fmt::format("{} bytes from byte {} of \"{}\"", length, offset, location->second),
                 fmt::format("a file of {} bytes", present));
  return bytes.substr(static_cast<size_t>(offset), static_cast<size_t>(length));
}

}  // namespace crrm::onnx
