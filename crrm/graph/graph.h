// A network as ONNX speaks of it, in one normal form: every node is an operator of opset
// `kOpset` with its semantics; axes in attributes are non-negative; Constant nodes are parameters;
// shape arithmetic that does not depend on the batch is folded.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace crrm {

using Tensors = std::vector<at::Tensor>;
using Shape = std::vector<int64_t>;

inline constexpr int64_t kOpset = 21;

struct Graph;
using Attribute =
    std::variant<int64_t, double, std::string, std::vector<int64_t>, std::vector<double>,
                 std::vector<std::string>, at::Tensor, std::shared_ptr<const Graph>>;

/// One operation. An absent optional input or output has the name "".
///
/// A node may hold graphs, as an If its branches. What their nodes use from outside are inputs of
/// the node, its last ones, and in the same order the inputs of each graph, whatever either is
/// called. So whoever walks inputs sees all that a node reads. These graphs have no parameters
/// (constants arrive as inputs, too), and their ports have names only.
struct Node {
  std::string op;      ///< ONNX operator name
  std::string name;    ///< unique in the graph
  std::string domain;  ///< "" is ONNX's own
  std::vector<std::string> inputs, outputs;
  std::map<std::string, Attribute> attributes;

  bool has(const std::string& key) const { return attributes.contains(key); }
  bool has_input(size_t i) const { return i < inputs.size() && !inputs[i].empty(); }

  /// The attribute `key`. @throws InputError when it is missing or has another type.
  int64_t integer(const std::string& key) const;
  double real(const std::string& key) const;
  const std::string& text(const std::string& key) const;
  const std::vector<int64_t>& integers(const std::string& key) const;
  const at::Tensor& tensor(const std::string& key) const;
  const Graph& graph(const std::string& key) const;
  /// All graphs that the node holds, by the attributes' names.
  std::vector<const Graph*> graphs() const;

  /// The attribute `key`, or `fallback` when it is missing.
  int64_t integer(const std::string& key, int64_t fallback) const;
  double real(const std::string& key, double fallback) const;
  std::string text(const std::string& key, const std::string& fallback) const;
  std::vector<int64_t> integers(const std::string& key, std::vector<int64_t> fallback) const;
};

/// `node "layer1.0.conv2" (Conv)`
std::string describe(const Node& node);

/// An input or output of the network.
struct Port {
  std::string name;
  at::ScalarType type = at::kFloat;
  Shape shape;                       ///< -1 where the extent is dynamic
  std::vector<std::string> symbols;  ///< names of the dynamic extents, "" elsewhere; same length
};

struct Graph {
  std::string name;
  std::vector<Node> nodes;                       ///< in topological order
  std::map<std::string, at::Tensor> parameters;  ///< every constant tensor, learned or not
  std::vector<Port> inputs, outputs;

  bool is_parameter(const std::string& value) const { return parameters.contains(value); }
  /// A name that no value, parameter or node has yet: `stem`, or `stem_1`, `stem_2`, ...
  std::string fresh_name(const std::string& stem) const;
};

/// Index of the node that writes each value.
std::unordered_map<std::string, size_t> writers(const Graph& graph);
/// Indices of the nodes that read each value or parameter, once per reading node.
std::unordered_map<std::string, std::vector<size_t>> readers(const Graph& graph);

/// A copy whose parameters are tensors of their own (no storage shared with `graph`).
Graph clone(const Graph& graph);

/// Drops nodes whose results reach no output, and parameters that nobody reads.
void drop_unread(Graph& graph);

/// @throws InputError when a node reads a value that nobody wrote before it, a name is written
/// twice, or an output is missing.
void check(const Graph& graph, const std::string& file);

}  // namespace crrm
