#include "crrm/activations/layer_channel.h"

#include <gtest/gtest.h>

#include "crrm/base/error.h"

namespace crrm {
namespace {

std::string quantity_of(const std::string& text) {
  return quantity(std::get<Channel>(parse_channel(text, "--channel")));
}

Fault fault_of(const std::string& text) {
  try {
    parse_channel(text, "--channel");
  } catch (const InputError& error) {
    return error.fault();
  }
  return {};
}

TEST(LayerChannel, IsIXTOnlyInsideTheModel) {
  EXPECT_EQ(quantity_of("noise:0.01"), "I(X;T)");
  EXPECT_EQ(quantity_of("quantised:256"), "I(X;T)");
  EXPECT_EQ(quantity_of("post-hoc-noise:0.25"), "clustering index (noise sigma^2 = 0.25)");
  EXPECT_EQ(quantity_of("post-hoc-bins:30"), "clustering index (30 bins)");
  EXPECT_TRUE(std::holds_alternative<NoiseSweep>(parse_channel("sweep", "")));
  EXPECT_TRUE(std::holds_alternative<GatesOfRun>(parse_channel("gates", "")));
  EXPECT_EQ(std::get<MatrixRenyi>(parse_channel("matrix-renyi:0.5", "")).h, 0.5);
}

TEST(LayerChannel, RefusesWhatIsNoneWithTheNearestName) {
  EXPECT_EQ(fault_of("noisy:1").hint, "did you mean noise?");
  EXPECT_EQ(fault_of("noise").found, "\"\"");
  EXPECT_EQ(fault_of("noise:0").expected, "a variance above 0, as noise:0.01");
  EXPECT_EQ(fault_of("noise:nan").file, "--channel");
  EXPECT_EQ(fault_of("post-hoc-bins:2.5").expected,
            "a whole number of bins above 0, as post-hoc-bins:30");
  EXPECT_EQ(fault_of("quantised:1e12").place, "quantised");
}

}  // namespace
}  // namespace crrm
