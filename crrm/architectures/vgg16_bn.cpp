// VGG-16 with batch normalisation. A last map of 7 x 7 (samples of 224 x 224) goes through the
// three linear layers of torchvision.models.vgg16_bn, whose names all parameters have. Any other
// map is averaged and read by one linear layer, which is the network that is usual for CIFAR-10.
// Dropout is left out.
// Source: Simonyan, Zisserman, "Very deep convolutional networks for large-scale image
// recognition", ICLR 2015, table 1, column D.
#include "crrm/architectures/architecture.h"

namespace crrm {

namespace {

void layers(Builder& b, const Outline& outline) {
  constexpr int64_t kPool = 0;
  int64_t place = 0;  // in torchvision's nn.Sequential
  for (const int64_t channels :
       {64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0}) {
    if (channels == kPool) {
      b.max_pool({.kernel = 2, .stride = 2});
      place += 1;
      continue;
    }
    b.conv(fmt::format("features.{}", place), channels, {.kernel = 3, .pad = 1}, /*bias=*/true);
    b.batch_norm(fmt::format("features.{}", place + 1));
    b.relu();
    place += 3;
  }
  if (b.shape() != Shape{512, 7, 7}) {
    b.global_average_pool();
    b.linear("classifier", outline.classes);
    return;
  }
  b.flatten();
  b.linear("classifier.0", 4096);
  b.relu();
  b.linear("classifier.3", 4096);
  b.relu();
  b.linear("classifier.6", outline.classes);
}

const ArchitectureRegistration registration(
    {.name = "vgg16-bn", .smallest = {1, 32, 32}, .usual = {3, 224, 224}, .layers = &layers});

}  // namespace

}  // namespace crrm
