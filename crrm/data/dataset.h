// What the program trains and measures on: samples, with class labels or without, read from the
// formats that users have. A format is one file of this folder that registers itself (format.h).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace crrm {

/// Samples, and their class labels where the data have any. Immutable after loading.
struct Dataset {
  at::Tensor inputs;         ///< [N, ...] uint8 (images [N, C, H, W] or [N, H, W, C]) or float32
  int64_t channel_axis = 1;  ///< of the inputs: 1, or -1 where DataOptions::layout is hwc
  at::Tensor labels;         ///< [N] int64 in [0, classes); undefined where the data have none
  int64_t classes = 0;       ///< >= 2; 0 without labels
  std::vector<std::string> class_names;  ///< [classes], or empty where the data name none
  std::string source;                    ///< path, for messages and the report
  /// Of the files read: the file's own sum, or, for several, the sum of the lines that
  /// `sha256sum FILE...` prints, in name order.
  std::string sha256;

  int64_t size() const { return inputs.defined() ? inputs.size(0) : 0; }
  bool labelled() const { return labels.defined(); }
};

struct Splits {
  Dataset train;
  Dataset test;  ///< inputs undefined where the data have no test part
};

struct DataOptions {
  /// CSV only: name of the label's column, or its index from 0 (from the end where negative; a
  /// whole number is always an index). Empty: the last column.
  std::string label_column = {};
  std::vector<int64_t> shape = {};  ///< of one sample, such as {1, 8, 8}; empty: as the data say
  double test_fraction =
      0.2;            ///< [0, 1): split off data that come without a test part of their own
  uint64_t seed = 0;  ///< of that split
  std::vector<int64_t> resize = {};  ///< images: {S} shorter side, {H, W} both; empty: as they are
  std::vector<int64_t> crop = {};  ///< images: centre crop {S} or {H, W} after resize; empty: none
  std::string channels = "rgb";    ///< images: rgb, bgr or grey
  std::string layout = "chw";      ///< images: chw [C, H, W] or hwc [H, W, C] samples
};

/// Recognises the format from what lies at `path` (file or folder) and reads it.
///   CIFAR-10 binary   a folder with data_batch_1..5.bin, or its parent folder
///   IDX (MNIST)       a folder with {train,t10k}-{images-idx3,labels-idx1}-ubyte, .gz or not
///   CSV               NAME.csv or NAME.csv.gz
///   NumPy             NAME.npz, or a folder of .npy: x_train, y_train, x_test, y_test, or x and y;
///                     inputs alone, or NAME.npy of inputs, are data without labels
///   images            a folder of JPEG and PNG files, flat (no labels) or one sub-folder a class;
///                     or two such folders, train and test (or val)
/// What comes as one set is divided: a `test_fraction` of it, of each class where there are labels,
/// becomes the test part.
/// Every sample is checked: labels in range, numbers finite, at least two classes. Arrays and
/// tables are read as they are: their samples must have the extents that `resize` and `crop` give.
/// @throws InputError naming file, place, expected and found; it lists the formats where none fits.
Splits load_data(const std::filesystem::path& path, const DataOptions& options);

}  // namespace crrm
