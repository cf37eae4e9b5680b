#include "crrm/report/provenance.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "crrm/base/amount.h"
#include "crrm/report/page.h"

namespace crrm {

namespace {

using Json = nlohmann::ordered_json;

std::string hash_of(const Json& hash) {
  const std::string text = text_of(hash);
  return text.empty() ? "" : fmt::format("<span class=\"hash\">{}</span>", text);
}

Facts path_and_hash(const Json& report, const std::string& key) {
  return {{key, text_of(report[key]["path"])}, {"its SHA-256", hash_of(report[key]["sha256"])}};
}

/// Adds each value below `config` under its dotted name.
void flatten(const Json& config, const std::string& prefix, Facts& values) {
  for (const auto& [name, value] : config.items()) {
    if (value.is_object()) {
      flatten(value, prefix + name + ".", values);
      continue;
    }
    const std::string text = value.is_string()
                                 ? value.get<std::string>()
                                 : value.dump(-1, ' ', false, Json::error_handler_t::replace);
    values.emplace_back(prefix + name, escape_html(text));
  }
}

}  // namespace

std::string fact_list(const std::vector<Facts>& facts) {
  std::string text = "<dl>\n";
  for (const Facts& some : facts)
    for (const auto& [name, value] : some)
      if (!value.empty())
        text += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", escape_html(name), value);
  return text + "</dl>\n";
}

std::string notice(const char* kind, const std::string& title, const std::string& text) {
  return fmt::format("<p class=\"notice {}\"><strong>{}</strong> {}</p>\n", kind, title, text);
}

Facts model_facts(const Json& report) {
  return path_and_hash(report, "model");
}

Facts data_facts(const Json& report) {
  return path_and_hash(report, "data");
}

Facts machine_facts(const Json& report) {
  const Json& machine = report["machine"];
  return {{"processor", text_of(machine["cpu"])},
          {"threads", machine["threads"].dump()},
          {"memory", format_bytes(machine["memory_bytes"])},
          {"accelerator", machine["gpu"].is_string() ? text_of(machine["gpu"]) : "none"},
          {"LibTorch", text_of(machine["libtorch"])},
          {"crrm", text_of(report["crrm"]["version"]) + " " + text_of(report["crrm"]["commit"])}};
}

Facts time_facts(const Json& report) {
  Facts facts;
  for (const auto& [name, seconds] : report["seconds"].items())
    facts.emplace_back(name, format_duration(seconds));
  return facts;
}

std::string configuration(const Json& report) {
  Facts values = {{"seed", report["seed"].dump()}};
  flatten(report["config"], "", values);
  std::vector<std::string> words = report["command"];
  return fmt::format("<pre><code>{}</code></pre>\n",
                     escape_html(fmt::format("{}", fmt::join(words, " ")))) +
         fact_list({values});
}

}  // namespace crrm
