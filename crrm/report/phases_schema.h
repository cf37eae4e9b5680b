// What the report.json of crrm phases holds.
#pragma once

#include "crrm/report/schema.h"

namespace crrm {

/// Every key, parents before children (docs/phases.md).
const std::vector<ReportKey>& phases_keys();

}  // namespace crrm
