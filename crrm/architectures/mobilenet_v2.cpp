// MobileNet-V2 of width 1: inverted residuals with linear bottlenecks. Dropout is left out.
// Source: Sandler, Howard, Zhu, Zhmoginov, Chen, "MobileNetV2", CVPR 2018, table 2. Shapes and
// names of parameters are those of torchvision.models.mobilenet_v2.
#include "crrm/architectures/architecture.h"

namespace crrm {

namespace {

/// NAME.0, NAME.1 and a ReLU6.
void conv_norm(Builder& b, const std::string& name, int64_t channels, const Window& window,
               int64_t groups = 1) {
  b.conv(name + ".0", channels, window, /*bias=*/false, groups);
  b.batch_norm(name + ".1");
  b.clip(0, 6);
}

void inverted_residual(Builder& b, const std::string& name, int64_t expansion, int64_t channels,
                       int64_t stride) {
  const Builder::Value x = b.value();
  const int64_t hidden = x.shape[0] * expansion;
  int64_t place = 0;
  if (expansion > 1) conv_norm(b, fmt::format("{}.{}", name, place++), hidden, {.kernel = 1});
  conv_norm(b, fmt::format("{}.{}", name, place++), hidden,
            {.kernel = 3, .stride = stride, .pad = 1}, /*groups=*/hidden);
  b.conv(fmt::format("{}.{}", name, place++), channels, {.kernel = 1}, /*bias=*/false);
  b.batch_norm(fmt::format("{}.{}", name, place));
  if (stride == 1 && x.shape[0] == channels) b.add(x);
}

void layers(Builder& b, const Outline& outline) {
  struct Stage {
    int64_t expansion, channels, blocks, stride;
  };
  conv_norm(b, "features.0", 32, {.kernel = 3, .stride = 2, .pad = 1});
  int64_t place = 1;
  for (const auto& [expansion, channels, blocks, stride] :
       {Stage{1, 16, 1, 1}, Stage{6, 24, 2, 2}, Stage{6, 32, 3, 2}, Stage{6, 64, 4, 2},
        Stage{6, 96, 3, 1}, Stage{6, 160, 3, 2}, Stage{6, 320, 1, 1}})
    for (int64_t i = 0; i < blocks; ++i)
      inverted_residual(b, fmt::format("features.{}.conv", place++), expansion, channels,
                        i == 0 ? stride : 1);
  conv_norm(b, fmt::format("features.{}", place), 1280, {.kernel = 1});
  b.global_average_pool();
  b.linear("classifier.1", outline.classes);
}

const ArchitectureRegistration registration(
    {.name = "mobilenet-v2", .smallest = {1, 32, 32}, .usual = {3, 224, 224}, .layers = &layers});

}  // namespace

}  // namespace crrm
