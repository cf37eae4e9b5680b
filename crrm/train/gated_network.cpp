#include "crrm/train/gated_network.h"

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
                           GateOptions options, at::Device device)
    : options_(options),
      device_(device),
      full_(gate(graph, sample)),
      coupling_(couple_plain(full_, sample)),
      cost_(full_, coupling_),
      alive_(static_cast<size_t>(coupling_.size()), true),
      compacted_(alive_),
      fisher_(at::zeros({coupling_.size()}, at::kDouble)),
      distortion_(at::zeros({coupling_.size()}, at::kDouble)) {
  build(alive_);
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
  const bool noisy = annealing_ > 0 && beta_ > 0 && std::isfinite(options_.power);
  if (!noisy) return can_compact() ? hard_gates(alive_) : at::Tensor();
  const at::Tensor closed = distortion_ >= 1;
  return draw_gates(at::where(closed, distortion_, distortion_ * annealing_), samples, seed);
}

void GatedNetwork::observe(const at::Tensor& gradients) {
  const at::Tensor fresh =
      gradients.narrow(1, 0, units()).to(at::kDouble).square().mean(0);  // [units]
  ++probes_;
  // The plain mean of the first probes, then a running average.
  const double keep = std::min(options_.averaging, 1.0 - 1.0 / static_cast<double>(probes_));
  fisher_ = fisher_ * keep + fresh * (1 - keep);
}

void GatedNetwork::control(int64_t limit) {
  const at::Tensor weight = unit_weights(coupling_, cost_, alive_, options_.resource);
  Selection selection = select(coupling_, cost_, alive_, fisher_, weight, options_.resource, limit);
  alive_ = std::move(selection.alive);
  beta_ = std::max(beta_, selection.beta);
  at::Tensor open = at::zeros_like(distortion_);
  if (beta_ > 0) open = water_fill(fisher_, weight, beta_, options_.power);
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
  state["fisher"] = fisher_;
  state["distortion"] = distortion_;
  state["probes"] = at::full({1}, probes_, at::kLong);
  state["beta"] = at::full({1}, beta_, at::kDouble);
  state["annealing"] = at::full({1}, annealing_, at::kDouble);
  return state;
}

void GatedNetwork::load(const std::map<std::string, at::Tensor>& state) {
  alive_ = to_flags(state.at("alive"));
  fisher_ = state.at("fisher").clone();
  distortion_ = state.at("distortion").clone();
  probes_ = state.at("probes").item<int64_t>();
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
