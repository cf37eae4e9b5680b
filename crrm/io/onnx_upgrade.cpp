#include "crrm/io/onnx_upgrade.h"

#include <numeric>
#include <unordered_set>

#include "crrm/base/error.h"

namespace crrm::onnx {

namespace {

/// Rank and element type of values, as far as they follow from the file and from operators whose
/// rule is short. Nothing here is needed for exactness: a missing rank costs a longer rewrite.
class Inference {
 public:
  Inference(const Graph& graph, Facts facts) : facts_(std::move(facts)) {
    for (const auto& [name, tensor] : graph.parameters) {
      facts_[name] = {tensor.dim(), tensor.scalar_type()};
      parameters_.emplace(name, tensor);
    }
    for (const Port& port : graph.inputs)
      facts_[port.name] = {static_cast<int64_t>(port.shape.size()), port.type};
  }

  std::optional<int64_t> rank(const std::string& value) const {
    const auto found = facts_.find(value);
    return found == facts_.end() ? std::nullopt : found->second.rank;
  }
  std::optional<at::ScalarType> type(const std::string& value) const {
    const auto found = facts_.find(value);
    return found == facts_.end() ? std::nullopt : found->second.type;
  }

  /// Learns the first output of a node from its inputs.
  void add(const Node& node) {
    if (node.outputs.empty() || node.outputs[0].empty() || !node.domain.empty()) return;
    ValueFacts& facts = facts_[node.outputs[0]];
    if (!facts.type && keeps_type(node)) facts.type = type(node.inputs[0]);
    if (!facts.rank) facts.rank = rank_of(node);
  }

 private:
  using Names = std::unordered_set<std::string>;

  static bool keeps_rank(const Node& node) {
    static const Names kNames = {"AveragePool",
                                 "BatchNormalization",
                                 "Cast",
                                 "Clip",
                                 "Concat",
                                 "Conv",
                                 "ConvTranspose",
                                 "Dropout",
                                 "Elu",
                                 "Exp",
                                 "GlobalAveragePool",
                                 "GlobalMaxPool",
                                 "HardSigmoid",
                                 "HardSwish",
                                 "Identity",
                                 "InstanceNormalization",
                                 "LayerNormalization",
                                 "LeakyRelu",
                                 "Log",
                                 "LogSoftmax",
                                 "MaxPool",
                                 "Neg",
                                 "PRelu",
                                 "Pad",
                                 "Relu",
                                 "Resize",
                                 "Sigmoid",
                                 "Slice",
                                 "Softmax",
                                 "Softplus",
                                 "Sqrt",
                                 "Tanh",
                                 "Transpose",
                                 "Upsample"};
    return node.has_input(0) && kNames.contains(node.op);
  }
  static bool broadcasts(const Node& node) {
    static const Names kNames = {"Add", "Div", "Max", "Mean", "Min", "Mul", "Pow", "Sub", "Sum"};
    return node.has_input(0) && kNames.contains(node.op);
  }
  static bool keeps_type(const Node& node) {
    static const Names kNames = {"Flatten", "Gather",  "Gemm",     "MatMul",
                                 "Reshape", "Squeeze", "Unsqueeze"};
    return (keeps_rank(node) && node.op != "Cast") || broadcasts(node) ||
           (node.has_input(0) && kNames.contains(node.op));
  }

  std::optional<int64_t> rank_of(const Node& node) const {
    if (keeps_rank(node)) return rank(node.inputs[0]);
    if (broadcasts(node)) return largest_rank(node);
    if (node.op == "Gemm" || node.op == "Flatten") return 2;
    if (node.op == "MatMul") return product_rank(node);
    if (node.op == "Reshape") return reshaped_rank(node);
    return std::nullopt;
  }
  std::optional<int64_t> largest_rank(const Node& node) const {
    int64_t most = 0;
    for (const std::string& value : node.inputs) {
      if (!rank(value)) return std::nullopt;
      most = std::max(most, *rank(value));
    }
    return most;
  }
  std::optional<int64_t> product_rank(const Node& node) const {
    const std::optional<int64_t> most = largest_rank(node);
    for (const std::string& value : node.inputs)
      if (!most || *rank(value) < 2) return std::nullopt;
    return most;
  }
  std::optional<int64_t> reshaped_rank(const Node& node) const {
    if (!node.has_input(1)) return std::nullopt;
    const auto shape = parameters_.find(node.inputs[1]);
    if (shape == parameters_.end()) return std::nullopt;
    return shape->second.numel();
  }

