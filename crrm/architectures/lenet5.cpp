// LeNet-5 in the shape that Caffe made common: 20-50-500.
// Source: Jia et al., "Caffe", 2014, examples/mnist/lenet_train_test.prototxt; after LeCun, Bottou,
// Bengio, Haffner, Proc. IEEE 86 (1998).
#include "crrm/architectures/architecture.h"

namespace crrm {

namespace {

void layers(Builder& b, int64_t classes) {
  b.conv("conv1", 20, 5, /*pad=*/0, /*bias=*/true);
  b.max_pool(2);
  b.conv("conv2", 50, 5, /*pad=*/0, /*bias=*/true);
  b.max_pool(2);
  b.flatten();
  b.linear("fc1", 500);
  b.relu();
  b.linear("fc2", classes);
}

const ArchitectureRegistration registration({"lenet5",
                                             "two convolutions and two linear layers, 20-50-500",
                                             {1, 16, 16},
                                             {1, 28, 28},
                                             &layers});

}  // namespace

}  // namespace crrm
