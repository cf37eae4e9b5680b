// The fixtures were written by NumPy itself: tests/data/data/make_fixtures.py.
#include <gmock/gmock.h>

#include "crrm/data/npy.h"
#include "data_files.h"

namespace crrm {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

/// Value i of the fixtures' x.
float fixture_x(int i) {
  return (static_cast<float>(i) - 7.5f) / 4;
}

std::string npy(const std::string& header, const std::string& values) {
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size() % 256) +
         static_cast<char>(header.size() / 256) + header + values;
}

std::string npy_error(const std::string& bytes) {
  try {
    parse_npy(bytes, "a.npz", "x");
  } catch (const InputError& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

using Numpy = DataFiles;

TEST_F(Numpy, StoredPairIsSplit) {
  const Splits splits =
      load_data(std::string(CRRM_TEST_DATA) + "/stored.npz", {.test_fraction = 0.5});
  EXPECT_THAT(to_vector<int64_t>(splits.train.labels), testing::UnorderedElementsAre(0, 1, 2));
  EXPECT_EQ(splits.test.size(), 3);
  EXPECT_EQ(splits.train.classes, 3);
  const Dataset whole =
      load_data(std::string(CRRM_TEST_DATA) + "/stored.npz", {.test_fraction = 0}).train;
  EXPECT_EQ(whole.inputs.sizes(), at::IntArrayRef({6, 4}));
  for (int i = 0; i < 24; ++i)
    EXPECT_EQ(whole.inputs.flatten()[i].item<float>(), fixture_x(i)) << i;
}

TEST_F(Numpy, DeflatedTrainAndTest) {
  const Splits splits = load_data(std::string(CRRM_TEST_DATA) + "/deflated.npz", {});
  EXPECT_THAT(to_vector<int64_t>(splits.train.labels), ElementsAre(0, 1, 2, 0, 1, 2));
  EXPECT_THAT(to_vector<int64_t>(splits.test.labels), ElementsAre(0, 1));
  for (int i = 0; i < 24; ++i)
    EXPECT_EQ(splits.train.inputs.flatten()[i].item<float>(), fixture_x(i)) << i;
  EXPECT_TRUE(at::equal(splits.test.inputs, splits.train.inputs.narrow(0, 0, 2)));
}

TEST_F(Numpy, BytesStayBytes) {
  const Dataset data =
      load_data(std::string(CRRM_TEST_DATA) + "/images.npz", {.test_fraction = 0}).train;
  EXPECT_EQ(data.inputs.scalar_type(), at::kByte);
  EXPECT_EQ(data.inputs.sizes(), at::IntArrayRef({2, 2, 3, 3}));
  EXPECT_EQ(data.inputs[1][1][2][2].item<int>(), 35 * 7 % 256);
  EXPECT_THAT(to_vector<int64_t>(data.labels), ElementsAre(1, 0));
}

TEST_F(Numpy, FolderOfArrays) {
  const std::string type = "{'descr': '<i4', 'fortran_order': False, 'shape': ";
  write("x_train.npy",
        npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }", "abcdef"));
  write("y_train.npy", npy(type + "(2,), }", std::string("\1\0\0\0\0\0\0\0", 8)));
  const Splits splits = load_data(folder_, {});
  EXPECT_EQ(splits.train.inputs[1][2].item<int>(), 'f');
  EXPECT_FALSE(splits.test.inputs.defined());
  write("x_test.npy", npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2), }", "ab"));
  EXPECT_THAT(load_error(folder_),
              AllOf(HasSubstr("x_test"), HasSubstr("its labels y_test, as x_train"),
                    HasSubstr("x_test.npy, x_train.npy, y_train.npy")));
  write("y_test.npy", npy(type + "(1,), }", std::string(4, '\0')));
  EXPECT_THAT(load_error(folder_),
              AllOf(HasSubstr("samples as in x_train, [2, 3]"), HasSubstr("[1, 2]")));
  std::filesystem::remove(folder_ / "y_train.npy");
  EXPECT_THAT(load_error(folder_), HasSubstr("x_test.npy, x_train.npy, y_test.npy"));
}

/// [count, 3] bytes.
std::string bytes_array(int count) {
  return npy(
      "{'descr': '|u1', 'fortran_order': False, 'shape': (" + std::to_string(count) + ", 3), }",
      std::string(static_cast<size_t>(3 * count), 'a'));
}

TEST_F(Numpy, InputsAloneHaveNoLabels) {
  write("x.npy", bytes_array(10));
  for (const std::filesystem::path& path : {folder_, folder_ / "x.npy"}) {
    const Splits splits = load_data(path, {});
    EXPECT_FALSE(splits.train.labelled());
    EXPECT_EQ(splits.train.classes, 0);
    EXPECT_EQ(splits.train.inputs.sizes(), at::IntArrayRef({8, 3}));
    EXPECT_EQ(splits.test.size(), 2);
    EXPECT_FALSE(splits.test.labelled());
    EXPECT_EQ(splits.train.sha256.size(), 64u);
  }
  write("target.npy", bytes_array(10));
  EXPECT_THAT(load_error(folder_),
              AllOf(HasSubstr("or inputs alone"), HasSubstr("target.npy, x.npy")));
  EXPECT_THAT(load_error(write("values.npy", npy("{'descr': '|u1', 'shape': (2,)}", "ab"))),
              HasSubstr("at least 2 axes"));
}

TEST_F(Numpy, TrainAndTestInputsAlone) {
  write("x_train.npy", bytes_array(4));
  EXPECT_FALSE(load_data(folder_, {}).test.inputs.defined());
  write("x_test.npy", bytes_array(2));
  const Splits splits = load_data(folder_, {});
  EXPECT_EQ(splits.train.size(), 4);
  EXPECT_EQ(splits.test.size(), 2);
  EXPECT_FALSE(splits.test.labelled());
  write("x_test.npy", npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2), }", "ab"));
  EXPECT_THAT(load_error(folder_), HasSubstr("samples as in x_train"));
}

