#include "crrm/check/conformance.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "crrm/base/error.h"
#include "crrm/base/file.h"
#include "crrm/io/onnx.h"
#include "tests/small_network.h"

namespace crrm {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class ConformanceTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / fmt::format("crrm_conformance_{}", getpid());
    fs::create_directories(folder_);
    Graph graph = test::small_network();
    graph.inputs[0].shape[0] = -1;
    write_onnx(graph, folder_ / "small.onnx");
  }
  void TearDown() override { fs::remove_all(folder_); }
  Conformance check() const {
    return check_conformance(folder_ / "small.onnx", {.subsets = 3, .seed = 1});
  }

  fs::path folder_;
};

TEST_F(ConformanceTest, FindsTheUnitsAndNoDifference) {
  const Conformance result = check();
  EXPECT_THAT(result.failures, ElementsAre());
  EXPECT_EQ(result.units, test::kStream + test::kInner);
  EXPECT_GT(result.subsets, 3);
  EXPECT_LT(result.largest_difference, kConformanceBound);
  EXPECT_FALSE(result.least);
}

TEST_F(ConformanceTest, AsksForTheUnitsThatPatternsName) {
  write_file(folder_ / "patterns.json", R"([{"files": ["small.onnx"], "least": 10}])");
  EXPECT_TRUE(check().ok());
  write_file(folder_ / "patterns.json", R"([{"files": ["small.onnx"], "least": 11}])");
  EXPECT_THAT(check().failures, ElementsAre("10 units, at least 11 can leave"));
}

TEST_F(ConformanceTest, AReferenceThatCannotBeReadIsAFailure) {
  write_file(folder_ / "small.npz", "no archive");
  const Conformance result = check();
  ASSERT_EQ(result.failures.size(), 1U);
  EXPECT_THAT(result.failures[0], HasSubstr("small.npz"));
}

TEST_F(ConformanceTest, ListsTheModelsOfAFolder) {
  write_file(folder_ / "a.onnx", "");
  EXPECT_THAT(conformance_models(folder_), ElementsAre(folder_ / "a.onnx", folder_ / "small.onnx"));
  EXPECT_THAT(conformance_models(folder_ / "a.onnx"), ElementsAre(folder_ / "a.onnx"));
  EXPECT_THROW(conformance_models(folder_ / "none"), InputError);
}

}  // namespace
}  // namespace crrm
