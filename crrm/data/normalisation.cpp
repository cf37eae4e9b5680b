#include "crrm/data/normalisation.h"

#include <charconv>
#include <cmath>

#include "crrm/base/error.h"
#include "crrm/base/file.h"
#include "crrm/base/json.h"
#include "crrm/data/dataset.h"
#include "crrm/data/image_fit.h"

namespace crrm {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

constexpr double kByteScale = 1.0 / 255;

[[noreturn]] void reject(const std::string& file, const std::string& place,
                         const std::string& expected, const std::string& found,
                         const std::string& hint = {}) {
  throw InputError(
      {.file = file, .place = place, .expected = expected, .found = found, .hint = hint});
}

void check_values(const Normalisation& normalisation, const std::string& file) {
  if (!std::isfinite(normalisation.scale) || normalisation.scale == 0)
    reject(file, "scale", "a finite number other than 0", fmt::format("{}", normalisation.scale));
  for (const double mean : normalisation.mean)
    if (!std::isfinite(mean)) reject(file, "mean", "finite numbers", fmt::format("{}", mean));
  for (const double std : normalisation.std)
    if (!std::isfinite(std) || std <= 0)
      reject(file, "std", "finite numbers above 0", fmt::format("{}", std));
}

double json_number(const Json& value, const std::string& file, const std::string& key) {
  if (!value.is_number()) reject(file, key, "a number", value.dump());
  return value.get<double>();
}

/// A list of numbers, or one number for a list of one.
std::vector<double> json_numbers(const Json& value, const std::string& file,
                                 const std::string& key) {
  if (value.is_number()) return {value.get<double>()};
  if (!value.is_array() || value.empty()) reject(file, key, "a list of numbers", value.dump());
  std::vector<double> numbers;
  for (const Json& item : value) numbers.push_back(json_number(item, file, key));
  return numbers;
}

std::vector<int64_t> json_shape(const Json& value, const std::string& file) {
  const bool good = value.is_array() && !value.empty() &&
                    std::all_of(value.begin(), value.end(), [](const Json& extent) {
                      return extent.is_number_unsigned() && extent.get<uint64_t>() > 0 &&
                             extent.get<uint64_t>() <= INT32_MAX;
                    });
  if (!good) reject(file, "shape", "the extents of one sample, such as [1, 8, 8]", value.dump());
  return value.get<std::vector<int64_t>>();
}

std::string json_text(const Json& value, const std::string& file, const std::string& key) {
  if (!value.is_string()) reject(file, key, "a text", value.dump());
  return value.get<std::string>();
}

/// 224 for {224}, or [224, 160].
std::vector<int64_t> json_size(const Json& value, const std::string& file, const std::string& key) {
  const Json list = value.is_array() ? value : Json::array({value});
  const bool good = (list.size() == 2 || !value.is_array()) &&
                    std::all_of(list.begin(), list.end(), [](const Json& extent) {
                      return extent.is_number_unsigned() && extent.get<uint64_t>() > 0 &&
                             extent.get<uint64_t>() <= INT32_MAX;
                    });
  if (!good)
    reject(file, key, "a number of pixels such as 224, or height and width such as [224, 160]",
           value.dump());
  return list.get<std::vector<int64_t>>();
}

std::string json_choice(const Json& value, const std::string& file, const std::string& key,
                        const std::vector<std::string>& choices) {
  const std::string text = json_text(value, file, key);
  if (std::find(choices.begin(), choices.end(), text) == choices.end())
    reject(file, key, fmt::format("one of {}", fmt::join(choices, ", ")), value.dump(),
           suggestion(text, choices));
  return text;
}

/// Reads what the description says of image files; false where the key is another one.
bool read_image_key(const std::string& key, const Json& value, const std::string& file,
                    InputDescription& result) {
  if (key == "resize") {
    result.resize = json_size(value, file, key);
  } else if (key == "crop") {
    result.crop = json_size(value, file, key);
  } else if (key == "channels") {
    result.channels = json_choice(value, file, key, channel_orders());
  } else if (key == "layout") {
    result.layout = json_choice(value, file, key, sample_layouts());
  } else {
    return false;
  }
  return true;
}

Json parse_object(std::string_view text, const std::string& file) {
  Json object = parse_json(text, file);
  if (!object.is_object()) reject(file, "", "a JSON object", object.type_name());
  return object;
}

double parse_decimal(std::string_view text, const std::string& option, const std::string& place) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    reject(option, place, "a number such as 0.5 or 1/255", fmt::format("\"{}\"", text));
  return value;
}

/// "0.5" or "1/255".
double parse_fraction(std::string_view text, const std::string& option, const std::string& place) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return parse_decimal(text, option, place);
  const double below = parse_decimal(text.substr(slash + 1), option, place);
  if (below == 0) reject(option, place, "a denominator other than 0", fmt::format("\"{}\"", text));
  return parse_decimal(text.substr(0, slash), option, place) / below;
}

