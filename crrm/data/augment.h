// From stored samples to a normalised batch: pad, crop, flip and normalise in one pass over memory.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "crrm/data/normalisation.h"

namespace crrm {

struct Dataset;

/// The usual recipe for small images: pad the raw image with `pad` zeros on each side, crop its own
/// size at random, mirror it with probability 1/2. All of it before the normalisation.
struct Augmentation {
  int64_t pad = 0;  ///< pixels, >= 0
  bool flip = false;

  bool active() const { return pad > 0 || flip; }
};

/// What one image goes through, before the normalisation.
struct ImageMove {
  int64_t down = 0;   ///< row of the crop in the padded image: [0, 2 * pad]
  int64_t right = 0;  ///< column of the crop in the padded image: [0, 2 * pad]
  bool mirror = false;
};

/// The move that 64 random bits stand for.
ImageMove draw_move(const Augmentation& augmentation, uint64_t bits);

/// Makes normalised inputs from the samples of one dataset.
class Preparation {
 public:
  /// @param channels_last gives inputs [N, C, H, W] the memory order NHWC; others keep theirs.
  /// @throws InputError where the normalisation does not fit (check_normalisation), or where an
  /// augmentation is asked of data other than [N, C, H, W] and [N, H, W, C].
  Preparation(const Dataset& data, Normalisation normalisation, Augmentation augmentation,
              bool channels_last);

  /// @param index samples, each in [0, N).
  /// @param bits  [index.size()] random numbers, one per sample; empty without augmentation.
  /// @return [B, ...] float32.
  at::Tensor inputs(std::span<const int64_t> index, std::span<const uint64_t> bits) const;

 private:
  at::Tensor stored_;  ///< [N, ...] uint8 or float32, contiguous
  int64_t channel_axis_;
  Normalisation normalisation_;
  Augmentation augmentation_;
  bool channels_last_;
  std::vector<std::array<float, 256>> tables_;  ///< normalised bytes: [1 or C]
};

}  // namespace crrm
