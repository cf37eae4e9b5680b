// Seconds and peak memory of the estimates of intrinsic dimension, beside Python rivals:
//   bench_intrinsic_dimension MODE POINTS DIMENSIONS THREADS [FILE]
// MODE is two_nn, gride, simplex_skewness or separability. Reads the points, float32 row by row,
// from FILE or draws standard normal ones. Prints "seconds value value ..", medians of 3 runs, one
// where more than 1e12 products are to be made.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <fstream>

#include "crrm/estimators/gride.h"
#include "crrm/estimators/intrinsic_dimension.h"
#include "crrm/estimators/separability.h"
#include "crrm/estimators/simplex_skewness.h"

namespace {

using namespace crrm;

constexpr int kRuns = 3;
constexpr double kManyProducts = 1e12;
constexpr int64_t kGrideNeighbours = 128, kSkewnessNeighbours = 100;

std::vector<double> measure(const std::string& mode, const at::Tensor& points) {
  if (mode == "two_nn") return {*two_nn(nearest_neighbours(points, 2)).value};
  if (mode == "separability") return {*separability_dimension(points).value};
  if (mode == "simplex_skewness")
    return {
        *simplex_skewness_dimension(points, nearest_neighbours(points, kSkewnessNeighbours)).value};
  std::vector<double> values;
  for (const Estimate& scale : gride(nearest_neighbours(points, kGrideNeighbours)).scales)
    values.push_back(*scale.value);
  return values;
}

at::Tensor load(int64_t n, int64_t d, const char* path) {
  if (path == nullptr)
    return at::randn({n, d}, at::make_generator<at::CPUGeneratorImpl>(0), at::kFloat);
  at::Tensor points = at::empty({n, d}, at::kFloat);
  std::ifstream(path, std::ios::binary)
      .read(static_cast<char*>(points.mutable_data_ptr()),
            n * d * static_cast<int64_t>(sizeof(float)));
  return points;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    fmt::print(stderr, "usage: bench_intrinsic_dimension MODE POINTS DIMENSIONS THREADS [FILE]\n");
    return 2;
  }
  const int64_t n = std::stoll(argv[2]), d = std::stoll(argv[3]);
  at::set_num_threads(std::stoi(argv[4]));
  const at::Tensor points = load(n, d, argc > 5 ? argv[5] : nullptr);
  const auto products = static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(d);
  std::vector<double> seconds, values;
  for (int run = 0; run < (products > kManyProducts ? 1 : kRuns); ++run) {
    const auto start = std::chrono::steady_clock::now();
    values = measure(argv[1], points);
    seconds.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::nth_element(seconds.begin(),
                   seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2),
                   seconds.end());
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print(stderr, "peak {} MiB\n", usage.ru_maxrss / 1024);
  fmt::print("{:.4f} {:.10f}\n", seconds[seconds.size() / 2], fmt::join(values, " "));
  return 0;
}
