// Tiny Darknet: 3 x 3 convolutions with 1 x 1 ones between them, and no linear layer.
// Source: Redmon, pjreddie/darknet, cfg/tiny.cfg. Parameters have Keras's names, counted from 1, as
// in the copy of ml5js/ml5-data-and-models. Logits here; softmax follows them there.
#include "crrm/architectures/architecture.h"

namespace crrm {

namespace {

void layers(Builder& b, const Outline& outline) {
  struct Layer {
    int64_t channels, kernel;
  };
  constexpr int64_t kPool = 0;
  b.follow(kKeras);
  int64_t number = 0;
  for (const auto& [channels, kernel] :
       {Layer{16, 3}, Layer{kPool, 2}, Layer{32, 3}, Layer{kPool, 2}, Layer{16, 1}, Layer{128, 3},
        Layer{16, 1}, Layer{128, 3}, Layer{kPool, 2}, Layer{32, 1}, Layer{256, 3}, Layer{32, 1},
        Layer{256, 3}, Layer{kPool, 2}, Layer{64, 1}, Layer{512, 3}, Layer{64, 1}, Layer{512, 3},
        Layer{128, 1}}) {
    if (channels == kPool) {
      b.max_pool({.kernel = kernel, .stride = kernel});
      continue;
    }
    ++number;
    b.conv(fmt::format("conv2d_{}", number), channels, {.kernel = kernel, .same = true},
           /*bias=*/false);
    b.batch_norm(fmt::format("batch_normalization_{}", number));
    b.leaky_relu(0.1);
  }
  b.conv(fmt::format("conv2d_{}", number + 1), outline.classes, {.kernel = 1}, /*bias=*/true);
  b.global_average_pool();
}

const ArchitectureRegistration registration(
    {.name = "darknet-tiny", .smallest = {1, 16, 16}, .usual = {3, 224, 224}, .layers = &layers});

}  // namespace

}  // namespace crrm
