#include "crrm/estimators/held_out_information.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>

#include <cmath>

#include "crrm/base/error.h"
#include "crrm/base/normal.h"
#include "crrm/estimators/sample_matrix.h"

namespace crrm {

namespace {

constexpr int kSteps = 300;
constexpr double kRoundOff = 1e-3;  // of the sum of a row's probabilities, float32 included
constexpr int kMixingRounds = 100;
constexpr int64_t kFewest = 8;  // two samples in each half of a half

// Columns uncorrelated, of deviation 1, on the samples that it is made from; a 1 beside them.
class Whitening {
 public:
  explicit Whitening(const at::Tensor& t) : mean_(t.mean(0)) {
    const at::Tensor centred = t - mean_;
    const auto [variances, directions] =
        at::linalg_eigh(at::mm(centred.t(), centred) / static_cast<double>(t.size(0)));
    const at::Tensor kept =
        (variances > 1e-10 * variances.max().clamp_min(1e-300)).nonzero().squeeze(1);
    map_ = directions.index_select(1, kept) / variances.index_select(0, kept).sqrt();
  }
  at::Tensor of(const at::Tensor& t) const {
    return at::cat({at::mm(t - mean_, map_), at::ones({t.size(0), 1}, t.options())}, 1);
  }

 private:
  at::Tensor mean_, map_;
};

Estimate described(int64_t n) {
  return {.measure = "I(T;Y), lower bound (held-out cross-entropy)",
          .unit = "nats",
          .samples = n,
          .assumptions = "the classifier has not seen the samples",
          .source = "Barber & Agakov, NeurIPS 2003, eq. 3"};
}

struct Labelled {
  at::Tensor t, labels;  // [n, d] float64, [n] int64

