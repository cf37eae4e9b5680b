#include "crrm/train/distillation.h"

#include <ATen/core/grad_mode.h>

#include <limits>

#include "crrm/base/error.h"
#include "crrm/base/random.h"
#include "crrm/train/divergence.h"

namespace crrm {

namespace {

constexpr double kSumTolerance = 1e-3;      // of probabilities, written in float16 at the worst
constexpr double kLeastInformation = 1e-4;  // nats; share of the mean square for values
constexpr double kLeastProbability = 1e-8;

/// Axis of the classes by convention: [N, K, positions...], but [N, positions, K] for three axes.
int64_t class_axis(const at::Tensor& output) {
  return output.dim() == 3 ? 2 : 1;
}

bool are_probabilities(const at::Tensor& output, int64_t axis) {
  return output.size(axis) > 1 && (output >= 0).all().item<bool>() &&
         (output.sum(axis) - 1).abs().max().item<double>() < kSumTolerance;
}

at::Tensor log_probabilities(const at::Tensor& output, const OutputLaw& law, double temperature) {
  if (law.kind == OutputKind::logits) return at::log_softmax(output / temperature, law.axis);
  return output.clamp_min(kLeastProbability).log();
}

/// What the input tells: I of theory.md (9, 10).
double spread(const at::Tensor& output, const OutputLaw& law, double temperature) {
  if (law.kind == OutputKind::values)
    return output.var(at::IntArrayRef{0}, /*unbiased=*/true).mean().item<double>();
  const at::Tensor log_p = log_probabilities(output, law, temperature);
  const at::Tensor log_mean = log_p.exp().mean(0, /*keepdim=*/true).log();
  return divergence(log_p, log_mean.expand_as(log_p), law.axis).item<double>();
}

double least_information(const at::Tensor& output, const OutputLaw& law) {
  const double least = law.kind == OutputKind::values
                           ? kLeastInformation * output.square().mean().item<double>()
                           : kLeastInformation;
  return least > 0 ? least : 1;  // an output of zeros
}

/// The divergence of the mean output, as `loss` counts it.
double blank_loss_of(const at::Tensor& output, const OutputLaw& law, double temperature) {
  const double t = law.kind == OutputKind::logits ? temperature : 1;
  const double half = law.kind == OutputKind::values ? 0.5 : 1;
  return half * t * t * spread(output, law, t) / law.information;
}

OutputLaw law_of(const std::string& name, const at::Tensor& output, bool logits,
                 double temperature) {
  OutputLaw law{.name = name};
  if (!output.is_floating_point()) {
    law.kind = OutputKind::discrete;
    return law;
  }
  if (output.dim() > 1) law.axis = class_axis(output);
  const at::Tensor values = output.to(at::kDouble);
  if (logits)
    law.kind = OutputKind::logits;
  else if (output.dim() > 1 && are_probabilities(values, law.axis))
    law.kind = OutputKind::probabilities;
  law.information = std::max(spread(values, law, 1), least_information(values, law));
  law.blank_loss = blank_loss_of(values, law, temperature);
  return law;
}

void check_logits(const std::vector<std::string>& logits, const std::vector<std::string>& names) {
  for (const std::string& name : logits)
    if (std::find(names.begin(), names.end(), name) == names.end())
      throw InputError(
          {.file = "--logits",
           .expected = fmt::format("outputs of the network: {}", fmt::join(names, ", ")),
           .found = name,
           .hint = suggestion(name, names)});
}

[[noreturn]] void reject(const std::string& name, const std::string& expected,
                         const at::Tensor& found) {
  throw InputError({.place = fmt::format("output \"{}\"", name),
                    .expected = expected,
                    .found = fmt::format("[{}]", fmt::join(found.sizes(), ", "))});
}

/// |y - t| / |t| of each sample. [N] float64
at::Tensor relative_errors(const at::Tensor& y, const at::Tensor& t) {
  const Shape rows = {y.size(0), -1};
  const at::Tensor a = y.to(at::kDouble).reshape(rows), b = t.to(at::kDouble).reshape(rows);
  constexpr double kNothing = std::numeric_limits<float>::min();
  return at::linalg_vector_norm(a - b, 2, at::IntArrayRef{1}) /
         at::linalg_vector_norm(b, 2, at::IntArrayRef{1}).clamp_min(kNothing);
}

/// Share of each sample's distributions whose largest entry is the same. [N] float64
at::Tensor same_top1(const at::Tensor& y, const at::Tensor& t, int64_t axis) {
  return y.argmax(axis).eq(t.argmax(axis)).to(at::kDouble).reshape({y.size(0), -1}).mean(1);
}

/// Sums over samples, output by output.
struct Tally {
  double relative_error = 0, top1 = 0, agreement = 0;
};

void count(Tally& tally, const OutputLaw& law, const at::Tensor& y, const at::Tensor& t) {
  const at::Tensor errors = relative_errors(y, t);
  tally.relative_error += errors.sum().item<double>();
  if (law.kind == OutputKind::probabilities || law.kind == OutputKind::logits) {
    tally.top1 += same_top1(y, t, law.axis).sum().item<double>();
    tally.agreement = tally.top1;
  } else {
    tally.agreement += (1 - errors).clamp_min(0).sum().item<double>();
  }
}

Evaluation conclude(const std::vector<Tally>& tallies, const std::vector<OutputLaw>& laws,
                    double loss, int64_t samples) {
  const double n = static_cast<double>(std::max<int64_t>(samples, 1));
  Evaluation result{.metric = 1, .loss = loss / n, .samples = samples};
  for (size_t i = 0; i < laws.size(); ++i) {
    const bool classes =
        laws[i].kind == OutputKind::probabilities || laws[i].kind == OutputKind::logits;
    result.outputs.push_back({laws[i].name, tallies[i].relative_error / n,
                              classes ? std::optional(tallies[i].top1 / n) : std::nullopt});
    result.metric = std::min(result.metric, tallies[i].agreement / n);
  }
  std::tie(result.low, result.high) = share_interval(result.metric, std::max<int64_t>(samples, 1));
  return result;
}

}  // namespace

Distillation::Distillation(std::unique_ptr<const Teacher> teacher,
                           const std::vector<std::string>& names,
                           const std::vector<std::string>& logits, const at::Tensor& samples,
                           double temperature)
    : teacher_(std::move(teacher)), temperature_(temperature) {
  check_logits(logits, names);
  if (samples.size(0) < 2)
    throw InputError({.place = "training data",
                      .expected = "at least 2 samples, to see what outputs depend on",
                      .found = fmt::format("{}", samples.size(0))});
  const Tensors outputs = (*teacher_)(samples);
  bool teaches = false;
  for (size_t i = 0; i < names.size(); ++i) {
    if (outputs[i].dim() < 1 || outputs[i].size(0) != samples.size(0))
      reject(names[i], fmt::format("[{}, ...], one entry for each sample", samples.size(0)),
             outputs[i]);
    const bool said = std::find(logits.begin(), logits.end(), names[i]) != logits.end();
    if (said && outputs[i].dim() < 2) reject(names[i], "logits [N, K, ...]", outputs[i]);
    laws_.push_back(law_of(names[i], outputs[i], said, temperature));
    teaches = teaches || laws_.back().kind != OutputKind::discrete;
  }
  if (!teaches)
    throw InputError({.place = "outputs of the network",
                      .expected = "one of floating-point numbers at least, to learn from",
                      .found = "whole numbers and truth values alone"});
}

void Distillation::check(const Tensors& outputs) const {
  if (outputs.size() != laws_.size())
    throw InputError({.place = "outputs of the network",
                      .expected = fmt::format("{}, as the original has", laws_.size()),
                      .found = fmt::format("{}", outputs.size())});
}

at::Tensor Distillation::loss(const Tensors& outputs, const Tensors& original) const {
  at::Tensor total;
  for (size_t i = 0; i < laws_.size(); ++i) {
    const OutputLaw& law = laws_[i];
    if (law.kind == OutputKind::discrete) continue;
    at::Tensor lost;
    if (law.kind == OutputKind::values) {
      lost = 0.5 * at::mse_loss(outputs[i], original[i]);
    } else {
      lost = divergence(log_probabilities(original[i], law, temperature_),
                        log_probabilities(outputs[i], law, temperature_), law.axis);
      if (law.kind == OutputKind::logits) lost = temperature_ * temperature_ * lost;
    }
    lost = lost / law.information;
    total = total.defined() ? total + lost : lost;
  }
  return total;
}

at::Tensor Distillation::loss(const Tensors& outputs, const Batch& batch) const {
  return loss(outputs, (*teacher_)(batch.inputs));
}

at::Tensor Distillation::probe(const Tensors& outputs, uint64_t seed) const {
  at::Tensor total;
  for (size_t i = 0; i < laws_.size(); ++i) {
    const OutputLaw& law = laws_[i];
    if (law.kind == OutputKind::discrete) continue;
    const uint64_t own = mix(seed, i);
    double terms = static_cast<double>(outputs[i].numel()) /
                   static_cast<double>(outputs[i].size(0));  // of one sample's loss
    at::Tensor drawn;
    if (law.kind == OutputKind::values) {
      drawn = normal_projection(outputs[i], own);
    } else {
      terms /= static_cast<double>(outputs[i].size(law.axis));
      const double t = law.kind == OutputKind::logits ? temperature_ : 1;
      drawn = t * sampled_log_likelihood(log_probabilities(outputs[i], law, t), law.axis, own);
    }
    drawn = drawn / std::sqrt(terms * law.information);
    total = total.defined() ? total + drawn : drawn;
  }
  return total;
}

double Distillation::blank_loss(const Dataset&) const {
  double total = 0;
  for (const OutputLaw& law : laws_) total += law.blank_loss;
  return total;
}

Evaluation Distillation::evaluate(const Forward& forward, const Dataset& data,
                                  const Normalisation& normalisation, int64_t batch) const {
  std::vector<Tally> tallies(laws_.size());
  double total = 0;
  for_each_batch(data, normalisation, batch, [&](const Batch& samples) {
    const Tensors outputs = forward(samples.inputs), original = (*teacher_)(samples.inputs);
    check(outputs);
    total += loss(outputs, original).item<double>() * static_cast<double>(samples.inputs.size(0));
    for (size_t i = 0; i < laws_.size(); ++i) count(tallies[i], laws_[i], outputs[i], original[i]);
  });
  require_finite(total, data);
  return conclude(tallies, laws_, total, data.size());
}

}  // namespace crrm
