// Folders of JPEG and PNG files, with a sub-folder for each class as torchvision's ImageFolder has
// them, or without classes.
#include <cctype>

#include "crrm/base/error.h"
#include "crrm/base/file.h"
#include "crrm/data/format.h"
#include "crrm/data/image_file.h"
#include "crrm/data/image_fit.h"

namespace crrm {

namespace fs = std::filesystem;

namespace {

const std::vector<std::string> kEndings = {".jpg", ".jpeg", ".png"};
/// Images that are not read: to pass over them would leave samples out unseen.
const std::vector<std::string> kOtherEndings = {".avif", ".bmp", ".gif", ".heic", ".jp2", ".jxl",
                                                ".pgm",  ".ppm", ".tif", ".tiff", ".webp"};
constexpr const char* kTrain = "train";
const std::vector<std::string> kTestNames = {"test", "val"};

bool ends_as(const fs::path& path, const std::vector<std::string>& endings) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return std::find(endings.begin(), endings.end(), ending) != endings.end();
}

bool is_hidden(const fs::path& path) {
  return path.filename().string().starts_with('.');
}

/// What one folder holds, in the order of the names; hidden entries and what is no image aside.
struct Listing {
  std::vector<fs::path> images;
  std::vector<fs::path> folders;
};

/// @throws InputError for an image of a kind that is not read.
Listing list_folder(const fs::path& folder) {
  Listing listing;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const fs::path& path = entry.path();
    if (is_hidden(path)) continue;
    if (entry.is_directory()) {
      listing.folders.push_back(path);
    } else if (ends_as(path, kEndings)) {
      listing.images.push_back(path);
    } else if (ends_as(path, kOtherEndings)) {
      throw InputError({.file = path.string(),
                        .expected = "JPEG and PNG files",
                        .found = fmt::format("an image {}", path.extension().string()),
                        .hint = "convert it, or move it to another place"});
    }
  }
  std::sort(listing.images.begin(), listing.images.end());
  std::sort(listing.folders.begin(), listing.folders.end());
  return listing;
}

/// A quick look, which passes over folders that may not be looked into.
bool holds_image(const fs::path& folder) {
  const fs::directory_iterator entries(folder, fs::directory_options::skip_permission_denied);
  return std::any_of(begin(entries), end(entries), [](const fs::directory_entry& entry) {
    return !is_hidden(entry.path()) && ends_as(entry.path(), kEndings) && !entry.is_directory();
  });
}

bool holds_folder_of_images(const fs::path& folder) {
  const fs::directory_iterator entries(folder, fs::directory_options::skip_permission_denied);
  return std::any_of(begin(entries), end(entries), [](const fs::directory_entry& entry) {
    return !is_hidden(entry.path()) && entry.is_directory() && holds_image(entry.path());
  });
}

/// The images of one part and, where they lie in a folder for each class, their classes.
struct ImageFiles {
  std::vector<fs::path> files;
  std::vector<int64_t> labels;           ///< empty, or one a file
  std::vector<std::string> class_names;  ///< empty where there are no classes

  bool labelled() const { return !class_names.empty(); }
};

[[noreturn]] void reject(const fs::path& path, const std::string& expected,
                         const std::string& found, const std::string& hint = {}) {
  throw InputError({.file = path.string(), .expected = expected, .found = found, .hint = hint});
}

/// Images that lie beside folders of images belong to no class, or these folders to no set.
ImageFiles flat_files(const fs::path& folder, Listing listing) {
  for (const fs::path& inner : listing.folders)
    if (holds_image(inner))
      reject(folder, "images in the folder itself, or in one sub-folder for each class",
             fmt::format("both: {} and the folder {}", listing.images[0].filename().string(),
                         inner.filename().string()));
  return {.files = std::move(listing.images), .labels = {}, .class_names = {}};
}

ImageFiles find_files(const fs::path& folder) {
  Listing listing = list_folder(folder);
  if (!listing.images.empty()) return flat_files(folder, std::move(listing));
  ImageFiles found;
  for (const fs::path& inner : listing.folders) {
    const Listing members = list_folder(inner);
    if (members.images.empty() || !members.folders.empty())
      reject(inner, "images of one class, without folders among them",
             fmt::format("{} images and {} folders", members.images.size(), members.folders.size()),
             "every sub-folder is a class, unless there are train and test (or val)");
    found.labels.insert(found.labels.end(), members.images.size(),
                        static_cast<int64_t>(found.class_names.size()));
    found.files.insert(found.files.end(), members.images.begin(), members.images.end());
    found.class_names.push_back(inner.filename().string());
  }
  return found;
}

