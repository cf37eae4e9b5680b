#include "crrm/cli/goal_setter.h"

#include "crrm/base/amount.h"
#include "crrm/base/error.h"
#include "crrm/cli/goals.h"
#include "crrm/coupling/subsets.h"
#include "crrm/io/onnx.h"
#include "crrm/surgery/cut.h"

namespace crrm::cli {

GoalSetter::GoalSetter(const Subject& subject, Say say, Settings& settings, Assignment& assignment,
                       RunOptions& options)
    : subject_(subject),
      say_(std::move(say)),
      settings_(settings),
      assignment_(assignment),
      options_(options) {}

void GoalSetter::set(const std::optional<LatencyModel>& earlier) {
  price(earlier);
  limit(earlier.has_value());
  constexpr double kPoints = 100;
  if (settings_.max_drop) options_.max_drop = *settings_.max_drop / kPoints;
  assignment_.max_drop = options_.max_drop;
  assignment_.knee = options_.knee = !has_goal(settings_);
  const bool timed = !settings_.latency.empty() && !earlier;
  if (timed) refine_latency(Statistic::least);  // what decides whether a limit is out of reach
  round();
  if (!timed) return;
  const LatencyModel seen = LatencyModel::from_json(latency_model_);
  refine_latency(Statistic::median);  // as the result will be measured, among other programs
  if (!candidate().can_keep_limits(options_.gates.rounding)) use(seen);
}

void GoalSetter::price(const std::optional<LatencyModel>& earlier) {
  Pricing& pricing = options_.gates.pricing;
  const Graph written = as_written(subject_.network, subject_.reversal);
  for (const auto& [name, tensor] : subject_.network.parameters)
    if (!written.is_parameter(name)) pricing.unstored.insert(name);
  const std::vector<bool> all(static_cast<size_t>(subject_.coupling->size()), true);
  const CostModel numbers(subject_.network, *subject_.coupling, pricing);
  pricing.overhead_bytes = static_cast<int64_t>(onnx_bytes(written).size()) - numbers(all).bytes;
  if (!settings_.latency.empty()) use(earlier ? *earlier : fitted_latency());
}

void GoalSetter::limit(bool resumes) {
  Cost dense = cost(subject_.dense, {subject_.reversal.sample});
  dense.bytes = static_cast<int64_t>(onnx_bytes(subject_.dense).size());
  const std::vector<bool> all(static_cast<size_t>(subject_.coupling->size()), true);
  dense.nanoseconds =
      resumes ? std::numeric_limits<int64_t>::max()  // was compared when the run began
              : CostModel(subject_.network, *subject_.coupling, options_.gates.pricing)(all)
                    .nanoseconds;
  assignment_.targets = targets(settings_, dense);
  for (const Target& target : assignment_.targets) options_.limits.push_back(target.limit);
}

at::Tensor GoalSetter::sample() const {
  const int64_t batch = subject_.reversal.batch;
  return proof_inputs(subject_.data, batch).narrow(0, 0, std::max<int64_t>(batch, 1));
}

Candidate GoalSetter::candidate() const {
  return {subject_.network, *subject_.coupling, options_.gates.pricing, options_.limits,
          subject_.reversal};
}

/// Where nothing but the metric is limited, the width to measure at is not known.
void GoalSetter::round() {
  Rounding& rounding = options_.gates.rounding;
  const std::optional<int64_t> given = parse_multiple(settings_);
  if (given) {
    rounding.multiple = *given;
    return;
  }
  if (options_.limits.empty())
    throw InputError({.file = "--multiple auto",
                      .expected = "a limit on the cost, at which to measure",
                      .found = "none",
                      .hint = "say --multiple 8, or add --macs, --params, --size or --latency"});
  const LatencyFit fit = latency_fit(assignment_.latency_threads, 1);
  rounding = fastest_rounding(candidate(), sample(), fit.time);
  settings_.multiple = std::to_string(rounding.multiple);
  say_(fmt::format("widths: multiples of {}, the fastest in {}", rounding.multiple,
                   fit.setting.runtime));
}

LatencyModel GoalSetter::fitted_latency() const {
  const int threads = parse_latency(settings_.latency).threads;
  if (threads != 1 && threads != *settings_.threads)
    throw InputError(
        {.file = "--latency",
         .expected = fmt::format("1 thread or {}, as --threads says", *settings_.threads),
         .found = fmt::format("{} threads", threads)});
  if (const int64_t batch = subject_.reversal.batch; batch > 1)
    throw InputError({.file = "--latency",
                      .expected = "a network that takes one sample at a time",
                      .found = fmt::format("one that takes {} at once", batch)});
  const LatencyFit fit = latency_fit(threads, 1);
  say_(fmt::format("latency: timing the network's operators in {}, some seconds",
                   fit.setting.runtime));
  std::vector<Graph> networks = {as_written(subject_.network, subject_.reversal)};
  for (const double removed : {0.3, 0.6})
    networks.push_back(as_written(cut(subject_.network, *subject_.coupling,
                                      random_subset(*subject_.coupling, removed, options_.seed)),
                                  subject_.reversal));
  LatencyModel model = fit_latency(*subject_.coupling, {sample()}, networks, fit);
  say_(fmt::format("latency: predicted to {} of what whole networks take",
                   format_percent(model.residual())));
  return model;
}

/// What the model says of many widths is off by some per cent, by more where a network mostly waits
/// for its threads. So it is made to agree with what a network of the size that is asked for takes:
/// that size changes as the model does, and is looked for again until both agree.
void GoalSetter::refine_latency(Statistic statistic) {
  LatencyModel model = LatencyModel::from_json(latency_model_);
  const GraphTimer time = timer(model.setting().threads, statistic);
  constexpr int kRounds = 5;
  constexpr double kAgrees = 0.02;
  constexpr std::chrono::milliseconds kPatience(500);
  for (int round = 0; round < kRounds; ++round) {
    const Graph small = candidate().cut_to_limits(options_.gates.rounding);
    const double taken = time(small, {sample()}, kPatience);
    const double ratio = taken / model.nanoseconds(small, {subject_.reversal.sample});
    model.rescale(ratio);
    use(model);
    if (std::abs(ratio - 1) < kAgrees) break;
  }
}

void GoalSetter::use(const LatencyModel& model) {
  constexpr double kMargin = 1.03;  // two measurements of one network differ by as much
  assignment_.latency_runtime = model.setting().runtime;
  assignment_.latency_threads = model.setting().threads;
  LatencyModel cautious = model;
  cautious.rescale(kMargin);
  options_.gates.pricing.nanoseconds = std::move(cautious);
  latency_model_ = model.to_json();
}

}  // namespace crrm::cli
