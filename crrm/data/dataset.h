// What the program trains and measures on: samples with class labels, read from the formats that
// users have. A format is one file of this folder that registers itself (format.h).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace crrm {

/// Samples with class labels. Immutable after loading.
struct Dataset {
  at::Tensor inputs;    ///< [N, ...] uint8 (images [N, C, H, W]) or float32 (tables [N, D]; arrays)
  at::Tensor labels;    ///< [N] int64 in [0, classes)
  int64_t classes = 0;  ///< >= 2
  std::vector<std::string> class_names;  ///< [classes], or empty where the data name none
  std::string source;                    ///< path, for messages and the report
  /// Of the files read: the file's own sum, or, for several, the sum of the lines that
  /// `sha256sum FILE...` prints, in name order.
  std::string sha256;

  int64_t size() const { return inputs.defined() ? inputs.size(0) : 0; }
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
};

/// Recognises the format from what lies at `path` (file or folder) and reads it.
///   CIFAR-10 binary   a folder with data_batch_1..5.bin, or its parent folder
///   IDX (MNIST)       a folder with {train,t10k}-{images-idx3,labels-idx1}-ubyte, .gz or not
///   CSV               NAME.csv or NAME.csv.gz
///   NumPy             NAME.npz, or a folder of .npy: x_train, y_train, x_test, y_test, or x and y
/// CSV and x, y of NumPy are one set: a stratified `test_fraction` of it becomes the test part.
/// Every sample is checked: labels in range, numbers finite, at least two classes.
/// @throws InputError naming file, place, expected and found; it lists the formats where none fits.
Splits load_data(const std::filesystem::path& path, const DataOptions& options);

}  // namespace crrm
