#include "crrm/data/split.h"

#include <gmock/gmock.h>

#include "data_files.h"

namespace crrm {
namespace {

using testing::HasSubstr;

/// Sample i is [i]; class k has sizes[k] samples, mixed.
Dataset samples(const std::vector<int64_t>& sizes) {
  std::vector<int64_t> labels;
  for (size_t k = 0; k < sizes.size(); ++k)
    labels.insert(labels.end(), static_cast<size_t>(sizes[k]), static_cast<int64_t>(k));
  for (size_t i = 0; i < labels.size(); ++i) std::swap(labels[i], labels[i * 7919 % labels.size()]);
  Dataset data;
  data.labels = at::tensor(labels, at::kLong);
  data.inputs = at::arange(data.labels.size(0), at::kFloat).unsqueeze(1);
  data.classes = static_cast<int64_t>(sizes.size());
  data.source = "here";
  return data;
}

std::vector<int64_t> counts(const Dataset& data) {
  return to_vector<int64_t>(at::bincount(data.labels, {}, data.classes));
}

// Shares of 10 %: 10.0, 5.5, 1.4 of 100, 55, 14; total round(16.9) = 17 gives the one left to 5.5.
TEST(Split, EachClassInProportion) {
  const HeldOutSplit split = split_held_out(samples({100, 55, 14}), 0.1, 0);
  EXPECT_THAT(counts(split.held_out), testing::ElementsAre(10, 6, 1));
  EXPECT_THAT(counts(split.train), testing::ElementsAre(90, 49, 13));
}

TEST(Split, WithoutLabelsOfAllSamples) {
  Dataset data = samples({30, 70});
  data.labels = at::Tensor();
  data.classes = 0;
  const HeldOutSplit split = split_held_out(data, 0.25, 3);
  EXPECT_EQ(split.held_out.size(), 25);
  EXPECT_FALSE(split.held_out.labelled());
  std::vector<float> all = to_vector<float>(split.train.inputs);
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
  for (const float x : to_vector<float>(split.held_out.inputs)) all.push_back(x);
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, to_vector<float>(data.inputs));
  EXPECT_FALSE(at::equal(split_held_out(data, 0.25, 4).held_out.inputs, split.held_out.inputs));
  EXPECT_FALSE(split_held_out(data, 0, 3).held_out.inputs.defined());
}

TEST(Split, PartsAreDisjointAndOrdered) {
  const Dataset data = samples({40, 30, 30});
  const HeldOutSplit split = split_held_out(data, 0.25, 3);
  std::vector<float> all = to_vector<float>(split.train.inputs);
  const std::vector<float> held = to_vector<float>(split.held_out.inputs);
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
  EXPECT_TRUE(std::is_sorted(held.begin(), held.end()));
  all.insert(all.end(), held.begin(), held.end());
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, to_vector<float>(data.inputs.flatten()));
  for (int64_t i = 0; i < split.held_out.size(); ++i)
    EXPECT_EQ(split.held_out.labels[i].item<int64_t>(),
              data.labels[static_cast<int64_t>(held[static_cast<size_t>(i)])].item<int64_t>());
}

TEST(Split, DependsOnTheSeedAlone) {
  const Dataset data = samples({50, 50});
  const at::Tensor first = split_held_out(data, 0.2, 1).held_out.inputs;
  EXPECT_TRUE(at::equal(split_held_out(data, 0.2, 1).held_out.inputs, first));
  EXPECT_FALSE(at::equal(split_held_out(data, 0.2, 2).held_out.inputs, first));
}

TEST(Split, LastSampleOfAClassStays) {
  const HeldOutSplit split = split_held_out(samples({9, 1, 1}), 0.99, 0);
  EXPECT_THAT(counts(split.train), testing::ElementsAre(1, 1, 1));
}

TEST(Split, NothingHeldOut) {
  const HeldOutSplit split = split_held_out(samples({9, 3}), 0, 0);
  EXPECT_EQ(split.train.size(), 12);
  EXPECT_FALSE(split.held_out.inputs.defined());
}

TEST(Split, FractionIsChecked) {
  for (const double fraction : {-0.1, 1.0, std::nan("")}) try {
      split_held_out(samples({2, 2}), fraction, 0);
      ADD_FAILURE() << fraction;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr("a number from 0 to below 1"));
    }
}

}  // namespace
}  // namespace crrm
