// Arrays of NumPy: NAME.npz, or a folder of .npy files, with x_train, y_train and maybe x_test and
// y_test, or with x and y.
#include "crrm/base/error.h"
#include "crrm/data/format.h"
#include "crrm/data/npy.h"
#include "crrm/data/zip.h"

namespace crrm {

namespace fs = std::filesystem;

namespace {

const std::vector<std::string> kInputNames = {"x", "X", "inputs"};
const std::vector<std::string> kLabelNames = {"y", "labels"};

/// Named arrays, wherever they lie.
class Arrays {
 public:
  explicit Arrays(const fs::path& path) : path_(path) {
    if (!fs::is_directory(path)) archive_.emplace(files_.read(path), path.string());
  }

  /// The first of the names that there is, or "".
  std::string first_of(const std::vector<std::string>& names) const {
    for (const std::string& name : names)
      if (has(name)) return name;
    return "";
  }

  at::Tensor read(const std::string& name) {
    const std::string entry = name + ".npy";
    if (archive_) return parse_npy(archive_->extract(entry), path_.string(), name);
    const fs::path file = path_ / entry;
    return parse_npy(files_.read(file), file.string(), name);
  }

  std::string list() const {
    const std::vector<std::string> names = entries();
    return names.empty() ? "no arrays" : fmt::format("{}", fmt::join(names, ", "));
  }

  /// Whether there is nothing but arrays of these names.
  bool hold_only(const std::vector<std::string>& names) const {
    const std::vector<std::string> held = entries();
    return std::all_of(held.begin(), held.end(), [&](const std::string& entry) {
      return std::any_of(names.begin(), names.end(),
                         [&](const std::string& name) { return entry == name + ".npy"; });
    });
  }

  std::string sha256() const { return files_.sha256(); }

 private:
  std::vector<std::string> entries() const {
    if (archive_) return archive_->names();
    std::vector<std::string> names;
    for (const fs::directory_entry& entry : fs::directory_iterator(path_))
      if (entry.path().extension() == ".npy") names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }

  bool has(const std::string& name) const {
    const std::string entry = name + ".npy";
    return archive_ ? archive_->has(entry) : fs::exists(path_ / entry);
  }

  fs::path path_;
  HashedFiles files_;
  std::optional<ZipArchive> archive_;
};

[[noreturn]] void reject(const fs::path& path, const std::string& place,
                         const std::string& expected, const std::string& found) {
  throw InputError({.file = path.string(), .place = place, .expected = expected, .found = found});
}

at::Tensor as_inputs(const at::Tensor& stored, const fs::path& path, const std::string& name) {
  if (stored.dim() < 2)
    reject(path, name, "inputs [N, ...] of at least 2 axes",
           fmt::format("shape {}", c10::str(stored.sizes())));
  return stored.scalar_type() == at::kByte ? stored : stored.to(at::kFloat);
}

at::Tensor read_labels(Arrays& arrays, const fs::path& path, const std::string& name) {
  at::Tensor stored = arrays.read(name);
  if (stored.dim() == 2 && stored.size(1) == 1) stored = stored.squeeze(1);
  if (stored.dim() != 1 || stored.is_floating_point())
    reject(path, name, "labels [N] of whole numbers (u1, i4 or i8)",
           fmt::format("shape {} of {}", c10::str(stored.sizes()),
                       c10::toString(stored.scalar_type())));
  return stored.to(at::kLong);
}

/// @param labels name of an array, or "" where the data have none.
Dataset read_set(Arrays& arrays, const fs::path& path, const std::string& inputs,
                 const std::string& labels) {
  Dataset data;
  data.source = path.string();
  data.inputs = as_inputs(arrays.read(inputs), path, inputs);
  if (labels.empty()) return data;
  data.labels = read_labels(arrays, path, labels);
  if (data.inputs.size(0) != data.labels.size(0))
    reject(path, labels,
           fmt::format("{} labels, as {} holds {} samples", data.inputs.size(0), inputs,
                       data.inputs.size(0)),
           fmt::format("{} labels", data.labels.size(0)));
  return data;
}

/// Largest label + 1. A label beyond the number of samples is no class of theirs.
int64_t count_classes(const Dataset& train, const fs::path& path, const std::string& name) {
  if (train.labels.numel() == 0) return 0;
  const int64_t largest = train.labels.max().item<int64_t>();
  if (largest >= train.size())
    reject(path, name, fmt::format("labels 0, 1, 2, ..., below the {} samples", train.size()),
           fmt::format("{}", largest));
  return largest + 1;
}

/// NAME.npy holds inputs alone.
RawData load_array(const fs::path& path) {
  HashedFiles files;
  const at::Tensor stored = parse_npy(files.read(path), path.string(), "");
  RawData raw;
  raw.single = true;
  raw.train.inputs = as_inputs(stored, path, "");
  raw.train.source = path.string();
  raw.train.sha256 = files.sha256();
  return raw;
}

bool matches(const fs::path& path) {
  if (fs::is_regular_file(path)) return path.extension() == ".npz" || path.extension() == ".npy";
  return fs::exists(path / "x_train.npy") || fs::exists(path / "x.npy") ||
         fs::exists(path / "X.npy") || fs::exists(path / "inputs.npy");
}

/// @param labels of the training data, or "".
Dataset read_test(Arrays& arrays, const fs::path& path, const Dataset& train,
                  const std::string& labels) {
  if (!labels.empty() && arrays.first_of({"y_test"}).empty())
    reject(path, "x_test", "its labels y_test, as x_train has y_train", arrays.list());
  Dataset test = read_set(arrays, path, "x_test", labels.empty() ? "" : "y_test");
  if (test.inputs.sizes().slice(1) != train.inputs.sizes().slice(1))
    reject(path, "x_test", fmt::format("samples as in x_train, {}", c10::str(train.inputs.sizes())),
           c10::str(test.inputs.sizes()));
  return test;
}

RawData load(const fs::path& path, const DataOptions&) {
  if (path.extension() == ".npy" && fs::is_regular_file(path)) return load_array(path);
  Arrays arrays(path);
  RawData raw;
  std::string inputs = arrays.first_of({"x_train"});
  std::string labels = arrays.first_of({"y_train"});
  raw.single = inputs.empty();
  if (raw.single) {
    inputs = arrays.first_of(kInputNames);
    labels = arrays.first_of(kLabelNames);
  }
  // What lies beside inputs without labels may be labels under another name.
  if (inputs.empty() ||
      (labels.empty() && !arrays.hold_only({inputs, raw.single ? inputs : "x_test"})))
    reject(path, "",
           "arrays x_train, y_train, x_test, y_test, or x (X, inputs) and y (labels); or inputs "
           "alone",
           arrays.list());
  raw.train = read_set(arrays, path, inputs, labels);
  if (raw.train.labelled()) raw.train.classes = count_classes(raw.train, path, labels);
  if (!raw.single && !arrays.first_of({"x_test"}).empty())
    raw.test = read_test(arrays, path, raw.train, labels);
  raw.test.classes = raw.train.classes;
  raw.train.sha256 = raw.test.sha256 = arrays.sha256();
  return raw;
}

const FormatRegistration registered(
    {.name = "NumPy",
     .look = "NAME.npz or a folder of .npy files with x_train, y_train, x_test, y_test, or x, y, "
             "or inputs alone; NAME.npy of inputs",
     .matches = matches,
     .load = load});

}  // namespace
}  // namespace crrm
