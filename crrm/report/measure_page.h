// A report of crrm measure as one page that needs no network.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace crrm {

/// Per layer: curves of each family side by side, tables, and what each number means; with several
/// epochs, a slider between them. Numbers that are not sound, or refused, are drawn as such.
/// @throws InputError where validate(report, measure_keys(), ...) does.
std::string measure_page(const nlohmann::ordered_json& report);

}  // namespace crrm
