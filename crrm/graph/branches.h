// The branches of an If, and an If whose condition is a constant.
#pragma once

#include <vector>

#include "crrm/graph/shapes.h"

namespace crrm {

/// What a value is in every table; undefined where it is not known in all, or not the same.
at::Tensor common_content(const std::vector<ShapeTable>& tables, const std::string& value);

/// The branch that `condition` picks. @throws InputError where it is not one element.
const Graph& branch_of(const Node& node, const at::Tensor& condition);

/// Before: y = If(c, x) { then: t = f(x) } { else: e = g(x) }, where c is a constant.
/// After:  y = f(x) or y = g(x): the branch's nodes stand in place of the If. Names that the graph
///         has already get a number; a value that the branch passes on as it is, or twice, an
///         Identity.
/// @param tables  one for each batch size: c must be known and equal in all
/// @return whether there was such an If
bool take_known_branches(Graph& graph, const std::vector<ShapeTable>& tables);

}  // namespace crrm
