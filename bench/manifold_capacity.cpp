// Seconds of the capacity of 50 manifolds of 50 points in 1,000 dimensions with 300 directions,
// median of runs, and the manifolds for bench/manifold_capacity.py. Fails where capacity is not
// that of the first run or a projection was not found.
//   OMP_WAIT_POLICY=passive bench_manifold_capacity MANIFOLDS.npy [THREADS]
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <fstream>
#include <string>
#include <vector>

#include "crrm/estimators/manifold_capacity.h"

namespace {

constexpr int64_t kManifolds = 50, kPoints = 50, kDimensions = 1000, kDirections = 300;
constexpr int kWarmUp = 1, kRuns = 5;
constexpr double kNormal95 = 1.959963984540054;  // two-sided 95 % quantile, of the interval

// Gaussian centres, and clouds about them with standard deviations falling as k^-1/2.
at::Tensor clouds() {
  at::Generator generator = at::detail::createCPUGenerator(1);
  const at::Tensor centres = at::randn({kManifolds, 1, kDimensions}, generator, at::kDouble);
  const at::Tensor spread = at::arange(1, kDimensions + 1, at::kDouble).rsqrt();
  return centres +
         5 * spread * at::randn({kManifolds, kPoints, kDimensions}, generator, at::kDouble);
}

// NumPy's format, version 1.0, of little-endian float64 in rows.
void write_npy(const at::Tensor& tensor, const std::string& path) {
  std::string header =
      fmt::format("{{'descr': '<f8', 'fortran_order': False, 'shape': ({}, {}, {}), }}",
                  tensor.size(0), tensor.size(1), tensor.size(2));
  header.resize((10 + header.size() + 1 + 63) / 64 * 64 - 11, ' ');
  header += '\n';
  std::ofstream file(path, std::ios::binary);
  file << "\x93NUMPY\x01" << '\0' << static_cast<char>(header.size()) << '\0' << header;
  file.write(static_cast<const char*>(tensor.const_data_ptr()),
             static_cast<std::streamsize>(tensor.nbytes()));
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: bench_manifold_capacity MANIFOLDS.npy [THREADS]\n");
    return 2;
  }
  const int threads = argc > 2 ? std::stoi(argv[2]) : 1;
  at::set_num_threads(threads);
  const at::Tensor all = clouds().contiguous();  // [P, M, N]
  write_npy(all, argv[1]);
  const std::vector<at::Tensor> manifolds = all.unbind();
  std::vector<double> seconds, cpu;
  double capacity = 0, error = 0;
  for (int run = 0; run < kWarmUp + kRuns; ++run) {
    const std::clock_t start_cpu = std::clock();
    const auto start = std::chrono::steady_clock::now();
    const crrm::ManifoldCapacity found = crrm::manifold_capacity(
        manifolds, {.directions = kDirections, .remove_shared_centres = false});
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    if (run >= kWarmUp) {
      seconds.push_back(took.count());
      cpu.push_back(static_cast<double>(std::clock() - start_cpu) / CLOCKS_PER_SEC);
    }
    if (run == 0) {
      capacity = *found.capacity.value;
      error = (found.capacity.interval->high - found.capacity.interval->low) / (2 * kNormal95);
    }
    if (*found.capacity.value != capacity || found.capacity.validity != crrm::Validity::ok) {
      fmt::print(stderr, "capacity {}: {}\n", *found.capacity.value, found.capacity.reason);
      return 1;
    }
  }
  fmt::print(
      "crrm    capacity {:.5f} +- {:.5f}  {:.3f} s, {:.3f} s of CPU, median of {}, {} thread(s)\n",
      capacity, error, median(seconds), median(cpu), kRuns, threads);
  return 0;
}
