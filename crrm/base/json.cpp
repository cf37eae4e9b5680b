#include "crrm/base/json.h"

#include <nlohmann/json.hpp>

#include "crrm/base/error.h"

namespace crrm {

nlohmann::ordered_json parse_json(std::string_view text, const std::string& file) {
  using Json = nlohmann::ordered_json;
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    throw InputError({.file = file,
                      .place = fmt::format("byte {}", error.byte),
                      .expected = "JSON",
                      .found = error.what()});
  } catch (const Json::out_of_range& error) {  // a number beyond float64
    throw InputError({.file = file, .expected = "JSON", .found = error.what()});
  }
}

}  // namespace crrm
