#include <gmock/gmock.h>
#include <zlib.h>

#include "data_files.h"

namespace crrm {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string big_endian(uint32_t value) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift);
  return text;
}

std::string idx(uint32_t rank, const std::vector<uint32_t>& sizes, const std::string& values) {
  std::string text = big_endian(0x800 | rank);
  for (const uint32_t size : sizes) text += big_endian(size);
  return text + values;
}

const std::string kImages("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\xff", 12);  // 2 x 2 x 3
const std::string kLabels("\x01\x00", 2);

class Idx : public DataFiles {
 protected:
  void write_train() {
    write("train-images-idx3-ubyte", idx(3, {2, 2, 3}, kImages));
    write("train-labels-idx1-ubyte", idx(1, {2}, kLabels));
  }
  void write_gz(const std::string& name, const std::string& content) {
    const gzFile file = gzopen((folder_ / name).c_str(), "wb");
    gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
    gzclose(file);
  }
};

TEST_F(Idx, ReadsPlainAndPackedFiles) {
  write_train();
  write_gz("t10k-images-idx3-ubyte.gz", idx(3, {1, 2, 3}, kImages.substr(6)));
  write_gz("t10k-labels-idx1-ubyte.gz", idx(1, {1}, kLabels.substr(0, 1)));
  const Splits splits = load_data(folder_, {});
  EXPECT_EQ(splits.train.inputs.sizes(), at::IntArrayRef({2, 1, 2, 3}));
  EXPECT_EQ(splits.train.inputs[1][0][1][2].item<int>(), 255);
  EXPECT_EQ(splits.train.inputs[0][0][1][0].item<int>(), 4);
  EXPECT_THAT(to_vector<int64_t>(splits.train.labels), testing::ElementsAre(1, 0));
  EXPECT_EQ(splits.train.classes, 2);
  EXPECT_EQ(splits.test.inputs[0][0][0][0].item<int>(), 7);
  EXPECT_EQ(splits.test.labels.item<int64_t>(), 1);
}

// Their strides would pass 63 bits.
TEST_F(Idx, EmptyImagesOfHugeExtentAreRefused) {
  write("train-images-idx3-ubyte", idx(3, {0, 0xffffffff, 0xffffffff}, ""));
  write("train-labels-idx1-ubyte", idx(1, {0}, ""));
  EXPECT_THAT(load_error(folder_), HasSubstr("0 x 4294967295 x 4294967295 bytes"));
}

TEST_F(Idx, ImagesAreResizedAndStayGrey) {
  write_train();
  const Splits splits = load_data(folder_, {.resize = {4}, .channels = "bgr"});
  EXPECT_EQ(splits.train.inputs.sizes(), at::IntArrayRef({2, 1, 4, 6}));
}

TEST_F(Idx, HeadersAreChecked) {
  write_train();
  const auto images_error = [&](const std::string& content) {
    write("train-images-idx3-ubyte", content);
    return load_error(folder_);
  };
  EXPECT_THAT(images_error("\x00\x00"), HasSubstr("16 bytes"));
  EXPECT_THAT(images_error(idx(1, {2, 2, 3}, kImages)),
              AllOf(HasSubstr("magic number"), HasSubstr("0x00000803"), HasSubstr("0x00000801")));
  EXPECT_THAT(images_error(idx(3, {3, 2, 3}, kImages)),
              AllOf(HasSubstr("3 x 2 x 3 bytes"), HasSubstr("found     12 bytes")));
  EXPECT_THAT(images_error(idx(3, {2, 2, 2}, kImages)), HasSubstr("2 x 2 x 2 bytes"));
  // 2^22 * 2^22 * 2^20 = 2^64 wraps to 0 bytes.
  EXPECT_THAT(images_error(idx(3, {1u << 22, 1u << 22, 1u << 20}, "")),
              HasSubstr("4194304 x 4194304 x 1048576 bytes"));
  EXPECT_THAT(images_error(idx(3, {0, 2, 3}, "")), HasSubstr("0 images"));
}

TEST_F(Idx, CountsMustAgree) {
  write_train();
  write("train-labels-idx1-ubyte", idx(1, {3}, kLabels + kLabels.substr(0, 1)));
  EXPECT_THAT(load_error(folder_),
              AllOf(HasSubstr("train-labels-idx1-ubyte"), HasSubstr("2 labels"),
                    HasSubstr("train-images-idx3-ubyte holds 2 images"), HasSubstr("3 labels")));
}

TEST_F(Idx, NoImagesAtAllIsRefused) {
  write("train-images-idx3-ubyte", idx(3, {0, 2, 3}, ""));
  write("train-labels-idx1-ubyte", idx(1, {0}, ""));
  EXPECT_THAT(load_error(folder_), HasSubstr("at least one sample"));
}

TEST_F(Idx, MissingLabelsAreNamed) {
  write("train-images-idx3-ubyte", idx(3, {2, 2, 3}, kImages));
  EXPECT_THAT(load_error(folder_),
              AllOf(HasSubstr("train-labels-idx1-ubyte"), HasSubstr("No such file")));
}

TEST_F(Idx, OneClassIsNoTask) {
  write_train();
  write("train-labels-idx1-ubyte", idx(1, {2}, std::string(2, '\0')));
  EXPECT_THAT(load_error(folder_), AllOf(HasSubstr("at least 2 classes"), HasSubstr("1 class")));
}

TEST_F(Idx, TestLabelsMustBeKnownFromTraining) {
  write_train();
  write("t10k-images-idx3-ubyte", idx(3, {2, 2, 3}, kImages));
  write("t10k-labels-idx1-ubyte", idx(1, {2}, "\x01\x02"));
  EXPECT_THAT(load_error(folder_),
              AllOf(HasSubstr("test data, sample 1"), HasSubstr("a label from 0 to 1"),
                    HasSubstr("found     2")));
}

TEST_F(Idx, DamagedGzipIsRefused) {
  write_train();
  std::filesystem::remove(folder_ / "train-images-idx3-ubyte");
  write_gz("train-images-idx3-ubyte.gz", idx(3, {2, 2, 3}, kImages));
  EXPECT_EQ(load_data(folder_, {}).train.size(), 2);
  std::ifstream file(folder_ / "train-images-idx3-ubyte.gz", std::ios::binary);
  const std::string packed{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  for (const size_t size : {packed.size() - 1, packed.size() / 2, size_t{3}}) {
    write("train-images-idx3-ubyte.gz", packed.substr(0, size));
    EXPECT_THAT(load_error(folder_),
                AllOf(HasSubstr("train-images-idx3-ubyte.gz: gzip"), HasSubstr("cut off")));
  }
  std::string damaged = packed;
  damaged[packed.size() - 8] ^= 1;  // CRC-32
  write("train-images-idx3-ubyte.gz", damaged);
  EXPECT_THAT(load_error(folder_), HasSubstr("incorrect data check"));
  write("train-images-idx3-ubyte.gz", packed + "rest");
  EXPECT_THAT(load_error(folder_), HasSubstr("incorrect header check"));
}

}  // namespace
}  // namespace crrm
