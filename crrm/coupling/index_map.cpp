#include "crrm/coupling/index_map.h"

#include <map>

namespace crrm {

namespace {

/// Runs of equal length and distance: a progression of step 0 that starts at the first index.
std::optional<Progression> runs_of(const std::vector<int64_t>& indices) {
  const int64_t size = static_cast<int64_t>(indices.size());
  Progression result{.first = indices[0], .step = 0, .run = 1, .repeats = 1, .period = 0};
  while (result.run < size && indices[static_cast<size_t>(result.run)] == result.first + result.run)
    ++result.run;
  result.repeats = size / result.run;
  if (result.repeats > 1) result.period = indices[static_cast<size_t>(result.run)] - result.first;
  if (indices_of(result, 0) != indices) return std::nullopt;
  return result;
}

bool is_shifted(const std::vector<int64_t>& from, const std::vector<int64_t>& to, int64_t by) {
  return std::equal(from.begin(), from.end(), to.begin(), to.end(),
                    [&](int64_t a, int64_t b) { return a + by == b; });
}

/// A sum of a constant and variables: "49u+64r+48", "63-u", "5".
class Sum {
 public:
  Sum& add(int64_t factor, const std::string& variable) {
    if (factor == 0) return *this;
    std::string& terms = factor < 0 ? minus_ : plus_;
    if (factor < 0 || !plus_.empty()) terms += factor < 0 ? "-" : "+";
    if (std::abs(factor) != 1) terms += fmt::format("{}", std::abs(factor));
    terms += variable;
    return *this;
  }
  /// @param constant  >= 0 where there is a negative term
  std::string text(int64_t constant) const {
    if (!minus_.empty())
      return fmt::format("{}{}{}{}", constant, minus_, plus_.empty() ? "" : "+", plus_);
    if (plus_.empty()) return fmt::format("{}", constant);
    return constant == 0 ? plus_ : fmt::format("{}+{}", plus_, constant);
  }

 private:
  std::string plus_, minus_;
};

IndexSets sets_of(const std::vector<int>& axis, const Group& group) {
  IndexSets sets(group.units.size());
  for (size_t i = 0; i < axis.size(); ++i) {
    const auto unit = std::lower_bound(group.units.begin(), group.units.end(), axis[i]);
    if (unit != group.units.end() && *unit == axis[i])
      sets[static_cast<size_t>(unit - group.units.begin())].push_back(static_cast<int64_t>(i));
  }
  return sets;
}

IndexMap map_of(IndexSets sets, int64_t extent, int64_t blocks) {
  IndexMap map{.extent = extent, .blocks = blocks};
  for (const std::vector<int64_t>& set : sets) map.taken += static_cast<int64_t>(set.size());
  map.progression = progression_of(sets);
  if (!map.progression) map.listed = std::move(sets);
  return map;
}

}  // namespace

std::optional<Progression> progression_of(const IndexSets& sets) {
  std::optional<Progression> result = runs_of(sets[0]);
  if (!result || sets.size() == 1) return result;
  result->step = sets[1][0] - sets[0][0];
  for (size_t u = 1; u < sets.size(); ++u)
    if (!is_shifted(sets[u - 1], sets[u], result->step)) return std::nullopt;
  return result;
}

std::vector<int64_t> indices_of(const Progression& progression, int64_t u) {
  std::vector<int64_t> indices;
  for (int64_t r = 0; r < progression.repeats; ++r)
    for (int64_t i = 0; i < progression.run; ++i)
      indices.push_back(progression.first + u * progression.step + r * progression.period + i);
  return indices;
}

std::string formula(const Progression& progression, const std::string& variable) {
  Sum sum;
  sum.add(progression.step, variable).add(progression.period, "r");
  std::string text = sum.text(progression.first);
  if (progression.run > 1) text += ".." + sum.text(progression.first + progression.run - 1);
  if (progression.repeats > 1) text += fmt::format(", r = 0..{}", progression.repeats - 1);
  return text;
}

std::string ranges(const std::vector<int64_t>& ascending) {
  std::vector<std::string> words;
  for (size_t i = 0; i < ascending.size();) {
    size_t end = i + 1;
    while (end < ascending.size() && ascending[end] == ascending[end - 1] + 1) ++end;
    words.push_back(end - i == 1 ? fmt::format("{}", ascending[i])
                                 : fmt::format("{}..{}", ascending[i], ascending[end - 1]));
    i = end;
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

std::vector<int64_t> IndexMap::indices(int64_t position) const {
  return progression ? indices_of(*progression, position)
                     : listed.at(static_cast<size_t>(position));
}

std::vector<IndexMap> index_maps(const Coupling& coupling, const Group& group) {
  std::map<std::pair<int, int64_t>, IndexMap> known;  // by axis and blocks: members share axes
  std::vector<IndexMap> maps;
  for (const Member& member : group.members) {
    const AxisRef ref = coupling.axis_of(member.parameter, member.axis);
    auto entry = known.find({ref.axis, ref.blocks});
    if (entry == known.end()) {
      const std::vector<int>& axis = coupling.axes()[static_cast<size_t>(ref.axis)];
      entry =
          known
              .emplace(std::pair(ref.axis, ref.blocks),
                       map_of(sets_of(axis, group), static_cast<int64_t>(axis.size()), ref.blocks))
              .first;
    }
    maps.push_back(entry->second);
  }
  return maps;
}

IndexMap index_map(const Coupling& coupling, const FrozenAxis& frozen) {
  const auto& [parameter, a] = frozen.member;
  const AxisRef ref = coupling.axis_of(parameter, a);
  std::vector<int> axis;
  if (ref.axis >= 0)
    axis = coupling.axes()[static_cast<size_t>(ref.axis)];
  else
    axis.assign(static_cast<size_t>(coupling.shapes().at(parameter)[static_cast<size_t>(a)]),
                Coupling::kStays);
  const Group all{.name = "", .units = {Coupling::kStays}, .members = {}};
  return map_of(sets_of(axis, all), static_cast<int64_t>(axis.size()), ref.blocks);
}

}  // namespace crrm
