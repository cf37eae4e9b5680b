// Two hidden layers of 300 and 100 units.
// Source: LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document
// recognition", Proc. IEEE 86 (1998), section III.C.
#include "crrm/architectures/architecture.h"

namespace crrm {

namespace {

void layers(Builder& b, int64_t classes) {
  b.flatten();
  b.linear("fc1", 300);
  b.relu();
  b.linear("fc2", 100);
  b.relu();
  b.linear("fc3", classes);
}

const ArchitectureRegistration registration(
    {"lenet-300-100", "three linear layers, 300-100", {1, 1, 1}, {1, 28, 28}, &layers});

}  // namespace

}  // namespace crrm
