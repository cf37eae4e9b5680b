// The demo's network: three small convolutions for images of 8 x 8 pixels.
#include "crrm/architectures/architecture.h"

namespace crrm {

namespace {

void block(Builder& b, const std::string& number, int64_t channels) {
  b.conv("conv" + number, channels, 3, /*pad=*/1, /*bias=*/false);
  b.batch_norm("norm" + number);
  b.relu();
}

void layers(Builder& b, int64_t classes) {
  block(b, "1", 16);
  block(b, "2", 32);
  b.max_pool(2);
  block(b, "3", 32);
  b.global_average_pool();
  b.linear("fc", classes);
}

const ArchitectureRegistration registration(
    {"digits",
     "three convolutions with batch normalisation, 16-32-32",
     {1, 4, 4},
     {1, 8, 8},
     &layers});

}  // namespace

}  // namespace crrm
