#include "crrm/report/phases_schema.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "crrm/base/file.h"

namespace crrm {
namespace {

using testing::HasSubstr;

TEST(PhasesSchema, ManualHoldsTheTable) {
  const std::filesystem::path root =
      std::filesystem::path(CRRM_TEST_DATA).parent_path().parent_path().parent_path();
  EXPECT_THAT(read_file(root / "docs" / "phases.md"), HasSubstr(schema_markdown(phases_keys())))
      << "docs/phases.md: replace the table of keys by\n"
      << schema_markdown(phases_keys());
}

}  // namespace
}  // namespace crrm
