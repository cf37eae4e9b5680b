// From labels to units (what can only be removed together) and groups (units that touch the same
// axes), with the reason for everything that stays whole.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "crrm/graph/labels.h"
#include "crrm/graph/shrinkage.h"

namespace crrm {

/// Labels of a whole network, settled: every operator coupled, inputs and outputs frozen, and what
/// an unknown operator touches too. Keeps references to both arguments.
Labels label_network(const Graph& graph, const ShapeTable& shapes);

/// An axis of a parameter.
struct Member {
  std::string parameter;
  int64_t axis;
};

/// Units that touch the same axes of the same parameters, such as the channels of a stream.
struct Group {
  std::string name;             ///< its first member in the network's order, as "conv1.weight[0]"
  std::vector<int> units;       ///< ascending
  std::vector<Member> members;  ///< in the network's order
};

/// A parameter's axis of which nothing, or not all, can leave.
struct FrozenAxis {
  Member member;
  int64_t stays;                ///< how many of its indices
  std::string reason;           ///< of the first of them
  Frozen kind = Frozen::width;  ///< of the same
  std::string node = {};        ///< name of the node that froze it; empty: an input or output
};

/// Whether a user looks for it among what cannot shrink: outputs and inputs of weights, not the
/// extents of kernels and maps.
bool is_width(const FrozenAxis& axis);

/// Of each of these blocks equally many units must stay.
struct EqualCount {
  std::vector<std::vector<int>> blocks;  ///< of one size each
  std::vector<std::string> nodes;        ///< names of the convolutions in groups that ask for it
};

/// An axis as units see it.
struct AxisRef {
  int axis = -1;       ///< into Coupling::axes(); -1: no unit touches it
  int64_t blocks = 1;  ///< as in KeptAxis
};

class Coupling {
 public:
  static constexpr int kStays = -1;

  /// @param graph   shape arithmetic folded; unknown operators freeze what they touch
  /// @param shapes  of all values, batch at least 2 (so that it is no stretched axis)
  Coupling(const Graph& graph, const ShapeTable& shapes);

  const Graph& graph() const { return graph_; }
  int size() const { return static_cast<int>(group_of_.size()); }  ///< number of units
  const std::vector<Group>& groups() const { return groups_; }
  int group_of(int unit) const { return group_of_.at(static_cast<size_t>(unit)); }
  const std::vector<FrozenAxis>& frozen() const { return frozen_; }

  /// The distinct axes that units touch: by index the unit, or kStays.
  const std::vector<std::vector<int>>& axes() const { return axes_; }
  AxisRef axis_of(const std::string& value, int64_t axis) const;

  const std::vector<EqualCount>& equal_counts() const { return equal_counts_; }

  /// Contractions along an axis that units touch: where gates belong.
  const std::vector<Reader>& readers() const { return readers_; }

  /// Shapes before, at kCouplingBatch.
  const std::unordered_map<std::string, Shape>& shapes() const { return shapes_; }

  /// Indices that stay of every axis of every value and parameter that loses some.
  /// @param alive  [size()]: which units stay
  Shrinkage::Kept kept(const std::vector<bool>& alive) const;

 private:
  void number_units(const Labels& labels);
  void collect_axes(const Labels& labels);
  AxisRef reference(const Labels& labels, const AxisLabels& axis,
                    std::map<std::vector<int>, int>& known);
  /// Fills `members` with the axes of parameters that units touch, in the network's order.
  /// @return  by unit: indices into it, ascending
  std::vector<std::vector<int>> list_members(std::vector<Member>& members) const;
  void form_groups();
  void list_frozen(const Labels& labels);
  void list_equal_counts(const Labels& labels);
  void list_readers(const Labels& labels);

  const Graph& graph_;
  std::unordered_map<std::string, Shape> shapes_;
  std::vector<int> unit_of_;  ///< by root; kStays where there is no unit
  std::vector<int> group_of_;
  std::vector<Group> groups_;
  std::vector<FrozenAxis> frozen_;
  std::vector<std::vector<int>> axes_;
  std::unordered_map<std::string, std::vector<AxisRef>> axis_refs_;
  std::vector<EqualCount> equal_counts_;
  std::vector<Reader> readers_;
};

/// Batch extent at which couplings are found: prime, and unlike usual extents.
inline constexpr int64_t kCouplingBatch = 11;

}  // namespace crrm
