// How reports name a way of running a network.
#pragma once

#include <cstdint>
#include <string>

namespace crrm {

/// "ONNX Runtime, 2 threads, batch 1". @param runtime  as latency_ms[].runtime
std::string describe_timing(const std::string& runtime, int64_t threads, int64_t batch);

}  // namespace crrm
