#include "crrm/graph/labels.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace crrm {
namespace {

/// A graph of parameters alone: what the labels of tensors with given shapes look like.
class LabelsTest : public ::testing::Test {
 protected:
  void add(const std::string& name, Shape shape) {
    graph_.parameters[name] = at::zeros(shape);
    shapes_.shapes[name] = std::move(shape);
  }
  Labels labels() const { return Labels(graph_, shapes_); }

  Graph graph_;
  ShapeTable shapes_;
};

TEST_F(LabelsTest, MergedLabelsShareTheirFate) {
  add("a", {3});
  add("b", {3});
  Labels l = labels();
  l.merge("a", 0, "b", 0);
  l.freeze(l.axis("b", 0)[1], "because");
  EXPECT_FALSE(l.frozen(l.axis("a", 0)[0]));
  EXPECT_TRUE(l.frozen(l.axis("a", 0)[1]));
  EXPECT_EQ(l.reason(l.axis("a", 0)[1]), "because");
  EXPECT_EQ(l.kind(l.axis("a", 0)[1]), Frozen::width);
  l.freeze("b", 0, "a place in a map", Frozen::position);
  EXPECT_EQ(l.kind(l.axis("a", 0)[0]), Frozen::position);
  EXPECT_EQ(l.kind(l.axis("a", 0)[1]), Frozen::width);  // the first to freeze says why
}

// [6] = [2] x [3] with the outer factor whole: index i of the flat axis follows i mod 3.
TEST_F(LabelsTest, AFlatAxisRepeatsItsOneFreeFactor) {
  add("flat", {6});
  add("split", {2, 3});
  Labels l = labels();
  l.factor(l.axis("flat", 0), {l.axis("split", 0), l.axis("split", 1)});
  l.freeze("split", 0, "stays");
  l.resolve();
  for (int64_t i = 0; i < 6; ++i)
    EXPECT_EQ(l.find(l.axis("flat", 0)[i]), l.find(l.axis("split", 1)[i % 3])) << i;
}

TEST_F(LabelsTest, OfSeveralFreeFactorsTheOutermostShrinks) {
  add("flat", {6});
  add("split", {2, 3});
  Labels l = labels();
  l.factor(l.axis("flat", 0), {l.axis("split", 0), l.axis("split", 1)});
  l.resolve();
  for (int64_t i = 0; i < 6; ++i)
    EXPECT_EQ(l.find(l.axis("flat", 0)[i]), l.find(l.axis("split", 0)[i / 3])) << i;
  EXPECT_TRUE(l.frozen(l.axis("split", 1)));
  EXPECT_FALSE(l.frozen(l.axis("split", 0)));
}

TEST_F(LabelsTest, AFrozenFlatAxisFreezesEveryFactor) {
  add("flat", {6});
  add("split", {2, 3});
  Labels l = labels();
  l.factor(l.axis("flat", 0), {l.axis("split", 0), l.axis("split", 1)});
  l.freeze("flat", 0, "an output");
  l.resolve();
  EXPECT_TRUE(l.frozen(l.axis("split", 0)));
  EXPECT_TRUE(l.frozen(l.axis("split", 1)));
}

// One frozen element of the flat axis keeps the whole row of its factor.
TEST_F(LabelsTest, AFrozenElementKeepsItsRow) {
  add("flat", {6});
  add("split", {2, 3});
  Labels l = labels();
  l.factor(l.axis("flat", 0), {l.axis("split", 0), l.axis("split", 1)});
  l.freeze("split", 1, "stays");
  l.freeze(l.axis("flat", 0)[4], "an output");  // row 1
  l.resolve();
  EXPECT_FALSE(l.frozen(l.axis("split", 0)[0]));
  EXPECT_TRUE(l.frozen(l.axis("split", 0)[1]));
}

TEST_F(LabelsTest, BroadcastingAlignsAtTheLastAxis) {
  add("row", {1, 3});
  add("whole", {2, 4, 3});
  Labels l = labels();
  l.broadcast("row", "whole");
  EXPECT_EQ(l.find(l.axis("row", 1)[2]), l.find(l.axis("whole", 2)[2]));
  EXPECT_TRUE(l.frozen(l.axis("row", 0))) << "one index stands for four";
  EXPECT_FALSE(l.frozen(l.axis("whole", 1)));
}

}  // namespace
}  // namespace crrm
