#include "crrm/train/gated_network.h"

#include <limits>

#include "crrm/base/error.h"
#include "crrm/bottleneck/gates.h"
#include "crrm/bottleneck/water.h"
#include "crrm/surgery/cut.h"
#include "crrm/surgery/proof.h"

namespace crrm {

namespace {

Coupling couple_plain(const Graph& graph, const std::vector<Shape>& sample) {
  return Coupling(graph, infer_shapes(graph, input_shapes(graph, kCouplingBatch, sample)));
}

Graph gate(const Graph& graph, const std::vector<Shape>& sample) {
  const Graph own = clone(graph);
  return insert_gates(own, couple_plain(own, sample));
}

at::Tensor to_tensor(const std::vector<bool>& flags) {
  at::Tensor result = at::empty({static_cast<int64_t>(flags.size())}, at::kBool);
  for (size_t i = 0; i < flags.size(); ++i) result.data_ptr<bool>()[i] = flags[i];
  return result;
}

std::vector<bool> to_flags(const at::Tensor& tensor) {
  const bool* first = tensor.data_ptr<bool>();
  return std::vector<bool>(first, first + tensor.numel());
}

/// Where each of `inner` stands in `outer`; both ascending.
std::vector<int64_t> positions(const std::vector<int64_t>& outer,
                               const std::vector<int64_t>& inner) {
  std::vector<int64_t> result;
  size_t i = 0;
  for (const int64_t index : inner) {
    while (outer[i] != index) ++i;
    result.push_back(static_cast<int64_t>(i));
  }
  return result;
}

constexpr char kParameter[] = "parameter/";
constexpr char kRemoved[] = "removed/";  // of branches that left: their constants follow from it
constexpr char kCriterion[] = "criterion/";

}  // namespace

Graph remove_gates(const Graph& gated) {
  Graph plain = gated;
  plain.nodes.clear();
  std::unordered_map<std::string, std::string> source;
  for (Node node : gated.nodes) {
    if (node.domain == kGateDomain) {
      source[node.outputs[0]] = node.inputs[0];
      continue;
    }
    for (std::string& input : node.inputs)
      if (const auto found = source.find(input); found != source.end()) input = found->second;
    plain.nodes.push_back(std::move(node));
  }
  std::erase_if(plain.inputs, [](const Port& port) { return port.name == kGateInput; });
  drop_unread(plain);
  return plain;
}

GatedNetwork::GatedNetwork(const Graph& graph, const std::vector<Shape>& sample,
                           const GateOptions& options, at::Device device)
    : device_(device),
      full_(gate(graph, sample)),
      coupling_(couple_plain(full_, sample)),
      cost_(full_, coupling_, options.pricing),
      rounding_(options.rounding),
      alive_(static_cast<size_t>(coupling_.size()), true),
      compacted_(alive_),
      distortion_(at::zeros({coupling_.size()}, at::kDouble)) {
  build(alive_);
  criterion_ = make_criterion(options.method, living(), options.criterion);
}

void GatedNetwork::build(const std::vector<bool>& alive) {
  current_ = to(clone(cut(full_, coupling_, alive)), device_);
  compacted_ = alive;
  for (const std::string& name : learned_parameters(current_)) {
    at::Tensor& tensor = current_.parameters.at(name);
    if (tensor.dim() == 4) tensor = tensor.contiguous(at::MemoryFormat::ChannelsLast);
    tensor.requires_grad_(true);
  }
  gated_executor_ = std::make_unique<Executor>(current_);
  plain_executor_ = std::make_unique<Executor>(remove_gates(current_));
}

Graph GatedNetwork::plain() const {
  return remove_gates(current_);
}

Graph GatedNetwork::whole(const Graph& small) const {
  return expand(full_, coupling_, compacted_, to(small, at::kCPU));
}

Tensors GatedNetwork::run(const Tensors& inputs, const at::Tensor& gates, bool training) const {
  if (!gates.defined()) return plain_executor_->run(inputs, training);
  Tensors all = inputs;
  all.push_back(gates);
  return gated_executor_->run(all, training);
}

at::Tensor GatedNetwork::draw(int64_t samples, uint64_t seed) const {
  const at::Tensor open = hard_gates(alive_);  // [1, units + 1]
  const at::Tensor learned = annealing_ > 0 ? criterion_->draw(samples, seed) : at::Tensor();
  if (learned.defined()) return open * (1 + annealing_ * (learned - 1));
  const bool noisy =
      annealing_ > 0 && beta_ > 0 && std::isfinite(criterion_->power().value_or(kNoNoise));
  if (!noisy) return can_compact() ? open : at::Tensor();
  const at::Tensor closed = distortion_ >= 1;
  return draw_gates(at::where(closed, distortion_, distortion_ * annealing_), samples, seed);
}

void GatedNetwork::control(const std::vector<Limit>& limits, const std::vector<Limit>& end,
                           bool last) {
  criterion_->constrain(living(), limits);
  if (!last && !criterion_->gradual()) return;
  const at::Tensor scores = criterion_->scores(living());
  const at::Tensor weight = criterion_->per_cost()
                                ? settled_weights(coupling_, cost_, alive_, scores, end, rounding_)
                                : at::ones_like(scores);
  Selection selection = select(coupling_, cost_, alive_, scores, weight, limits, rounding_);
  alive_ = std::move(selection.alive);
  at::Tensor open = at::zeros_like(distortion_);
  if (const std::optional<double> power = criterion_->power()) {
    beta_ = std::max(beta_, selection.beta);
    if (beta_ > 0) open = water_fill(scores, weight, beta_, *power);
  }
  constexpr double kAlmostClosed =
      0.99;  // alive, so not closed: what the level says but the cut does not
  distortion_ =
      at::where(to_tensor(alive_), at::clamp_max(open, kAlmostClosed), at::ones_like(open));
}

Shrinkage::Kept GatedNetwork::compact() {
  const Shrinkage::Kept before = coupling_.kept(compacted_), after = coupling_.kept(alive_);
  full_ = whole(current_);
  build(alive_);
  Shrinkage::Kept moved;
  for (const auto& [name, axes] : after) {
    if (!current_.is_parameter(name) || !full_.is_parameter(name)) continue;
    for (size_t a = 0; a < axes.size(); ++a)
      moved[name].push_back(
          {positions(before.at(name)[a].indices, axes[a].indices), axes[a].blocks});
  }
  return moved;
}

std::map<std::string, at::Tensor> GatedNetwork::state() const {
  std::map<std::string, at::Tensor> state;
  for (const auto& [name, tensor] : current_.parameters)
    if (tensor.is_floating_point()) state[kParameter + name] = tensor.detach().contiguous();
  for (const auto& [name, tensor] : full_.parameters)
    if (tensor.is_floating_point() && !current_.is_parameter(name)) state[kRemoved + name] = tensor;
  state["alive"] = to_tensor(alive_);
  state["compacted"] = to_tensor(compacted_);
  state["distortion"] = distortion_;
  for (const auto& [name, tensor] : criterion_->state()) state[kCriterion + name] = tensor;
  state["beta"] = at::full({1}, beta_, at::kDouble);
  state["annealing"] = at::full({1}, annealing_, at::kDouble);
  return state;
}

void GatedNetwork::load(const std::map<std::string, at::Tensor>& state) {
  alive_ = to_flags(state.at("alive"));
  distortion_ = state.at("distortion").clone();
  std::map<std::string, at::Tensor> own;
  for (const auto& [name, tensor] : state)
    if (name.starts_with(kCriterion)) own[name.substr(sizeof kCriterion - 1)] = tensor;
  criterion_->load(own);
  beta_ = state.at("beta").item<double>();
  annealing_ = state.at("annealing").item<double>();
  for (auto& [name, tensor] : full_.parameters)
    if (const auto found = state.find(kRemoved + name); found != state.end())
      tensor = found->second.clone();
  build(to_flags(state.at("compacted")));
  for (auto& [name, tensor] : current_.parameters) {
    if (!tensor.is_floating_point()) continue;
    const at::Tensor& saved = state.at(kParameter + name);
    if (saved.sizes() != tensor.sizes())
      throw InputError({.place = fmt::format("checkpoint, \"{}\"", name),
                        .expected = fmt::format("[{}]", fmt::join(tensor.sizes(), ", ")),
                        .found = fmt::format("[{}]", fmt::join(saved.sizes(), ", "))});
    tensor.detach().copy_(saved);
  }
}

}  // namespace crrm
