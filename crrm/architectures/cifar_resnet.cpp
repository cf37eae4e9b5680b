// Residual networks for images of 32 x 32: three stages of (depth - 2) / 6 blocks with 16, 32 and
// 64 channels. Where a stage halves the map, the shortcut takes every other row and column and pads
// the channels with zeros (option A), or is a 1 x 1 convolution (option B; resnetN-b).
// Source: He, Zhang, Ren, Sun, "Deep residual learning for image recognition", CVPR 2016, section
// 4.2. Parameters are named as in akamaster/pytorch_resnet_cifar10.
#include "crrm/architectures/architecture.h"

namespace crrm {

namespace {

enum class Shortcut { pad, project };

void shortcut(Builder& b, const std::string& name, int64_t channels, int64_t stride,
              Shortcut kind) {
  if (stride == 1 && b.shape()[0] == channels) return;
  if (kind == Shortcut::pad) {
    b.subsample(stride);
    b.pad_channels((channels - b.shape()[0]) / 2);
  } else {
    b.conv(name + ".shortcut.0", channels, {.kernel = 1, .stride = stride}, /*bias=*/false);
    b.batch_norm(name + ".shortcut.1");
  }
}

void block(Builder& b, const std::string& name, int64_t channels, int64_t stride, Shortcut kind) {
  const Builder::Value x = b.value();
  b.conv(name + ".conv1", channels, {.kernel = 3, .stride = stride, .pad = 1}, /*bias=*/false);
  b.batch_norm(name + ".bn1");
  b.relu();
  b.conv(name + ".conv2", channels, {.kernel = 3, .pad = 1}, /*bias=*/false);
  b.batch_norm(name + ".bn2");
  const Builder::Value branch = b.value();
  b.read(x);
  shortcut(b, name, channels, stride, kind);
  b.add(branch);
  b.relu();
}

void layers(Builder& b, int64_t classes, int64_t depth, Shortcut kind) {
  b.conv("conv1", 16, {.kernel = 3, .pad = 1}, /*bias=*/false);
  b.batch_norm("bn1");
  b.relu();
  for (int64_t stage = 1; stage <= 3; ++stage)
    for (int64_t i = 0; i < (depth - 2) / 6; ++i)
      block(b, fmt::format("layer{}.{}", stage, i), 8 << stage, stage > 1 && i == 0 ? 2 : 1, kind);
  b.global_average_pool();
  b.linear("linear", classes);
}

bool register_all() {
  for (const int64_t depth : {20, 32, 44, 56, 110})
    for (const Shortcut kind : {Shortcut::pad, Shortcut::project})
      ArchitectureRegistration(
          {.name = fmt::format("resnet{}{}", depth, kind == Shortcut::pad ? "" : "-b"),
           .smallest = {1, 8, 8},
           .usual = {3, 32, 32},
           .layers = [=](Builder& b, const Outline& outline) {
             layers(b, outline.classes, depth, kind);
           }});
  return true;
}

const bool registered = register_all();

}  // namespace

}  // namespace crrm
