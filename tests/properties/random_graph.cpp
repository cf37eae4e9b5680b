#include "random_graph.h"

#include <ATen/CPUGeneratorImpl.h>

namespace crrm::test {

namespace {

using Ints = std::vector<int64_t>;

/// An image-like value [N, C, H, W].
struct Map {
  std::string name;
  int64_t channels, height, width;
};

class Growth {
 public:
  Growth() {
    graph_.inputs = {{"x", at::kFloat, {-1, 3, 6, 6}, {"batch", "", "", ""}}};
    maps_.push_back({"x", 3, 6, 6});
  }

  void apply(const Gene& gene) {
    const auto& steps = known_steps();
    (this->*steps[gene.step % steps.size()])(gene);
  }

  Graph finish() {
    add_output(maps_.back(), "y");
    return std::move(graph_);
  }

 private:
  using Step = void (Growth::*)(const Gene&);
  static const std::vector<Step>& known_steps() {
    static const std::vector<Step> steps = {
        &Growth::conv,        &Growth::grouped_conv, &Growth::depthwise,   &Growth::transposed,
        &Growth::shared_conv, &Growth::batch_norm,   &Growth::activate,    &Growth::add_maps,
        &Growth::multiply,    &Growth::concat,       &Growth::split,       &Growth::slice,
        &Growth::gather,      &Growth::pool,         &Growth::shuffle,     &Growth::pad_channels,
        &Growth::squeeze,     &Growth::linear,       &Growth::prelu,       &Growth::normalise,
        &Growth::softmax,     &Growth::constants,    &Growth::mean_centre, &Growth::extra_output,
        &Growth::residual};
    return steps;
  }

  const Map& pick(unsigned choice) const { return maps_[choice % maps_.size()]; }
  /// A map of the same extent as `map`; itself, if there is no other.
  const Map& partner(const Map& map, unsigned choice) const {
    for (size_t i = 0; i < maps_.size(); ++i) {
      const Map& other = maps_[(choice + i) % maps_.size()];
      if (other.height == map.height && other.width == map.width && other.name != map.name)
        return other;
    }
    return map;
  }

  std::string fresh(const std::string& kind) { return fmt::format("{}{}", kind, ++count_); }
  at::Tensor random(Shape shape) {
    return at::randn(shape, at::detail::createCPUGenerator(static_cast<uint64_t>(++seed_)),
                     at::TensorOptions(at::kFloat));
  }
  std::string parameter(const std::string& name, const at::Tensor& content) {
    graph_.parameters[name] = content;
    return name;
  }
  std::string ints(const std::string& name, Ints content) {
    return parameter(name, at::tensor(content, at::kLong));
  }
  std::string node(const std::string& op, std::vector<std::string> inputs,
                   std::map<std::string, Attribute> attributes = {}) {
    const std::string name = fresh(op);
    graph_.nodes.push_back({.op = op,
                            .name = name,
                            .domain = "",
                            .inputs = std::move(inputs),
                            .outputs = {name + ".y"},
                            .attributes = std::move(attributes)});
    return name + ".y";
  }
  void push(std::string name, int64_t channels, const Map& like) {
    maps_.push_back({std::move(name), channels, like.height, like.width});
  }
  /// Weights that keep values near one.
  at::Tensor weight(Shape shape, int64_t fan_in) {
    return random(std::move(shape)) / std::sqrt(static_cast<double>(fan_in));
  }

  std::string convolve(const Map& x, int64_t out, int64_t kernel, int64_t groups) {
    const std::string name = fresh("w");
    parameter(name, weight({out, x.channels / groups, kernel, kernel},
                           x.channels / groups * kernel * kernel));
    weights_.push_back(name);
    const int64_t p = kernel / 2;
    return node("Conv", {x.name, name, parameter(name + ".bias", random({out}))},
                {{"group", groups}, {"pads", Ints{p, p, p, p}}});
  }

  void conv(const Gene& g) {
    const Map x = pick(g.a);
    const int64_t out = 1 + g.b % 8, kernel = g.c % 2 == 0 ? 1 : 3;
    push(convolve(x, out, kernel, 1), out, x);
  }

