// A case of one operator, and the checks that every case goes through (operators_test.cpp): the
// forward pass is ONNX Runtime's, shapes on meta tensors are those of a run, couplings of operators
// that only move data are what moving an index tensor shows, and gradients are those of
// differences.
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "crrm/graph/graph.h"

namespace crrm {

using Ints = std::vector<int64_t>;
using Attributes = std::map<std::string, Attribute>;

struct Case {
  std::string op;
  std::vector<Shape> inputs;               ///< float32, data
  std::vector<at::Tensor> constants = {};  ///< follow the inputs; undefined: absent
  Attributes attributes = {};
  size_t outputs = 1;
  bool moves_data = false;           ///< copies elements, computes nothing
  bool differentiable = true;        ///< as far as it has inputs
  std::vector<bool> from_data = {};  ///< by place: input or constant; empty: inputs first
};

void PrintTo(const Case& test, std::ostream* out);
std::string case_name(const ::testing::TestParamInfo<Case>& info);

at::Tensor ints(Ints values);
at::Tensor scalar(double value);
/// Constants of weights: their own stream of numbers.
at::Tensor weight(Shape shape);
at::Tensor positive(Shape shape);

class OperatorTest : public ::testing::TestWithParam<Case> {};
class MovingOperatorTest : public OperatorTest {};
class DifferentiableOperatorTest : public OperatorTest {};

std::vector<Case> that_move_data(std::vector<Case> cases);
std::vector<Case> with_gradient(std::vector<Case> cases);

/// Runs the checks on the cases of one file under the name `list`.
#define CRRM_CHECK_OPERATORS(list, cases)                                                        \
  INSTANTIATE_TEST_SUITE_P(list, OperatorTest, ::testing::ValuesIn(cases), case_name);           \
  INSTANTIATE_TEST_SUITE_P(list, MovingOperatorTest, ::testing::ValuesIn(that_move_data(cases)), \
                           case_name);                                                           \
  INSTANTIATE_TEST_SUITE_P(list, DifferentiableOperatorTest,                                     \
                           ::testing::ValuesIn(with_gradient(cases)), case_name)

}  // namespace crrm
