// From the last stage to a file that was proved: nothing is written under the model's name before.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "crrm/measure/latency.h"
#include "crrm/surgery/proof.h"
#include "crrm/train/run.h"

namespace crrm {

struct Verification {
  std::vector<Proof> proofs;
  std::vector<std::string> warnings;  ///< what could not be compared, and why
};

/// What a run did to the network before training, and takes back in the file.
struct Reversal {
  bool batch_norm = false;  ///< unfolded, to be folded again
  bool inputs = false;      ///< gate_inputs was called: idle Gathers go
  int64_t batch = 0;        ///< free_batch was called: what the file stated; 0: any
  Shape sample;             ///< shape of one sample
};

/// The network as it is written.
Graph as_written(const Graph& graph, const Reversal& reversal);

/// Samples for proofs: the first of the held-out data (of the training data where there are none),
/// a whole number of the batches that its file takes. [N, ...] float32.
/// @param batch  Reversal::batch
/// @throws InputError where there are fewer samples than one batch.
at::Tensor proof_inputs(const RunData& data, int64_t batch);

/// Compares, and writes `path` only when all comparisons hold:
///   the whole network masked with the final one, in float64 and float32;
///   the final one with the one that is written, where something was taken back;
///   that with the file read back, in crrm and in ONNX Runtime where it is installed.
/// @param network  as the run got it; `coupling` describes it
/// @param whole    at that size, with gates, as trained (GatedNetwork::whole)
/// @param final    the run's last stage; `written` = as_written(final)
/// @throws InternalError naming the comparison that failed; no file is left then. WriteError.
Verification write_proved(const Graph& network, const Coupling& coupling,
                          const std::vector<bool>& alive, const Graph& whole, const Graph& final,
                          const Graph& written, const at::Tensor& inputs,
                          const std::filesystem::path& path);

/// A network's time for one batch in crrm's executor and, where installed, in ONNX Runtime: one
/// sample on one thread and on `threads`, kLatencyBatch samples on `threads`; and on `device`,
/// where that is not the CPU. Where the network's batch is fixed, that batch takes the place of
/// both.
inline constexpr int64_t kLatencyBatch = 64;
std::vector<Latency> latencies(const Graph& graph, const at::Tensor& inputs, int threads,
                               at::Device device = at::kCPU);

}  // namespace crrm
