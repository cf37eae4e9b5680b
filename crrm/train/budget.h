// What a run's network may cost, from its beginning to its end.
#pragma once

#include <optional>
#include <vector>

#include "crrm/train/descent.h"
#include "crrm/train/run.h"

namespace crrm {

class Budget {
 public:
  /// @param network  with all of its units; it and `options` outlive this
  Budget(const RunOptions& options, const GatedNetwork& network);

  /// What leads: the limit that binds; where no cost is limited, what a limit on the metric is to
  /// save is time, and what a description is made of are parameters.
  Resource resource() const;
  /// Of the network as it came in.
  int64_t dense(Resource resource) const { return amount(dense_, resource); }
  int64_t now() const { return amount(network_.cost(), resource()); }

  /// log(dense cost / cost)
  double depth() const;
  /// log(dense cost / smallest cost), but for a little that the last units may miss it by.
  double deepest() const;

  /// What the network may cost now.
  /// @param share    of the run
  /// @param descent  null where the limits are known beforehand
  std::vector<Limit> goal(double share, const Descent* descent) const;

 private:
  const RunOptions& options_;
  const GatedNetwork& network_;
  Cost dense_;
};

}  // namespace crrm