  void grouped_conv(const Gene& g) {
    const Map x = pick(g.a);
    Ints divisors;
    for (int64_t d = 2; d <= x.channels; ++d)
      if (x.channels % d == 0) divisors.push_back(d);
    if (divisors.empty()) return conv(g);
    const int64_t groups = divisors[g.b % divisors.size()], out = groups * (1 + g.c % 3);
    push(convolve(x, out, 3, groups), out, x);
  }

  void depthwise(const Gene& g) {
    const Map x = pick(g.a);
    const int64_t out = x.channels * (1 + g.b % 2);
    push(convolve(x, out, 3, x.channels), out, x);
  }

  void transposed(const Gene& g) {
    const Map x = pick(g.a);
    const int64_t groups = g.c % 2 == 0 && x.channels % 2 == 0 ? 2 : 1, each = 1 + g.b % 3;
    const std::string w = fresh("w");
    parameter(w, weight({x.channels, each, 3, 3}, x.channels * 9));
    push(node("ConvTranspose", {x.name, w}, {{"group", groups}, {"pads", Ints{1, 1, 1, 1}}}),
         each * groups, x);
  }

  /// An earlier convolution's weight again, where it fits.
  void shared_conv(const Gene& g) {
    const Map x = pick(g.a);
    for (size_t i = 0; i < weights_.size(); ++i) {
      const std::string& name = weights_[(g.b + i) % weights_.size()];
      const at::Tensor& w = graph_.parameters.at(name);
      if (w.size(1) != x.channels) continue;
      const int64_t p = w.size(2) / 2;
      return push(node("Conv", {x.name, name}, {{"pads", Ints{p, p, p, p}}}), w.size(0), x);
    }
    conv(g);
  }

  std::string normalised(const Map& x) {
    const std::string n = fresh("bn");
    const int64_t c = x.channels;
    return node(
        "BatchNormalization",
        {x.name, parameter(n + ".scale", random({c})), parameter(n + ".bias", random({c})),
         parameter(n + ".mean", random({c})), parameter(n + ".var", random({c}).abs() + 0.5)});
  }
  void batch_norm(const Gene& g) {
    const Map x = pick(g.a);
    push(normalised(x), x.channels, x);
  }

  void activate(const Gene& g) {
    static const std::vector<std::string> kinds = {"Relu",     "Sigmoid",   "Tanh", "LeakyRelu",
                                                   "Softplus", "HardSwish", "Elu",  "Gelu"};
    const Map x = pick(g.a);
    push(node(kinds[g.b % kinds.size()], {x.name}), x.channels, x);
  }

  /// Two maps of equal channels: the second through a 1x1 convolution, if it has others.
  std::pair<Map, Map> matched(const Gene& g) {
    const Map x = pick(g.a);
    Map other = partner(x, g.b);
    if (other.channels != x.channels && other.channels != 1)
      other = {convolve(other, x.channels, 1, 1), x.channels, x.height, x.width};
    return {x, other};
  }
  void add_maps(const Gene& g) {
    const auto [x, other] = matched(g);
    push(node("Add", {x.name, other.name}), x.channels, x);
  }
  void multiply(const Gene& g) {
    const auto [x, other] = matched(g);
    push(node("Mul", {x.name, node("Sigmoid", {other.name})}), x.channels, x);
  }

  void concat(const Gene& g) {
    const Map x = pick(g.a), other = partner(x, g.b);
    constexpr int64_t kWidest = 24;
    if (x.channels + other.channels > kWidest) return activate(g);
    push(node("Concat", {x.name, other.name}, {{"axis", int64_t{1}}}), x.channels + other.channels,
         x);
  }

  void split(const Gene& g) {
    const Map x = pick(g.a);
    if (x.channels < 2) return activate(g);
    const int64_t first = 1 + g.b % (x.channels - 1);
    const std::string name = fresh("Split");
    graph_.nodes.push_back({.op = "Split",
                            .name = name,
                            .domain = "",
                            .inputs = {x.name, ints(name + ".sizes", {first, x.channels - first})},
                            .outputs = {name + ".0", name + ".1"},
                            .attributes = {{"axis", int64_t{1}}}});
    push(name + ".0", first, x);
    push(name + ".1", x.channels - first, x);
  }

