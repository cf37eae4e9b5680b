#include "crrm/activations/checkpoints.h"

#include <charconv>

#include "crrm/base/error.h"

namespace crrm {

namespace fs = std::filesystem;

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// The digits at `at` without leading zeros; moves `at` behind them.
std::string_view digits(std::string_view text, size_t& at) {
  const size_t first = at;
  while (at < text.size() && is_digit(text[at])) ++at;
  const std::string_view all = text.substr(first, at - first);
  return all.substr(std::min(all.find_first_not_of('0'), all.size()));
}

/// -1 where there is none that fits.
int64_t last_number(const std::string& name) {
  size_t end = name.size();
  while (end > 0 && !is_digit(name[end - 1])) --end;
  size_t begin = end;
  while (begin > 0 && is_digit(name[begin - 1])) --begin;
  int64_t number = -1;
  const auto parsed = std::from_chars(name.data() + begin, name.data() + end, number);
  return begin < end && parsed.ec == std::errc() ? number : -1;
}

/// In natural order.
std::vector<fs::path> folders_in(const fs::path& folder) {
  std::vector<fs::path> folders;
  if (fs::is_directory(folder))
    for (const fs::directory_entry& entry : fs::directory_iterator(folder))
      if (entry.is_directory()) folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end(), [](const fs::path& a, const fs::path& b) {
    return natural_less(a.filename().string(), b.filename().string());
  });
  return folders;
}

std::vector<int64_t> epochs_of(const std::vector<NetworkFile>& training) {
  std::vector<int64_t> epochs;
  for (const NetworkFile& file : training) epochs.push_back(file.epoch);
  return epochs;
}

}  // namespace

bool natural_less(const std::string& a, const std::string& b) {
  size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    if (is_digit(a[i]) && is_digit(b[j])) {
      const std::string_view x = digits(a, i), y = digits(b, j);
      if (x.size() != y.size()) return x.size() < y.size();
      if (x != y) return x < y;
    } else {
      if (a[i] != b[j]) return a[i] < b[j];
      ++i, ++j;
    }
  }
  return a.size() - i < b.size() - j;
}

std::vector<NetworkFile> checkpoints_in(const fs::path& folder) {
  std::vector<NetworkFile> files;
  if (fs::is_directory(folder))
    for (const fs::directory_entry& entry : fs::directory_iterator(folder))
      if (entry.path().extension() == ".onnx" || entry.path().extension() == ".safetensors")
        files.push_back({entry.path(), last_number(entry.path().stem().string())});
  if (files.empty())
    throw InputError({.file = folder.string(),
                      .expected = "a folder of .onnx or .safetensors files, one an epoch",
                      .found = fs::is_directory(folder) ? "none" : "no folder"});
  std::sort(files.begin(), files.end(), [](const NetworkFile& a, const NetworkFile& b) {
    return natural_less(a.path.filename().string(), b.path.filename().string());
  });
  const bool numbered =
      std::all_of(files.begin(), files.end(), [](const NetworkFile& f) { return f.epoch >= 0; });
  for (size_t i = 0; !numbered && i < files.size(); ++i) files[i].epoch = static_cast<int64_t>(i);
  return files;
}

std::vector<std::vector<NetworkFile>> trainings_in(const fs::path& folder) {
  constexpr size_t kLeast = 2;
  std::vector<std::vector<NetworkFile>> trainings;
  for (const fs::path& one : folders_in(folder)) {
    const fs::path epochs = one / "epochs";
    trainings.push_back(checkpoints_in(fs::is_directory(epochs) ? epochs : one));
    if (epochs_of(trainings.back()) != epochs_of(trainings[0]))
      throw InputError({.file = one.string(),
                        .expected = fmt::format("checkpoints of the epochs {}",
                                                fmt::join(epochs_of(trainings[0]), ", ")),
                        .found = fmt::format("{}", fmt::join(epochs_of(trainings.back()), ", "))});
  }
  if (trainings.size() < kLeast)
    throw InputError({.file = folder.string(),
                      .expected = "two or more folders, each with the checkpoints of one training",
                      .found = std::to_string(trainings.size()),
                      .hint = "crrm train ARCH --keep-epochs --seed S -o FOLDER/seed-S"});
  return trainings;
}

}  // namespace crrm
