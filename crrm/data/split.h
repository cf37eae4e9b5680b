// Parts of a dataset.
#pragma once

#include "crrm/data/dataset.h"

namespace crrm {

/// The samples of `index` [K] int64, in its order.
Dataset select(const Dataset& data, const at::Tensor& index);

struct HeldOutSplit {
  Dataset train;
  Dataset held_out;  ///< inputs undefined where no sample is held out
};

/// Holds round(fraction * N) samples out, each class in proportion (largest remainders first) and
/// none without its last sample for training; data without labels count as one class. Both parts
/// keep the order of `train`. Which samples go depends on seed, index and labels alone.
/// @param fraction in [0, 1).
/// @throws InputError where the fraction is out of range.
HeldOutSplit split_held_out(const Dataset& train, double fraction, uint64_t seed);

}  // namespace crrm
