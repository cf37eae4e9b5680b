#include "crrm/activations/checkpoints.h"

#include <gmock/gmock.h>

#include <fstream>

#include "crrm/base/error.h"

namespace crrm {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

class Checkpoints : public testing::Test {
 protected:
  Checkpoints() { fs::create_directories(folder_); }
  ~Checkpoints() override { fs::remove_all(folder_); }

  /// "NAME epoch" of the folder with these empty files in it.
  std::vector<std::string> listed(const std::vector<std::string>& files) {
    for (const std::string& file : files) std::ofstream(folder_ / file) << "";
    std::vector<std::string> all;
    for (const NetworkFile& file : checkpoints_in(folder_))
      all.push_back(fmt::format("{} {}", file.path.filename().string(), file.epoch));
    return all;
  }

  fs::path folder_ = fs::path(testing::TempDir()) / "crrm-checkpoints";
};

TEST_F(Checkpoints, AreInNaturalOrderWithTheNumbersOfTheirNames) {
  EXPECT_THAT(listed({"epoch-10.onnx", "epoch-9.onnx", "epoch-010b.onnx", "notes.txt"}),
              ElementsAre("epoch-9.onnx 9", "epoch-10.onnx 10", "epoch-010b.onnx 10"));
}

TEST_F(Checkpoints, AreCountedWhereOneHasNoNumber) {
  EXPECT_THAT(listed({"b7.safetensors", "a.safetensors"}),
              ElementsAre("a.safetensors 0", "b7.safetensors 1"));
}

TEST_F(Checkpoints, AFolderWithoutAnyIsRefused) {
  EXPECT_THROW(checkpoints_in(folder_), InputError);
  EXPECT_THROW(checkpoints_in(folder_ / "missing"), InputError);
}

// One a folder, or in the folder that crrm train makes there.
TEST_F(Checkpoints, OfTrainingsLieInOneFolderEach) {
  for (const char* name : {"seed-10", "seed-9/epochs"}) {
    fs::create_directories(folder_ / name);
    std::ofstream(folder_ / name / "epoch-1.onnx") << "";
  }
  std::ofstream(folder_ / "seed-9" / "model.onnx") << "";
  const std::vector<std::vector<NetworkFile>> trainings = trainings_in(folder_);
  ASSERT_EQ(trainings.size(), 2U);
  EXPECT_EQ(trainings[0][0].path, folder_ / "seed-9" / "epochs" / "epoch-1.onnx");
  EXPECT_EQ(trainings[1][0].path, folder_ / "seed-10" / "epoch-1.onnx");

  std::ofstream(folder_ / "seed-10" / "epoch-2.onnx") << "";
  EXPECT_THROW(trainings_in(folder_), InputError);  // other epochs
  fs::remove_all(folder_ / "seed-10");
  EXPECT_THROW(trainings_in(folder_), InputError);  // one alone
}

TEST(NaturalOrder, ComparesNumbersByValueAndLettersByThemselves) {
  EXPECT_TRUE(natural_less("a2", "a10"));
  EXPECT_TRUE(natural_less("a02", "a10"));
  EXPECT_FALSE(natural_less("a10", "a2"));
  EXPECT_TRUE(natural_less("a", "a1"));
  EXPECT_TRUE(natural_less("a9b", "b1"));
  EXPECT_FALSE(natural_less("a1", "a1"));
}

}  // namespace
}  // namespace crrm
