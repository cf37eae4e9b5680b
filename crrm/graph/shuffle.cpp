#include "crrm/graph/shuffle.h"

namespace crrm {

namespace {

/// The one node that reads `value`, or null: several do, none does, or it is an output.
const Node* only_reader(const Graph& graph, const std::string& value) {
  for (const Port& port : graph.outputs)
    if (port.name == value) return nullptr;
  const Node* reader = nullptr;
  for (const Node& node : graph.nodes)
    if (std::find(node.inputs.begin(), node.inputs.end(), value) != node.inputs.end()) {
      if (reader != nullptr) return nullptr;
      reader = &node;
    }
  return reader;
}

bool is(const Node* node, const char* op) {
  return node != nullptr && node->op == op && node->domain.empty();
}

/// The axis of `whole` that `split` holds as two, or -1.
int64_t split_axis(const Shape& whole, const Shape& split) {
  if (split.size() != whole.size() + 1) return -1;
  size_t a = 0;
  while (a < whole.size() && whole[a] == split[a]) ++a;
  if (a == whole.size() || split[a] * split[a + 1] != whole[a]) return -1;
  const bool same = std::equal(whole.begin() + static_cast<int64_t>(a) + 1, whole.end(),
                               split.begin() + static_cast<int64_t>(a) + 2);
  return same ? static_cast<int64_t>(a) : -1;
}

bool swaps(const std::vector<int64_t>& perm, int64_t axis) {
  for (size_t i = 0; i < perm.size(); ++i) {
    const int64_t a = static_cast<int64_t>(i);
    if (perm[i] != (a == axis ? axis + 1 : a == axis + 1 ? axis : a)) return false;
  }
  return true;
}

/// Where index i of the shuffled axis comes from: split as [rows, columns], then transposed.
at::Tensor shuffled(int64_t rows, int64_t columns) {
  return at::arange(rows * columns, at::kLong).view({rows, columns}).t().flatten();
}

struct Shuffle {
  const Node* last;
  int64_t axis;
  at::Tensor indices;
};

std::optional<Shuffle> shuffle_from(const Graph& graph, const ShapeTable& shapes,
                                    const Node& first) {
  if (!is(&first, "Reshape") || !shapes.knows(first.outputs[0])) return std::nullopt;
  const Node* turn = only_reader(graph, first.outputs[0]);
  if (!is(turn, "Transpose")) return std::nullopt;
  const Node* last = only_reader(graph, turn->outputs[0]);
  if (!is(last, "Reshape") || last->inputs[0] != turn->outputs[0] ||
      !shapes.knows(last->outputs[0]))
    return std::nullopt;
  const Shape &whole = shapes.at(first.inputs[0]), &split = shapes.at(first.outputs[0]);
  const int64_t axis = split_axis(whole, split);
  if (axis < 1 || !swaps(turn->integers("perm", {}), axis) || shapes.at(last->outputs[0]) != whole)
    return std::nullopt;
  const size_t a = static_cast<size_t>(axis);
  return Shuffle{last, axis, shuffled(split[a], split[a + 1])};
}

}  // namespace

void replace_shuffles(Graph& graph, const ShapeTable& shapes) {
  std::map<std::string, Node> gathers;  // by the output of the last of the three
  for (const Node& first : graph.nodes) {
    const std::optional<Shuffle> shuffle = shuffle_from(graph, shapes, first);
    if (!shuffle) continue;
    const std::string& out = shuffle->last->outputs[0];
    const std::string indices = graph.fresh_name(out + ".shuffle");
    graph.parameters[indices] = shuffle->indices;
    gathers[out] = {.op = "Gather",
                    .name = shuffle->last->name,
                    .domain = "",
                    .inputs = {first.inputs[0], indices},
                    .outputs = {out},
                    .attributes = {{"axis", shuffle->axis}}};
  }
  if (gathers.empty()) return;
  for (Node& node : graph.nodes)
    if (const auto found = gathers.find(node.outputs[0]); found != gathers.end())
      node = found->second;
  drop_unread(graph);
}

}  // namespace crrm
