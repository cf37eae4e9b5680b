// Whether multiply-accumulates that were saved saved time.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace crrm {

/// What a reader should know of a cut that did not pay: where the last stage needs less than 90 %
/// of the first one's multiply-accumulates, the ways of running it in which it takes more than 95 %
/// of the time, and why, as far as widths show it. "" where there is none.
/// @param stages, layers  of a report
std::string unpaid_cut(const nlohmann::ordered_json& stages, const nlohmann::ordered_json& layers);

}  // namespace crrm
