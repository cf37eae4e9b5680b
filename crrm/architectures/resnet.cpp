// Residual networks for ImageNet: two 3 x 3 convolutions a block (18, 34), or a bottleneck (50)
// whose 3 x 3 convolution strides.
// Source: He, Zhang, Ren, Sun, "Deep residual learning for image recognition", CVPR 2016, table 1.
// Shapes and names of parameters are those of torchvision.models.
#include "crrm/architectures/architecture.h"

namespace crrm {

namespace {

struct Kind {
  std::string name;
  std::vector<int64_t> blocks;  ///< of each stage
  bool bottleneck;
};

void basic(Builder& b, const std::string& name, int64_t width, int64_t stride) {
  b.conv(name + ".conv1", width, {.kernel = 3, .stride = stride, .pad = 1}, /*bias=*/false);
  b.batch_norm(name + ".bn1");
  b.relu();
  b.conv(name + ".conv2", width, {.kernel = 3, .pad = 1}, /*bias=*/false);
  b.batch_norm(name + ".bn2");
}

void bottleneck(Builder& b, const std::string& name, int64_t width, int64_t stride) {
  b.conv(name + ".conv1", width, {.kernel = 1}, /*bias=*/false);
  b.batch_norm(name + ".bn1");
  b.relu();
  b.conv(name + ".conv2", width, {.kernel = 3, .stride = stride, .pad = 1}, /*bias=*/false);
  b.batch_norm(name + ".bn2");
  b.relu();
  b.conv(name + ".conv3", 4 * width, {.kernel = 1}, /*bias=*/false);
  b.batch_norm(name + ".bn3");
}

void block(Builder& b, const std::string& name, int64_t width, int64_t stride, const Kind& kind) {
  const Builder::Value x = b.value();
  (kind.bottleneck ? bottleneck : basic)(b, name, width, stride);
  const Builder::Value branch = b.value();
  b.read(x);
  if (x.shape != branch.shape) {
    b.conv(name + ".downsample.0", branch.shape[0], {.kernel = 1, .stride = stride},
           /*bias=*/false);
    b.batch_norm(name + ".downsample.1");
  }
  b.add(branch);
  b.relu();
}

void layers(Builder& b, int64_t classes, const Kind& kind) {
  b.conv("conv1", 64, {.kernel = 7, .stride = 2, .pad = 3}, /*bias=*/false);
  b.batch_norm("bn1");
  b.relu();
  b.max_pool({.kernel = 3, .stride = 2, .pad = 1});
  for (size_t stage = 0; stage < kind.blocks.size(); ++stage)
    for (int64_t i = 0; i < kind.blocks[stage]; ++i)
      block(b, fmt::format("layer{}.{}", stage + 1, i), 64 << stage, stage > 0 && i == 0 ? 2 : 1,
            kind);
  b.global_average_pool();
  b.linear("fc", classes);
}

bool register_all() {
  for (const Kind& kind :
       {Kind{"resnet18", {2, 2, 2, 2}, false}, Kind{"resnet34", {3, 4, 6, 3}, false},
        Kind{"resnet50", {3, 4, 6, 3}, true}})
    ArchitectureRegistration(
        {.name = kind.name,
         .smallest = {1, 32, 32},
         .usual = {3, 224, 224},
         .layers = [=](Builder& b, const Outline& outline) { layers(b, outline.classes, kind); }});
  return true;
}

const bool registered = register_all();

}  // namespace

}  // namespace crrm
