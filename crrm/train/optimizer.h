// LibTorch's optimisers behind names: momentum follows the parameters through cuts and checkpoints.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "crrm/graph/shrinkage.h"

namespace crrm {

struct OptimizerOptions {
  std::string kind = "sgd";    ///< "sgd" (Nesterov momentum) or "adamw"
  double momentum = 0.9;       ///< sgd
  double weight_decay = 1e-4;  ///< of parameters with two axes or more
};

class Optimizer {
 public:
  /// Holds the tensors: they change in place.
  Optimizer(std::map<std::string, at::Tensor> parameters, OptimizerOptions options);
  ~Optimizer();

  void zero_grad();
  void step(double learning_rate);

  /// After a cut: new tensors, and of the old state the rows that stayed.
  void replace(std::map<std::string, at::Tensor> parameters, const Shrinkage::Kept& kept);

  std::map<std::string, at::Tensor> state() const;
  /// The parameters that the state belongs to, as the constructor takes them.
  void load(std::map<std::string, at::Tensor> parameters,
            const std::map<std::string, at::Tensor>& state);

 private:
  class Backend;
  void build();
  void restore(const std::map<std::string, at::Tensor>& state);

  std::map<std::string, at::Tensor> parameters_;
  OptimizerOptions options_;
  std::unique_ptr<Backend> backend_;
};

}  // namespace crrm