  void slice(const Gene& g) {
    const Map x = pick(g.a);
    const int64_t step = Ints{1, 2, -1}[g.b % 3];
    const int64_t start = g.c % x.channels;
    const int64_t count =
        step > 0 ? (x.channels - start + step - 1) / step : start + 1;  // down to 0
    const std::string n = fresh("range");
    const int64_t end = step > 0 ? x.channels : -x.channels - 1;
    push(node("Slice", {x.name, ints(n + ".start", {start}), ints(n + ".end", {end}),
                        ints(n + ".axis", {1}), ints(n + ".step", {step})}),
         count, x);
  }

  /// Channels in another order, some twice, some not at all.
  void gather(const Gene& g) {
    const Map x = pick(g.a);
    Ints indices;
    for (int64_t i = 0; i < 1 + static_cast<int64_t>(g.b % 8); ++i)
      indices.push_back((i * (1 + g.c % 5) + g.c) % x.channels);
    const int64_t count = static_cast<int64_t>(indices.size());
    push(node("Gather", {x.name, ints(fresh("index"), indices)}, {{"axis", int64_t{1}}}), count, x);
  }

  void pool(const Gene& g) {
    const Map x = pick(g.a);
    if (x.height < 2) return activate(g);
    maps_.push_back({node(g.b % 2 == 0 ? "MaxPool" : "AveragePool", {x.name},
                          {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}}),
                     x.channels, x.height / 2, x.width / 2});
  }

  void shuffle(const Gene& g) {
    const Map x = pick(g.a);
    const int64_t rows = 2 + g.b % 3;
    if (x.channels % rows != 0) return activate(g);
    const std::string n = fresh("shape");
    const std::string wide = node(
        "Reshape", {x.name, ints(n + ".wide", {0, rows, x.channels / rows, x.height, x.width})});
    const std::string turned = node("Transpose", {wide}, {{"perm", Ints{0, 2, 1, 3, 4}}});
    push(node("Reshape", {turned, ints(n, {0, x.channels, x.height, x.width})}), x.channels, x);
  }

  void pad_channels(const Gene& g) {
    const Map x = pick(g.a);
    const int64_t before = g.b % 3, after = g.c % 3;
    const std::string n = fresh("pads");
    push(node("Pad", {x.name, ints(n, {0, before, 0, 0, 0, after, 0, 0}),
                      parameter(n + ".value", at::tensor(g.a % 2 == 0 ? 0.0F : 1.0F))}),
         x.channels + before + after, x);
  }

  /// Squeeze and excite.
  void squeeze(const Gene& g) {
    const Map x = pick(g.a);
    const Map small{node("GlobalAveragePool", {x.name}), x.channels, 1, 1};
    const int64_t hidden = 1 + g.b % 4;
    const Map inner{node("Relu", {convolve(small, hidden, 1, 1)}), hidden, 1, 1};
    push(node("Mul", {x.name, node("Sigmoid", {convolve(inner, x.channels, 1, 1)})}), x.channels,
         x);
  }

  /// A Linear over channels that lie last.
  void linear(const Gene& g) {
    const Map x = pick(g.a);
    const int64_t out = 1 + g.b % 8;
    const std::string w = parameter(fresh("w"), weight({x.channels, out}, x.channels));
    const std::string last = node("Transpose", {x.name}, {{"perm", Ints{0, 2, 3, 1}}});
    push(node("Transpose", {node("MatMul", {last, w})}, {{"perm", Ints{0, 3, 1, 2}}}), out, x);
  }

  void prelu(const Gene& g) {
    const Map x = pick(g.a);
    push(node("PRelu", {x.name, parameter(fresh("slope"), random({x.channels, 1, 1}))}), x.channels,
         x);
  }

