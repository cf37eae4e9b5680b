#include "crrm/graph/shrinkage.h"

#include <numeric>

#include "crrm/base/error.h"

namespace crrm {

Shrinkage::Shrinkage(Graph& graph, const std::unordered_map<std::string, Shape>& original,
                     Kept kept)
    : graph_(graph), original_(original), kept_(std::move(kept)) {}

int64_t Shrinkage::rank(const std::string& value) const {
  return static_cast<int64_t>(original_.at(value).size());
}

int64_t Shrinkage::extent(const std::string& value, int64_t axis) const {
  return original_.at(value).at(static_cast<size_t>(axis));
}

const std::vector<int64_t>& Shrinkage::kept(const std::string& value, int64_t axis) const {
  const auto [found, added] = kept_.try_emplace(value);
  if (added)
    for (const int64_t extent : original_.at(value)) {
      found->second.emplace_back(static_cast<size_t>(extent));
      std::iota(found->second.back().begin(), found->second.back().end(), int64_t{0});
    }
  return found->second.at(static_cast<size_t>(axis));
}

bool Shrinkage::shrinks(const std::string& value, int64_t axis) const {
  return static_cast<int64_t>(kept(value, axis).size()) < extent(value, axis);
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
