// Groups of units and axes that stay, as crrm inspect prints them.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "crrm/coupling/description.h"

namespace crrm::cli {

/// "conv1.weight[0]"
std::string name_of(const Member& member);

/// Lists of axes, in which "bn1.*[0]" stands for axis 0 of all parameters of the layer bn1, and
/// "fc.weight[1](49u..49u+48)" says which indices belong to unit u, where that is not index u and
/// the axis has no others.
class AxisList {
 public:
  explicit AxisList(const Graph& network);

  std::string operator()(const GroupDescription& description) const;
  /// Axes that stay; "(0..2)" says which indices where it is not all.
  std::string operator()(const Coupling& coupling, const std::vector<FrozenAxis>& axes) const;
  /// As above without the indices.
  std::string operator()(const std::vector<Member>& members) const;

 private:
  std::string joined(const std::vector<std::string>& axes) const;

  std::map<std::string, size_t> parameters_;  ///< how many each layer has
};

/// "equally many of each of 4 blocks of 8 units stay (block b: 8b..8b+7): node "conv2""
std::string to_text(const Constraint& constraint);

/// All that is known of it, in lines.
std::string in_full(const GroupDescription& description, const AxisList& list);
std::string in_full(const Coupling& coupling, const FrozenAxis& axis);

/// An entry of `groups` in `crrm inspect --json` (docs/cli.md).
nlohmann::ordered_json to_json(const GroupDescription& description);
nlohmann::ordered_json to_json(const Coupling& coupling, const FrozenAxis& axis);

}  // namespace crrm::cli
