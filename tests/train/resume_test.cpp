#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "crrm/architectures/architecture.h"
#include "crrm/base/error.h"
#include "crrm/base/interrupt.h"
#include "crrm/train/classification.h"
#include "crrm/train/run.h"
#include "tests/train/stripes.h"

namespace crrm {
namespace {

constexpr int64_t kSteps = 8;  // an epoch, of 16 samples
constexpr int64_t kEpochs = 5;

/// What a file would hold: the run goes on to change its tensors.
TensorFile copy(TensorFile state) {
  for (auto& [name, tensor] : state.tensors) tensor = tensor.clone();
  return state;
}

/// Asks the run to stop while it evaluates for the `stop`-th time.
class StoppingTask : public Classification {
 public:
  StoppingTask(const Graph& teacher, int64_t stop)
      : Classification(4, std::make_unique<Teacher>(teacher), {}), stop_(stop) {}

  Evaluation evaluate(const Forward& forward, const Dataset& data,
                      const Normalisation& normalisation, int64_t batch) const override {
    if (++seen_ == stop_) std::raise(SIGTERM);
    return Classification::evaluate(forward, data, normalisation, batch);
  }
  int64_t seen() const { return seen_; }

 private:
  int64_t stop_;
  mutable int64_t seen_ = 0;
};

class Resume : public testing::Test {
 protected:
  Resume()
      : network_(build("digits", {1, 8, 8}, 4, /*seed=*/3)),
        data_{test::stripes(16 * kSteps, 1), test::stripes(40, 2), {}, {}} {
    options_.epochs = kEpochs;
    options_.batch = 16;
    options_.probe_every = 2;
    options_.control_every = 4;
    options_.augmentation = {.pad = 1, .flip = true};
    const Cost whole = cost(network_);
    options_.limits = {{Resource::macs, whole.macs / 2}};
  }

  std::unique_ptr<crrm::Run> make() const {
    return std::make_unique<crrm::Run>(network_, network_, task_, data_, options_);
  }

  /// The checkpoint that a run leaves when it is asked to stop in step `stop`.
  TensorFile interrupted_at(int64_t stop) const {
    const InterruptGuard guard;
    TensorFile last;
    int64_t seen = 0;
    RunObserver observer;
    observer.progress = [&](const ProgressState&) {
      if (++seen == stop) std::raise(SIGTERM);
    };
    observer.save = [&](const TensorFile& state) { last = copy(state); };
    const std::unique_ptr<crrm::Run> run = make();
    try {
      run->train(observer);
      ADD_FAILURE() << "the run was not interrupted";
    } catch (const Interrupted& interrupted) {
      EXPECT_EQ(interrupted.signal(), SIGTERM);
    }
    EXPECT_FALSE(last.tensors.empty());
    EXPECT_FALSE(run->so_far().curve.empty() && stop > kSteps);
    return last;
  }

  void expect_bit_for_bit(const std::vector<int64_t>& stops) const;
  TensorFile interrupted_in_evaluation(int64_t stop) const;
  void expect_bit_for_bit_in_evaluations() const;

