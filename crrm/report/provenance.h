// The sections that end every page: where the figures come from.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

namespace crrm {

/// Names, as text, and values, as HTML.
using Facts = std::vector<std::pair<std::string, std::string>>;

/// All of them in two columns; names without a value are left out.
std::string fact_list(const std::vector<Facts>& facts);

/// A line that stands out. @param kind "good", "warn" or "bad"; `title` and `text` are HTML
std::string notice(const char* kind, const std::string& title, const std::string& text);

/// The network and its hash, the data and theirs. @param report  with `model` and `data`
Facts model_facts(const nlohmann::ordered_json& report);
Facts data_facts(const nlohmann::ordered_json& report);

/// Processor, threads, memory, accelerator, and versions. @param report  with `machine` and `crrm`
Facts machine_facts(const nlohmann::ordered_json& report);

/// Each of the report's `seconds`.
Facts time_facts(const nlohmann::ordered_json& report);

/// The command line, the seed, and every option's value.
std::string configuration(const nlohmann::ordered_json& report);

}  // namespace crrm
