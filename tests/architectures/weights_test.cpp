#include "crrm/architectures/weights.h"

#include <gmock/gmock.h>

#include "crrm/architectures/architecture.h"
#include "crrm/base/error.h"
#include "crrm/io/safetensors.h"

namespace crrm {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

Graph small(uint64_t seed) {
  return build("digits", {1, 8, 8}, 10, seed);
}

class WeightFile : public testing::Test {
 protected:
  ~WeightFile() override { fs::remove(path_); }

  Weights through_file(const TensorFile& file) const {
    write_safetensors(file, path_);
    return read_weights(path_);
  }

  std::string path_ = testing::TempDir() + "crrm_weights.safetensors";
};

std::string error_of(const Weights& weights) {
  Graph graph = small(0);
  try {
    set_weights(graph, weights, "file");
  } catch (const InputError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

// Clip's limits, Slice's and Pad's numbers and Reshape's target are parameters of the graph, but no
// weights. torchvision's and akamaster's names.
TEST(Weights, AreWhatTrainingChanges) {
  const auto count = [](const std::string& name, const Shape& sample) {
    return weights_of(build(name, sample, 10, 0)).size();
  };
  EXPECT_EQ(count("mobilenet-v2", {3, 32, 32}), 5 * 52 + 2U);  // torchvision's state, less counters
  EXPECT_EQ(count("resnet20", {3, 32, 32}), 5 * 19 + 2U);
  std::vector<std::string> names;
  for (const auto& [name, tensor] : weights_of(build("ae:3", {1, 2, 2}, 0, 0)))
    names.push_back(name);
  EXPECT_THAT(names, ElementsAre("decoder.0.bias", "decoder.0.weight", "encoder.0.bias",
                                 "encoder.0.weight"));
}

TEST_F(WeightFile, BringsOneNetworkToAnother) {
  const Graph first = small(1);
  Graph second = small(2);
  write_weights(first, path_);
  set_weights(second, read_weights(path_), path_);
  for (const auto& [name, tensor] : first.parameters)
    EXPECT_TRUE(second.parameters.at(name).equal(tensor)) << name;
}

// As torch.save of a network in DataParallel has them.
TEST_F(WeightFile, UnderstandsPrefixesCountersAndDoubles) {
  const Graph first = small(1);
  TensorFile file;
  for (const auto& [name, tensor] : weights_of(first))
    file.tensors["module." + name] = tensor.to(at::kDouble);
  file.tensors["module.norm1.num_batches_tracked"] = at::zeros({}, at::kLong);
  Graph second = small(2);
  set_weights(second, through_file(file), path_);
  for (const auto& [name, tensor] : first.parameters)
    EXPECT_TRUE(second.parameters.at(name).equal(tensor)) << name;
}

// Of a network one part of which is called "module" only that part's names begin so.
TEST_F(WeightFile, TakesAPrefixOffWhereAllHaveIt) {
  TensorFile file;
  file.tensors["module.weight"] = at::zeros({1});
  file.tensors["head.weight"] = at::zeros({1});
  EXPECT_TRUE(through_file(file).contains("module.weight"));
}

TEST(Weights, ErrorsNameTheTensor) {
  const Weights whole = weights_of(small(0));
  Weights weights = whole;
  weights.erase("conv1.weight");
  EXPECT_THAT(error_of(weights), HasSubstr("tensor \"conv1.weight\"\n  expected  Float [16, 1, 3, "
                                           "3]\n  found     no such tensor"));
  weights = whole;
  weights["fc.weight"] = at::zeros({10, 31});
  EXPECT_THAT(error_of(weights),
              HasSubstr("tensor \"fc.weight\"\n  expected  Float [10, 32]\n  found  "
                        "   Float [10, 31]"));
  weights = whole;
  weights["fc.bias"] = at::zeros({10}, at::kLong);
  EXPECT_THAT(error_of(weights), HasSubstr("found     Long [10]"));
  weights = whole;
  weights["fc.biases"] = at::zeros({10});
  EXPECT_THAT(error_of(weights),
              HasSubstr("tensor \"fc.biases\"\n  expected  a tensor of the network"));
  EXPECT_THAT(error_of(weights), HasSubstr("did you mean fc.bias?"));
}

}  // namespace
}  // namespace crrm