  Graph network_;
  Classification task_{4, std::make_unique<Teacher>(network_), {}};
  RunData data_;
  RunOptions options_;
};

void expect_same(const RunResult& expected, const RunResult& found) {
  EXPECT_EQ(expected.alive, found.alive);
  ASSERT_EQ(expected.stages.size(), found.stages.size());
  const Graph& a = expected.stages.back().graph;
  const Graph& b = found.stages.back().graph;
  ASSERT_EQ(a.parameters.size(), b.parameters.size());
  for (const auto& [name, tensor] : a.parameters)
    EXPECT_TRUE(tensor.equal(b.parameters.at(name))) << name;
  for (size_t s = 0; s < expected.stages.size(); ++s)
    EXPECT_EQ(expected.stages[s].held_out.loss, found.stages[s].held_out.loss)
        << expected.stages[s].name;
  EXPECT_EQ(expected.curve.dump(), found.curve.dump());
}

void Resume::expect_bit_for_bit(const std::vector<int64_t>& stops) const {
  const RunResult whole = make()->train({});
  ASSERT_EQ(whole.stages.back().name, "final");
  for (const int64_t stop : stops) {
    SCOPED_TRACE(fmt::format("interrupted in step {} of {}", stop, kSteps * kEpochs));
    const TensorFile checkpoint = interrupted_at(stop);
    const std::unique_ptr<crrm::Run> run = make();
    run->resume(checkpoint);
    expect_same(whole, run->train({}));
  }
}

/// The checkpoint that a run leaves when it is asked to stop while it evaluates.
TensorFile Resume::interrupted_in_evaluation(int64_t stop) const {
  const InterruptGuard guard;
  TensorFile last;
  RunObserver observer;
  observer.save = [&](const TensorFile& state) { last = copy(state); };
  const StoppingTask task(network_, stop);
  crrm::Run run(network_, network_, task, data_, options_);
  EXPECT_THROW(run.train(observer), Interrupted);
  const auto saved = nlohmann::ordered_json::parse(last.metadata.at("state"));
  EXPECT_EQ(saved["curve"].dump(), run.so_far().curve.dump());  // nothing is lost
  return last;
}

/// Stops in each evaluation in turn: that of the dense network, looks, ends of epochs, stages.
void Resume::expect_bit_for_bit_in_evaluations() const {
  const StoppingTask counts(network_, /*stop=*/-1);
  const RunResult whole = crrm::Run(network_, network_, counts, data_, options_).train({});
  for (int64_t stop = 1; stop <= counts.seen(); ++stop) {
    SCOPED_TRACE(fmt::format("interrupted in evaluation {} of {}", stop, counts.seen()));
    const TensorFile checkpoint = interrupted_in_evaluation(stop);
    const std::unique_ptr<crrm::Run> run = make();
    run->resume(checkpoint);
    expect_same(whole, run->train({}));
  }
}

// Within the first epoch, on the ramp, while the noise is annealed, behind the cut, in the last
// step.
TEST_F(Resume, GoesOnBitForBit) {
  options_.gates.criterion.power = 4;
  expect_bit_for_bit({3, 13, 22, 30, 37, 40});
}

TEST_F(Resume, GoesOnBitForBitWithGatesThatLearn) {
  options_.gates.method = "l0";
  expect_bit_for_bit({3, 13, 22});
}

// Before the reference is measured, on the ramp, at its end, behind it.
TEST_F(Resume, GoesOnBitForBitWithALimitOnTheMetric) {
  options_.limits.clear();
  options_.max_drop = 0.1;
  options_.observe_every = 0.05;
  expect_bit_for_bit({1, 7, 13, 20, 21, 33});
}

TEST_F(Resume, GoesOnBitForBitFromWithinALook) {
  options_.limits.clear();
  options_.max_drop = 0.1;
  options_.observe_every = 0.05;
  expect_bit_for_bit_in_evaluations();
}

TEST_F(Resume, GoesOnBitForBitWithoutALimit) {
  options_.limits.clear();
  options_.knee = true;
  options_.observe_every = 0.05;
  options_.schedule.ramp_begin = 0.4;  // the network is to tell something first
  options_.schedule.ramp_end = 0.7;
  options_.schedule.anneal_end = 0.8;
  expect_bit_for_bit({7, 21, 33});
}

// A rate at which the weights run away: the run says where, and what it saved is still good.
TEST_F(Resume, StopsWhereTheLossIsNotFinite) {
  options_.schedule.learning_rate = 1e30;
  options_.limits.clear();
  TensorFile last;
  RunObserver observer;
  observer.save = [&](const TensorFile& state) { last = copy(state); };
  try {
    make()->train(observer);
    FAIL() << "the run went on";
  } catch (const GoalError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("epoch 1, step"));
    EXPECT_THAT(error.what(), testing::HasSubstr("a finite loss"));
  }
  for (const auto& [name, tensor] : last.tensors)
    if (name.starts_with("network/parameter/")) {
      EXPECT_TRUE(at::isfinite(tensor).all().item<bool>()) << name;
    }
}

TEST_F(Resume, AnotherSeedIsAnotherRun) {
  const RunResult whole = make()->train({});
  options_.seed = 1;
  const RunResult other = make()->train({});
  EXPECT_FALSE(whole.curve.dump() == other.curve.dump());
}

}  // namespace
}  // namespace crrm
