// A report as one page that needs no network: crrm report RUN.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace crrm {

/// The whole page, with Chart.js, style and script inside. Made from the report alone.
/// @throws InputError where validate() does.
std::string html(const nlohmann::ordered_json& report);

}  // namespace crrm
