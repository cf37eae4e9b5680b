#include "crrm/data/dataset.h"

#include "crrm/base/error.h"
#include "crrm/base/file.h"
#include "crrm/base/random.h"
#include "crrm/data/format.h"
#include "crrm/data/image_fit.h"
#include "crrm/data/split.h"

namespace crrm {

namespace fs = std::filesystem;

namespace {

constexpr uint64_t kTestStream = 0x74657374;  // "test": apart from the draws for held-out data

std::map<std::string, Format>& registry() {
  static std::map<std::string, Format> formats;
  return formats;
}

std::string list_formats() {
  std::string text = "one of";
  for (const auto& [name, format] : registry())
    text += fmt::format("\n              {}: {}", name, format.look);
  return text;
}

std::string describe_folder(const fs::path& folder) {
  constexpr size_t kShown = 5;
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    names.push_back(entry.path().filename().string());
  if (names.empty()) return "an empty folder";
  std::sort(names.begin(), names.end());
  const size_t more = names.size() > kShown ? names.size() - kShown : 0;
  names.resize(names.size() - more);
  return fmt::format("a folder with {}{}", fmt::join(names, ", "),
                     more ? fmt::format(" and {} more", more) : "");
}

std::string describe_path(const fs::path& path) {
  if (!fs::exists(path)) return "nothing there";
  if (fs::is_directory(path)) return describe_folder(path);
  if (!fs::is_regular_file(path)) return "neither a file nor a folder";
  return fmt::format("a file of {} bytes named {}", fs::file_size(path), path.filename().string());
}

const Format& recognise(const fs::path& path) {
  std::vector<const Format*> found;
  for (const auto& [name, format] : registry())
    if (format.matches(path)) found.push_back(&format);
  if (found.empty())
    throw InputError(
        {.file = path.string(), .expected = list_formats(), .found = describe_path(path)});
  if (found.size() > 1)
    throw InputError({.file = path.string(),
                      .expected = "data in one format",
                      .found = fmt::format("{} and {}", found[0]->name, found[1]->name)});
  return *found[0];
}

void check_labels(const Dataset& data, const std::string& part) {
  if (data.classes < 2)
    throw InputError({.file = data.source,
                      .place = part,
                      .expected = "labels of at least 2 classes",
                      .found = fmt::format("{} class", data.classes)});
  const int64_t count = data.labels.size(0);
  if (count != data.size())
    throw InputError({.file = data.source,
                      .place = part,
                      .expected = fmt::format("{} labels, one per sample", data.size()),
                      .found = fmt::format("{} labels", count)});
  const int64_t* labels = data.labels.const_data_ptr<int64_t>();
  const int64_t* wrong =
      std::find_if(labels, labels + count, [&](int64_t k) { return k < 0 || k >= data.classes; });
  if (wrong != labels + count)
    throw InputError({.file = data.source,
                      .place = fmt::format("{}, sample {}", part, wrong - labels),
                      .expected = fmt::format("a label from 0 to {}", data.classes - 1),
                      .found = fmt::format("{}", *wrong)});
}

/// "[i, j, k]" of the element at `flat` in a tensor of these sizes.
std::string index_text(int64_t flat, at::IntArrayRef sizes) {
  std::vector<int64_t> index(sizes.size());
  for (size_t axis = sizes.size(); axis-- > 0; flat /= sizes[axis])
    index[axis] = flat % sizes[axis];
  return fmt::format("[{}]", fmt::join(index, ", "));
}

void check_finite(const Dataset& data, const std::string& part) {
  if (data.inputs.scalar_type() != at::kFloat) return;
  const float* values = data.inputs.const_data_ptr<float>();
  const float* end = values + data.inputs.numel();
  const float* wrong = std::find_if(values, end, [](float x) { return !std::isfinite(x); });
  if (wrong != end)
    throw InputError({.file = data.source,
                      .place = fmt::format("{}, input {}", part,
                                           index_text(wrong - values, data.inputs.sizes())),
                      .expected = "a finite number",
                      .found = std::isnan(*wrong) ? "nan" : fmt::format("{}", *wrong)});
}

void check_part(const Dataset& data, const std::string& part) {
  if (data.size() == 0 || data.inputs.numel() == 0)
    throw InputError({.file = data.source,
                      .place = part,
                      .expected = "at least one sample",
                      .found = data.inputs.defined()
                                   ? fmt::format("inputs {}", c10::str(data.inputs.sizes()))
                                   : "none"});
  if (data.labelled()) check_labels(data, part);
  check_finite(data, part);
}

void reshape(Dataset& data, const std::vector<int64_t>& shape) {
  int64_t wanted = 1;
  bool fits = true;
  const int64_t stored = data.inputs.numel() / data.size();
  for (const int64_t extent : shape) {
    fits = fits && extent > 0 && extent <= stored / wanted;
    if (fits) wanted *= extent;
  }
  if (!fits || wanted != stored)
    throw InputError({.file = data.source,
                      .place = "shape of a sample",
                      .expected = fmt::format("a shape of {} values, as the data hold [{}]", stored,
                                              fmt::join(data.inputs.sizes().slice(1), ", ")),
                      .found = fmt::format("{}", fmt::join(shape, "x"))});
  std::vector<int64_t> sizes{data.size()};
  sizes.insert(sizes.end(), shape.begin(), shape.end());
  data.inputs = data.inputs.reshape(sizes);
}

}  // namespace

FormatRegistration::FormatRegistration(Format format) {
  const std::string name = format.name;
  if (!registry().emplace(name, std::move(format)).second)
    throw InternalError("data format registered twice: " + name);
}

std::string HashedFiles::read(const fs::path& path) {
  std::string content = read_file(path);
  add(path.filename().string(), sha256_text(content));
  return content;
}

void HashedFiles::add(std::string name, std::string sum) {
  sums_.emplace_back(std::move(name), std::move(sum));
}

std::string HashedFiles::sha256() const {
  if (sums_.size() == 1) return sums_[0].second;
  std::vector<std::pair<std::string, std::string>> sorted = sums_;
  std::sort(sorted.begin(), sorted.end());
  std::string lines;
  for (const auto& [name, sum] : sorted) lines += fmt::format("{}  {}\n", sum, name);
  return sha256_text(lines);
}

namespace {

RawData load_raw(const fs::path& path, const DataOptions& options) {
  try {
    return recognise(path).load(path, options);
  } catch (const fs::filesystem_error& error) {  // a folder that may not be looked into, say
    throw InputError({.file = error.path1().string(),
                      .expected = "a readable file or folder",
                      .found = error.code().message()});
  }
}

/// Checks what a format found and gives the samples the shape that the options state.
void finish_part(Dataset& data, const std::string& part, const DataOptions& options) {
  check_part(data, part);
  if (!options.shape.empty()) reshape(data, options.shape);
  data.channel_axis = options.layout == "hwc" ? -1 : 1;
  check_fitted(data, options);
}

}  // namespace

Splits load_data(const fs::path& path, const DataOptions& options) {
  check_image_options(options);
  RawData raw = load_raw(path, options);
  finish_part(raw.train, raw.single ? "data" : "training data", options);
  if (raw.test.inputs.defined()) finish_part(raw.test, "test data", options);
  if (!raw.single) return {std::move(raw.train), std::move(raw.test)};
  HeldOutSplit split =
      split_held_out(raw.train, options.test_fraction, mix(options.seed, kTestStream));
  return {std::move(split.train), std::move(split.held_out)};
}

}  // namespace crrm
