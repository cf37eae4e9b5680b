// Rates of the gates of a compress run: what the units of a layer passed on while it trained, as
// its ramp ended (docs/theory.md, section 3).
//   R = sum_c 1/2 log(1 / D_c)                              over the units c of the layer
//   I(X; Z) <= R + sum_c 1/2 (log E f_c^2 - E log f_c^2)    f_c the activation of unit c
#include <ATen/ATen.h>

#include <cmath>

#include "crrm/activations/layer_measure.h"
#include "crrm/base/normal.h"
#include "crrm/bottleneck/water.h"

namespace crrm {

namespace {

constexpr int64_t kUnitsAtOnce = 256;  // in float64, to bound the memory
constexpr int64_t kLeastSamples = 100;
constexpr char kSource[] =
    "Cover & Thomas 2006, theorem 10.3.2; VIBNet (Dai et al., ICML 2018), equation 10";

Estimate rate(const at::Tensor& distortion) {
  const at::Tensor open = distortion.index({distortion < 1});  // [open units]
  const auto units = static_cast<double>(distortion.numel());
  Estimate estimate{
      .measure = "gate rate",
      .unit = "nats",
      .assumptions = "of the gates as the ramp ended, without the term of the data: no I(X;T)",
      .source = kSource,
      .details = {{"units", units}, {"open units", static_cast<double>(open.numel())}}};
  if (open.numel() > 0 && open.min().item<double>() <= 0)
    return refuse(
        std::move(estimate), Validity::out_of_range,
        "open gates of this run had no noise (crrm compress --gate-power gives them some): the "
        "rate is infinite");
  estimate.value = rate_nats(distortion);
  estimate.details.emplace_back("nats per unit", *estimate.value / units);
  if (open.numel() > 0) estimate.details.emplace_back("largest of a unit", rate_nats(open.min()));
  return estimate;
}

/// The term of the data, nats.
struct DataTerm {
  double value = 0;
  double error = 0;  ///< its standard error, from the influence of each sample
};

/// Sum over units of 1/2 (log E f^2 - E log f^2). A sample's influence on it is
/// 1/2 sum_c (f_c^2 / E f_c^2 - 1 - log f_c^2 + E log f_c^2).
/// @param f  [n, units] float32 without zeros
DataTerm data_term(const at::Tensor& f) {
  DataTerm term;
  at::Tensor influence = at::zeros({f.size(0)}, at::kDouble);  // of each sample, and a constant
  for (const at::Tensor& some : f.split(kUnitsAtOnce, 1)) {
    const at::Tensor squared = some.to(at::kDouble).square();
    const at::Tensor power = squared.mean(0), logarithm = squared.log();
    term.value += 0.5 * (power.log() - logarithm.mean(0)).sum().item<double>();
    influence += 0.5 * (squared / power - logarithm).sum(1);
  }
  term.error = std::sqrt(influence.var().item<double>() / static_cast<double>(f.size(0)));
  return term;
}

Estimate bound(const Estimate& rate, const LayerActivations& seen) {
  Estimate estimate = rate;
  estimate.measure = "I(X;Z) bound of the gates";
  estimate.samples = seen.values.size(0);
  estimate.assumptions =
      "an upper bound for gates that draw by sample and unit; activations are "
      "those of the network measured";
  estimate.details.resize(2);
  if (rate.refused()) return estimate;
  const at::Tensor open = seen.distortion < 1;  // [units]
  const int64_t units = open.sum().item<int64_t>();
  // What is measured has all units, or those that were open alone.
  if (seen.layer.features != seen.distortion.numel() && seen.layer.features != units)
    return refuse(std::move(estimate), Validity::out_of_range,
                  "all positions of a unit share one draw of its gate, so their proportions pass "
                  "without noise");
  at::Tensor f = seen.values;
  if (seen.layer.features != units) f = f.index({at::indexing::Slice(), open});
  const double zeros = 1 - static_cast<double>(f.count_nonzero().item<int64_t>()) / f.numel();
  if (zeros > 0)
    return refuse(std::move(estimate), Validity::out_of_range,
                  fmt::format("infinite: the activation is exactly zero in {:.3g} % of the cases, "
                              "and E log f^2 with it",
                              100 * zeros));
  if (estimate.samples < 2)
    return refuse(std::move(estimate), Validity::too_few_samples, "one sample has no mean");
  const DataTerm term = data_term(f);
  estimate.value = *rate.value + term.value;
  estimate.interval = Interval{*estimate.value - kNormal975 * term.error,
                               *estimate.value + kNormal975 * term.error};
  if (estimate.samples < kLeastSamples) {
    estimate.validity = Validity::too_few_samples;
    estimate.reason =
        fmt::format("{} samples: the interval rests on the central limit and wants {}",
                    estimate.samples, kLeastSamples);
  }
  return estimate;
}

std::vector<Estimate> estimate(const LayerActivations& seen) {
  if (!seen.distortion.defined()) return {};
  const Estimate own = rate(seen.distortion);
  return {own, bound(own, seen)};
}

const LayerMeasureRegistration registration({.family = "rates", .estimate = &estimate});

}  // namespace

}  // namespace crrm
