#include <gmock/gmock.h>
#include <zlib.h>

#include "data_files.h"

namespace crrm {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class Csv : public DataFiles {
 protected:
  Dataset load(const std::string& text, const std::string& label_column = {}) const {
    return load_data(write("a.csv", text), {.label_column = label_column, .test_fraction = 0})
        .train;
  }
  std::string error(const std::string& text, const std::string& label_column = {}) const {
    return load_error(write("a.csv", text), {.label_column = label_column, .test_fraction = 0});
  }
};

TEST_F(Csv, LastColumnIsTheLabel) {
  const Dataset data = load("1,2.5,7\n-3e1,+.5,3\n 4 ,5,7\n");
  EXPECT_EQ(data.inputs.sizes(), at::IntArrayRef({3, 2}));
  EXPECT_THAT(to_vector<float>(data.inputs), ElementsAre(1, 2.5, -30, 0.5, 4, 5));
  EXPECT_THAT(to_vector<int64_t>(data.labels), ElementsAre(1, 0, 1));
  EXPECT_EQ(data.classes, 2);
  EXPECT_THAT(data.class_names, ElementsAre("3", "7"));
}

TEST_F(Csv, IntegersSortByValueAndTextByLetters) {
  EXPECT_THAT(load("1,10\n1,9\n1,10\n").class_names, ElementsAre("9", "10"));
  EXPECT_THAT(load("1,b10\n1,b9\n1,b10\n").class_names, ElementsAre("b10", "b9"));
}

TEST_F(Csv, HeaderIsRecognised) {
  const std::vector<std::string> texts = {
      "a,b,class\n1,2,x\n3,4,y\n5,6,x\n",   // no feature of row 1 is a number
      "0,1,class\n1,2,0\n3,4,1\n5,6,0\n"};  // the label of row 1 alone is none
  for (const std::string& text : texts) EXPECT_EQ(load(text).size(), 3) << text;
  EXPECT_EQ(load("1,2,x\n3,4,y\n5,6,x\n").size(), 3);
}

TEST_F(Csv, FirstRowWithoutHeaderStaysFirst) {
  const Dataset data = load("1,2,x\n3,4,y\n5,6,y\n");
  EXPECT_THAT(to_vector<float>(data.inputs), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(to_vector<int64_t>(data.labels), ElementsAre(0, 1, 1));
}

TEST_F(Csv, LabelColumnByNameAndIndex) {
  const std::string text = "kind,a,b\nx,1,2\ny,3,4\nx,5,6\n";
  for (const char* column : {"kind", "0", "-3"}) {
    const Dataset data = load(text, column);
    EXPECT_THAT(to_vector<float>(data.inputs), ElementsAre(1, 2, 3, 4, 5, 6)) << column;
    EXPECT_THAT(to_vector<int64_t>(data.labels), ElementsAre(0, 1, 0)) << column;
  }
  EXPECT_THAT(error(text, "kinds"), AllOf(HasSubstr("kind, a, b"), HasSubstr("mean kind?")));
  EXPECT_THAT(error(text, "3"), HasSubstr("an index from -3 to 2"));
}

TEST_F(Csv, QuotesFollowRfc4180) {
  const Dataset data =
      load("\xef\xbb\xbf\"a\",\"b\"\r\n1,\"x,\"\"1\"\"\r\ny\"\r\n\r\n2,z\r\n\"3\",z");
  EXPECT_THAT(to_vector<float>(data.inputs), ElementsAre(1, 2, 3));
  EXPECT_THAT(data.class_names, ElementsAre("x,\"1\"\r\ny", "z"));
  EXPECT_THAT(error("1,x\n2,\"y\n3,z\n"), AllOf(HasSubstr("row 2"), HasSubstr("a closing quote")));
  EXPECT_THAT(error("1,x\n\"2\"5,y\n"), AllOf(HasSubstr("row 2, column 0"), HasSubstr("\"5\"")));
}

TEST_F(Csv, CellsMustBeFiniteNumbers) {
  const std::string head = "a,width,label\n1,2,x\n";
  const auto at_width = HasSubstr("row 3, column 1 (width)");
  EXPECT_THAT(error(head + "3,wide,y\n"),
              AllOf(at_width, HasSubstr("expected  a number"), HasSubstr("\"wide\"")));
  EXPECT_THAT(error(head + "3,,y\n"), AllOf(at_width, HasSubstr("found     \"\"")));
  EXPECT_THAT(error(head + "3,4 5,y\n"), AllOf(at_width, HasSubstr("\"4 5\"")));
  for (const char* cell : {"nan", "inf", "-inf", "1e39"})  // float32 ends at 3.4e38
    EXPECT_THAT(error(head + "3," + cell + ",y\n"),
                AllOf(at_width, HasSubstr("a finite number"), HasSubstr(cell)));
  EXPECT_THAT(error("1,oops,x\n2,3,y\n4,5,x\n"),
              AllOf(HasSubstr("row 1, column 1"), HasSubstr("\"oops\"")));
  EXPECT_THAT(error(head + "3,4,\n"), AllOf(HasSubstr("row 3, column 2"), HasSubstr("empty cell")));
}

TEST_F(Csv, RaggedRowsAreRefused) {
  EXPECT_THAT(error("1,2,x\n3,y\n"),
              AllOf(HasSubstr("row 2"), HasSubstr("3 cells"), HasSubstr("found     2")));
  EXPECT_THAT(error("a,b\n1,2,x\n"), AllOf(HasSubstr("2 cells"), HasSubstr("found     3")));
}

TEST_F(Csv, EmptyAndUselessDataAreRefused) {
  EXPECT_THAT(error(""), HasSubstr("an empty file"));
  EXPECT_THAT(error("\n\n"), HasSubstr("an empty file"));
  EXPECT_THAT(error("a,b,label\n"), HasSubstr("at least one sample"));
  EXPECT_THAT(error("1;2\n3;4\n"), AllOf(HasSubstr("at least 2 columns"), HasSubstr("\"1;2\"")));
  EXPECT_THAT(error("1,x\n2,x\n"), AllOf(HasSubstr("at least 2 classes"), HasSubstr("1 class")));
  EXPECT_THAT(error("1,0.1\n2,0.2\n3,0.3\n"),
              AllOf(HasSubstr("3 different values in 3 rows"), HasSubstr("--label-column")));
}

TEST_F(Csv, PackedFileOfTwoMembers) {
  for (const auto& [mode, text] : {std::pair("wb", "1,x\n2,y\n"), std::pair("ab", "3,x\n")}) {
    const gzFile file = gzopen((folder_ / "b.csv.gz").c_str(), mode);
    gzputs(file, text);
    gzclose(file);
  }
  const Dataset data = load_data(folder_ / "b.csv.gz", {.test_fraction = 0}).train;
  EXPECT_THAT(to_vector<float>(data.inputs), ElementsAre(1, 2, 3));
}

// 10 samples of each of 2 classes: a fifth of each goes to the test part.
TEST_F(Csv, TestPartIsSplitOff) {
  std::string text;
  for (int i = 0; i < 20; ++i) text += std::to_string(i) + (i < 10 ? ",x\n" : ",y\n");
  const auto file = write("a.csv", text);
  const Splits first = load_data(file, {});
  EXPECT_EQ(first.train.size(), 16);
  EXPECT_THAT(to_vector<int64_t>(first.test.labels), ElementsAre(0, 0, 1, 1));
  std::vector<float> all = to_vector<float>(first.train.inputs);
  for (const float x : to_vector<float>(first.test.inputs)) all.push_back(x);
  std::sort(all.begin(), all.end());
  for (size_t i = 0; i < 20; ++i) EXPECT_EQ(all[i], i);
  EXPECT_TRUE(at::equal(load_data(file, {}).test.inputs, first.test.inputs));
  EXPECT_FALSE(at::equal(load_data(file, {.seed = 1}).test.inputs, first.test.inputs));
  EXPECT_FALSE(load_data(file, {.test_fraction = 0}).test.inputs.defined());
  EXPECT_THAT(load_error(file, {.test_fraction = 1}), HasSubstr("from 0 to below 1"));
}

}  // namespace
}  // namespace crrm
