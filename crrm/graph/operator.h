// What an operator says about itself; nothing else in the program switches on operator names.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crrm/graph/graph.h"

namespace crrm {

class Labels;
class Shrinkage;

/// Shapes of a node's inputs (absent: empty) and outputs.
struct NodeShapes {
  std::vector<Shape> inputs, outputs;
};

class Operator {
 public:
  virtual ~Operator() = default;

  /// The node's outputs. `training` lets BatchNormalization use and update batch statistics.
  /// Absent optional inputs are undefined tensors. Runs with autograd, and on meta tensors.
  virtual Tensors forward(const Node& node, const Tensors& inputs, bool training) const = 0;

  /// Merges, freezes and reads labels of the axes that the node touches (graph/labels.h).
  virtual void couple(const Node& node, Labels& labels) const = 0;

  /// Multiply-accumulates for shapes as given (batch included); `return 0` gives its reason.
  virtual int64_t macs(const Node& node, const NodeShapes& shapes) const = 0;

  /// Adapts attributes and integer inputs to the indices that stay (graph/shrinkage.h). Most
  /// operators need nothing: surgery checks every shape afterwards.
  virtual void shrink(Node& node, Shrinkage& shrinkage) const {}

  /// Whether the content, not only the shape, of input `i` decides an output's shape. Such inputs
  /// stay real tensors when shapes are inferred.
  virtual bool shape_depends_on_value(size_t i) const { return false; }

  /// Of an operator whose input 1 is a target shape: a constant target that leaves to input 0 what
  /// follows the batch; empty where there is none.
  /// @param a, b              contents of input 1 at two sizes of the batch
  /// @param input_a, input_b  shapes of input 0 there
  virtual std::vector<int64_t> batch_free_target(const Node& node, const at::Tensor& a,
                                                 const at::Tensor& b, const Shape& input_a,
                                                 const Shape& input_b) const {
    return {};
  }

  /// Whether input `i`, when it is a parameter, is a weight that training changes.
  virtual bool learns(size_t i) const { return false; }

  /// Whether `forward`, given tensors that broadcast to the node's inputs, gives tensors that
  /// broadcast to its outputs: what is the same for all samples and positions stays so.
  virtual bool pointwise() const { return false; }

  /// Whether output 0 has the elements of input 0 in their order, in axes of its own.
  virtual bool keeps_elements() const { return false; }

  /// The output where everything that the node contracts with a parameter is zero, if it is the
  /// same for all samples and positions: the bias. Of the output's rank, and broadcasts to it;
  /// undefined where the rule does not hold, or data decides.
  /// @param inputs  parameters; undefined where an input is a value or absent
  virtual at::Tensor at_zero(const Node& node, const Tensors& inputs, const Shape& output) const {
    return {};
  }

  /// Of an operator of two inputs in any order: the number beside which the other is the output.
  virtual std::optional<double> neutral() const { return std::nullopt; }

  /// When about half of a centred input is lost in it, which weights in front of it make up for
  /// (He, Zhang, Ren, Sun, ICCV 2015, section 2.2).
  enum class Rectifies {
    never,
    always,
    of_one_value  ///< where all inputs are functions of one value, as in SiLU written out
  };
  virtual Rectifies rectifies() const { return Rectifies::never; }
};

/// The operator that computes `node`, or null when the program does not know it.
const Operator* find_operator(const Node& node);
/// As above. @throws InputError naming the node and the operator.
const Operator& get_operator(const Node& node);
/// The node itself and the nodes of its graphs, at any depth, that the program does not know.
std::vector<const Node*> unknown_operators(const Node& node);
/// Names of all registered operators of ONNX's own domain, sorted.
std::vector<std::string> known_operators();

/// Registers an operator under an ONNX name; used by CRRM_REGISTER_OPERATOR only.
bool register_operator(const std::string& domain, const std::string& op,
                       std::unique_ptr<Operator> implementation);

#define CRRM_REGISTER_OPERATOR_AS(type, op, ...) \
  static const bool registered_##op =            \
      ::crrm::register_operator("", #op, std::make_unique<type>(__VA_ARGS__))
#define CRRM_REGISTER_OPERATOR(type) CRRM_REGISTER_OPERATOR_AS(type, type)

}  // namespace crrm
