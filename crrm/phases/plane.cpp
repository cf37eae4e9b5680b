#include "crrm/phases/plane.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "crrm/base/error.h"

namespace crrm {

namespace {

bool is_noise(const PlaneChannel& channel) {
  return channel.through && std::holds_alternative<PostHocNoise>(*channel.through);
}

double value_of(const Estimate& estimate) {
  if (!estimate.value)
    throw InternalError(fmt::format("{} refuses: {}", estimate.measure, estimate.reason));
  return *estimate.value;
}

std::optional<double> detail(const Estimate& estimate, const std::string& name) {
  for (const auto& [key, value] : estimate.details)
    if (key == name) return value;
  return std::nullopt;
}

}  // namespace

std::string PlaneChannel::quantity() const {
  return through ? crrm::quantity(*through) : "gate rate";
}

std::vector<PlaneChannel> post_hoc_sweep(double coarsest) {
  std::vector<PlaneChannel> sweep;
  const std::vector<double> decades = {coarsest, coarsest / 10, coarsest / 100, coarsest / 1000};
  for (const double width : decades)
    sweep.push_back({fmt::format("bins of width {}", width), width, PostHocBins{BinWidth{width}}});
  for (const double deviation : decades)
    sweep.push_back({fmt::format("noise of deviation {}", deviation), deviation,
                     PostHocNoise{deviation * deviation}});
  return sweep;
}

PlaneChannel quantised_channel(double step) {
  const int64_t levels = 2 * std::llround(std::floor(1 / step)) + 1;
  return {fmt::format("rounded to multiples of {}", step), step, QuantisedInModel{levels}};
}

PlaneChannel gate_channel() {
  return {"gates", 0, std::nullopt};
}

double ceiling(const PlaneChannel& channel, int64_t samples) {
  if (!channel.through) return std::numeric_limits<double>::infinity();
  return std::log(
      static_cast<double>(is_noise(channel) ? std::min(samples, kNoiseSamples) : samples));
}

PlanePoint plane_point(const PlaneChannel& channel, const at::Tensor& activations,
                       const at::Tensor& labels) {
  const int64_t n =
      is_noise(channel) ? std::min(activations.size(0), kNoiseSamples) : activations.size(0);
  const at::Tensor t = activations.narrow(0, 0, n);
  const NoiseDraws draws{.per_sample = 1, .seed = 0};  // the same noise at every look
  const Estimate x = information_through(channel.through.value(), t, draws);
  const Estimate y = label_information_through(*channel.through, t, labels.narrow(0, 0, n), draws);
  return {.x = value_of(x),
          .y = value_of(y),
          .x_low = detail(x, "lower_bound"),
          .x_high = detail(x, "upper_bound")};
}

PlanePoint gate_point(double rate, double loss, const at::Tensor& labels) {
  const double entropy = value_of(entropy_of_rows(labels.unsqueeze(1)));
  return {.x = rate, .y = std::max(0.0, entropy - loss)};
}

}  // namespace crrm
