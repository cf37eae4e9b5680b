#include "crrm/cli/drawing.h"

#include <fmt/format.h>

#include <cmath>
#include <map>

#include "crrm/cli/group_text.h"

namespace crrm::cli {

namespace {

constexpr const char* kGrey = "#d9d9d9";
constexpr const char* kWhite = "#ffffff";

/// Hues that are far apart for neighbouring groups, and the same in every drawing: multiples of the
/// golden ratio fill the circle evenly (Knuth, The Art of Computer Programming 3, section 6.4).
std::string colour(size_t group) {
  constexpr double kGoldenRatio = 0.6180339887498949;
  constexpr double kSaturation = 0.4, kValue = 1.0;  // black letters stay legible
  double whole = 0;
  const double hue = std::modf(static_cast<double>(group + 1) * kGoldenRatio, &whole);
  return fmt::format("{:.3f} {:.3f} {:.3f}", hue, kSaturation, kValue);
}

/// Lines of text as Graphviz reads them: in quotes, with neither escapes nor entities of their own.
std::string quoted(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    if (!text.empty()) text += "\\n";
    for (const char c : line) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
      if (c == '&') text += "amp;";
    }
  }
  return '"' + text + '"';
}

class Drawing {
 public:
  Drawing(const Graph& network, const Coupling& coupling, const DrawnShapes& shapes,
          const std::string& only)
      : network_(network),
        coupling_(coupling),
        shapes_(shapes),
        only_(only),
        labels_(label_network(network, shapes.table)) {}

  std::string text() {
    text_ = fmt::format(
        "digraph {} {{\n"
        "  node [shape=box, style=\"filled,rounded\", fillcolor=\"{}\", fontname=\"Helvetica\"];\n"
        "  edge [fontname=\"Helvetica\", fontsize=10];\n",
        quoted({network_.name}), kWhite);
    add_inputs();
    for (size_t i = 0; i < network_.nodes.size(); ++i) add_node(i);
    add_outputs();
    return text_ + "}\n";
  }

 private:
  void add_inputs() {
    for (size_t i = 0; i < network_.inputs.size(); ++i) {
      const std::string& name = network_.inputs[i].name;
      const std::string id = fmt::format("input{}", i);
      text_ += fmt::format("  {} [shape=ellipse, label={}, tooltip={}];\n", id, quoted({name}),
                           quoted({"input of the network"}));
      writer_[name] = id;
    }
  }

  void add_node(size_t i) {
    const Node& node = network_.nodes[i];
    const std::string id = fmt::format("node{}", i);
    const std::map<size_t, int64_t> groups = groups_of(node);
    text_ += fmt::format("  {} [label={}, fillcolor=\"{}\", tooltip={}];\n", id,
                         quoted({node.name, node.op}), fill(groups),
                         quoted(groups.empty() ? reasons(node) : units_of(groups)));
    for (const std::string& input : node.inputs) add_edge(input, id);
    for (const std::string& output : node.outputs)
      if (!output.empty()) writer_[output] = id;
  }

  void add_outputs() {
    for (size_t i = 0; i < network_.outputs.size(); ++i) {
      const std::string& name = network_.outputs[i].name;
      const std::string id = fmt::format("output{}", i);
      text_ += fmt::format("  {} [shape=ellipse, label={}, tooltip={}];\n", id, quoted({name}),
                           quoted({"output of the network"}));
      add_edge(name, id);
    }
  }

  /// Constants have no node of their own, so none is drawn from them.
  void add_edge(const std::string& value, const std::string& to) {
    const auto from = writer_.find(value);
    if (from == writer_.end()) return;
    text_ += fmt::format("  {} -> {} [label={}, tooltip={}];\n", from->second, to,
                         quoted({extents(value)}), quoted({value}));
  }

  /// "Nx64x56x56"
  std::string extents(const std::string& value) const {
    const auto& known = shapes_.table.shapes;
    const auto here = known.find(value), there = shapes_.other.shapes.find(value);
    if (here == known.end() || there == shapes_.other.shapes.end()) return "?";
    std::vector<std::string> words;
    for (size_t a = 0; a < here->second.size() && a < there->second.size(); ++a)
      words.push_back(extent(here->second[a], there->second[a]));
    return words.empty() ? "one number" : fmt::format("{}", fmt::join(words, "x"));
  }

  /// An extent that follows the batch as a multiple of it.
  static std::string extent(int64_t here, int64_t there) {
    const int64_t slope = (there - here) / (DrawnShapes::kOtherBatch - kCouplingBatch);
    return formula({.first = here - slope * kCouplingBatch, .step = slope}, "N");
  }

  /// How many indices of the node's outputs belong to each group.
  std::map<size_t, int64_t> groups_of(const Node& node) const {
    std::map<size_t, int64_t> counts;
    for (const std::string& output : node.outputs) {
      if (output.empty() || !labels_.knows(output)) continue;
      for (int64_t a = 0; a < labels_.rank(output); ++a)
        if (const int axis = coupling_.axis_of(output, a).axis; axis >= 0)
          for (const int unit : coupling_.axes()[static_cast<size_t>(axis)])
            if (unit != Coupling::kStays) ++counts[static_cast<size_t>(coupling_.group_of(unit))];
    }
    return counts;
  }

  std::string fill(const std::map<size_t, int64_t>& groups) const {
    if (groups.empty()) return kGrey;
    if (!only_.empty()) {
      for (const auto& [group, count] : groups)
        if (coupling_.groups()[group].name == only_) return colour(group);
      return kWhite;
    }
    const auto most =
        std::max_element(groups.begin(), groups.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    return colour(most->first);
  }

  std::vector<std::string> units_of(const std::map<size_t, int64_t>& groups) const {
    std::vector<std::string> texts;
    for (const auto& [g, count] : groups) {
      const Group& group = coupling_.groups()[g];
      texts.push_back(fmt::format("{}: {} units", group.name, group.units.size()));
    }
    return texts;
  }

  /// Why nothing of the node's outputs can leave; places in maps are left out.
  std::vector<std::string> reasons(const Node& node) const {
    std::vector<std::string> texts;
    for (const std::string& output : node.outputs) {
      if (output.empty()) continue;
      if (const auto why = shapes_.table.unknown.find(output); why != shapes_.table.unknown.end())
        texts.push_back(why->second);
      if (!labels_.knows(output)) continue;
      for (int64_t a = 0; a < labels_.rank(output); ++a)
        add_reason(labels_.axis(output, a), fmt::format("axis {}", a), texts);
    }
    if (texts.empty()) texts.emplace_back("places in maps alone");
    return texts;
  }

  void add_reason(const AxisLabels& axis, const std::string& place,
                  std::vector<std::string>& texts) const {
    if (axis.extent == 0) return;
    if (!labels_.frozen(axis[0]))
      texts.push_back(place + ": no weight has it");
    else if (labels_.kind(axis[0]) != Frozen::position)
      texts.push_back(fmt::format("{}: {}", place, labels_.reason(axis[0])));
  }

  const Graph& network_;
  const Coupling& coupling_;
  const DrawnShapes& shapes_;
  const std::string& only_;
  const Labels labels_;
  std::unordered_map<std::string, std::string> writer_;  ///< by value: the id of what writes it
  std::string text_;
};

}  // namespace

std::string draw(const Graph& network, const Coupling& coupling, const DrawnShapes& shapes,
                 const std::string& only) {
  return Drawing(network, coupling, shapes, only).text();
}

}  // namespace crrm::cli
