// The residual network of MLPerf Tiny's image classification, for images of 32 x 32.
// Source: Banbury et al., "MLPerf Tiny benchmark", NeurIPS 2021; mlcommons/tiny,
// benchmark/training/image_classification/keras_model.py, resnet_v1_eembc. Parameters have Keras's
// names; its padding puts the odd zero behind. Logits here; softmax follows them there.
#include "crrm/architectures/architecture.h"

namespace crrm {

namespace {

/// "conv2d", "conv2d_1", "conv2d_2", ...
std::string numbered(const std::string& layer, int64_t& next) {
  const int64_t number = next++;
  return number == 0 ? layer : fmt::format("{}_{}", layer, number);
}

void layers(Builder& b, const Outline& outline) {
  b.follow(kKeras);
  int64_t convs = 0, norms = 0;
  const auto conv = [&](int64_t channels, int64_t kernel, int64_t stride) {
    b.conv(numbered("conv2d", convs), channels, {.kernel = kernel, .stride = stride, .same = true},
           /*bias=*/true);
  };
  const auto norm = [&] { b.batch_norm(numbered("batch_normalization", norms)); };
  conv(16, 3, 1);
  norm();
  b.relu();
  for (const int64_t channels : {16, 32, 64}) {
    const Builder::Value x = b.value();
    const int64_t stride = channels == x.shape[0] ? 1 : 2;
    conv(channels, 3, stride);
    norm();
    b.relu();
    conv(channels, 3, 1);
    norm();
    const Builder::Value branch = b.value();
    b.read(x);
    if (stride > 1) conv(channels, 1, stride);
    b.add(branch);
    b.relu();
  }
  b.global_average_pool();
  b.linear("dense", outline.classes);
}

const ArchitectureRegistration registration(
    {.name = "resnet8", .smallest = {1, 8, 8}, .usual = {3, 32, 32}, .layers = &layers});

}  // namespace

}  // namespace crrm
