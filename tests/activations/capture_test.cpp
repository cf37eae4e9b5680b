#include "crrm/activations/capture.h"

#include <c10/util/intrusive_ptr.h>
#include <gmock/gmock.h>

#include "../small_network.h"
#include "crrm/activations/mapped_tensor.h"
#include "crrm/base/error.h"
#include "crrm/graph/executor.h"

namespace crrm {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

constexpr int64_t kSamples = 10;

Dataset small_data() {
  Dataset data;
  data.inputs = test::small_input(kSamples);
  return data;
}

/// The value of that name for all samples at once, [n, features].
at::Tensor by_hand(Graph network, const std::string& value) {
  network.outputs = {{value, at::kFloat, {}, {}}};
  return Executor(network).run({small_data().inputs})[0].reshape({kSamples, -1});
}

CaptureOptions with_memory(int64_t bytes) {
  return {.batch = 4, .memory = bytes};
}

/// Names in the order in which they were shown; each is compared with the run by hand.
std::vector<std::string> capture(const CaptureOptions& options) {
  const Graph network = test::small_network();
  std::vector<std::string> shown;
  for_each_layer(network, usual_layers(network, {3, 8, 8}), small_data(), {}, options,
                 [&](const Layer& layer, const at::Tensor& activations) {
                   shown.push_back(layer.name);
                   const at::Tensor expected = by_hand(network, layer.name);
                   EXPECT_EQ(activations.sizes(), expected.sizes());
                   EXPECT_LT((activations - expected).abs().max().item<double>(), 1e-5);
                 });
  return shown;
}

// Batches of 4, 4 and 2 against one of 10.
TEST(Capture, IsWhatTheNetworkComputesWhateverTheBudget) {
  for (const int64_t memory : {int64_t{1} << 30, int64_t{20000}, int64_t{1}}) {
    SCOPED_TRACE(memory);
    EXPECT_THAT(capture(with_memory(memory)),
                ElementsAre("x", "relu1.out", "relu2.out", "flat.out", "fc.out"));
  }
}

TEST(Capture, APassTakesAsManyLayersAsTheBudgetHoldsAndOneAtLeast) {
  const std::vector<Layer> layers = usual_layers(test::small_network(), {3, 8, 8});
  // Bytes of ten samples: x 7,680, relu1 15,360, relu2 10,240, flat 240, fc 200.
  EXPECT_THAT(plan_passes(layers, kSamples, int64_t{1} << 30), ElementsAre(SizeIs(5)));
  EXPECT_THAT(plan_passes(layers, kSamples, 15360), ElementsAre(SizeIs(1), SizeIs(1), SizeIs(3)));
  EXPECT_THAT(plan_passes(layers, kSamples, 1),
              ElementsAre(SizeIs(1), SizeIs(1), SizeIs(1), SizeIs(1), SizeIs(1)));
}

// Where the budget holds one layer, there is none of the others left when it is shown.
TEST(Capture, NeverHoldsTwoLayersWhereTheBudgetHoldsOne) {
  const Graph network = test::small_network();
  std::vector<c10::weak_intrusive_ptr<c10::StorageImpl>> before;
  for_each_layer(network, usual_layers(network, {3, 8, 8}), small_data(), {}, with_memory(1),
                 [&](const Layer&, const at::Tensor& activations) {
                   for (const auto& storage : before) EXPECT_TRUE(storage.expired());
                   before.emplace_back(c10::intrusive_ptr<c10::StorageImpl>::reclaim_copy(
                       activations.storage().unsafeGetStorageImpl()));
                 });
  EXPECT_EQ(before.size(), 5);
}

// Of a pass with several layers, those that were shown are gone.
TEST(Capture, LetsALayerGoOnceItWasShown) {
  const Graph network = test::small_network();
  std::vector<c10::weak_intrusive_ptr<c10::StorageImpl>> before;
  for_each_layer(network, usual_layers(network, {3, 8, 8}), small_data(), {},
                 with_memory(int64_t{1} << 30), [&](const Layer&, const at::Tensor& activations) {
                   for (const auto& storage : before) EXPECT_TRUE(storage.expired());
                   before.emplace_back(c10::intrusive_ptr<c10::StorageImpl>::reclaim_copy(
                       activations.storage().unsafeGetStorageImpl()));
                 });
}

TEST(MappedTensor, HoldsWhatIsWrittenAndLeavesNoFile) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / "crrm-mapped-tensor";
  std::filesystem::create_directories(folder);
  const at::Tensor mapped = mapped_tensor(100, 1000, folder);
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  const at::Tensor expected = at::arange(100000, at::kFloat).reshape({100, 1000});
  mapped.copy_(expected);
  EXPECT_TRUE(at::equal(mapped, expected));
  std::filesystem::remove_all(folder);
}

TEST(MappedTensor, SaysWhatItNeedsWhereThereIsNoRoom) {
  try {
    mapped_tensor(100, 1000, "/no/such/folder");
    FAIL();
  } catch (const WriteError& error) {
    EXPECT_EQ(error.fault().file, "/no/such/folder");
    EXPECT_EQ(error.fault().expected, "room for 400 kB");
  }
}

}  // namespace
}  // namespace crrm
