#include "crrm/graph/labels.h"

#include <numeric>

#include "crrm/base/error.h"

namespace crrm {

Labels::Labels(const Graph& graph, const ShapeTable& shapes) : graph_(graph), shapes_(shapes) {
  const auto add = [&](const std::string& value) {
    if (value.empty() || !shapes.knows(value) || axes_.contains(value)) return;
    std::vector<AxisLabels>& axes = axes_[value];
    for (const int64_t extent : shapes.at(value)) axes.push_back(allocate(extent));
  };
  for (const auto& [name, tensor] : graph.parameters) add(name);
  for (const Port& port : graph.inputs) add(port.name);
  for (const Node& node : graph.nodes)
    for (const std::string& value : node.outputs) add(value);
}

AxisLabels Labels::allocate(int64_t extent) {
  const AxisLabels axis{static_cast<Label>(parent_.size()), extent};
  for (int64_t i = 0; i < extent; ++i) parent_.push_back(axis[i]);
  reason_.resize(parent_.size(), -1);
  return axis;
}

AxisLabels Labels::hidden_axis(int64_t extent) {
  return allocate(extent);
}

int64_t Labels::rank(const std::string& value) const {
  return static_cast<int64_t>(axes_.at(value).size());
}

int64_t Labels::extent(const std::string& value, int64_t axis) const {
  return this->axis(value, axis).extent;
}

AxisLabels Labels::axis(const std::string& value, int64_t axis) const {
  const auto found = axes_.find(value);
  if (found == axes_.end()) throw InternalError("no labels of value " + value);
  return found->second.at(static_cast<size_t>(axis));
}

at::Tensor Labels::content(const std::string& value) const {
  if (const auto found = graph_.parameters.find(value); found != graph_.parameters.end())
    return found->second;
  const auto found = shapes_.contents.find(value);
  return found == shapes_.contents.end() ? at::Tensor() : found->second;
}

Label Labels::find(Label label) const {
  while (parent_[label] != label) {
    parent_[label] = parent_[parent_[label]];
    label = parent_[label];
  }
  return label;
}

void Labels::merge(Label a, Label b) {
  a = find(a);
  b = find(b);
  if (a == b) return;
  if (b < a) std::swap(a, b);  // the earliest label stays the root: results do not depend on order
  parent_[b] = a;
  if (reason_[a] < 0) reason_[a] = reason_[b];
}

void Labels::merge(const AxisLabels& a, const AxisLabels& b) {
  if (a.extent != b.extent)
    throw InternalError(fmt::format("labels of {} and {} indices merged", a.extent, b.extent));
  for (int64_t i = 0; i < a.extent; ++i) merge(a[i], b[i]);
}

void Labels::merge(const std::string& a, int64_t axis_a, const std::string& b, int64_t axis_b) {
  merge(axis(a, axis_a), axis(b, axis_b));
}

void Labels::broadcast(const std::string& from, const std::string& to) {
  const int64_t shift = rank(to) - rank(from);
  for (int64_t a = 0; a < rank(from); ++a) {
    if (extent(from, a) == extent(to, a + shift))
      merge(from, a, to, a + shift);
    else
      freeze(from, a, "one index that is stretched over an axis");
  }
}

/// The reason as it is kept; index after index is frozen for the one given last.
int32_t Labels::index_of_reason(const std::string& given, Frozen kind) {
  const bool again = !reasons_.empty() && last_given_ == given && reasons_.back().kind == kind &&
                     last_blamed_ == blamed_;
  if (!again) {
    reasons_.push_back({given, kind, ""});
    if (blamed_ != nullptr) {
      const std::string description = describe(*blamed_);
      if (given.find(description) == std::string::npos)
        reasons_.back().text += fmt::format(" ({})", description);
      reasons_.back().node = blamed_->name;
    }
    last_given_ = given;
    last_blamed_ = blamed_;
  }
  return static_cast<int32_t>(reasons_.size()) - 1;
}

void Labels::freeze(Label label, const std::string& reason, Frozen kind) {
  const Label root = find(label);
  if (reason_[root] < 0) reason_[root] = index_of_reason(reason, kind);
}

void Labels::freeze(const std::string& value, int64_t axis, const std::string& reason,
                    Frozen kind) {
  const AxisLabels labels = this->axis(value, axis);
  for (int64_t i = 0; i < labels.extent; ++i) freeze(labels[i], reason, kind);
}

void Labels::freeze(const std::string& value, const std::string& reason, Frozen kind) {
  for (int64_t a = 0; a < rank(value); ++a) freeze(value, a, reason, kind);
}

bool Labels::frozen(const AxisLabels& axis) const {
  for (int64_t i = 0; i < axis.extent; ++i)
    if (!frozen(axis[i])) return false;
  return true;
}

const std::string& Labels::reason(Label label) const {
  return reasons_.at(reason_[find(label)]).text;
}

Frozen Labels::kind(Label label) const {
  return reasons_.at(reason_[find(label)]).kind;
}

const std::string& Labels::frozen_by(Label label) const {
  return reasons_.at(reason_[find(label)]).node;
}

void Labels::contract(const Node& node, size_t a, int64_t axis_a, size_t b, int64_t axis_b) {
  merge(node.inputs[a], axis_a, node.inputs[b], axis_b);
  const bool gate_second = is_constant(node.inputs[a]);
  readers_.push_back({node.name, gate_second ? b : a, gate_second ? axis_b : axis_a});
}

void Labels::read_inside(const Node& node, size_t weight) {
  readers_.push_back({node.name, weight, /*axis=*/2, /*inside=*/true});
}

void Labels::factor(const AxisLabels& flat, std::vector<AxisLabels> factors) {
  for (const AxisLabels& axis : factors)
    if (axis.extent == 1) freeze(axis[0], "an axis of extent 1 that a reshape makes or drops");
  std::erase_if(factors, [](const AxisLabels& axis) { return axis.extent == 1; });
  if (factors.empty())
    freeze(flat[0], "an axis of extent 1 that a reshape makes or drops");
  else if (factors.size() == 1)
    merge(flat, factors[0]);
  else {
    factorisations_.push_back({flat, std::move(factors), blamed_});
    settle(factorisations_.back(), /*choose=*/false);  // later operators see what is settled
  }
}

void Labels::repeat(const Factorisation& factorisation, size_t live) {
  int64_t inner = 1;
  for (size_t f = live + 1; f < factorisation.factors.size(); ++f)
    inner *= factorisation.factors[f].extent;
  const AxisLabels& factor = factorisation.factors[live];
  for (int64_t i = 0; i < factorisation.flat.extent; ++i)
    merge(factorisation.flat[i], factor[i / inner % factor.extent]);
}

bool Labels::settle(Factorisation& factorisation, bool choose) {
  if (factorisation.settled) return false;
  std::vector<size_t> free;
  for (size_t f = 0; f < factorisation.factors.size(); ++f)
    if (!frozen(factorisation.factors[f])) free.push_back(f);
  if (free.size() > 1 && !choose && !frozen(factorisation.flat)) return false;
  blame(factorisation.node);
  for (size_t i = 1; i < free.size(); ++i) {  // the outermost free factor shrinks
    const AxisLabels &outer = factorisation.factors[free[0]],
                     &whole = factorisation.factors[free[i]];
    for (int64_t index = 0; index < whole.extent; ++index)
      freeze(whole[index],
             find(whole[index]) == find(outer[std::min(index, outer.extent - 1)])
                 ? "twice in one reshape: an index of the flat axis would go with either of two"
                 : "stays whole inside a reshape, so that an outer axis can shrink");
  }
  repeat(factorisation, free.empty() ? 0 : free[0]);
  factorisation.settled = true;
  return true;
}

void Labels::contract_by_blocks(const Node& node, const AxisLabels& viewed, int64_t blocks) {
  grouped_.push_back({node, axis(node.inputs[0], 1), axis(node.outputs[0], 1), viewed, blocks});
  const int64_t readers =
      std::count_if(graph_.nodes.begin(), graph_.nodes.end(), [&](const Node& other) {
        return std::find(other.inputs.begin(), other.inputs.end(), node.inputs[1]) !=
               other.inputs.end();
      });
  // What is computed, or read elsewhere as a plain tensor, cannot lose other columns in every
  // block.
  grouped_.back().by_count = is_constant(node.inputs[1]) && readers == 1;
}

/// Whether equally many indices of each block can stay: what is free lies in all blocks alike, or
/// at one index alone, of which all blocks have equally many.
/// @param mates  of the axes that balance already; a root may not be in two different blocks
bool Labels::balances(const AxisLabels& axis, int64_t blocks, BlockMates& mates) const {
  const int64_t each = axis.extent / blocks;
  if (each < 2) return false;
  std::map<Label, std::vector<int64_t>> counts;  // of each free root, by block
  for (int64_t i = 0; i < axis.extent; ++i)
    if (!frozen(axis[i]))
      ++counts.try_emplace(find(axis[i]), static_cast<size_t>(blocks)).first->second[i / each];
  std::vector<std::vector<Label>> single(static_cast<size_t>(blocks));
  for (const auto& [root, count] : counts) {
    const bool alike =
        std::adjacent_find(count.begin(), count.end(), std::not_equal_to<>()) == count.end();
    if (alike) continue;
    if (std::accumulate(count.begin(), count.end(), int64_t{0}) != 1) return false;
    single[std::find(count.begin(), count.end(), 1) - count.begin()].push_back(root);
  }
  for (const std::vector<Label>& roots : single) {
    if (roots.size() != single[0].size()) return false;
    for (const Label root : roots)
      if (mates.try_emplace(root, roots).first->second != roots) return false;
  }
  return true;
}

void Labels::merge_blocks(const Grouped& grouped) {
  const auto first = [&](const AxisLabels& axis, int64_t i) {
    const int64_t each = axis.extent / grouped.blocks;
    return i / each * each;
  };
  const AxisLabels &x = grouped.inputs, &y = grouped.outputs;
  for (int64_t i = 0; i < x.extent; ++i) merge(x[i], x[first(x, i)]);
  for (int64_t o = 0; o < y.extent; ++o)
    merge(y[o], x[first(y, o) / (y.extent / grouped.blocks) * (x.extent / grouped.blocks)]);
  blame(&grouped.node);
  freeze(grouped.node.inputs[1], 1,
         fmt::format("shared by all groups of a grouped convolution ({})", describe(grouped.node)));
}

/// Merges the blocks of the first convolution whose axes do not balance.
bool Labels::fall_back_to_blocks() {
  BlockMates mates;
  for (Grouped& grouped : grouped_) {
    if (!grouped.by_count) continue;
    BlockMates tried = mates;
    if (balances(grouped.inputs, grouped.blocks, tried) &&
        balances(grouped.outputs, grouped.blocks, tried)) {
      mates = std::move(tried);
      continue;
    }
    grouped.by_count = false;
    merge_blocks(grouped);
    return true;
  }
  return false;
}

void Labels::settle_groups() {
  for (const Grouped& grouped : grouped_)
    if (!grouped.by_count) merge_blocks(grouped);
  while (fall_back_to_blocks()) {
  }
  for (const Grouped& grouped : grouped_) {
    if (!grouped.by_count) continue;
    balanced_.push_back({grouped.inputs, grouped.blocks, grouped.node.name});
    balanced_.push_back({grouped.outputs, grouped.blocks, grouped.node.name});
    axes_.at(grouped.node.inputs[1])[1] = {grouped.viewed.first, grouped.viewed.extent,
                                           grouped.blocks};
    readers_.push_back({grouped.node.name, 0, 1});
  }
}

void Labels::resolve() {
  const auto pass = [this](bool choose) {
    for (Factorisation& factorisation : factorisations_)
      if (settle(factorisation, choose)) return true;
    return false;
  };
  while (pass(false) || pass(true)) {
  }
  settle_groups();
  blame(nullptr);
}

}  // namespace crrm
