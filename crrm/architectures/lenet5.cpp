// LeNet-5 in the shape that Caffe made common: 20-50-500.
// Source: Jia et al., "Caffe", 2014, examples/mnist/lenet_train_test.prototxt; after LeCun, Bottou,
// Bengio, Haffner, Proc. IEEE 86 (1998).
#include "crrm/architectures/architecture.h"

namespace crrm {

namespace {

void layers(Builder& b, const Outline& outline) {
  b.conv("conv1", 20, {.kernel = 5}, /*bias=*/true);
  b.max_pool({.kernel = 2, .stride = 2});
  b.conv("conv2", 50, {.kernel = 5}, /*bias=*/true);
  b.max_pool({.kernel = 2, .stride = 2});
  b.flatten();
  b.linear("fc1", 500);
  b.relu();
  b.linear("fc2", outline.classes);
}

const ArchitectureRegistration registration(
    {.name = "lenet5", .smallest = {1, 16, 16}, .usual = {1, 28, 28}, .layers = &layers});

}  // namespace

}  // namespace crrm