  void normalise(const Gene& g) {
    const Map x = pick(g.a);
    const std::string n = fresh("norm");
    const std::string scale = parameter(n + ".scale", random({x.channels}));
    const std::string bias = parameter(n + ".bias", random({x.channels}));
    if (g.b % 2 == 0 && x.height > 1)
      return push(node("InstanceNormalization", {x.name, scale, bias}), x.channels, x);
    const std::string last = node("Transpose", {x.name}, {{"perm", Ints{0, 2, 3, 1}}});
    push(node("Transpose", {node("LayerNormalization", {last, scale, bias})},
              {{"perm", Ints{0, 3, 1, 2}}}),
         x.channels, x);
  }

  void softmax(const Gene& g) {
    const Map x = pick(g.a);
    push(node("Softmax", {x.name}, {{"axis", int64_t{1}}}), x.channels, x);
  }

  void constants(const Gene& g) {
    const Map x = pick(g.a);
    const Shape shape =
        g.b % 2 == 0 ? Shape{x.channels, 1, 1} : Shape{1, x.channels, x.height, x.width};
    push(node(g.c % 2 == 0 ? "Add" : "Mul", {x.name, parameter(fresh("constant"), random(shape))}),
         x.channels, x);
  }

  /// Minus the mean over channels.
  void mean_centre(const Gene& g) {
    const Map x = pick(g.a);
    const std::string mean = node("ReduceMean", {x.name, ints(fresh("axes"), {1})});
    push(node("Sub", {x.name, mean}), x.channels, x);
  }

  /// A branch of two or three convolutions and what it is added to, or multiplied with.
  void residual(const Gene& g) {
    const Map x = pick(g.a);
    const int64_t inner = 1 + g.b % 3;
    Map y{convolve(x, inner, 3, 1), inner, x.height, x.width};
    if (g.c % 2 == 0) y.name = node("Relu", {normalised(y)});
    if (g.c % 3 == 0)
      y = {node("Tanh", {convolve(y, inner + 1, 1, 1)}), inner + 1, x.height, x.width};
    y = {convolve(y, x.channels, 3, 1), x.channels, x.height, x.width};
    if (g.c % 5 == 0) y.name = normalised(y);
    if (g.c % 7 == 0) y.name = node("Sigmoid", {y.name});
    push(node(g.b % 5 == 0 ? "Mul" : "Add", {x.name, y.name}), x.channels, x);
  }

  void extra_output(const Gene& g) {
    if (graph_.outputs.empty()) add_output(pick(g.a), "extra");
  }

  void add_output(const Map& x, const std::string& name) {
    const std::string flat = node("Flatten", {node("GlobalAveragePool", {x.name})});
    constexpr int64_t kOutputs = 3;
    graph_.nodes.push_back(
        {.op = "Gemm",
         .name = name + ".head",
         .domain = "",
         .inputs = {flat, parameter(name + ".w", weight({kOutputs, x.channels}, x.channels)),
                    parameter(name + ".b", random({kOutputs}))},
         .outputs = {name},
         .attributes = {{"transB", int64_t{1}}}});
    graph_.outputs.push_back({name, at::kFloat, {-1, kOutputs}, {"batch", ""}});
  }

  Graph graph_;
  std::vector<Map> maps_;
  std::vector<std::string> weights_;  ///< of convolutions in one group or several
  int count_ = 0;
  int64_t seed_ = 0;
};

}  // namespace

Graph random_graph(const std::vector<Gene>& genes) {
  Growth growth;
  for (const Gene& gene : genes) growth.apply(gene);
  Graph graph = growth.finish();
  drop_unread(graph);
  return graph;
}

std::string text(const Graph& graph) {
  std::string lines;
  for (const Node& node : graph.nodes) {
    lines += fmt::format("  {} = {}({})", fmt::join(node.outputs, ", "), node.op,
                         fmt::join(node.inputs, ", "));
    for (const std::string& input : node.inputs)
      if (graph.is_parameter(input))
        lines += fmt::format(" {}[{}]", input, fmt::join(graph.parameters.at(input).sizes(), ", "));
    lines += "\n";
  }
  return lines;
}

}  // namespace crrm::test
