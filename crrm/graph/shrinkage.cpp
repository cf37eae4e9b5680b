#include "crrm/graph/shrinkage.h"

#include <numeric>

#include "crrm/base/error.h"

namespace crrm {

namespace {

/// Of the rows `rows` of a tensor [R, ...]: where the indices of their block stand, [rows, extent].
at::Tensor places_by_block(const KeptAxis& axis, const KeptAxis& rows, const at::Tensor& whole,
                           int64_t a) {
  const int64_t rows_each = whole.size(0) / axis.blocks, extent = axis.extent();
  const at::Tensor places = at::empty({rows.extent(), extent}, at::kLong);
  int64_t* place = places.data_ptr<int64_t>();
  for (const int64_t row : rows.indices) {
    const int64_t block = row / rows_each;
    for (int64_t i = 0; i < extent; ++i)
      *place++ = axis.indices[static_cast<size_t>(block * extent + i)] - block * whole.size(a);
  }
  return places.to(whole.device());
}

/// Index tensors that broadcast to the extents that stay.
c10::List<std::optional<at::Tensor>> places(const at::Tensor& whole,
                                            const std::vector<KeptAxis>& axes) {
  const at::TensorOptions where = at::TensorOptions(at::kLong).device(whole.device());
  c10::List<std::optional<at::Tensor>> result;
  for (size_t a = 0; a < axes.size(); ++a) {
    Shape shape(axes.size(), 1);
    shape[a] = axes[a].extent();
    if (axes[a].blocks == 1) {
      result.push_back(at::tensor(axes[a].indices, where).view(shape));
      continue;
    }
    shape[0] = axes[0].extent();
    result.push_back(places_by_block(axes[a], axes[0], whole, static_cast<int64_t>(a)).view(shape));
  }
  return result;
}

}  // namespace

at::Tensor take(const at::Tensor& whole, const std::vector<KeptAxis>& axes) {
  return whole.index(places(whole, axes));
}

at::Tensor put(const at::Tensor& whole, const at::Tensor& part, const std::vector<KeptAxis>& axes) {
  at::Tensor result = whole.clone();
  return result.index_put_(places(whole, axes), part);
}

Shrinkage::Shrinkage(Graph& graph, const std::unordered_map<std::string, Shape>& original,
                     Kept kept)
    : graph_(graph), original_(original), kept_(std::move(kept)) {}

int64_t Shrinkage::rank(const std::string& value) const {
  return static_cast<int64_t>(original_.at(value).size());
}

int64_t Shrinkage::extent(const std::string& value, int64_t axis) const {
  return original_.at(value).at(static_cast<size_t>(axis));
}

const KeptAxis& Shrinkage::axis_of(const std::string& value, int64_t axis) const {
  const auto [found, added] = kept_.try_emplace(value);
  if (added)
    for (const int64_t extent : original_.at(value)) {
      std::vector<int64_t> all(static_cast<size_t>(extent));
      std::iota(all.begin(), all.end(), int64_t{0});
      found->second.push_back({std::move(all)});
    }
  return found->second.at(static_cast<size_t>(axis));
}

const std::vector<int64_t>& Shrinkage::kept(const std::string& value, int64_t axis) const {
  return axis_of(value, axis).indices;
}

bool Shrinkage::shrinks(const std::string& value, int64_t axis) const {
  return axis_of(value, axis).extent() < extent(value, axis);
}

std::vector<int64_t> Shrinkage::integers(const std::string& value) const {
  const at::Tensor content = graph_.parameters.at(value).to(at::kLong).contiguous().flatten();
  return {content.data_ptr<int64_t>(), content.data_ptr<int64_t>() + content.numel()};
}

void Shrinkage::set_input(Node& node, size_t i, const std::vector<int64_t>& content) {
  set_input(node, i, at::tensor(content, at::kLong));
}

void Shrinkage::set_input(Node& node, size_t i, const at::Tensor& content) {
  const std::string name = graph_.fresh_name(node.name + ".kept");
  graph_.parameters[name] = content;
  if (node.inputs.size() <= i) node.inputs.resize(i + 1);
  node.inputs[i] = name;
}

void Shrinkage::append(Node& node, Node next) {
  const std::string between = graph_.fresh_name(node.outputs[0] + ".before");
  next.outputs = {node.outputs[0]};
  next.inputs[0] = between;
  node.outputs[0] = between;
  appended_.push_back(std::move(next));
}

}  // namespace crrm
