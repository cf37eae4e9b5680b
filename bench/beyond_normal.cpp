// The 40 tasks of "Beyond Normal" (Czyz et al., NeurIPS 2023) by nearest neighbours and by
// correlations, as a table in Markdown; in brackets what is refused. Exits 1 if nearest neighbours
// give a number that is off by more than max(0.05 nats, 15 %).
//   bench_beyond_normal [SAMPLES] [SEED] [THREADS]
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "crrm/estimators/gaussian_information.h"
#include "crrm/estimators/mutual_information.h"
#include "tests/estimators/beyond_normal.h"

namespace {

using namespace crrm;

constexpr double kTolerance = 0.05, kRelativeTolerance = 0.15;

std::string refusal(const Estimate& estimate) {
  for (const auto& [name, value] : estimate.details)
    if (name == "raw") return fmt::format("({:.3f})", value);
  return "-";
}

struct Count {
  std::string method;
  int64_t given = 0, wrong = 0, covered = 0;

  /// @return the table's cell
  std::string add(const Estimate& estimate, double truth) {
    if (estimate.refused()) return refusal(estimate);
    const bool holds =
        std::abs(*estimate.value - truth) <= std::max(kTolerance, kRelativeTolerance * truth);
    ++given;
    wrong += !holds;
    covered += estimate.interval->low <= truth && truth <= estimate.interval->high;
    return fmt::format("{:.3f} [{:.3f}, {:.3f}]{}", *estimate.value, estimate.interval->low,
                       estimate.interval->high, holds ? "" : " WRONG");
  }

  void print() const {
    fmt::print("{}: {} given, {} of them wrong, {} of their intervals cover the truth\n", method,
               given, wrong, covered);
  }
};

}  // namespace

int main(int argc, char** argv) {
  const int64_t samples = argc > 1 ? std::stoll(argv[1]) : 5000;
  const uint64_t seed = argc > 2 ? std::stoull(argv[2]) : 0;
  at::set_num_threads(argc > 3 ? std::stoi(argv[3]) : 2);
  Count neighbours{"ksg"}, correlations{"gaussian_information"};
  fmt::print("| task | truth | ksg | gaussian_information |\n|---|---|---|---|\n");
  for (const testing::BeyondNormalTask& task : testing::beyond_normal_tasks()) {
    const testing::Pair pair = task.sample(samples, seed);
    fmt::print("| {} | {:.3f} | {} | {} |\n", task.name, task.information,
               neighbours.add(ksg(pair.x, pair.y), task.information),
               correlations.add(gaussian_information(pair.x, pair.y), task.information));
  }
  fmt::print("\n");
  neighbours.print();
  correlations.print();
  return neighbours.wrong > 0;
}
