// What the report.json of crrm measure holds.
#pragma once

#include "crrm/report/schema.h"

namespace crrm {

/// Every key, parents before children (docs/measures.md).
const std::vector<ReportKey>& measure_keys();

}  // namespace crrm
