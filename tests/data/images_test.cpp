// Images are PNG files, which keep every value, so that tests know the samples.
#include <gmock/gmock.h>

#include "crrm/base/file.h"
#include "crrm/data/loader.h"
#include "data_files.h"
#include "image_bytes.h"

namespace crrm {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class Images : public DataFiles {
 protected:
  /// The file NAME, filled with `level`, or with a pattern where that is negative.
  fs::path image(const std::string& name, int level = -1, int64_t height = 4,
                 int64_t width = 5) const {
    fs::create_directories((folder_ / name).parent_path());
    return write(name, png(level < 0 ? pattern(height, width)
                                     : at::full({height, width, 3}, level, at::kByte)));
  }

  Dataset whole(DataOptions options = {}) const {
    options.test_fraction = 0;
    return load_data(folder_, options).train;
  }
};

/// The first value of each sample.
std::vector<uint8_t> levels(const Dataset& data) {
  return to_vector<uint8_t>(data.inputs.flatten(1).select(1, 0));
}

TEST_F(Images, FlatFolderHasNoLabels) {
  for (const char* name : {"b.png", "a10.PNG", "a9.png"}) image(name, name[1] == '9' ? 9 : name[0]);
  const Dataset data = whole();
  EXPECT_FALSE(data.labelled());
  EXPECT_EQ(data.classes, 0);
  EXPECT_TRUE(data.class_names.empty());
  EXPECT_EQ(data.source, folder_.string());
  EXPECT_EQ(data.inputs.sizes(), at::IntArrayRef({3, 3, 4, 5}));
  EXPECT_THAT(levels(data), ElementsAre('a', 9, 'b'));  // by name
}

TEST_F(Images, SamplesAreChannelsOfRows) {
  image("a.png");
  EXPECT_TRUE(at::equal(whole().inputs[0], pattern(4, 5).permute({2, 0, 1})));
}

TEST_F(Images, FlatFolderIsDivided) {
  for (int i = 0; i < 10; ++i) image(fmt::format("{}.png", i), i);
  const Splits splits = load_data(folder_, {});
  EXPECT_EQ(splits.train.size(), 8);
  EXPECT_EQ(splits.test.size(), 2);
  EXPECT_FALSE(splits.test.labelled());
}

TEST_F(Images, SubFoldersAreClasses) {
  image("dog/1.png", 3);
  image("cat/2.png", 2);
  image("cat/1.png", 1);
  const Dataset data = whole();
  EXPECT_THAT(levels(data), ElementsAre(1, 2, 3));
  EXPECT_THAT(to_vector<int64_t>(data.labels), ElementsAre(0, 0, 1));
  EXPECT_EQ(data.classes, 2);
  EXPECT_THAT(data.class_names, ElementsAre("cat", "dog"));
}

TEST_F(Images, OneClassIsTooFew) {
  image("cat/1.png");
  EXPECT_THAT(load_error(folder_), HasSubstr("at least 2 classes"));
}

TEST_F(Images, TrainAndTest) {
  image("train/cat/1.png", 1);
  image("train/dog/1.png", 2);
  image("train/elk/1.png", 3);
  image("test/dog/7.png", 4);  // no cat, no elk
  const Splits splits = load_data(folder_, {});
  EXPECT_THAT(to_vector<int64_t>(splits.train.labels), ElementsAre(0, 1, 2));
  EXPECT_THAT(levels(splits.test), ElementsAre(4));
  EXPECT_THAT(to_vector<int64_t>(splits.test.labels), ElementsAre(1));
  EXPECT_EQ(splits.test.classes, 3);
  image("test/dogs/1.png");
  EXPECT_THAT(load_error(folder_), AllOf(HasSubstr("a class of the training images"),
                                         HasSubstr("found     dogs"), HasSubstr("dog?")));
}

TEST_F(Images, ValIsTheTestPartWhereThereIsNoTest) {
  image("train/1.png", 1);
  image("val/1.png", 2);
  EXPECT_THAT(levels(load_data(folder_, {}).test), ElementsAre(2));
  image("test/1.png", 3);
  const Splits splits = load_data(folder_, {});
  EXPECT_THAT(levels(splits.test), ElementsAre(3));
  EXPECT_FALSE(splits.train.labelled());
}

TEST_F(Images, PartsMustAgree) {
  image("train/cat/1.png");
  image("train/dog/1.png");
  image("val/1.png");
  EXPECT_THAT(load_error(folder_), AllOf(HasSubstr("val"), HasSubstr("a sub-folder for each class"),
                                         HasSubstr("found     images without classes")));
  fs::remove(folder_ / "val/1.png");
  EXPECT_THAT(load_error(folder_), HasSubstr("found     no images"));
  image("val/cat/1.png", 0, 9, 9);
  EXPECT_THAT(load_error(folder_),
              AllOf(HasSubstr("val/cat/1.png"), HasSubstr("[3, 4, 5]"), HasSubstr("[3, 9, 9]")));
}

TEST_F(Images, SizesMustBeOne) {
  image("cat/1.png");
  image("cat/2.png", -1, 6, 5);
  image("dog/3.png", -1, 7, 5);
  EXPECT_THAT(load_error(folder_),
              AllOf(HasSubstr("cat/2.png"), HasSubstr("[3, 4, 5], as"), HasSubstr("cat/1.png is"),
                    HasSubstr("[3, 6, 5]"), HasSubstr("--resize and --crop")));
  EXPECT_EQ(whole({.crop = {4}}).inputs.sizes(), at::IntArrayRef({3, 3, 4, 4}));
  EXPECT_EQ(whole({.resize = {8, 6}}).inputs.sizes(), at::IntArrayRef({3, 3, 8, 6}));
  EXPECT_THAT(load_error(folder_, {.crop = {5}}),
              AllOf(HasSubstr("cat/1.png: crop"), HasSubstr("at least 5 x 5")));
}

TEST_F(Images, ChannelsAndLayout) {
  image("a.png");
  image("b.png");
  EXPECT_TRUE(at::equal(whole({.channels = "bgr"}).inputs, whole().inputs.flip({1})));
  EXPECT_EQ(whole({.channels = "grey"}).inputs.sizes(), at::IntArrayRef({2, 1, 4, 5}));
  const Dataset last = whole({.layout = "hwc"});
  EXPECT_EQ(last.channel_axis, -1);
  EXPECT_TRUE(at::equal(last.inputs, whole().inputs.permute({0, 2, 3, 1})));
}

TEST_F(Images, OtherFilesAreIgnored) {
  image("cat/1.png");
  image("dog/1.png");
  image(".ipynb_checkpoints/1.png");
  write("cat/.2.png", "");
  write("cat/Thumbs.db", "");
  write("README.txt", "");
  write("labels.csv", "1,cat");
  EXPECT_EQ(whole().size(), 2);
}

TEST_F(Images, ImagesThatAreNotReadAreRefused) {
  image("cat/1.png");
  image("dog/1.png");
  write("dog/2.WebP", "");
  EXPECT_THAT(load_error(folder_), AllOf(HasSubstr("dog/2.WebP"), HasSubstr("JPEG and PNG files"),
                                         HasSubstr("an image .WebP")));
}

TEST_F(Images, MixedFoldersAreRefused) {
  image("cat/1.png");
  image("dog/1.png");
  image("dog/puppies/1.png");
  EXPECT_THAT(load_error(folder_), AllOf(HasSubstr("dog"), HasSubstr("images of one class"),
                                         HasSubstr("1 images and 1 folders")));
  fs::remove_all(folder_ / "dog/puppies");
  fs::create_directory(folder_ / "elk");
  EXPECT_THAT(load_error(folder_), AllOf(HasSubstr("elk"), HasSubstr("0 images and 0 folders")));
  image("0.png");
  EXPECT_THAT(load_error(folder_), HasSubstr("both: 0.png and the folder cat"));
}

TEST_F(Images, BytesDecideNotTheEnding) {
  write("a.jpeg", png(pattern(4, 5)));
  write("b.png", jpeg(at::full({4, 5, 3}, 99, at::kByte)));
  EXPECT_TRUE(at::equal(whole().inputs[0], pattern(4, 5).permute({2, 0, 1})));
  EXPECT_EQ(whole().inputs[1][1][2][3].item<int>(), 99);
}

TEST_F(Images, DamagedFilesAreNamed) {
  image("cat/1.png");
  image("dog/1.png");
  const std::string whole_file = jpeg(pattern(40, 50));
  write("dog/2.jpg", whole_file.substr(0, whole_file.size() / 2));
  EXPECT_THAT(load_error(folder_), AllOf(HasSubstr("dog/2.jpg"), HasSubstr("a whole JPEG file")));
  write("dog/2.jpg", png_header(100'000, 100'000));
  EXPECT_THAT(load_error(folder_), AllOf(HasSubstr("dog/2.jpg"), HasSubstr("100000 x 100000")));
}

// What `cd FOLDER; sha256sum train/*/* | sha256sum` prints, where names are in that order.
TEST_F(Images, SumIsThatOfAllNamesAndFiles) {
  std::string lines;
  for (const char* name : {"train/cat/1.png", "train/dog/1.png", "val/cat/1.png"})
    lines += sha256_file(image(name)) + "  " + name + "\n";
  EXPECT_EQ(load_data(folder_, {}).test.sha256, sha256_text(lines));
}

TEST_F(Images, NormalisedByTheChannelsOfEitherLayout) {
  image("a.png");
  image("b.png", 7);
  const Normalisation n{.scale = 1.0 / 255, .mean = {0.485, 0.456, 0.406}, .std = {0.2, 0.3, 0.4}};
  const Batch planes = take(whole(), n, 0, 2, false);
  const Batch pixels = take(whole({.layout = "hwc"}), n, 0, 2, true);
  EXPECT_FALSE(pixels.labels.defined());
  EXPECT_TRUE(pixels.inputs.is_contiguous());
  EXPECT_TRUE(at::equal(pixels.inputs, planes.inputs.permute({0, 2, 3, 1})));
  EXPECT_THROW(take(whole({.layout = "hwc"}), {.mean = {1, 2, 3, 4}, .std = {}}, 0, 2, false),
               InputError);
}

TEST_F(Images, UnreadableFoldersBesideOthersAreNoReasonToFail) {
  write("a.csv", "1,0\n2,1\n3,0\n");
  fs::create_directories(folder_ / "lost+found");
  fs::permissions(folder_ / "lost+found", fs::perms::none);
  EXPECT_EQ(load_data(folder_ / "a.csv", {}).train.classes, 2);
  EXPECT_THAT(load_error(folder_), HasSubstr("Images: a folder of .jpg"));
  fs::permissions(folder_ / "lost+found", fs::perms::owner_all);
}

}  // namespace
}  // namespace crrm
