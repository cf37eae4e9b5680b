// A latency model as a run's folder keeps it. What is read back may be damaged.
#include <cmath>
#include <limits>

#include "crrm/base/error.h"
#include "crrm/measure/latency_model.h"

namespace crrm {

namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kMost = std::numeric_limits<int32_t>::max();  // products of two are no overflow

std::string shown(const Json& value) {
  if (value.is_discarded()) return "no JSON";
  if (value.is_object()) return "an object";
  if (value.is_array()) return fmt::format("a list of {}", value.size());
  return value.dump();
}

/// A value of the file and where it stands, such as "tables[3].widths".
class Entry {
 public:
  Entry(const Json& value, std::string path) : value_(value), path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  Entry operator[](const std::string& key) const {
    if (!value_.is_object()) reject("an object");
    if (!value_.contains(key))
      throw InputError(
          {.place = path_, .expected = fmt::format("a key \"{}\"", key), .found = "none"});
    return {value_[key], path_.empty() ? key : fmt::format("{}.{}", path_, key)};
  }
  std::vector<Entry> list() const {
    if (!value_.is_array()) reject("a list");
    std::vector<Entry> entries;
    for (size_t i = 0; i < value_.size(); ++i)
      entries.push_back({value_[i], fmt::format("{}[{}]", path_, i)});
    return entries;
  }
  std::vector<std::string> keys() const {
    if (!value_.is_object()) reject("an object");
    std::vector<std::string> keys;
    for (const auto& [key, value] : value_.items()) keys.push_back(key);
    return keys;
  }
  int64_t whole(int64_t least) const {
    const bool fits = value_.is_number_integer() && value_ >= least && value_ <= kMost;
    if (!fits) reject(fmt::format("a whole number in [{}, {}]", least, kMost));
    return value_;
  }
  /// JSON has no infinity: a number that is too large for a double is not parsed.
  double number() const {
    if (!value_.is_number() || value_ < 0) reject("a number >= 0");
    return value_;
  }
  std::string text() const {
    if (!value_.is_string()) reject("a text");
    return value_;
  }

 private:
  [[noreturn]] void reject(const std::string& expected) const {
    throw InputError({.place = path_, .expected = expected, .found = shown(value_)});
  }

  const Json& value_;
  std::string path_;
};

WidthTable read_table(const Entry& entry) try {
  std::vector<std::vector<int64_t>> widths;
  for (const Entry& axis : entry["widths"].list()) {
    widths.emplace_back();
    for (const Entry& width : axis.list()) widths.back().push_back(width.whole(1));
  }
  std::vector<double> times;
  for (const Entry& time : entry["nanoseconds"].list()) times.push_back(time.number());
  return {std::move(widths), std::move(times)};
} catch (const InputError& error) {
  Fault fault = error.fault();
  if (!fault.place.starts_with(entry.path()))
    fault.place = fmt::format("{}: {}", entry.path(), fault.place);
  throw InputError(fault);
}

LatencyModel::Timed read_timed(const Entry& entry) {
  LatencyModel::Timed timed{.table = static_cast<size_t>(entry["table"].whole(0)), .places = {}};
  for (const Entry& place : entry["places"].list())
    timed.places.push_back({.input = static_cast<size_t>(place["input"].whole(0)),
                            .axis = static_cast<size_t>(place["axis"].whole(0)),
                            .blocks = place["blocks"].whole(1)});
  return timed;
}

}  // namespace

Json LatencyModel::to_json() const {
  Json tables = Json::array(), nodes = Json::object();
  for (const WidthTable& table : tables_)
    tables.push_back({{"widths", table.widths()}, {"nanoseconds", table.times()}});
  for (const auto& [name, timed] : nodes_) {
    Json places = Json::array();
    for (const Place& place : timed.places)
      places.push_back({{"input", place.input}, {"axis", place.axis}, {"blocks", place.blocks}});
    nodes[name] = {{"table", timed.table}, {"places", places}};
  }
  return {{"runtime", setting_.runtime},
          {"threads", setting_.threads},
          {"batch", setting_.batch},
          {"scale", scale_},
          {"share_ns", share_},
          {"residual", residual_},
          {"tables", tables},
          {"nodes", nodes}};
}

LatencyModel LatencyModel::from_json(const Json& json) {
  const Entry file(json, "");
  std::vector<WidthTable> tables;
  for (const Entry& table : file["tables"].list()) tables.push_back(read_table(table));
  std::map<std::string, Timed> nodes;
  const Entry timed = file["nodes"];
  for (const std::string& name : timed.keys()) nodes[name] = read_timed(timed[name]);
  LatencyModel model({.runtime = file["runtime"].text(),
                      .threads = static_cast<int>(file["threads"].whole(1)),
                      .batch = file["batch"].whole(1)},
                     std::move(tables), std::move(nodes));
  model.scale_ = file["scale"].number();
  model.share_ = file["share_ns"].number();
  model.residual_ = file["residual"].number();
  return model;
}

}  // namespace crrm
