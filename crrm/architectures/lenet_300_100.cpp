// Two hidden layers of 300 and 100 units.
// Source: LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document
// recognition", Proc. IEEE 86 (1998), section III.C.
#include "crrm/architectures/architecture.h"

namespace crrm {

namespace {

void layers(Builder& b, const Outline& outline) {
  b.flatten();
  b.linear("fc1", 300);
  b.relu();
  b.linear("fc2", 100);
  b.relu();
  b.linear("fc3", outline.classes);
}

const ArchitectureRegistration registration(
    {.name = "lenet-300-100", .smallest = {1, 1, 1}, .usual = {1, 28, 28}, .layers = &layers});

}  // namespace

}  // namespace crrm
