#include "crrm/train/optimizer.h"

#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

#include "crrm/base/error.h"

namespace crrm {

class Optimizer::Backend {
 public:
  std::unique_ptr<torch::optim::Optimizer> optimizer;
};

namespace {

constexpr char kMomentum[] = "/momentum", kSquare[] = "/square", kStep[] = "/step";

std::unique_ptr<torch::optim::OptimizerOptions> group_options(const OptimizerOptions& options,
                                                              double weight_decay) {
  if (options.kind == "sgd")
    return std::make_unique<torch::optim::SGDOptions>(torch::optim::SGDOptions(1)
                                                          .momentum(options.momentum)
                                                          .nesterov(options.momentum > 0)
                                                          .weight_decay(weight_decay));
  return std::make_unique<torch::optim::AdamWOptions>(
      torch::optim::AdamWOptions(1).weight_decay(weight_decay));
}

}  // namespace

Optimizer::Optimizer(std::map<std::string, at::Tensor> parameters, OptimizerOptions options)
    : parameters_(std::move(parameters)), options_(std::move(options)) {
  if (options_.kind != "sgd" && options_.kind != "adamw")
    throw InputError({.file = "--optimizer", .expected = "sgd or adamw", .found = options_.kind});
  build();
}

Optimizer::~Optimizer() = default;

void Optimizer::build() {
  std::vector<at::Tensor> weights, others;
  for (const auto& [name, tensor] : parameters_)
    (tensor.dim() > 1 ? weights : others).push_back(tensor);
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(weights, group_options(options_, options_.weight_decay));
  groups.emplace_back(others, group_options(options_, 0));
  backend_ = std::make_unique<Backend>();
  if (options_.kind == "sgd")
    backend_->optimizer =
        std::make_unique<torch::optim::SGD>(std::move(groups), torch::optim::SGDOptions(1));
  else
    backend_->optimizer = std::make_unique<torch::optim::AdamW>(std::move(groups));
}

void Optimizer::zero_grad() {
  backend_->optimizer->zero_grad();
}

void Optimizer::step(double learning_rate) {
  for (torch::optim::OptimizerParamGroup& group : backend_->optimizer->param_groups())
    group.options().set_lr(learning_rate);
  backend_->optimizer->step();
}

std::map<std::string, at::Tensor> Optimizer::state() const {
  std::map<std::string, at::Tensor> result;
  const auto& states = backend_->optimizer->state();
  for (const auto& [name, tensor] : parameters_) {
    const auto found = states.find(tensor.unsafeGetTensorImpl());
    if (found == states.end()) continue;
    if (options_.kind == "sgd") {
      const auto& sgd = static_cast<const torch::optim::SGDParamState&>(*found->second);
      if (sgd.momentum_buffer().defined()) result[name + kMomentum] = sgd.momentum_buffer();
    } else {
      const auto& adam = static_cast<const torch::optim::AdamWParamState&>(*found->second);
      result[name + kMomentum] = adam.exp_avg();
      result[name + kSquare] = adam.exp_avg_sq();
      result[name + kStep] = at::full({1}, adam.step(), at::kLong);
    }
  }
  return result;
}

void Optimizer::load(std::map<std::string, at::Tensor> parameters,
                     const std::map<std::string, at::Tensor>& state) {
  parameters_ = std::move(parameters);
  build();
  restore(state);
}

void Optimizer::restore(const std::map<std::string, at::Tensor>& state) {
  auto& states = backend_->optimizer->state();
  for (const auto& [name, tensor] : parameters_) {
    const auto momentum = state.find(name + kMomentum);
    if (momentum == state.end()) continue;
    const auto like = [&own = tensor](const at::Tensor& saved) {
      return at::empty_like(own).detach().copy_(saved);
    };
    if (options_.kind == "sgd") {
      auto sgd = std::make_unique<torch::optim::SGDParamState>();
      sgd->momentum_buffer(like(momentum->second));
      states[tensor.unsafeGetTensorImpl()] = std::move(sgd);
    } else {
      auto adam = std::make_unique<torch::optim::AdamWParamState>();
      adam->exp_avg(like(momentum->second));
      adam->exp_avg_sq(like(state.at(name + kSquare)));
      adam->step(state.at(name + kStep).item<int64_t>());
      states[tensor.unsafeGetTensorImpl()] = std::move(adam);
    }
  }
}

void Optimizer::replace(std::map<std::string, at::Tensor> parameters, const Shrinkage::Kept& kept) {
  std::map<std::string, at::Tensor> old = state();
  for (const auto& [name, axes] : kept)
    for (const char* suffix : {kMomentum, kSquare})
      if (const auto found = old.find(name + suffix); found != old.end())
        found->second = take(found->second, axes);
  load(std::move(parameters), old);
}

}  // namespace crrm