  Labelled rows(const at::Tensor& index) const {
    return {t.index_select(0, index), labels.index_select(0, index)};
  }
};

// What the frequencies of the labels say without a look, each class seen half a time more: [1, K].
at::Tensor log_frequencies(const at::Tensor& labels, int64_t classes) {
  const at::Tensor counts = at::bincount(labels, {}, classes).to(at::kDouble) + 0.5;
  return (counts / counts.sum()).log().unsqueeze(0);
}

// Probabilities of a classifier and of the frequencies, mixed by a weight.
at::Tensor mixed(const at::Tensor& said, const at::Tensor& frequencies, double weight) {
  return at::logaddexp(said + std::log(weight), frequencies + std::log1p(-weight));
}

// The classifier's share in the mixture that is likeliest for labels that it was not fitted to, by
// expectation-maximisation: Dempster, Laird & Rubin (1977), section 4.3. Half a label more on
// either side keeps both.
double likeliest_weight(const at::Tensor& said, const at::Tensor& frequencies,
                        const at::Tensor& labels) {
  const at::Tensor column = labels.unsqueeze(1);
  const at::Tensor odds = (frequencies.expand_as(said) - said).gather(1, column).exp();
  const auto n = static_cast<double>(labels.numel());
  double weight = 0.5;
  for (int i = 0; i < kMixingRounds; ++i)
    weight = ((weight / (weight + (1 - weight) * odds)).sum().item<double>() + 0.5) / (n + 1);
  return weight;
}

// What a mixture that `seen` alone decides says about `unseen`: a half of `seen`, and then the
// other, gives labels that its classifier has not seen for the weight.
at::Tensor mixture_log_probabilities(const Labelled& seen, int64_t classes,
                                     const at::Tensor& unseen) {
  const std::vector<at::Tensor> halves = at::arange(seen.labels.numel()).tensor_split(2);
  std::vector<at::Tensor> said, frequencies, labels;
  for (size_t read = 0; read < 2; ++read) {
    const Labelled fitted = seen.rows(halves[1 - read]), rest = seen.rows(halves[read]);
    said.push_back(logistic_log_probabilities(fitted.t, fitted.labels, classes, rest.t));
    frequencies.push_back(log_frequencies(fitted.labels, classes).expand_as(said.back()));
    labels.push_back(rest.labels);
  }
  const double weight = likeliest_weight(at::cat(said), at::cat(frequencies), at::cat(labels));
  return mixed(logistic_log_probabilities(seen.t, seen.labels, classes, unseen),
               log_frequencies(seen.labels, classes), weight);
}

}  // namespace

at::Tensor logistic_log_probabilities(const at::Tensor& t, const at::Tensor& labels,
                                      int64_t classes, const at::Tensor& unseen) {
  const Whitening whitening(t);
  const at::Tensor x = whitening.of(t);  // [n, r + 1]
  const auto n = static_cast<double>(x.size(0));
  const at::Tensor target = at::one_hot(labels, classes).to(at::kDouble);
  const double prior = 1 / n;
  // A softmax has curvature of at most 1/2; whitened columns have second moments of 1.
  const double step = 1 / (0.5 + prior);
  at::Tensor weight = at::zeros({x.size(1), classes}, x.options()), ahead = weight;
  for (int i = 0; i < kSteps; ++i) {
    const at::Tensor residual = at::softmax(at::mm(x, ahead), 1) - target;  // [n, classes]
    const at::Tensor next = ahead - step * (at::mm(x.t(), residual) / n + prior * ahead);
    ahead = next + (next - weight) * (i / (i + 3.0));
    weight = next;
  }
  return at::log_softmax(at::mm(whitening.of(unseen), weight), 1);
}

Estimate held_out_information(const at::Tensor& log_probabilities, const at::Tensor& labels) {
  const at::Tensor said = sample_matrix(log_probabilities.clamp_min(-1e300));  // [n, K]
  const at::Tensor label = labels.reshape({-1}).to(at::kCPU, at::kLong);
  const int64_t n = said.size(0), classes = said.size(1);
  if (label.numel() != n || label.min().item<int64_t>() < 0 ||
      label.max().item<int64_t>() >= classes)
    throw InputError(
        {.expected = fmt::format("{} labels in [0, {})", n, classes),
         .found = fmt::format("{} in [{}, {}]", label.numel(), label.min().item<int64_t>(),
                              label.max().item<int64_t>())});
  const double worst = at::logsumexp(said, 1).abs().max().item<double>();
  if (worst > kRoundOff)
    throw InputError({.expected = "rows of log-probabilities, which sum to 1",
                      .found = fmt::format("a row whose sum has the logarithm {:.3g}", worst)});
  const at::Tensor frequencies = at::bincount(label, {}, classes).to(at::kDouble) / n;
  const at::Tensor gains = said.gather(1, label.unsqueeze(1)).squeeze(1) -
                           frequencies.log().index_select(0, label);  // [n]
  const double mean = gains.mean().item<double>();
  const double margin =
      n > 1 ? kNormal975 * gains.std().item<double>() / std::sqrt(static_cast<double>(n)) : 0;
  Estimate estimate = described(n);
  estimate.value = mean;
  estimate.interval = Interval{mean - margin, mean + margin};
  if (mean + margin < 0) {
    estimate.validity = Validity::too_few_samples;
    estimate.reason = "the classifier does worse than the frequencies of the labels; 0 is a bound";
  }
  return estimate;
}

Estimate held_out_information(const at::Tensor& t, const at::Tensor& labels, uint64_t seed) {
  const Labelled samples{sample_matrix(t), labels.reshape({-1}).to(at::kCPU, at::kLong)};
  const int64_t n = samples.t.size(0);
  if (samples.labels.numel() != n || samples.labels.min().item<int64_t>() < 0)
    throw InputError({.expected = fmt::format("{} labels >= 0", n),
                      .found = std::to_string(samples.labels.numel())});
  if (n < kFewest)
    return refuse(described(n), Validity::too_few_samples,
                  fmt::format("{} samples; two in each quarter need {}", n, kFewest));
  const int64_t classes = samples.labels.max().item<int64_t>() + 1;
  const std::vector<at::Tensor> halves =
      at::tensor_split(at::randperm(n, at::detail::createCPUGenerator(seed), at::kLong), 2);
  at::Tensor said = at::empty({n, classes}, at::kDouble);
  for (size_t read = 0; read < 2; ++read)
    said.index_copy_(0, halves[read],
                     mixture_log_probabilities(samples.rows(halves[1 - read]), classes,
                                               samples.t.index_select(0, halves[read])));
  return held_out_information(said, samples.labels);
}

}  // namespace crrm
