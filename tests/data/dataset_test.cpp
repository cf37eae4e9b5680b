#include "crrm/data/dataset.h"

#include <gmock/gmock.h>

#include "data_files.h"

namespace crrm {
namespace {

using testing::AllOf;
using testing::HasSubstr;

using LoadData = DataFiles;

TEST_F(LoadData, UnknownDataListTheFormats) {
  EXPECT_THAT(load_error(write("a.parquet", "PAR1")),
              AllOf(HasSubstr("CIFAR-10 binary: "), HasSubstr("IDX (MNIST): "), HasSubstr("CSV: "),
                    HasSubstr("NumPy: "), HasSubstr("Images: "),
                    HasSubstr("a file of 4 bytes named a.parquet")));
  EXPECT_THAT(load_error(folder_), HasSubstr("a folder with a.parquet"));
  EXPECT_THAT(load_error(folder_ / "none"), HasSubstr("nothing there"));
  std::filesystem::create_directories(folder_ / "empty");
  EXPECT_THAT(load_error(folder_ / "empty"), HasSubstr("an empty folder"));
}

TEST_F(LoadData, TwoFormatsInOneFolderAreRefused) {
  write("test_batch.bin", "");
  write("x.npy", "");
  EXPECT_THAT(load_error(folder_), HasSubstr("CIFAR-10 binary and NumPy"));
}

TEST_F(LoadData, ShapeReshapesEachSample) {
  const auto file = write("a.csv", "1,2,3,4,0\n5,6,7,8,1\n9,10,11,12,0\n");
  const Splits splits = load_data(file, {.shape = {1, 2, 2}, .test_fraction = 0});
  EXPECT_EQ(splits.train.inputs.sizes(), at::IntArrayRef({3, 1, 2, 2}));
  EXPECT_EQ(splits.train.inputs[1][0][1][0].item<float>(), 7);
  EXPECT_THAT(load_error(file, {.shape = {1, 3, 2}}),
              AllOf(HasSubstr("a shape of 4 values"), HasSubstr("1x3x2")));
  EXPECT_THAT(load_error(file, {.shape = {-2, -2}}), HasSubstr("-2x-2"));
  const int64_t half = int64_t{1} << 62;  // 4 * 2^62 wraps to 0
  EXPECT_THAT(load_error(file, {.shape = {half, 4}}), HasSubstr("a shape of 4 values"));
}

// sha256sum of "1,0\n2,1\n3,0\n", by coreutils.
TEST_F(LoadData, SumOfOneFileIsItsOwn) {
  const Splits splits = load_data(write("a.csv", "1,0\n2,1\n3,0\n"), {});
  EXPECT_EQ(splits.train.sha256,
            "2f73ea3d68d94b68afb57b4ad3ee17e8e698181af8131bcc3166c0c7c15ab93b");
}

}  // namespace
}  // namespace crrm
