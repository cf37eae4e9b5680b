#include "crrm/ops/axes.h"

#include <numeric>

#include "crrm/base/error.h"

namespace crrm {

int64_t normal_axis(const Node& node, int64_t axis, int64_t rank) {
  const int64_t normal = axis < 0 ? axis + rank : axis;
  if (normal < 0 || normal >= std::max<int64_t>(rank, 1))
    throw InputError({.place = describe(node),
                      .expected = fmt::format("an axis in [{}, {}]", -rank, rank - 1),
                      .found = fmt::format("{}", axis)});
  return normal;
}

std::vector<int64_t> to_integers(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.to(at::kCPU, at::kLong).contiguous().flatten();
  return {flat.data_ptr<int64_t>(), flat.data_ptr<int64_t>() + flat.numel()};
}

namespace {

std::vector<int64_t> normal_axes(const Node& node, const at::Tensor& content, int64_t rank) {
  std::vector<int64_t> axes;
  if (!content.defined() || content.numel() == 0) {
    axes.resize(static_cast<size_t>(rank));
    std::iota(axes.begin(), axes.end(), int64_t{0});
    return axes;
  }
  for (const int64_t axis : to_integers(content)) axes.push_back(normal_axis(node, axis, rank));
  std::sort(axes.begin(), axes.end());
  return axes;
}

}  // namespace

std::vector<int64_t> input_axes(const Node& node, const Tensors& inputs, size_t i, int64_t rank) {
  return normal_axes(node, i < inputs.size() ? inputs[i] : at::Tensor(), rank);
}

bool label_axes(const Node& node, const Labels& labels, size_t i, int64_t rank,
                std::vector<int64_t>& axes) {
  const at::Tensor content = node.has_input(i) ? labels.content(node.inputs[i]) : at::Tensor();
  if (node.has_input(i) && !content.defined()) return false;
  axes = normal_axes(node, content, rank);
  return true;
}

void freeze_all(const Node& node, Labels& labels, const std::string& reason) {
  for (const std::vector<std::string>& values : {node.inputs, node.outputs})
    for (const std::string& value : values)
      if (!value.empty() && labels.knows(value)) labels.freeze(value, reason);
}

std::vector<int64_t> spatial_pads(const Node& node, const Shape& input,
                                  const std::vector<int64_t>& kernel,
                                  const std::vector<int64_t>& strides,
                                  const std::vector<int64_t>& dilations) {
  const size_t spatial = kernel.size();
  const std::string mode = node.text("auto_pad", "NOTSET");
  if (mode == "NOTSET") {
    std::vector<int64_t> pads = node.integers("pads", std::vector<int64_t>(2 * spatial, 0));
    if (pads.size() != 2 * spatial)
      throw InputError({.place = describe(node),
                        .expected = fmt::format("{} pads", 2 * spatial),
                        .found = fmt::format("{}", pads.size())});
    return pads;
  }
  std::vector<int64_t> pads(2 * spatial, 0);
  if (mode == "VALID") return pads;
  for (size_t d = 0; d < spatial; ++d) {  // SAME: ceil(extent / stride) outputs
    const int64_t extent = input.at(d + 2);
    const int64_t outputs = (extent + strides[d] - 1) / strides[d];
    const int64_t reach = (kernel[d] - 1) * dilations[d] + 1;
    const int64_t total = std::max<int64_t>(0, (outputs - 1) * strides[d] + reach - extent);
    const int64_t less = total / 2;
    pads[d] = mode == "SAME_UPPER" ? less : total - less;
    pads[spatial + d] = total - pads[d];
  }
  return pads;
}

at::Tensor pick(const at::Tensor& x, int64_t axis, const at::Tensor& indices) {
  if (!x.is_meta()) return x.index_select(axis, indices);
  Shape shape = x.sizes().vec();
  shape.at(static_cast<size_t>(axis)) = indices.numel();
  return at::empty(shape, x.options());
}

int64_t elements(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

}  // namespace crrm