  Facts facts_;
  std::unordered_map<std::string, at::Tensor> parameters_;
};

/// Whether a scale shrinks to places between the elements of the original.
bool rounds(const at::Tensor& scales) {
  const at::Tensor steps = scales.to(at::kDouble).reciprocal();
  return (steps > 1).logical_and(steps != steps.round()).any().item<bool>();
}

class Upgrade {
 public:
  Upgrade(Graph& graph, int64_t opset, Facts facts)
      : graph_(graph), opset_(opset), inference_(graph, std::move(facts)), read_(readers(graph)) {
    for (const Port& port : graph.outputs) outputs_.insert(port.name);
    for (const auto& [name, tensor] : graph.parameters) taken_.insert(name);
    for (const Port& port : graph.inputs) taken_.insert(port.name);
    for (const Node& node : graph.nodes) {
      taken_.insert(node.name);
      taken_.insert(node.inputs.begin(), node.inputs.end());
      taken_.insert(node.outputs.begin(), node.outputs.end());
    }
  }

  void run() {
    std::vector<Node> old = std::move(graph_.nodes);
    graph_.nodes.clear();
    for (Node& node : old) {
      inference_.add(node);
      upgrade_graphs(node);
      if (node.domain.empty()) rewrite(node);
      graph_.nodes.push_back(std::move(node));
    }
  }

 private:
  using Rule = void (Upgrade::*)(Node&);
  struct Change {
    int64_t opset;  ///< the first with the new form
    Rule rule;
  };

  void rewrite(Node& node);
  void upgrade_graphs(Node& node);
  Graph upgraded(const Graph& inner, const Node& holder) const;

  // The rules. Each is applied to nodes of an opset below that of its change.
  void batch_normalization_7(Node& node);
  void batch_normalization_14(Node& node);
  void broadcast_7(Node& node);
  void clip_11(Node& node);
  void dft_20(Node& node);
  void dropout_7(Node& node);
  void dropout_12(Node& node);
  void gemm_7(Node& node);
  void grid_sample_20(Node& node);
  void group_normalization_21(Node& node);
  void mean_variance_normalization_9(Node& node);
  void pad_11(Node& node);
  void prelu_7(Node& node);
  void recurrent_7(Node& node);
  void resize_11(Node& node);
  void resize_13(Node& node);
  void roi_align_16(Node& node);
  void axes_to_input(Node& node);
  void scan_9(Node& node);
  void scatter_11(Node& node);
  void slice_10(Node& node);
  void softmax_13(Node& node);
  void split_13(Node& node);
  void split_18(Node& node);
  void top_k_10(Node& node);
  void upsample_9(Node& node);

  int64_t rank(const Node& node, size_t i) const;
  /// Gives input `i` so many axes of extent 1 behind its own that they begin at `axis` of input 0.
  void align(Node& node, size_t i, int64_t axis);
  std::string fresh(const std::string& stem);
  std::string parameter(const Node& node, const std::string& key, at::Tensor tensor);
  std::string integers(const Node& node, const std::string& key,
                       const std::vector<int64_t>& values);
  /// Moves an attribute of integers to input `i`, where it is present.
  void move_integers(Node& node, const std::string& key, size_t i);
  /// Moves an attribute of type float to input `i`, in the element type of the first input.
  void move_real(Node& node, const std::string& key, size_t i);
  /// A new node before the one that is rewritten; gives its output's name.
  std::string insert(const Node& node, const std::string& op, std::vector<std::string> inputs,
                     std::map<std::string, Attribute> attributes);
  static void set_input(Node& node, size_t i, std::string value);
  bool is_read(const std::string& value) const {
    return read_.contains(value) || outputs_.contains(value);
  }

