#include "crrm/estimators/channel.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "crrm/base/error.h"
#include "crrm/estimators/sample_matrix.h"

namespace crrm {

namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;  // Clang before 17 deduces no aggregates

std::string parameter(const Channel& channel) {
  const auto bins = Overloaded{
      [](const BinCount& by_count) { return fmt::format("{} bins", by_count.count); },
      [](const BinWidth& by_width) { return fmt::format("bins of width {:g}", by_width.width); }};
  if (const auto* noise = std::get_if<PostHocNoise>(&channel))
    return fmt::format("noise sigma^2 = {:g}", noise->variance);
  return std::visit(bins, std::get<PostHocBins>(channel).bins);
}

// Open gates in units of their noise's deviation.
at::Tensor in_deviations(const at::Tensor& t, const Gates& gates) {
  const at::Tensor samples = sample_matrix(t);
  const at::Tensor variance = gates.variance.to(at::kCPU, at::kDouble);
  if (variance.dim() != 1 || variance.size(0) != samples.size(1) ||
      !variance.gt(0).all().item<bool>())
    throw InputError(
        {.expected = fmt::format("a positive variance for each of {} units", samples.size(1)),
         .found = c10::str(variance.sizes())});
  return samples / variance.sqrt();  // 0 where the variance is infinite: it says nothing
}

// Why rows are not what the model's rounding gives, if so.
std::optional<std::string> not_rounded(const at::Tensor& t, int64_t levels) {
  const at::Tensor sorted = std::get<0>(sample_matrix(t).sort(0));
  const at::Tensor values = 1 + sorted.slice(0, 1).ne(sorted.slice(0, 0, -1)).sum(0);  // [d]
  const int64_t unit = values.argmax().item<int64_t>(), most = values.max().item<int64_t>();
  if (most <= levels) return std::nullopt;
  return fmt::format("unit {} takes {} values, more than {}: the model does not round it", unit,
                     most, levels);
}

Estimate with_bounds(NoisyChannel channel) {
  if (channel.estimate.refused()) return channel.estimate;
  channel.estimate.details.insert(
      channel.estimate.details.end(),
      {{"lower_bound", *channel.lower.value}, {"upper_bound", *channel.upper.value}});
  return channel.estimate;
}

Estimate rounded(Estimate estimate, const at::Tensor& t, int64_t levels) {
  const std::optional<std::string> fault = not_rounded(t, levels);
  return fault ? refuse(std::move(estimate), Validity::out_of_range, *fault) : estimate;
}

}  // namespace

bool inside_model(const Channel& channel) {
  return !std::holds_alternative<PostHocNoise>(channel) &&
         !std::holds_alternative<PostHocBins>(channel);
}

std::string quantity(const Channel& channel) {
  return inside_model(channel) ? "I(X;T)"
                               : fmt::format("clustering index ({})", parameter(channel));
}

Estimate information_through(const Channel& channel, const at::Tensor& t, const NoiseDraws& draws) {
  const auto cases = Overloaded{
      [&](const NoiseInModel& noise) {
        return with_bounds(noisy_channel(t, noise.variance, draws));
      },
      [&](const Gates& gates) {
        return with_bounds(noisy_channel(in_deviations(t, gates), 1, draws));
      },
      [&](const QuantisedInModel& grid) { return rounded(entropy_of_rows(t), t, grid.levels); },
      [&](const PostHocNoise& noise) {
        return with_bounds(noisy_channel(t, noise.variance, draws));
      },
      [&](const PostHocBins& bins) { return binned_entropy(t, bins.bins); }};
  Estimate estimate = std::visit(cases, channel);
  estimate.measure = quantity(channel);
  return estimate;
}

Estimate label_information_through(const Channel& channel, const at::Tensor& t,
                                   const at::Tensor& labels, const NoiseDraws& draws) {
  const auto cases = Overloaded{
      [&](const NoiseInModel& noise) {
        return noisy_label_information(t, labels, noise.variance, draws);
      },
      [&](const Gates& gates) {
        return noisy_label_information(in_deviations(t, gates), labels, 1, draws);
      },
      [&](const QuantisedInModel& grid) {
        return rounded(label_information_of_rows(t, labels), t, grid.levels);
      },
      [&](const PostHocNoise& noise) {
        return noisy_label_information(t, labels, noise.variance, draws);
      },
      [&](const PostHocBins& bins) { return binned_label_information(t, labels, bins.bins); }};
  Estimate estimate = std::visit(cases, channel);
  estimate.measure = inside_model(channel)
                         ? "I(T;Y)"
                         : fmt::format("clustering index of the labels ({})", parameter(channel));
  return estimate;
}

}  // namespace crrm
