// The demo's network: three small convolutions for images of 8 x 8 pixels.
#include "crrm/architectures/architecture.h"

namespace crrm {

namespace {

void block(Builder& b, const std::string& number, int64_t channels) {
  b.conv("conv" + number, channels, {.kernel = 3, .pad = 1}, /*bias=*/false);
  b.batch_norm("norm" + number);
  b.relu();
}

void layers(Builder& b, const Outline& outline) {
  block(b, "1", 16);
  block(b, "2", 32);
  b.max_pool({.kernel = 2, .stride = 2});
  block(b, "3", 32);
  b.global_average_pool();
  b.linear("fc", outline.classes);
}

const ArchitectureRegistration registration(
    {.name = "digits", .smallest = {1, 4, 4}, .usual = {1, 8, 8}, .layers = &layers});

}  // namespace

}  // namespace crrm
