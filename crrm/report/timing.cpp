#include "crrm/report/timing.h"

#include <fmt/format.h>

namespace crrm {

std::string describe_timing(const std::string& runtime, int64_t threads, int64_t batch) {
  return fmt::format("{}, {} thread{}, batch {}",
                     runtime == "onnxruntime" ? "ONNX Runtime" : runtime, threads,
                     threads == 1 ? "" : "s", batch);
}

}  // namespace crrm
