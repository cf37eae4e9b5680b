#include "crrm/report/measure_schema.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "crrm/base/file.h"

namespace crrm {
namespace {

using testing::HasSubstr;

TEST(MeasureSchema, ManualHoldsTheTable) {
  const std::filesystem::path root =
      std::filesystem::path(CRRM_TEST_DATA).parent_path().parent_path().parent_path();
  EXPECT_THAT(read_file(root / "docs" / "measures.md"), HasSubstr(schema_markdown(measure_keys())))
      << "docs/measures.md: replace the table of keys by\n"
      << schema_markdown(measure_keys());
}

}  // namespace
}  // namespace crrm