std::vector<std::string_view> split_text(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::vector<double> parse_list(std::string_view text, const std::string& option,
                               const std::string& place) {
  std::vector<double> values;
  for (const std::string_view part : split_text(text, ','))
    values.push_back(parse_fraction(part, option, place));
  return values;
}

void parse_part(std::string_view part, const std::string& option, Normalisation& result) {
  const size_t equals = part.find('=');
  const std::string key(part.substr(0, equals));
  const std::string_view value =
      equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1);
  if (key == "scale") {
    result.scale = parse_fraction(value, option, key);
  } else if (key == "mean") {
    result.mean = parse_list(value, option, key);
  } else if (key == "std") {
    result.std = parse_list(value, option, key);
  } else {
    reject(option, "", "scale=..., mean=..., std=...", fmt::format("\"{}\"", part),
           suggestion(key, {"scale", "mean", "std"}));
  }
}

void check_count(const std::vector<double>& values, const std::string& name, const Dataset& data) {
  const int64_t count = static_cast<int64_t>(values.size());
  const int64_t channels = data.inputs.dim() > 1 ? data.inputs.size(data.channel_axis) : 1;
  if (count > 1 && count != channels)
    reject(
        data.source, "normalisation, " + name,
        fmt::format("1 value or {}, as the inputs are {}", channels, c10::str(data.inputs.sizes())),
        fmt::format("{} values", count));
}

}  // namespace

fs::path description_path(const fs::path& model) {
  return fs::path(model).replace_extension(".json");
}

InputDescription parse_description(std::string_view text, const std::string& file) {
  InputDescription result;
  Normalisation normalisation;
  bool given = false;
  const Json object = parse_object(text, file);
  for (const auto& [key, value] : object.items()) {
    given = given || key == "scale" || key == "mean" || key == "std";
    if (key == "scale") {
      normalisation.scale = json_number(value, file, key);
    } else if (key == "mean") {
      normalisation.mean = json_numbers(value, file, key);
    } else if (key == "std") {
      normalisation.std = json_numbers(value, file, key);
    } else if (key == "shape") {
      result.shape = json_shape(value, file);
    } else if (key == "label_column") {
      result.label_column = json_text(value, file, key);
    } else if (!read_image_key(key, value, file, result)) {
      const std::vector<std::string> keys{"scale",  "mean", "std",      "shape", "label_column",
                                          "resize", "crop", "channels", "layout"};
      reject(file, key, fmt::format("one of the keys {}", fmt::join(keys, ", ")), key,
             suggestion(key, keys));
    }
  }
  check_values(normalisation, file);
  if (given) result.normalisation = normalisation;
  return result;
}

InputDescription read_description(const fs::path& file) {
  return parse_description(read_file(file), file.string());
}

Normalisation parse_normalisation(std::string_view text, const std::string& option) {
  Normalisation result;
  for (const std::string_view part : split_text(text, ' '))
    if (!part.empty()) parse_part(part, option, result);
  check_values(result, option);
  return result;
}

std::string to_text(const Normalisation& normalisation) {
  std::string text = fmt::format("scale={}", normalisation.scale);
  if (!normalisation.mean.empty())
    text += fmt::format(" mean={}", fmt::join(normalisation.mean, ","));
  if (!normalisation.std.empty()) text += fmt::format(" std={}", fmt::join(normalisation.std, ","));
  return text;
}

Normalisation default_normalisation(const Dataset& data) {
  return {.scale = data.inputs.scalar_type() == at::kByte ? kByteScale : 1, .mean = {}, .std = {}};
}

void check_normalisation(const Normalisation& normalisation, const Dataset& data) {
  check_values(normalisation, data.source);
  check_count(normalisation.mean, "mean", data);
  check_count(normalisation.std, "std", data);
  const auto unit = [](double x) { return std::abs(x) <= 1; };
  const bool for_unit_range =
      !normalisation.mean.empty() && !normalisation.std.empty() &&
      std::all_of(normalisation.mean.begin(), normalisation.mean.end(), unit) &&
      std::all_of(normalisation.std.begin(), normalisation.std.end(), unit);
  if (data.inputs.scalar_type() == at::kByte && normalisation.scale == 1 && for_unit_range)
    reject(data.source, "normalisation",
           "mean and std in the unit of the bytes, 0 to 255, as scale is 1",
           fmt::format("mean {} and std {}", fmt::join(normalisation.mean, ","),
                       fmt::join(normalisation.std, ",")),
           "scale=1/255 takes the bytes to 0 to 1 first");
}

}  // namespace crrm
