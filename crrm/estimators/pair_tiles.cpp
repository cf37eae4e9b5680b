#include "crrm/estimators/pair_tiles.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace crrm {

namespace {

constexpr int64_t kTile =
    1024;  // points on a side: a tile of 4 MiB stays in the cache while it is read

constexpr int kLargestExponent = 1000;  // so that scales are finite in float64 ..
constexpr int kFloatExponent = 100;     // .. and in float32

// |v - |x - y|^2| <= (d + 12) u (|x|^2 + |y|^2) for u = 2^-24: the dot product gives d u 2 |x| |y|
// in any order of summation, the rounding of the centred points 4 u, the norms and three sums 7 u
// (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.1); 4 more cover
// second orders.
double relative_slack(int64_t d) {
  return static_cast<double>(d + 16) * 0x1p-24;
}

// Products below 2^-126 may be flushed to zero.
double absolute_slack(int64_t d) {
  return static_cast<double>(d) * 0x1p-120;
}

// Four sums, so that additions do not wait for one another.
template <typename T>
double squared_distance_of(const T* x, const T* y, int64_t d, double scale) {
  double sum[4] = {0, 0, 0, 0};
  int64_t c = 0;
  for (; c + 4 <= d; c += 4)
    for (int64_t lane = 0; lane < 4; ++lane) {
      const double difference =
          (static_cast<double>(x[c + lane]) - static_cast<double>(y[c + lane])) * scale;
      sum[lane] += difference * difference;
    }
  for (; c < d; ++c) {
    const double difference = (static_cast<double>(x[c]) - static_cast<double>(y[c])) * scale;
    sum[0] += difference * difference;
  }
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

}  // namespace

PairTiles::PairTiles(const at::Tensor& points) : points_(points) {
  const int64_t n = points.size(0), d = points.size(1);
  const auto [least, greatest] = at::aminmax(points);
  const int spread = std::ilogb(greatest.item<double>() / 2 - least.item<double>() / 2);
  scale_ = std::exp2(-std::clamp(spread, -kLargestExponent, kLargestExponent));
  const bool fits = std::abs(spread) < kFloatExponent;
  const at::Tensor scaled = (fits ? points : points.to(at::kDouble)) * scale_;  // [n, d]
  centred_ = scaled.sub_(scaled.mean(0)).to(at::kFloat);
  const at::Tensor squares =
      at::linalg_vector_norm(centred_, 2, at::IntArrayRef{1}, false, at::kDouble).square();  // [n]
  const at::Tensor slack = squares * relative_slack(d) + absolute_slack(d);
  norms_ = (squares - slack).to(at::kFloat);
  low_.assign(norms_.const_data_ptr<float>(), norms_.const_data_ptr<float>() + n);
  const at::Tensor rounded = slack.to(at::kFloat);
  slack_.assign(rounded.const_data_ptr<float>(), rounded.const_data_ptr<float>() + n);
}

void PairTiles::visit(const std::function<void(const PairTile&)>& use) const {
  const int64_t n = size();
  at::Tensor buffer = at::empty({std::min(n, kTile) * std::min(n, kTile)}, centred_.options());
  for (int64_t row = 0; row < n; row += kTile) {
    const int64_t rows = std::min(kTile, n - row);
    const at::Tensor left = centred_.narrow(0, row, rows);
    for (int64_t column = row; column < n; column += kTile) {
      const int64_t columns = std::min(kTile, n - column);
      at::Tensor values = buffer.narrow(0, 0, rows * columns).view({rows, columns});
      at::addmm_out(values, norms_.narrow(0, column, columns), left,
                    centred_.narrow(0, column, columns).t(), /*beta=*/1, /*alpha=*/-2);
      use({row, column, rows, columns, values.const_data_ptr<float>()});
    }
  }
}

double PairTiles::squared_distance(int64_t i, int64_t j) const {
  const int64_t d = points_.size(1);
  if (points_.scalar_type() == at::kFloat) {
    const float* x = points_.const_data_ptr<float>();
    return squared_distance_of(x + i * d, x + j * d, d, scale_);
  }
  const double* x = points_.const_data_ptr<double>();
  return squared_distance_of(x + i * d, x + j * d, d, scale_);
}

}  // namespace crrm