  Graph& graph_;
  int64_t opset_;
  Inference inference_;
  std::unordered_map<std::string, std::vector<size_t>> read_;
  std::unordered_set<std::string> outputs_, taken_;
};

void Upgrade::rewrite(Node& node) {
  static const std::unordered_map<std::string, std::vector<Change>> kChanges = {
      {"Add", {{7, &Upgrade::broadcast_7}}},
      {"And", {{7, &Upgrade::broadcast_7}}},
      {"BatchNormalization",
       {{7, &Upgrade::batch_normalization_7}, {14, &Upgrade::batch_normalization_14}}},
      {"Clip", {{11, &Upgrade::clip_11}}},
      {"DFT", {{20, &Upgrade::dft_20}}},
      {"Div", {{7, &Upgrade::broadcast_7}}},
      {"Dropout", {{7, &Upgrade::dropout_7}, {12, &Upgrade::dropout_12}}},
      {"Equal", {{7, &Upgrade::broadcast_7}}},
      {"GRU", {{7, &Upgrade::recurrent_7}}},
      {"Gemm", {{7, &Upgrade::gemm_7}}},
      {"Greater", {{7, &Upgrade::broadcast_7}}},
      {"GridSample", {{20, &Upgrade::grid_sample_20}}},
      {"GroupNormalization", {{21, &Upgrade::group_normalization_21}}},
      {"Hardmax", {{13, &Upgrade::softmax_13}}},
      {"LSTM", {{7, &Upgrade::recurrent_7}}},
      {"Less", {{7, &Upgrade::broadcast_7}}},
      {"LogSoftmax", {{13, &Upgrade::softmax_13}}},
      {"MeanVarianceNormalization", {{9, &Upgrade::mean_variance_normalization_9}}},
      {"Mul", {{7, &Upgrade::broadcast_7}}},
      {"Or", {{7, &Upgrade::broadcast_7}}},
      {"PRelu", {{7, &Upgrade::prelu_7}}},
      {"Pad", {{11, &Upgrade::pad_11}}},
      {"Pow", {{7, &Upgrade::broadcast_7}}},
      {"RNN", {{7, &Upgrade::recurrent_7}}},
      {"ReduceL1", {{18, &Upgrade::axes_to_input}}},
      {"ReduceL2", {{18, &Upgrade::axes_to_input}}},
      {"ReduceLogSum", {{18, &Upgrade::axes_to_input}}},
      {"ReduceLogSumExp", {{18, &Upgrade::axes_to_input}}},
      {"ReduceMax", {{18, &Upgrade::axes_to_input}}},
      {"ReduceMean", {{18, &Upgrade::axes_to_input}}},
      {"ReduceMin", {{18, &Upgrade::axes_to_input}}},
      {"ReduceProd", {{18, &Upgrade::axes_to_input}}},
      {"ReduceSum", {{13, &Upgrade::axes_to_input}}},
      {"ReduceSumSquare", {{18, &Upgrade::axes_to_input}}},
      {"Resize", {{11, &Upgrade::resize_11}, {13, &Upgrade::resize_13}}},
      {"RoiAlign", {{16, &Upgrade::roi_align_16}}},
      {"Scan", {{9, &Upgrade::scan_9}}},
      {"Scatter", {{11, &Upgrade::scatter_11}}},
      {"Slice", {{10, &Upgrade::slice_10}}},
      {"Softmax", {{13, &Upgrade::softmax_13}}},
      {"Split", {{13, &Upgrade::split_13}, {18, &Upgrade::split_18}}},
      {"Squeeze", {{13, &Upgrade::axes_to_input}}},
      {"Sub", {{7, &Upgrade::broadcast_7}}},
      {"TopK", {{10, &Upgrade::top_k_10}}},
      {"Unsqueeze", {{13, &Upgrade::axes_to_input}}},
      {"Upsample", {{9, &Upgrade::upsample_9}, {10, &Upgrade::resize_11}}},
      {"Xor", {{7, &Upgrade::broadcast_7}}},
  };
  const auto found = kChanges.find(node.op);
  if (found == kChanges.end()) return;
  for (const Change& change : found->second)
    if (opset_ < change.opset) (this->*change.rule)(node);
}

void Upgrade::upgrade_graphs(Node& node) {
  for (auto& [key, value] : node.attributes)
    if (const auto* held = std::get_if<std::shared_ptr<const Graph>>(&value))
      value = std::make_shared<const Graph>(upgraded(**held, node));
}

// A graph inside of a node may ask for what is known outside: constants, ranks and types.
Graph Upgrade::upgraded(const Graph& inner, const Node& holder) const {
  Graph open = inner;
  open.inputs.clear();  // their ports say neither rank nor type
  Facts facts;
  const size_t own = holder.inputs.size() - inner.inputs.size();
  for (size_t i = 0; i < inner.inputs.size(); ++i) {
    const std::string &inside = inner.inputs[i].name, &outside = holder.inputs[own + i];
    facts[inside] = {inference_.rank(outside), inference_.type(outside)};
    if (const auto found = graph_.parameters.find(outside); found != graph_.parameters.end())
      open.parameters.emplace(inside, found->second);
  }
  upgrade(open, opset_, std::move(facts));
  for (const Port& port : inner.inputs) open.parameters.erase(port.name);
  open.inputs = inner.inputs;
  return open;
}

std::string Upgrade::fresh(const std::string& stem) {
  std::string name = stem;
  for (int i = 1; !taken_.insert(name).second; ++i) name = fmt::format("{}_{}", stem, i);
  return name;
}

std::string Upgrade::parameter(const Node& node, const std::string& key, at::Tensor tensor) {
  std::string name = fresh(fmt::format("{}_{}", node.name, key));
  graph_.parameters.emplace(name, std::move(tensor));
  return name;
}

std::string Upgrade::integers(const Node& node, const std::string& key,
                              const std::vector<int64_t>& values) {
  return parameter(node, key, at::tensor(values, at::kLong));
}

void Upgrade::set_input(Node& node, size_t i, std::string value) {
  if (node.inputs.size() <= i) node.inputs.resize(i + 1);
  node.inputs[i] = std::move(value);
}

void Upgrade::move_integers(Node& node, const std::string& key, size_t i) {
  if (!node.has(key)) return;
  set_input(node, i, integers(node, key, node.integers(key)));
  node.attributes.erase(key);
}

void Upgrade::move_real(Node& node, const std::string& key, size_t i) {
  if (!node.has(key)) return;
  const at::ScalarType type =
      node.has_input(0) ? inference_.type(node.inputs[0]).value_or(at::kFloat) : at::kFloat;
  if (!at::isFloatingType(type))
    throw InputError({.place = describe(node),
                      .expected = "an input of a floating-point type",
                      .found = c10::toString(type)});
  const at::Tensor value = at::scalar_tensor(node.real(key), at::kDouble).to(type);
  set_input(node, i, parameter(node, key, value));
  node.attributes.erase(key);
}

std::string Upgrade::insert(const Node& node, const std::string& op,
                            std::vector<std::string> inputs,
                            std::map<std::string, Attribute> attributes) {
  Node added{.op = op,
             .name = fresh(fmt::format("{}_{}", node.name, op)),
             .domain = "",
             .inputs = std::move(inputs),
             .outputs = {},
             .attributes = std::move(attributes)};
  added.outputs = {fresh(added.name + "_output")};
  graph_.nodes.push_back(added);
  return added.outputs[0];
}

int64_t Upgrade::rank(const Node& node, size_t i) const {
  const std::optional<int64_t> rank =
      node.has_input(i) ? inference_.rank(node.inputs[i]) : std::nullopt;
  if (!rank)
    throw InputError({.place = describe(node),
                      .expected = "inputs of known rank, as opset 6 aligns axes from the front",
                      .found = fmt::format("no rank of input {}", i),
                      .hint = "onnx.shape_inference.infer_shapes adds it"});
  return *rank;
}

void Upgrade::align(Node& node, size_t i, int64_t axis) {
  const int64_t to = rank(node, 0), from = rank(node, i);
  if (from > to)
    throw InputError({.place = describe(node),
                      .expected = fmt::format("input {} of no larger rank than input 0", i),
                      .found = fmt::format("ranks {} and {}", from, to)});
  if (axis < 0) axis += to;
  if (axis < 0 || axis > to - from)
    throw InputError({.place = describe(node),
                      .expected = fmt::format("an axis from 0 to {}", to - from),
                      .found = fmt::format("{}", axis)});
  const int64_t behind = to - from - axis;
  if (behind == 0) return;
  std::vector<int64_t> axes(static_cast<size_t>(behind));
  std::iota(axes.begin(), axes.end(), from);
  const std::string value = node.inputs[i];
  const auto parameter = graph_.parameters.find(value);
  // A weight that several nodes share must stay one.
  if (parameter == graph_.parameters.end() || read_[value].size() > 1 || outputs_.contains(value)) {
    node.inputs[i] = insert(node, "Unsqueeze", {value, integers(node, "axes", axes)}, {});
    return;
  }
  std::vector<int64_t> shape = parameter->second.sizes().vec();
  shape.resize(shape.size() + axes.size(), 1);
  node.inputs[i] = fresh(value + "_aligned");
  graph_.parameters.emplace(node.inputs[i], parameter->second.reshape(shape));
  graph_.parameters.erase(value);
}

void Upgrade::axes_to_input(Node& node) {
  move_integers(node, "axes", 1);
}

// Opset 6 trained unless told otherwise.
void Upgrade::batch_normalization_7(Node& node) {
  if (node.integer("is_test", 0) == 0)
    throw InputError({.place = describe(node),
                      .expected = "is_test 1: batch normalization for inference",
                      .found = "is_test 0",
                      .hint = "export the model in evaluation mode"});
  node.attributes.erase("is_test");
}

// Outputs beyond the first said "training"; now an attribute does, and there are three.
void Upgrade::batch_normalization_14(Node& node) {
  for (size_t i = 1; i < node.outputs.size(); ++i)
    if (!node.outputs[i].empty())
      throw InputError({.place = describe(node),
                        .expected = "batch normalization for inference, with one output",
                        .found = fmt::format("{} outputs", node.outputs.size()),
                        .hint = "export the model in evaluation mode"});
  if (node.integer("spatial", 1) != 1)
    throw InputError({.place = describe(node),
                      .expected = "statistics of channels",
                      .found = "spatial = 0: statistics of every position"});
  node.attributes.erase("spatial");
}

// Before: with `broadcast` the second input's axes lie at `axis` of the first's; by default (-1)
// they are its last. After: always its last.
void Upgrade::broadcast_7(Node& node) {
  const int64_t axis = node.integer("axis", -1);
  if (node.integer("broadcast", 0) != 0 && axis != -1) align(node, 1, axis);
  node.attributes.erase("axis");
  node.attributes.erase("broadcast");
}

void Upgrade::clip_11(Node& node) {
  move_real(node, "min", 1);
  move_real(node, "max", 2);
}

void Upgrade::dft_20(Node& node) {
  set_input(node, 2,
            parameter(node, "axis", at::scalar_tensor(node.integer("axis", 1), at::kLong)));
  node.attributes.erase("axis");
}

// Opset 6 trained unless told otherwise.
void Upgrade::dropout_7(Node& node) {
  constexpr double kDefaultRatio = 0.5;
  if (node.integer("is_test", 0) == 0 && node.real("ratio", kDefaultRatio) > 0)
    throw InputError({.place = describe(node),
                      .expected = "is_test 1: a Dropout for inference",
                      .found = "is_test 0, which is random",
                      .hint = "export the model in evaluation mode"});
  node.attributes.erase("is_test");
}

// The mask became a bool in opset 10.
void Upgrade::dropout_12(Node& node) {
  const bool mask = node.outputs.size() > 1 && !node.outputs[1].empty();
  if (mask && opset_ < 10 && is_read(node.outputs[1]))
    throw InputError({.place = describe(node),
                      .expected = "a Dropout whose mask nobody reads",
                      .found = fmt::format("readers of \"{}\"", node.outputs[1])});
  if (!node.has("ratio")) return;
  set_input(node, 1, parameter(node, "ratio", at::scalar_tensor(node.real("ratio"), at::kFloat)));
  node.attributes.erase("ratio");
}

// C's axes were the last ones before, too.
void Upgrade::gemm_7(Node& node) {
  node.attributes.erase("broadcast");
}

void Upgrade::grid_sample_20(Node& node) {
  const std::string mode = node.text("mode", "bilinear");
  if (mode == "bilinear") node.attributes["mode"] = "linear";
  if (mode == "bicubic") node.attributes["mode"] = "cubic";
}

// Before: y = scale_g (x - mean_g) / sqrt(var_g + eps) + bias_g for x [N, C, ...] in G groups.
// After:  Reshape to [N, G, rest], InstanceNormalization over the groups, Reshape back.
// Opset 21 has one scale a channel, and C need not be known here.
void Upgrade::group_normalization_21(Node& node) {
  if (node.inputs.size() != 3 || !node.has_input(0))
    throw InputError({.place = describe(node),
                      .expected = "3 inputs",
                      .found = fmt::format("{}", node.inputs.size())});
  const std::string input = node.inputs[0];
  const std::string shape = insert(node, "Shape", {input}, {});
  const std::string groups = integers(node, "groups", {0, node.integer("num_groups"), -1});
  const std::string grouped = insert(node, "Reshape", {input, groups}, {});
  const std::string normal =
      insert(node, "InstanceNormalization", {grouped, node.inputs[1], node.inputs[2]},
             {{"epsilon", node.real("epsilon", 1e-5)}});
  node.op = "Reshape";
  node.inputs = {normal, shape};
  node.attributes.clear();
}

void Upgrade::mean_variance_normalization_9(Node& node) {
  throw InputError({.place = describe(node),
                    .expected = "an operator of ONNX's standard",
                    .found = "what was experimental before opset 9"});
}

void Upgrade::pad_11(Node& node) {
  move_integers(node, "pads", 1);
  move_real(node, "value", 2);
}

// A slope a channel: [C] becomes [C, 1, ...].
void Upgrade::prelu_7(Node& node) {
  const auto slope = graph_.parameters.find(node.has_input(1) ? node.inputs[1] : "");
  const bool one = slope != graph_.parameters.end() && slope->second.numel() == 1;
  if (!one && rank(node, 0) > 1 && rank(node, 1) == 1) align(node, 1, 1);
}

// Outputs were switched on by an attribute, now by their names.
void Upgrade::recurrent_7(Node& node) {
  node.attributes.erase("output_sequence");
}

// Upsample, and Resize 10: x_original = x_resized / scale, and `nearest` rounds down. Resize 10
// does not say how it rounds when it shrinks (ONNX Runtime rounds up, PyTorch down): refused where
// the scales are known and the two differ.
void Upgrade::resize_11(Node& node) {
  if (node.inputs.size() != 2)
    throw InputError({.place = describe(node),
                      .expected = "2 inputs: X and scales",
                      .found = fmt::format("{}", node.inputs.size())});
  const std::string mode = node.text("mode", "nearest");
  if (mode != "nearest" && mode != "linear")
    throw InputError({.place = describe(node),
                      .expected = "mode nearest or linear",
                      .found = fmt::format("mode \"{}\"", mode)});
  const auto scales = graph_.parameters.find(node.inputs[1]);
  if (mode == "nearest" && scales != graph_.parameters.end() && rounds(scales->second))
    throw InputError({.place = describe(node),
                      .expected = "scales of 1 or more, or 1/2, 1/3, ...",
                      .found = "a scale at which opset 10 leaves the rounding open",
                      .hint = "export the model with opset 11 or later"});
  node.op = "Resize";
  node.inputs = {node.inputs[0], "", node.inputs[1]};
  node.attributes["coordinate_transformation_mode"] = "asymmetric";
  if (mode == "nearest") node.attributes["nearest_mode"] = "floor";
}

// An empty tensor stood for an absent roi or scales.
void Upgrade::resize_13(Node& node) {
  if (node.text("coordinate_transformation_mode", "half_pixel") == "tf_half_pixel_for_nn")
    throw InputError({.place = describe(node),
                      .expected = fmt::format("a coordinate transformation of opset {}", kOpset),
                      .found = "tf_half_pixel_for_nn, which ended with opset 13"});
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    const auto found = graph_.parameters.find(node.inputs[i]);
    if (found != graph_.parameters.end() && found->second.numel() == 0) node.inputs[i].clear();
  }
  while (!node.inputs.empty() && node.inputs.back().empty()) node.inputs.pop_back();
}

void Upgrade::roi_align_16(Node& node) {
  node.attributes["coordinate_transformation_mode"] = "output_half_pixel";
}

void Upgrade::scan_9(Node& node) {
  throw InputError({.place = describe(node),
                    .expected = "a Scan of opset 9 or later",
                    .found = "one of opset 8, which had a batch axis"});
}

void Upgrade::scatter_11(Node& node) {
  node.op = "ScatterElements";
}

void Upgrade::slice_10(Node& node) {
  move_integers(node, "starts", 1);
  move_integers(node, "ends", 2);
  move_integers(node, "axes", 3);
}

// Before: softmax over all elements from `axis` (default 1) on, x seen as a matrix.
// After:  the same node where that is the last axis alone; otherwise Flatten(axis), the node over
//         the last axis, Reshape to the shape of x.
void Upgrade::softmax_13(Node& node) {
  if (!node.has_input(0))
    throw InputError({.place = describe(node), .expected = "an input", .found = "none"});
  const int64_t axis = node.integer("axis", 1);
  const std::optional<int64_t> rank = inference_.rank(node.inputs[0]);
  const bool last = axis == -1 || (rank && axis == *rank - 1);
  node.attributes["axis"] = last ? axis : int64_t{-1};
  if (last) return;
  const std::string shape = insert(node, "Shape", {node.inputs[0]}, {});
  const std::string matrix = insert(node, "Flatten", {node.inputs[0]}, {{"axis", axis}});
  const std::string result = insert(node, node.op, {matrix}, {{"axis", int64_t{-1}}});
  node.op = "Reshape";
  node.inputs = {result, shape};
  node.attributes.clear();
}

void Upgrade::split_13(Node& node) {
  move_integers(node, "split", 1);
}

// Equal parts had no attribute of their own.
void Upgrade::split_18(Node& node) {
  if (!node.has_input(1))
    node.attributes["num_outputs"] = static_cast<int64_t>(node.outputs.size());
}

void Upgrade::top_k_10(Node& node) {
  set_input(node, 1, integers(node, "k", {node.integer("k")}));
  node.attributes.erase("k");
}

// Opset 6 has two scales, of images; opset 7 one an axis; opset 9 has them as input.
void Upgrade::upsample_9(Node& node) {
  std::vector<double> scales;
  if (opset_ < 7)
    scales = {1, 1, node.real("height_scale"), node.real("width_scale")};
  else if (const auto found = node.attributes.find("scales");
           found != node.attributes.end() &&
           std::holds_alternative<std::vector<double>>(found->second))
    scales = std::get<std::vector<double>>(found->second);
  else
    throw InputError({.place = describe(node), .expected = "scales", .found = "none"});
  set_input(node, 1, parameter(node, "scales", at::tensor(scales, at::kDouble).to(at::kFloat)));
  for (const char* key : {"scales", "height_scale", "width_scale"}) node.attributes.erase(key);
}

}  // namespace

void upgrade(Graph& graph, int64_t opset, Facts facts) {
  Upgrade(graph, opset, std::move(facts)).run();
}

}  // namespace crrm::onnx
