// Residual networks by hand: x [N, 3, 8, 8] -> conv1 -> relu1 -> one block -> head -> y [N, 5].
#pragma once

#include "crrm/coupling/coupling.h"
#include "tests/small_network.h"

namespace crrm::test {

class BlockBuilder : public Builder {
 public:
  BlockBuilder() : Builder(/*seed=*/3) {
    graph.inputs = {{"x", at::kFloat, {-1, 3, 8, 8}, {"batch", "", "", ""}}};
    conv("conv1", "x", 3, kStream);
    add("Relu", "relu1", {"conv1.out"});
  }

  void conv_with_bias(const std::string& name, const std::string& x, int64_t in, int64_t out) {
    conv(name, x, in, out);
    graph.parameters[name + ".bias"] = random({out});
    graph.nodes.back().inputs.push_back(name + ".bias");
  }
  /// NAME.conv, NAME.bn and the Relu NAME, which writes NAME.out.
  void conv_norm_relu(const std::string& name, const std::string& x, int64_t in, int64_t out) {
    conv(name + ".conv", x, in, out);
    norm(name + ".bn", name + ".conv.out", out);
    add("Relu", name, {name + ".bn.out"});
  }
  void with(const std::string& key, Attribute value) {
    graph.nodes.back().attributes[key] = std::move(value);
  }

  /// The classifier on a map of so many channels.
  Graph finish(const std::string& map, int64_t channels = kStream) {
    add("GlobalAveragePool", "pool", {map});
    add("Flatten", "flat", {"pool.out"});
    graph.parameters["fc.weight"] = random({channels, kClasses});
    graph.parameters["fc.bias"] = random({kClasses});
    add("Gemm", "fc", {"flat.out", "fc.weight", "fc.bias"});
    graph.outputs = {{"fc.out", at::kFloat, {-1, kClasses}, {"batch", ""}}};
    return graph;
  }
};

/// relu(bn3(conv3(block2)) + relu1)
inline Graph basic_block() {
  BlockBuilder b;
  b.conv_norm_relu("block2", "relu1.out", kStream, kInner);
  b.conv("conv3", "block2.out", kInner, kStream);
  b.norm("bn3", "conv3.out", kStream);
  b.add("Add", "sum", {"bn3.out", "relu1.out"});
  b.add("Relu", "relu3", {"sum.out"});
  return b.finish("relu3.out");
}

/// relu(bn4(conv4(block3(block2))) + relu1): two inner axes
inline Graph bottleneck_block() {
  BlockBuilder b;
  b.conv_norm_relu("block2", "relu1.out", kStream, kInner);
  b.conv_norm_relu("block3", "block2.out", kInner, kInner + 1);
  b.conv("conv4", "block3.out", kInner + 1, kStream);
  b.norm("bn4", "conv4.out", kStream);
  b.add("Add", "sum", {"bn4.out", "relu1.out"});
  b.add("Relu", "relu4", {"sum.out"});
  return b.finish("relu4.out");
}

/// relu1 + conv3(block2(relu(bn1(relu1)))), conv3 with a bias
inline Graph preactivation_block() {
  BlockBuilder b;
  b.norm("bn1", "relu1.out", kStream);
  b.add("Relu", "relu2", {"bn1.out"});
  b.conv_norm_relu("block2", "relu2.out", kStream, kInner);
  b.conv_with_bias("conv3", "block2.out", kInner, kStream);
  b.add("Add", "sum", {"relu1.out", "conv3.out"});
  return b.finish("sum.out");
}

/// relu1 - scale relu(conv3(block2)): the branch goes on behind its bias
inline Graph scaled_branch() {
  BlockBuilder b;
  b.conv_norm_relu("block2", "relu1.out", kStream, kInner);
  b.conv_with_bias("conv3", "block2.out", kInner, kStream);
  b.add("Relu", "relu3", {"conv3.out"});
  b.graph.parameters["scale"] = b.random({kStream, 1, 1});
  b.add("Mul", "scaled", {"relu3.out", "scale"});
  b.add("Sub", "difference", {"relu1.out", "scaled.out"});
  return b.finish("difference.out");
}

/// relu1 + u s, u = conv3(block2), s = sigmoid(excite(relu(squeeze(mean(u)))))
inline Graph squeeze_block() {
  BlockBuilder b;
  b.conv_norm_relu("block2", "relu1.out", kStream, kInner);
  b.conv_with_bias("conv3", "block2.out", kInner, kStream);
  b.add("GlobalAveragePool", "mean", {"conv3.out"});
  b.conv_with_bias("squeeze", "mean.out", kStream, 2);
  b.add("Relu", "squeezed", {"squeeze.out"});
  b.conv_with_bias("excite", "squeezed.out", 2, kStream);
  b.add("Sigmoid", "share", {"excite.out"});
  b.add("Mul", "scaled", {"conv3.out", "share.out"});
  b.add("Add", "sum", {"scaled.out", "relu1.out"});
  return b.finish("sum.out");
}

/// [relu1, conv3(block2)]
inline Graph concat_block() {
  BlockBuilder b;
  b.conv_norm_relu("block2", "relu1.out", kStream, kInner);
  b.conv_with_bias("conv3", "block2.out", kInner, 3);
  b.add("Concat", "both", {"relu1.out", "conv3.out"});
  b.with("axis", int64_t{1});
  return b.finish("both.out", kStream + 3);
}

/// relu1 + conv4([block2, block3]): two inner axes that are read as one.
inline Graph split_branch() {
  BlockBuilder b;
  b.conv_norm_relu("block2", "relu1.out", kStream, kInner);
  b.conv_norm_relu("block3", "relu1.out", kStream, 2);
  b.add("Concat", "both", {"block2.out", "block3.out"});
  b.with("axis", int64_t{1});
  b.conv_with_bias("conv4", "both.out", kInner + 2, kStream);
  b.add("Add", "sum", {"relu1.out", "conv4.out"});
  return b.finish("sum.out");
}

/// conv3(block2) + conv5(block4), without a shortcut
inline Graph parallel_branches() {
  BlockBuilder b;
  b.conv_norm_relu("block2", "relu1.out", kStream, kInner);
  b.conv_with_bias("conv3", "block2.out", kInner, kStream);
  b.conv_norm_relu("block4", "relu1.out", kStream, 2);
  b.conv_with_bias("conv5", "block4.out", 2, kStream);
  b.add("Add", "sum", {"conv3.out", "conv5.out"});
  return b.finish("sum.out");
}

inline Coupling couple(const Graph& graph) {
  return Coupling(graph, infer_shapes(graph, input_shapes(graph, kCouplingBatch)));
}

/// All units alive, but for those of the groups that begin at these parameters' outputs.
inline std::vector<bool> without_outputs_of(const Coupling& coupling,
                                            const std::vector<std::string>& convolutions) {
  std::vector<bool> alive(static_cast<size_t>(coupling.size()), true);
  for (const std::string& convolution : convolutions)
    for (const Group& group : coupling.groups())
      if (group.name == convolution + ".weight[0]")
        for (const int unit : group.units) alive[static_cast<size_t>(unit)] = false;
  return alive;
}

inline bool has_node(const Graph& graph, const std::string& name) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(),
                     [&](const Node& node) { return node.name == name; });
}

}  // namespace crrm::test
