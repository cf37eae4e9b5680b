#include "crrm/io/onnx_upgrade.h"

#include "crrm/base/error.h"

namespace crrm::onnx {

void upgrade(Graph&, int64_t opset, Facts) {
  constexpr int64_t kSameForm = 19;  // from here on no definition changes its form
  if (opset < kSameForm)
    throw InputError({.place = "opset import",
                      .expected = fmt::format("an opset of {} to {}", kSameForm, kOpset),
                      .found = fmt::format("opset {}", opset)});
}

}  // namespace crrm::onnx
