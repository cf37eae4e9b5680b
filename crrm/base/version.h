// Which crrm this is.
#pragma once

namespace crrm {

extern const char* const kVersion;  ///< "0.1.0"
extern const char* const kCommit;   ///< that it was built from; "" where unknown

}  // namespace crrm
