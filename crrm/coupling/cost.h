// What a network costs, whole or with some of its units gone: one counter for all of the program.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "crrm/coupling/removal.h"
#include "crrm/graph/operator.h"

namespace crrm {

struct Cost {
  int64_t macs = 0;  ///< multiply-accumulates for one sample
  int64_t params =
      0;              ///< learned numbers, each once; running statistics and constants do not count
  int64_t bytes = 0;  ///< of all numbers that are not integers, as stored, and Pricing's overhead
  int64_t nanoseconds = 0;  ///< for one sample, by Pricing
};

/// What the shapes alone do not tell.
struct Pricing {
  int64_t overhead_bytes = 0;           ///< of a file, besides its numbers
  std::set<std::string> unstored = {};  ///< parameters that the file will not have
  /// What a node takes, in nanoseconds for one sample; empty: nothing.
  std::function<int64_t(const Node&, const NodeShapes&)> nanoseconds = {};
};

class CostModel {
 public:
  /// Keeps a reference to `coupling`.
  CostModel(const Graph& graph, const Coupling& coupling, Pricing pricing = {});

  /// Cost of the network that the living units would leave, without building it. What folds into a
  /// constant, and what nobody reads any more, costs nothing (coupling/removal.h).
  /// @param alive  [coupling.size()]
  Cost operator()(const std::vector<bool>& alive) const;
  const Removal& removal() const { return removal_; }

 private:
  struct Extent {
    AxisRef ref;
    int64_t fixed;  ///< where no unit touches it
  };
  using Extents = std::vector<Extent>;
  struct Priced {  ///< a node that costs MACs, or time
    size_t index;  ///< of the node
    const Node* node;
    const Operator* op;
    std::vector<Extents> inputs, outputs;
  };

  struct Stored {
    Extents extents;
    std::vector<size_t> readers;  ///< indices of nodes
    bool learned;
    int64_t bytes;  ///< of an element
  };

  Extents extents(const std::string& value) const;
  std::vector<int64_t> extents_of_axes() const;
  static Shape shape_of(const Extents& extents, const std::vector<int64_t>& living);
  static NodeShapes shapes_of(const Priced& node, const std::vector<int64_t>& living);

  const Coupling& coupling_;
  int64_t batch_;
  std::vector<Node> nodes_;
  Removal removal_;
  Pricing pricing_;
  std::vector<Priced> priced_;
  std::vector<Stored> stored_;
};

/// What one unit of each group costs at the margin of the network that is alive; where units go
/// together only, their mean. In the order of coupling.groups().
std::vector<Cost> unit_costs(const Coupling& coupling, const CostModel& cost,
                             const std::vector<bool>& alive);

/// Cost of a network as it is. @param sample  shapes of one sample of each input; empty: as in the
/// file
Cost cost(const Graph& graph, const std::vector<Shape>& sample = {});

/// Names of the parameters that some operator learns, in the network's order.
std::vector<std::string> learned_parameters(const Graph& graph);
/// These parameters by name; shared, not copied.
std::map<std::string, at::Tensor> learned_tensors(const Graph& graph);

}  // namespace crrm