TEST_F(Numpy, ArchiveOfInputsAlone) {
  const Splits splits = load_data(std::string(CRRM_TEST_DATA) + "/unlabelled.npz", {});
  EXPECT_FALSE(splits.train.labelled());
  EXPECT_EQ(splits.train.size(), 6);
  EXPECT_EQ(splits.test.size(), 2);
}

TEST_F(Numpy, LayoutSaysWhereTheChannelsAre) {
  const auto path = std::string(CRRM_TEST_DATA) + "/images.npz";  // [2, 2, 3, 3]
  EXPECT_EQ(load_data(path, {.test_fraction = 0}).train.channel_axis, 1);
  EXPECT_EQ(load_data(path, {.test_fraction = 0, .layout = "hwc"}).train.channel_axis, -1);
  EXPECT_THAT(load_error(path, {.crop = {8}}), HasSubstr("arrays are read as they are"));
}

TEST_F(Numpy, LabelsAreChecked) {
  const auto with_labels = [&](const std::string& type, const std::string& shape,
                               const std::string& values) {
    write("x.npy", npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1), }", "ab"));
    write("y.npy",
          npy("{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + "}", values));
    return load_error(folder_);
  };
  EXPECT_THAT(with_labels("<i4", "(2,)", std::string("\xff\xff\xff\xff\1\0\0\0", 8)),
              AllOf(HasSubstr("data, sample 0"), HasSubstr("a label from 0 to 1"),
                    HasSubstr("found     -1")));
  EXPECT_THAT(with_labels("<i4", "(2,)", std::string("\0\0\0\0\0\0\0\x7f", 8)),
              AllOf(HasSubstr("below the 2 samples"), HasSubstr("found     2130706432")));
  EXPECT_THAT(with_labels("<f4", "(2,)", std::string(8, '\0')), HasSubstr("whole numbers"));
  EXPECT_THAT(with_labels("|u1", "(3,)", "abc"),
              AllOf(HasSubstr("2 labels"), HasSubstr("3 labels")));
  EXPECT_THAT(with_labels("|u1", "(1, 2)", "ab"), HasSubstr("labels [N]"));
  EXPECT_THAT(with_labels("|u1", "(2,)", std::string(2, '\0')), HasSubstr("at least 2 classes"));
}

