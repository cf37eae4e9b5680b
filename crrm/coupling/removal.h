// What is left of a network when axes lose all of their units.
//
// A contraction along such an axis reads zeros: it gives its bias alone, the same for all samples
// and positions. Such a constant goes through pointwise operators until it meets a value that has
// the full shape without it; there it becomes an operand, and all that led to it is gone. Where a
// constant meets anything else (a Concat, another contraction, a Reshape, an output of the
// network), the axes may not be empty. So some path from the inputs to every output stays.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crrm/coupling/coupling.h"

namespace crrm {

/// What becomes of a node.
enum class Fate {
  stays,
  folds,  ///< its outputs are constants
  goes    ///< nobody reads what it writes
};

struct Remains {
  std::vector<Fate> fates;  ///< by node; where there is an obstacle, all stay
  std::string obstacle;     ///< why these axes may not be empty; else ""
};

class Removal {
 public:
  /// Keeps a reference to `coupling`, and what it needs of `graph`, which `coupling` describes.
  Removal(const Graph& graph, const Coupling& coupling);

  /// Whether some axis has no living unit.
  bool empties(const std::vector<bool>& alive) const;
  Remains operator()(const std::vector<bool>& alive) const;
  bool possible(const std::vector<bool>& alive) const { return (*this)(alive).obstacle.empty(); }
  /// `alive` without the units of which no node is left that has parameters of theirs. Axes that
  /// are empty must be possible.
  std::vector<bool> without_unread(std::vector<bool> alive) const;

 private:
  enum class State {
    whole,
    empty,     ///< an axis without units
    constant,  ///< the same for all samples and positions
    undecided  ///< a constant met what it cannot go through
  };
  struct Value {
    std::vector<int> axes;       ///< that units touch, into coupling.axes()
    std::optional<Shape> shape;  ///< before; none behind an unknown operator
    bool parameter = false;
  };
  struct Step {
    std::string description;
    std::vector<int> inputs, outputs;  ///< into values_; absent ones left out
    std::vector<bool> learned;         ///< by input
    std::vector<int> contracted;       ///< axes that it contracts
    bool pointwise = false, folds_at_zero = false, commutes = false;
  };
  struct Found {
    std::vector<State> states;  ///< by value
    std::vector<int> culprits;  ///< by value: the node where it became undecided
    std::vector<Fate> fates;    ///< by node
  };

  int slot(const std::string& value);
  Step describe_step(const Node& node);
  std::vector<bool> empty_axes(const std::vector<bool>& alive) const;
  State state_after(const Step& step, const Found& found, const std::vector<bool>& empty) const;
  State meet(const Step& step, const std::vector<State>& states) const;
  Found forward(const std::vector<bool>& empty) const;
  std::string drop_unread(Found& found) const;

  const Coupling& coupling_;
  std::unordered_map<std::string, int> slots_;
  std::vector<Value> values_;
  std::vector<Step> steps_;
  std::vector<int> outputs_;
  std::vector<std::vector<int>> readers_;  ///< by group: nodes that read parameters of its units
};

}  // namespace crrm
