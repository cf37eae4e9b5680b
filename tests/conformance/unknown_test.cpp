#include "crrm/graph/shapes.h"

#include <gtest/gtest.h>

namespace crrm {
namespace {

// The target of the Reshape is known, its input is not: there is nothing to fold.
TEST(Shapes, ArithmeticBehindAnUnknownOperatorStays) {
  Graph graph;
  graph.inputs = {{"x", at::kFloat, {-1, 4}, {"batch", ""}}};
  graph.outputs = {{"y", at::kFloat, {-1, 4}, {"batch", ""}}};
  graph.nodes = {
      {"Fancy", "mystery", "", {"x"}, {"f"}, {}},
      {"Shape", "extents", "", {"x"}, {"s"}, {}},
      {"Reshape", "back", "", {"f", "s"}, {"y"}, {}},
  };
  fold_shape_arithmetic(graph);
  EXPECT_EQ(graph.nodes.size(), 3u);
  const ShapeTable shapes = infer_shapes(graph, input_shapes(graph, 2));
  EXPECT_FALSE(shapes.knows("y"));
  EXPECT_EQ(shapes.unknown.at("y"), "operator Fancy is unknown (node \"mystery\" (Fancy))");
}

}  // namespace
}  // namespace crrm
