// ONNX files <-> Graph.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "crrm/graph/graph.h"

namespace crrm {

/// The text that stands in place of an attribute that is a graph and no branch of an If (the body
/// of a Loop or Scan): such a node can be named, not run or written.
inline constexpr const char* kSubgraph = "subgraph";

/// More bytes of weights than this go to PATH.data: protobuf ends at 2 GiB.
inline constexpr int64_t kInlineBytes = int64_t{3} << 29;

/// Reads an ONNX model of opset 6 to 21 and brings it to opset 21. Operators of other domains are
/// kept as they are. Constant nodes become parameters, unnamed nodes get a name of their own.
/// @throws InputError where the file is no ONNX model, is damaged, or needs what crrm lacks.
Graph read_onnx(const std::filesystem::path& path);

/// Writes beside `path` and renames. Where the weights exceed `inline_bytes` in total, those of
/// 1 KiB or more go to PATH.data, which must stay beside `path`.
/// @throws InputError when a node holds such a text; WriteError when a file cannot be written.
void write_onnx(const Graph& graph, const std::filesystem::path& path,
                int64_t inline_bytes = kInlineBytes);

/// The serialized ModelProto, all weights inside: equal graphs give equal bytes.
/// @throws InputError when a node holds such a text, or the weights exceed protobuf's 2 GiB.
std::string onnx_bytes(const Graph& graph);

}  // namespace crrm
