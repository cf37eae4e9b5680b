// CIFAR-10 in its binary version: records of a label byte and 3 x 32 x 32 bytes (red, green, blue
// planes, row by row). Source: https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version".
#include <cstring>
#include <sstream>

#include "crrm/base/error.h"
#include "crrm/data/format.h"
#include "crrm/data/image_fit.h"

namespace crrm {

namespace fs = std::filesystem;

namespace {

constexpr int64_t kClasses = 10;
constexpr int64_t kChannels = 3;
constexpr int64_t kSide = 32;
constexpr size_t kPixels = kChannels * kSide * kSide;
constexpr size_t kRecord = 1 + kPixels;
constexpr const char* kFolder = "cifar-10-batches-bin";
constexpr const char* kTest = "test_batch.bin";

std::vector<std::string> train_names() {
  std::vector<std::string> names;
  for (int i = 1; i <= 5; ++i) names.push_back(fmt::format("data_batch_{}.bin", i));
  return names;
}

bool holds_batches(const fs::path& folder) {
  if (fs::is_regular_file(folder / kTest)) return true;
  const std::vector<std::string> names = train_names();
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) { return fs::is_regular_file(folder / name); });
}

fs::path batches_folder(const fs::path& path) {
  return holds_batches(path) ? path : path / kFolder;
}

bool matches(const fs::path& path) {
  return holds_batches(batches_folder(path));
}

std::string read_batch(const fs::path& path, HashedFiles& files) {
  std::string bytes = files.read(path);
  if (bytes.empty() || bytes.size() % kRecord != 0)
    throw InputError({.file = path.string(),
                      .expected = fmt::format("records of {} bytes", kRecord),
                      .found = fmt::format("{} bytes: {} records and {} bytes", bytes.size(),
                                           bytes.size() / kRecord, bytes.size() % kRecord)});
  for (size_t i = 0; i < bytes.size() / kRecord; ++i)
    if (const int label = static_cast<uint8_t>(bytes[i * kRecord]); label >= kClasses)
      throw InputError({.file = path.string(),
                        .place = fmt::format("record {}", i),
                        .expected = fmt::format("a label from 0 to {}", kClasses - 1),
                        .found = fmt::format("{}", label)});
  return bytes;
}

Dataset read_part(const fs::path& folder, const std::vector<std::string>& names,
                  const DataOptions& options, HashedFiles& files) {
  std::vector<std::string> batches;
  int64_t count = 0;
  for (const std::string& name : names) {
    batches.push_back(read_batch(folder / name, files));
    count += static_cast<int64_t>(batches.back().size() / kRecord);
  }
  Dataset data;
  data.inputs = at::empty({count, kChannels, kSide, kSide}, at::kByte);
  data.labels = at::empty({count}, at::kLong);
  uint8_t* pixels = data.inputs.data_ptr<uint8_t>();
  int64_t* label = data.labels.data_ptr<int64_t>();
  for (const std::string& batch : batches)
    for (size_t at = 0; at < batch.size(); at += kRecord, pixels += kPixels) {
      *label++ = static_cast<uint8_t>(batch[at]);
      std::memcpy(pixels, batch.data() + at + 1, kPixels);
    }
  data.classes = kClasses;
  data.source = folder.string();
  data.inputs = fit_images(data.inputs, options, data.source);
  return data;
}

std::vector<std::string> read_names(const fs::path& path, HashedFiles& files) {
  if (!fs::exists(path)) return {};
  std::istringstream lines(files.read(path));
  std::vector<std::string> names;
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) names.push_back(line);
  }
  if (names.size() != kClasses)
    throw InputError({.file = path.string(),
                      .expected = fmt::format("{} class names, one per line", kClasses),
                      .found = fmt::format("{}", names.size())});
  return names;
}

RawData load(const fs::path& path, const DataOptions& options) {
  const fs::path folder = batches_folder(path);
  HashedFiles files;
  RawData raw;
  raw.train = read_part(folder, train_names(), options, files);
  if (fs::exists(folder / kTest)) raw.test = read_part(folder, {kTest}, options, files);
  raw.train.class_names = read_names(folder / "batches.meta.txt", files);
  raw.test.class_names = raw.train.class_names;
  raw.train.sha256 = raw.test.sha256 = files.sha256();
  return raw;
}

const FormatRegistration registered(
    {.name = "CIFAR-10 binary",
     .look = "a folder with data_batch_1.bin to data_batch_5.bin and test_batch.bin",
     .matches = matches,
     .load = load});

}  // namespace
}  // namespace crrm
