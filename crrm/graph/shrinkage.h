// What stays of every axis, as an operator's `shrink` sees it.
#pragma once

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "crrm/graph/graph.h"

namespace crrm {

/// What stays of an axis. With `blocks` > 1 the axis is a grouped convolution's view of a longer
/// one: in the rows of block b (of axis 0) it stands for block b of that axis. `indices` are those
/// of the longer axis, equally many from each block.
struct KeptAxis {
  std::vector<int64_t> indices = {};  ///< ascending
  int64_t blocks = 1;

  int64_t extent() const { return static_cast<int64_t>(indices.size()) / blocks; }
};

/// The part of `whole` that stays. @param axes  one entry an axis
at::Tensor take(const at::Tensor& whole, const std::vector<KeptAxis>& axes);
/// A copy of `whole` with `part` in its places: take(put(whole, part, axes), axes) is `part`.
at::Tensor put(const at::Tensor& whole, const at::Tensor& part, const std::vector<KeptAxis>& axes);

class Shrinkage {
 public:
  using Kept = std::unordered_map<std::string, std::vector<KeptAxis>>;

  /// @param graph     new constants are added here
  /// @param original  shapes before
  /// @param kept      [value][axis]: what stays; values that are missing lose nothing
  Shrinkage(Graph& graph, const std::unordered_map<std::string, Shape>& original, Kept kept);

  int64_t rank(const std::string& value) const;
  int64_t extent(const std::string& value, int64_t axis) const;  ///< before
  const std::vector<int64_t>& kept(const std::string& value, int64_t axis) const;
  bool shrinks(const std::string& value, int64_t axis) const;
  bool is_constant(const std::string& value) const { return graph_.is_parameter(value); }
  /// Integers of a constant (before).
  std::vector<int64_t> integers(const std::string& value) const;

  /// Gives the node a constant of its own as input `i`.
  void set_input(Node& node, size_t i, const std::vector<int64_t>& content);
  void set_input(Node& node, size_t i, const at::Tensor& content);

  /// Lets `next` follow `node`: it reads what the node wrote as output 0 and writes it anew.
  void append(Node& node, Node next);
  std::vector<Node> take_appended() { return std::move(appended_); }

 private:
  const KeptAxis& axis_of(const std::string& value, int64_t axis) const;

  Graph& graph_;
  const std::unordered_map<std::string, Shape>& original_;
  mutable Kept kept_;
  std::vector<Node> appended_;
};

}  // namespace crrm
