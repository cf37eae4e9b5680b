// Batches of a dataset, prepared ahead by a thread.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "crrm/data/augment.h"
#include "crrm/data/dataset.h"
#include "crrm/data/normalisation.h"

namespace crrm {

struct LoaderOptions {
  int64_t batch = 128;  ///< samples, >= 1
  bool shuffle = true;
  Augmentation augmentation = {};
  bool channels_last = false;
  uint64_t seed = 0;
  bool drop_last = false;        ///< leave out a last batch that is not full
  at::Device device = at::kCPU;  ///< where batches lie
};

struct Batch {
  at::Tensor inputs;  ///< [B, ...] float32, normalised
  at::Tensor labels;  ///< [B] int64; undefined where the data have none
};

/// The batches of an epoch, in an order and with an augmentation that derive from the seed, the
/// epoch and the sample alone: whoever starts at a later step meets the same batches, bit for bit.
class Loader {
 public:
  /// @throws InputError where the options or the normalisation do not fit the data.
  Loader(const Dataset& data, const Normalisation& normalisation, LoaderOptions options);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// Batches per epoch.
  int64_t steps() const;
  /// Begins an epoch at a step in [0, steps()]; what was prepared before is dropped.
  void start(int64_t epoch, int64_t step = 0);
  /// The next batch, or nothing at the end of the epoch and before the first start. What was thrown
  /// while the batch was prepared is thrown here.
  std::optional<Batch> next();

 private:
  class Worker;
  std::unique_ptr<Worker> worker_;
};

/// The samples [first, first + count) in order and without augmentation, for evaluation.
/// @throws InputError where the normalisation does not fit, InternalError where the range does not.
Batch take(const Dataset& data, const Normalisation& normalisation, int64_t first, int64_t count,
           bool channels_last);

}  // namespace crrm
