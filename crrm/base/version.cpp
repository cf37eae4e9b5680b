#include "crrm/base/version.h"

namespace crrm {

const char* const kVersion = CRRM_VERSION;
const char* const kCommit = CRRM_COMMIT;

}  // namespace crrm
