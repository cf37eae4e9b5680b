// What a network is trained for and judged by.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "crrm/data/loader.h"
#include "crrm/graph/executor.h"

namespace crrm {

/// How near one output of a network is to that of the original, on the same inputs.
struct OutputAgreement {
  std::string name;
  double relative_error = 0;        ///< mean over samples of |y - t| / |t|, Euclidean norms
  std::optional<double> top1 = {};  ///< share of distributions whose largest entry is the same
};

/// As reports and checkpoints hold them: name, relative_error, top1_agreement (null where none).
nlohmann::ordered_json to_json(const std::vector<OutputAgreement>& outputs);
std::vector<OutputAgreement> to_agreements(const nlohmann::ordered_json& outputs);

struct Evaluation {
  double metric = 0;  ///< the task's, in [0, 1]; more is better
  double loss = 0;    ///< the task's, mean over samples
  int64_t samples = 0;
  double low = 0, high = 0;                   ///< share_interval of the metric
  std::vector<OutputAgreement> outputs = {};  ///< where the original network is the measure
};

/// As checkpoints hold it.
nlohmann::ordered_json to_json(const Evaluation& evaluation);
Evaluation to_evaluation(const nlohmann::ordered_json& json);

/// [B, ...] inputs to the network's outputs, on any device.
using Forward = std::function<Tensors(const at::Tensor& inputs)>;

class Task {
 public:
  virtual ~Task() = default;

  /// What Evaluation::metric is: "accuracy", "agreement" or "explained_variance".
  virtual std::string metric() const = 0;
  /// @throws InputError where a network with these outputs cannot be for this task.
  virtual void check(const Tensors& outputs) const = 0;
  /// The risk that training minimises besides the gates' cost: a scalar, mean over the batch.
  virtual at::Tensor loss(const Tensors& outputs, const Batch& batch) const = 0;
  /// The loss, as `evaluate` gives it, of a network that knows nothing of its inputs.
  virtual double blank_loss(const Dataset& data) const = 0;
  /// A scalar whose gradient by what one sample passes through is a random vector g with
  /// E g g^T = that sample's Fisher information (Gauss-Newton matrix) of the risk.
  /// @param outputs  of a batch, each [B, ...]
  virtual at::Tensor probe(const Tensors& outputs, uint64_t seed) const = 0;
  /// @throws InputError as check, and where an output is not finite.
  virtual Evaluation evaluate(const Forward& forward, const Dataset& data,
                              const Normalisation& normalisation, int64_t batch) const = 0;

  /// Where the graph's parameters lie.
  Evaluation evaluate(const Graph& graph, const Dataset& data, const Normalisation& normalisation,
                      int64_t batch) const;
};

/// Wilson's 95 % score interval of a share. For the mean of any numbers in [0, 1] it is wider than
/// need be, as their variance is at most p (1 - p). Source: Wilson, JASA 22 (1927) 209-212.
/// @param share  in [0, 1], of `samples` >= 1 independent samples
std::pair<double, double> share_interval(double share, int64_t samples);

/// Calls `work` with each batch of the data, in order and not augmented, without autograd.
void for_each_batch(const Dataset& data, const Normalisation& normalisation, int64_t batch,
                    const std::function<void(const Batch&)>& work);

/// @throws InputError naming the data where the loss of an evaluation is not finite.
void require_finite(double loss, const Dataset& data);

/// The uncompressed network, as fast as inference goes.
class Teacher {
 public:
  explicit Teacher(const Graph& network, at::Device device = at::kCPU);
  Tensors operator()(const at::Tensor& inputs) const;

 private:
  Executor executor_;
};

}  // namespace crrm
