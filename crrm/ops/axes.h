// What operators share when they read axes and integer inputs.
#pragma once

#include <string>
#include <vector>

#include "crrm/graph/graph.h"
#include "crrm/graph/labels.h"
#include "crrm/graph/operator.h"

namespace crrm {

/// A possibly negative axis, counted from 0. @throws InputError when it is out of range.
int64_t normal_axis(const Node& node, int64_t axis, int64_t rank);

/// The integers of a defined tensor, in order.
std::vector<int64_t> to_integers(const at::Tensor& tensor);

/// Axes given by input `i`, normalised; all axes when the input is absent or empty.
std::vector<int64_t> input_axes(const Node& node, const Tensors& inputs, size_t i, int64_t rank);

/// As above for labels; false when the axes are known only at run time.
bool label_axes(const Node& node, const Labels& labels, size_t i, int64_t rank,
                std::vector<int64_t>& axes);

/// Freezes every axis of everything the node touches.
void freeze_all(const Node& node, Labels& labels, const std::string& reason);

/// Padding that auto_pad asks for, as {begin..., end...}; the attribute `pads` otherwise (default
/// 0).
std::vector<int64_t> spatial_pads(const Node& node, const Shape& input,
                                  const std::vector<int64_t>& kernel,
                                  const std::vector<int64_t>& strides,
                                  const std::vector<int64_t>& dilations);

/// at::index_select, on meta tensors too (its meta kernel exists in Python alone).
at::Tensor pick(const at::Tensor& x, int64_t axis, const at::Tensor& indices);

/// Number of elements of a shape.
int64_t elements(const Shape& shape);

}  // namespace crrm
