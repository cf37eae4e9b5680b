#include "crrm/estimators/binned_entropy.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>
#include <string>

#include "crrm/base/error.h"
#include "crrm/base/normal.h"
#include "crrm/estimators/noisy_channel.h"
#include "crrm/estimators/sample_matrix.h"
#include "crrm/estimators/unique_rows.h"

namespace crrm {

namespace {

constexpr char kSource[] = "Cover & Thomas, Elements of Information Theory, 2nd ed., eq. 2.1";

// -ln of the share of samples in each one's group. @param group  [n] int64  @return [n] float64
at::Tensor surprise(const at::Tensor& group) {
  const at::Tensor sizes = at::bincount(group).to(at::kDouble);
  return std::log(static_cast<double>(group.size(0))) - sizes.log().index_select(0, group);
}

// The mean of what each sample adds, and how far H(bin T) is from its ceiling.
Estimate mean_of(std::string measure, const at::Tensor& parts, double entropy) {
  const int64_t n = parts.size(0);
  const double mean = parts.mean().item<double>(), ceiling = std::log(static_cast<double>(n));
  const double margin =
      n > 1 ? kNormal975 * parts.std().item<double>() / std::sqrt(static_cast<double>(n)) : 0;
  Estimate estimate = {.measure = std::move(measure),
                       .value = mean,
                       .interval = Interval{mean - margin, mean + margin},
                       .unit = "nats",
                       .samples = n,
                       .assumptions = "the samples' frequencies are the probabilities",
                       .source = kSource,
                       .details = {{"ln_n", ceiling}}};
  if (entropy > kSaturatedShare * ceiling) {
    estimate.validity = Validity::saturated;
    estimate.reason = fmt::format(
        "H(T) is {:.3f} of {:.3f} nats, which the number of samples "
        "allows",
        entropy, ceiling);
  }
  return estimate;
}

}  // namespace

at::Tensor bin_indices(const at::Tensor& t, const Bins& bins) {
  const at::Tensor values = sample_matrix(t);
  if (const auto* by_width = std::get_if<BinWidth>(&bins)) {
    if (!(by_width->width > 0))
      throw InputError(
          {.expected = "bins of positive width", .found = fmt::format("{}", by_width->width)});
    return (values / by_width->width).floor().to(at::kLong);
  }
  const int64_t count = std::get<BinCount>(bins).count;
  if (count < 1) throw InputError({.expected = "1 bin or more", .found = std::to_string(count)});
  const double low = values.min().item<double>(), range = values.max().item<double>() - low;
  if (range == 0) return at::zeros_like(values, at::kLong);
  return ((values - low) * (static_cast<double>(count) / range))
      .floor()
      .clamp_max(static_cast<double>(count - 1))
      .to(at::kLong);
}

Estimate entropy_of_rows(const at::Tensor& cells) {
  const at::Tensor parts = surprise(unique_rows(cells).group);
  return mean_of("H(T)", parts, parts.mean().item<double>());
}

Estimate binned_entropy(const at::Tensor& t, const Bins& bins) {
  Estimate estimate = entropy_of_rows(bin_indices(t, bins));
  estimate.measure = "H(bin T)";
  return estimate;
}

Estimate label_information_of_rows(const at::Tensor& cells, const at::Tensor& labels) {
  const at::Tensor label = labels.reshape({-1, 1}).to(at::kCPU, at::kLong);  // [n, 1]
  if (label.size(0) != cells.size(0))
    throw InputError({.expected = fmt::format("{} labels", cells.size(0)),
                      .found = std::to_string(label.size(0))});
  const at::Tensor cell = unique_rows(cells).group;  // [n]
  const at::Tensor both = unique_rows(at::stack({cell, label.flatten()}, 1)).group;
  const at::Tensor of_cells = surprise(cell);
  const at::Tensor parts = of_cells + surprise(unique_rows(label).group) - surprise(both);
  return mean_of("I(T;Y)", parts, of_cells.mean().item<double>());
}

Estimate binned_label_information(const at::Tensor& t, const at::Tensor& labels, const Bins& bins) {
  Estimate estimate = label_information_of_rows(bin_indices(t, bins), labels);
  estimate.measure = "I(bin T;Y)";
  return estimate;
}

}  // namespace crrm