/// The test part's classes become those of the training part. A class may be missing from it.
void renumber(ImageFiles& test, const fs::path& folder, const ImageFiles& train) {
  if (test.labelled() != train.labelled())
    reject(folder,
           train.labelled() ? "a sub-folder for each class, as the training images have"
                            : "images without classes, as the training images are",
           test.files.empty() ? "no images"
           : test.labelled()  ? "sub-folders"
                              : "images without classes");
  std::vector<int64_t> numbers;  // [test classes]
  for (const std::string& name : test.class_names) {
    const auto same = std::find(train.class_names.begin(), train.class_names.end(), name);
    if (same == train.class_names.end())
      reject(folder / name, "a class of the training images", name,
             suggestion(name, train.class_names));
    numbers.push_back(same - train.class_names.begin());
  }
  for (int64_t& label : test.labels) label = numbers[static_cast<size_t>(label)];
  test.class_names = train.class_names;
}

/// The folder of the test images; empty where train has no such folder beside it.
fs::path test_folder(const fs::path& path) {
  if (fs::is_directory(path / kTrain))
    for (const std::string& name : kTestNames)
      if (fs::is_directory(path / name)) return path / name;
  return {};
}

Dataset to_dataset(const ImageFiles& part, const at::Tensor& inputs, const fs::path& path) {
  Dataset data;
  data.inputs = inputs;
  if (part.labelled()) data.labels = at::tensor(part.labels, at::kLong);
  data.classes = static_cast<int64_t>(part.class_names.size());
  data.class_names = part.class_names;
  data.source = path.string();
  return data;
}

/// Decodes all files to one size. @param root of the names that the sum is made of.
at::Tensor read_images(const std::vector<fs::path>& files, const fs::path& root,
                       const DataOptions& options, HashedFiles& hashed) {
  std::vector<std::string> sums(files.size());
  const at::Tensor images =
      stack_images({.count = static_cast<int64_t>(files.size()),
                    .image =
                        [&](int64_t i) {
                          const fs::path& file = files[static_cast<size_t>(i)];
                          const std::string bytes = read_file(file);
                          sums[static_cast<size_t>(i)] = sha256_text(bytes);
                          const at::Tensor pixels =
                              decode_image(bytes, file.string());  // [H, W, 3]
                          return fit_image(pixels.permute({2, 0, 1}), options, file.string());
                        },
                    .name = [&](int64_t i) { return files[static_cast<size_t>(i)].string(); }});
  for (size_t i = 0; i < files.size(); ++i)
    hashed.add(files[i].lexically_relative(root).string(), sums[i]);
  return images;
}

bool matches(const fs::path& path) {
  if (!fs::is_directory(path)) return false;
  const fs::path test = test_folder(path);
  return holds_image(path) || holds_folder_of_images(path) ||
         (!test.empty() && (holds_folder_of_images(path / kTrain) || holds_folder_of_images(test)));
}

RawData load(const fs::path& path, const DataOptions& options) {
  const fs::path second = test_folder(path);
  RawData raw;
  raw.single = second.empty();
  const ImageFiles train = find_files(raw.single ? path : path / kTrain);
  ImageFiles test;
  if (!raw.single) {
    test = find_files(second);
    renumber(test, second, train);
  }
  std::vector<fs::path> files = train.files;
  files.insert(files.end(), test.files.begin(), test.files.end());
  HashedFiles hashed;
  const at::Tensor images = read_images(files, path, options, hashed);
  const auto count = static_cast<int64_t>(train.files.size());
  raw.train = to_dataset(train, images.narrow(0, 0, count), path);
  if (!raw.single)
    raw.test = to_dataset(test, images.narrow(0, count, images.size(0) - count), path);
  raw.train.sha256 = raw.test.sha256 = hashed.sha256();
  return raw;
}

const FormatRegistration registered(
    {.name = "Images",
     .look = "a folder of .jpg, .jpeg and .png files, or of one sub-folder for each class, or of "
             "train and test (or val)",
     .matches = matches,
     .load = load});

}  // namespace
}  // namespace crrm
