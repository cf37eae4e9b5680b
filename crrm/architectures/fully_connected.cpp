// mlp:W,W,...: hidden layers of so many units, to logits of classes.
// ae:W,W,...: an autoencoder. The encoder's layers have so many units, the last of them the code;
// the decoder mirrors them, back to what came in. The code and the output are linear.
// Source of the second: Hinton, Salakhutdinov, "Reducing the dimensionality of data with neural
// networks", Science 313 (2006); here with ReLU and without layer-wise training. Weights begin with
// the variance 1 / fan-in of LeCun, Bottou, Orr, Mueller, "Efficient backprop", 1998, section 4.6:
// the output then begins below the input's scale. With twice that, an epoch on MNIST explains
// nothing of it.
#include "crrm/architectures/architecture.h"

namespace crrm {

namespace {

void perceptron(Builder& b, const Outline& outline) {
  b.flatten();
  for (size_t i = 0; i < outline.widths.size(); ++i) {
    b.linear(fmt::format("fc{}", i + 1), outline.widths[i]);
    b.relu();
  }
  b.linear(fmt::format("fc{}", outline.widths.size() + 1), outline.classes);
}

/// Linear layers with ReLU between them, numbered as in an nn.Sequential of both.
void sequential(Builder& b, const std::string& name, const std::vector<int64_t>& widths) {
  for (size_t i = 0; i < widths.size(); ++i) {
    if (i > 0) b.relu();
    b.linear(fmt::format("{}.{}", name, 2 * i), widths[i]);
  }
}

void autoencoder(Builder& b, const Outline& outline) {
  const Shape sample = b.shape();
  b.draw_with(/*gain=*/1);
  b.flatten();
  std::vector<int64_t> mirrored(outline.widths.rbegin() + 1, outline.widths.rend());
  mirrored.push_back(b.shape()[0]);
  sequential(b, "encoder", outline.widths);
  sequential(b, "decoder", mirrored);
  if (sample.size() > 1) b.reshape(sample);
}

const ArchitectureRegistration mlp({.name = "mlp", .takes_widths = true, .layers = &perceptron});
const ArchitectureRegistration ae(
    {.name = "ae", .takes_widths = true, .reconstructs = true, .layers = &autoencoder});

}  // namespace

}  // namespace crrm
