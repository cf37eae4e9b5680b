// The task metric of a network on a dataset.
#pragma once

#include "crrm/data/loader.h"
#include "crrm/graph/executor.h"

namespace crrm {

struct Evaluation {
  double accuracy = 0;  ///< share of samples whose largest logit is the label's
  double loss = 0;      ///< mean cross-entropy, nats
  int64_t samples = 0;
  /// Wilson's 95 % score interval of the accuracy. Source: Wilson, JASA 22 (1927) 209-212.
  double low = 0, high = 0;
};

/// @param forward  [B, ...] inputs to [B, K] logits
/// @throws InputError when the logits do not fit the labels, or are not finite.
Evaluation evaluate(const std::function<at::Tensor(const at::Tensor&)>& forward,
                    const Dataset& data, const Normalisation& normalisation, int64_t batch);

Evaluation evaluate(const Graph& graph, const Dataset& data, const Normalisation& normalisation,
                    int64_t batch);

/// @throws InputError unless the output is [N, classes].
void check_logits(const at::Tensor& logits, int64_t classes);

}  // namespace crrm
