// Spectrum of all features of a layer, and the coding rate of the reduced ones.
#include <ATen/ATen.h>

#include "crrm/activations/layer_measure.h"
#include "crrm/estimators/centred_gram.h"
#include "crrm/estimators/coding_rate.h"
#include "crrm/estimators/participation_ratio.h"
#include "crrm/estimators/spectrum.h"

namespace crrm {

namespace {

std::vector<Estimate> estimate(const LayerActivations& seen) {
  const CentredGram gram = centred_gram(seen.values);
  const Spectrum spectrum = crrm::spectrum(gram);
  std::vector<Estimate> all = {participation_ratio(gram), effective_rank(spectrum),
                               stable_rank(spectrum), energy_rank(spectrum)};
  at::Tensor reduced = seen.reduced.to(at::kDouble);
  reduced = reduced - reduced.mean(0);
  if (!seen.labels.defined()) {
    all.push_back(coding_rate(reduced));
    return all;
  }
  const CodingRateReduction rates =
      coding_rate_reduction(reduced, seen.labels, kCodingError, seen.seed);
  all.insert(all.end(), {rates.rate, rates.within, rates.reduction, rates.beyond_chance});
  return all;
}

const LayerMeasureRegistration registration({.family = "spectrum", .estimate = &estimate});

}  // namespace

}  // namespace crrm
