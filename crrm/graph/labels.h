// A label for every index of every axis of every value and parameter. Equal labels live and die
// together; a frozen label stays. Labels are merged by union-find while the graph is walked once.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "crrm/graph/shapes.h"

namespace crrm {

using Label = int32_t;

/// Labels `first` ... `first + extent - 1` in union-find's numbering. With `blocks` > 1 the axis is
/// a grouped weight's view of them (graph/shrinkage.h, KeptAxis).
struct AxisLabels {
  Label first = 0;
  int64_t extent = 0;
  int64_t blocks = 1;
  Label operator[](int64_t index) const { return first + static_cast<Label>(index); }
};

/// What an index that stays is.
enum class Frozen {
  width,     ///< an output or input that might have left
  position,  ///< a place in a map or a kernel, which nobody wants to remove
  input      ///< what the network reads
};

/// A contraction over an axis of an activation: where a gate multiplies.
///
/// A recurrent weight reads a state that exists inside its node alone, so no node before it can
/// multiply what it reads. To multiply the weight's columns would have the same effect, but a
/// weight has no sample axis: every sample would need a weight of its own, or noise and the Fisher
/// information of single samples were lost. So the gates travel with the weight into the node,
/// which multiplies its state (crrm/ops/gate.cpp, StateGate).
struct Reader {
  std::string node;     ///< name
  size_t input;         ///< which input of the node is multiplied; inside: the weight that reads
  int64_t axis;         ///< of that input
  bool inside = false;  ///< what is read exists only inside the node
};

/// An axis in blocks of one extent, of which equally many indices each must stay.
struct BalancedAxis {
  AxisLabels axis;
  int64_t blocks;
  std::string node;  ///< name of the convolution in groups that asks for it
};

class Labels {
 public:
  /// Keeps references to both arguments.
  Labels(const Graph& graph, const ShapeTable& shapes);

  const Graph& graph() const { return graph_; }
  bool knows(const std::string& value) const { return axes_.contains(value); }
  int64_t rank(const std::string& value) const;
  int64_t extent(const std::string& value, int64_t axis) const;
  AxisLabels axis(const std::string& value, int64_t axis) const;
  /// Content of a constant or of shape arithmetic; undefined when it depends on data.
  at::Tensor content(const std::string& value) const;
  bool is_constant(const std::string& value) const { return graph_.is_parameter(value); }

  void merge(Label a, Label b);
  /// Index i of the first with index i of the second. Extents must be equal.
  void merge(const std::string& a, int64_t axis_a, const std::string& b, int64_t axis_b);
  void merge(const AxisLabels& a, const AxisLabels& b);

  /// NumPy's broadcasting: aligned at the last axis, index by index; an axis of extent 1 that is
  /// stretched stays as it is.
  void broadcast(const std::string& from, const std::string& to);

  /// Until the next call it is `node` that freezes: reasons that do not name it get its description
  /// at their end. Null: the network itself does. The node must outlive the labels.
  void blame(const Node* node) { blamed_ = node; }
  void freeze(Label label, const std::string& reason, Frozen kind = Frozen::width);
  void freeze(const std::string& value, int64_t axis, const std::string& reason,
              Frozen kind = Frozen::width);
  void freeze(const std::string& value, const std::string& reason,
              Frozen kind = Frozen::width);  ///< all axes
  bool frozen(Label label) const { return reason_[find(label)] >= 0; }
  bool frozen(const AxisLabels& axis) const;  ///< all of them
  /// Why a frozen label is frozen.
  const std::string& reason(Label label) const;
  Frozen kind(Label label) const;  ///< what it was frozen as
  /// Name of the node that froze it; empty: an input or output of the network.
  const std::string& frozen_by(Label label) const;

  /// Records that `node` contracts axis `axis_a` of its input `a` with axis `axis_b` of input `b`.
  void contract(const Node& node, size_t a, int64_t axis_a, size_t b, int64_t axis_b);

  /// Records that `node` sums over an axis of its input: a contraction with ones.
  void sum(const Node& node, size_t input, int64_t axis) {
    readers_.push_back({node.name, input, axis});
  }

  /// Records that `node` contracts the columns of its input `weight`, [directions, rows, columns],
  /// with a state of its own.
  void read_inside(const Node& node, size_t weight);

  /// `flat` enumerates the product of `factors` in row-major order: what falls in a factor falls in
  /// all its rows of `flat`. Which factor may shrink is settled by `resolve`.
  void factor(const AxisLabels& flat, std::vector<AxisLabels> factors);
  /// A convolution in groups: block b of axis 1 of the node's input 0 goes into block b of axis 1
  /// of its output by the rows of block b of its weight (input 1), whose axis 1 holds one block of
  /// `viewed`, the input's axis (of a transposed convolution: the output's). Channels may go as
  /// long as equally many of each block stay; where other couplings rule that out, whole blocks
  /// may. Settled by `resolve`.
  void contract_by_blocks(const Node& node, const AxisLabels& viewed, int64_t blocks);
  /// Axes of which equally many indices of each block must stay.
  const std::vector<BalancedAxis>& balanced() const { return balanced_; }

  /// Fresh labels that belong to no value: what a Reshape passes through.
  AxisLabels hidden_axis(int64_t extent);

  /// Settles the factorisations: where one factor is free, `flat` repeats it; where several are,
  /// the outermost shrinks and the others stay whole. Then the convolutions in groups.
  void resolve();

  Label find(Label label) const;
  size_t size() const { return parent_.size(); }
  const std::vector<Reader>& readers() const { return readers_; }

 private:
  struct Reason {
    std::string text;
    Frozen kind;
    std::string node;
  };
  struct Factorisation {
    AxisLabels flat;
    std::vector<AxisLabels> factors;
    const Node* node;  ///< that splits or merges the axes; may be null
    bool settled = false;
  };
  struct Grouped {
    Node node;
    AxisLabels inputs, outputs, viewed;
    int64_t blocks;
    bool by_count = true;  ///< equally many of each block; else whole blocks
  };
  using BlockMates = std::map<Label, std::vector<Label>>;  ///< by root: the roots of its block

  AxisLabels allocate(int64_t extent);
  int32_t index_of_reason(const std::string& given, Frozen kind);
  bool settle(Factorisation& factorisation, bool choose);
  void settle_groups();
  bool balances(const AxisLabels& axis, int64_t blocks, BlockMates& mates) const;
  bool fall_back_to_blocks();
  void merge_blocks(const Grouped& grouped);
  void repeat(const Factorisation& factorisation, size_t live);

  const Graph& graph_;
  const ShapeTable& shapes_;
  std::unordered_map<std::string, std::vector<AxisLabels>> axes_;
  mutable std::vector<Label> parent_;
  std::vector<int32_t> reason_;  ///< by root: index into reasons_, or -1
  std::vector<Reason> reasons_;
  const Node* blamed_ = nullptr;
  std::string last_given_;  ///< the last reason as it was given, and who was to blame
  const Node* last_blamed_ = nullptr;
  std::vector<Factorisation> factorisations_;
  std::vector<Grouped> grouped_;
  std::vector<BalancedAxis> balanced_;
  std::vector<Reader> readers_;
};

}  // namespace crrm
