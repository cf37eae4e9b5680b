// Times over widths, and what lies between them.
#pragma once

#include <cstdint>
#include <vector>

namespace crrm {

/// The largest of 16, 8, 4 and 1 that divides a width. What computes blocks of 4, 8 or 16 channels
/// at once (vector units, ONNX Runtime's blocked layouts) takes other ways for other widths, so
/// that times of 60 and 64 channels say little of 61.
int64_t alignment(int64_t width);

/// The widths at which to measure: of each alignment that occurs the least, the largest, and the
/// one nearest to their geometric mean.
/// @param widths  all that can occur, ascending, > 0
/// @return ascending
std::vector<int64_t> widths_to_measure(const std::vector<int64_t>& widths);

/// Times on a grid of widths. Between them it is linear in each width, among those of the same
/// alignment: exact for a + b i + c o + d i o, exact at what was measured, and monotone between
/// neighbours of one alignment.
class WidthTable {
 public:
  /// @param widths  by axis the widths measured, strictly ascending, > 0; no axis: a constant
  /// @param times   [product of their numbers], the last axis runs fastest
  /// @throws InputError where the sizes do not fit.
  WidthTable(std::vector<std::vector<int64_t>> widths, std::vector<double> times);

  /// @param at  a width an axis; 0 where a width is, and as at the ends of the grid beyond it
  double operator()(const std::vector<int64_t>& at) const;

  const std::vector<std::vector<int64_t>>& widths() const { return widths_; }
  const std::vector<double>& times() const { return times_; }

 private:
  std::vector<std::vector<int64_t>> widths_;
  std::vector<double> times_;
};

}  // namespace crrm