TEST_F(Numpy, InputsMustBeFinite) {
  write("x.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }",
                     std::string(8, '\0') + std::string("\0\0\x80\x7f\0\0\xc0\x7f", 8)));
  write("y.npy",
        npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }", std::string("\0\1", 2)));
  EXPECT_THAT(load_error(folder_), AllOf(HasSubstr("data, input [1, 0]"),
                                         HasSubstr("a finite number"), HasSubstr("found     inf")));
  write("x.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }",
                     std::string(4, '\0') + std::string("\0\0\xc0\xff", 4)));  // sign bit set
  EXPECT_THAT(load_error(folder_), HasSubstr("found     nan"));
}

TEST(Npy, VersionTwo) {
  EXPECT_THAT(to_vector<int64_t>(parse_npy(fixture("version2.npy"), "", "")),
              ElementsAre(0, 1, 2, 0, 1, 2));
}

TEST(Npy, UnsupportedArraysSaySo) {
  EXPECT_THAT(npy_error(fixture("big_endian.npy")),
              AllOf(HasSubstr("a.npz: x"), HasSubstr("little-endian"), HasSubstr("'>i4'")));
  EXPECT_THAT(npy_error(fixture("fortran.npy")), HasSubstr("Fortran order"));
  EXPECT_THAT(npy_error(npy("{'descr': [('a', '<f4')], 'shape': (1,)}", "abcd")),
              HasSubstr("a plain type"));
  EXPECT_THAT(npy_error(npy("{'descr': '|O', 'shape': (1,)}", "abcd")), HasSubstr("'|O'"));
  EXPECT_THAT(npy_error(std::string("\x93NUMPY\x03\0\0\0\0\0", 12)), HasSubstr("version 3"));
}

TEST(Npy, DamagedHeadersAreRefused) {
  const std::string whole = fixture("version2.npy");
  EXPECT_THAT(npy_error("hello"), HasSubstr("5 bytes of something else"));
  EXPECT_THAT(npy_error(""), HasSubstr("0 bytes of something else"));
  EXPECT_THAT(npy_error(whole.substr(0, 11)), HasSubstr("header"));
  EXPECT_THAT(npy_error(whole.substr(0, 40)), HasSubstr("header"));
  EXPECT_THAT(npy_error(npy("{'descr': '|u1', 'shape': (2, ", "ab")), HasSubstr("extents from 0"));
  EXPECT_THAT(npy_error(npy("{'descr': '|u1', 'shape': (-2,)}", "ab")),
              HasSubstr("extents from 0"));
  EXPECT_THAT(npy_error(npy("{'descr': '|u1'}", "ab")), HasSubstr("'shape'"));
  EXPECT_THAT(npy_error(npy("{'shape': (2,)}", "ab")), HasSubstr("'descr'"));
  EXPECT_THAT(npy_error(npy("{'descr", "ab")), HasSubstr("a closing quote"));
  EXPECT_THAT(npy_error(npy("{'colour': 1}", "ab")), HasSubstr("the keys descr"));
  EXPECT_THAT(npy_error(npy("", "ab")), HasSubstr("{ at character 0"));
}

TEST(Npy, SizesMustMatchTheBytes) {
  const std::string head = "{'descr': '<f8', 'fortran_order': False, 'shape': ";
  EXPECT_THAT(npy_error(npy(head + "(2,)}", std::string(15, '\0'))),
              AllOf(HasSubstr("shape (2) of 8 bytes"), HasSubstr("found     15 bytes")));
  // 2^32 * 2^32 elements wrap to 0.
  EXPECT_THAT(npy_error(npy(head + "(4294967296, 4294967296)}", "")),
              HasSubstr("found     0 bytes"));
  EXPECT_THAT(npy_error(npy(head + "(99999999999999999999,)}", "")), HasSubstr("extents from 0"));
}

}  // namespace
}  // namespace crrm
