#include <gmock/gmock.h>

#include "data_files.h"

namespace crrm {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr size_t kPixels = 3072;

/// A record whose pixel i is (first + i) mod 251.
std::string record(char label, size_t first) {
  std::string text(1, label);
  for (size_t i = 0; i < kPixels; ++i) text += static_cast<char>((first + i) % 251);
  return text;
}

class Cifar10 : public DataFiles {
 protected:
  void write_all() {
    for (char i = 1; i <= 5; ++i)
      write("data_batch_" + std::to_string(i) + ".bin", record(i, i) + record(9, 100));
    write("test_batch.bin", record(0, 7));
  }
};

TEST_F(Cifar10, ReadsBatchesInOrder) {
  write_all();
  write("batches.meta.txt", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n");
  const Splits splits = load_data(folder_, {});
  EXPECT_EQ(splits.train.inputs.sizes(), at::IntArrayRef({10, 3, 32, 32}));
  EXPECT_THAT(to_vector<int64_t>(splits.train.labels),
              testing::ElementsAre(1, 9, 2, 9, 3, 9, 4, 9, 5, 9));
  // Sample 4 is record(3, 3); channel 2, row 5, column 6 is its pixel 2 * 1024 + 5 * 32 + 6.
  EXPECT_EQ(splits.train.inputs[4][2][5][6].item<int>(), (3 + 2 * 1024 + 5 * 32 + 6) % 251);
  EXPECT_EQ(splits.test.inputs[0][0][0][0].item<int>(), 7);
  EXPECT_EQ(splits.test.labels.item<int64_t>(), 0);
  EXPECT_EQ(splits.train.classes, 10);
  EXPECT_EQ(splits.test.class_names.at(9), "j");
}

TEST_F(Cifar10, AcceptsTheParentFolder) {
  const std::filesystem::path parent = folder_;
  folder_ = parent / "cifar-10-batches-bin";
  std::filesystem::create_directories(folder_);
  write_all();
  folder_ = parent;
  EXPECT_EQ(load_data(parent, {}).train.size(), 10);
}

TEST_F(Cifar10, ImagesAreFittedAsTheOptionsSay) {
  write_all();
  const at::Tensor stored = load_data(folder_, {}).train.inputs;
  const Splits splits = load_data(folder_, {.crop = {28}, .channels = "bgr", .layout = "hwc"});
  EXPECT_TRUE(at::equal(splits.train.inputs,
                        stored.narrow(2, 2, 28).narrow(3, 2, 28).flip({1}).permute({0, 2, 3, 1})));
  EXPECT_EQ(splits.train.channel_axis, -1);
  EXPECT_EQ(splits.test.inputs.sizes(), at::IntArrayRef({1, 28, 28, 3}));
  EXPECT_EQ(load_data(folder_, {.resize = {40, 48}}).train.inputs.sizes(),
            at::IntArrayRef({10, 3, 40, 48}));
}

TEST_F(Cifar10, WithoutTestBatchThereIsNoTestPart) {
  write_all();
  std::filesystem::remove(folder_ / "test_batch.bin");
  EXPECT_FALSE(load_data(folder_, {}).test.inputs.defined());
}

TEST_F(Cifar10, DamagedFilesAreNamed) {
  write_all();
  write("data_batch_2.bin", record(1, 1) + "abc");
  EXPECT_THAT(load_error(folder_),
              AllOf(HasSubstr("data_batch_2.bin"), HasSubstr("records of 3073 bytes"),
                    HasSubstr("3076 bytes: 1 records and 3 bytes")));
  write("data_batch_2.bin", "");
  EXPECT_THAT(load_error(folder_), HasSubstr("0 bytes"));
  write("data_batch_2.bin", record(1, 1) + record(10, 1));
  EXPECT_THAT(load_error(folder_),
              AllOf(HasSubstr("data_batch_2.bin: record 1"), HasSubstr("a label from 0 to 9"),
                    HasSubstr("found     10")));
  std::filesystem::remove(folder_ / "data_batch_2.bin");
  EXPECT_THAT(load_error(folder_), AllOf(HasSubstr("data_batch_2.bin"), HasSubstr("No such file")));
}

TEST_F(Cifar10, ClassNamesMustBeTen) {
  write_all();
  write("batches.meta.txt", "a\nb\n");
  EXPECT_THAT(load_error(folder_),
              AllOf(HasSubstr("batches.meta.txt"), HasSubstr("10 class names"), HasSubstr("2")));
}

}  // namespace
}  // namespace crrm
