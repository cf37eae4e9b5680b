// Spectrum of all features of a layer, and the coding rate of the reduced ones.
#include <ATen/ATen.h>

#include "crrm/activations/layer_measure.h"
#include "crrm/estimators/coding_rate.h"
#include "crrm/estimators/spectrum.h"

namespace crrm {

namespace {

std::vector<Estimate> estimate(const LayerActivations& seen) {
  const at::Tensor centred = seen.values - seen.values.mean(0);
  const Spectrum spectrum = crrm::spectrum(centred);
  std::vector<Estimate> all = {participation_ratio(seen.values), effective_rank(spectrum),
                               stable_rank(spectrum), energy_rank(spectrum)};
  const at::Tensor reduced = seen.reduced - seen.reduced.mean(0);
  if (!seen.labels.defined()) {
    all.push_back(coding_rate(reduced));
    return all;
  }
  const CodingRateReduction rates = coding_rate_reduction(reduced, seen.labels);
  all.insert(all.end(), {rates.rate, rates.within, rates.reduction});
  return all;
}

const LayerMeasureRegistration registration({.family = "spectrum", .estimate = &estimate});

}  // namespace

}  // namespace crrm
