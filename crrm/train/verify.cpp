#include "crrm/train/verify.h"

#include <ATen/core/grad_mode.h>

#include <set>

#include "crrm/base/error.h"
#include "crrm/coupling/inputs.h"
#include "crrm/graph/batch.h"
#include "crrm/graph/executor.h"
#include "crrm/io/onnx.h"
#include "crrm/measure/onnxruntime.h"
#include "crrm/measure/threads.h"
#include "crrm/surgery/batch_norm.h"

namespace crrm {

namespace fs = std::filesystem;

namespace {

constexpr int64_t kProofInputs = 64;

Tensors run(const Graph& graph, const at::Tensor& inputs) {
  const at::NoGradGuard no_grad;
  return Executor(graph).run({inputs});
}

/// In batches of what the file takes at once; 0: all at once.
Tensors run_in_batches(const OnnxRuntime& session, const at::Tensor& inputs, int64_t batch) {
  if (batch == 0) return session.run({inputs});
  std::vector<Tensors> parts;  // by output
  for (const at::Tensor& part : inputs.split(batch)) {
    const Tensors outputs = session.run({part.contiguous()});
    parts.resize(outputs.size());
    for (size_t i = 0; i < outputs.size(); ++i) parts[i].push_back(outputs[i]);
  }
  Tensors whole;
  for (const Tensors& part : parts) whole.push_back(at::cat(part));
  return whole;
}

/// Samples that a network takes at once, as its inputs state; 0: any number.
int64_t stated_batch(const Graph& graph) {
  const Shape& shape = graph.inputs.at(0).shape;
  return shape.empty() ? 0 : std::max<int64_t>(shape[0], 0);
}

std::string runtime_name() {
  return "onnxruntime " + OnnxRuntime::version();
}

void require_all(const std::vector<Proof>& proofs) {
  for (const Proof& proof : proofs)
    if (!proof.ok)
      throw InternalError(
          fmt::format("{} ({}): outputs differ by {:.3g}, and may by {:.3g}; no model "
                      "was written",
                      proof.what, proof.runtime, proof.max_abs_diff, proof.bound));
}

/// A folder beside the model in which it waits for its proof.
class WaitingRoom {
 public:
  explicit WaitingRoom(const fs::path& model)
      : target_(model), folder_(model.parent_path() / ".unproved") {
    std::error_code error;
    fs::create_directories(folder_, error);
    if (error) throw WriteError({.file = folder_.string(), .found = error.message()});
  }
  ~WaitingRoom() {
    std::error_code ignored;
    for (const fs::path& file : {model(), data()}) fs::remove(file, ignored);
    fs::remove(folder_, ignored);
  }
  WaitingRoom(const WaitingRoom&) = delete;
  WaitingRoom& operator=(const WaitingRoom&) = delete;

  fs::path model() const { return folder_ / target_.filename(); }
  void release() const {
    if (fs::exists(data())) fs::rename(data(), target_.string() + ".data");
    fs::rename(model(), target_);
  }

 private:
  fs::path data() const { return model().string() + ".data"; }

  fs::path target_, folder_;
};

Latency time_executor(const Graph& graph, const at::Tensor& inputs, int threads,
                      at::Device device) {
  const at::NoGradGuard no_grad;
  const Threads limit(threads);
  const Executor executor(to(graph, device));
  const at::Tensor x = inputs.to(device);
  const std::string runtime = device.is_cpu() ? "crrm" : c10::DeviceTypeName(device.type(), true);
  return measure_latency(runtime, threads, inputs.size(0), [&] {
    executor.run({x});
    synchronize(device);
  });
}

Latency time_onnxruntime(const std::string& bytes, const at::Tensor& inputs, int threads) {
  const OnnxRuntime session = OnnxRuntime::from_bytes("model", bytes, threads);
  return measure_latency("onnxruntime", threads, inputs.size(0), [&] { session.run({inputs}); });
}

}  // namespace

Graph as_written(const Graph& graph, const Reversal& reversal) {
  Graph written = clone(graph);
  if (reversal.batch_norm) fold_batch_norm(written);
  if (reversal.inputs) drop_idle_gathers(written, {reversal.sample});
  fix_batch(written, reversal.batch);
  return written;
}

at::Tensor proof_inputs(const RunData& data, int64_t batch) {
  const Dataset& source = data.held_out.size() > 0 ? data.held_out : data.train;
  const int64_t unit = std::max<int64_t>(batch, 1);
  const int64_t count = std::min(std::max(kProofInputs, unit), source.size()) / unit * unit;
  if (count == 0)
    throw InputError({.file = source.source,
                      .expected = fmt::format("{} samples, what the network takes at once", unit),
                      .found = fmt::format("{}", source.size())});
  return take(source, data.normalisation, 0, count, /*channels_last=*/false).inputs;
}

Verification write_proved(const Graph& network, const Coupling& coupling,
                          const std::vector<bool>& alive, const Graph& whole, const Graph& final,
                          const Graph& written, const at::Tensor& inputs, const fs::path& path) {
  Verification result;
  result.proofs = prove_cut(network, coupling, alive, final, whole, inputs);
  const Tensors expected = run(final, inputs);
  if (written.nodes.size() != final.nodes.size())
    result.proofs.push_back(compare("cut vs folded for the file", "crrm float32", expected,
                                    run(written, inputs), kFloatBound));
  require_all(result.proofs);

  const WaitingRoom room(path);
  write_onnx(written, room.model());
  result.proofs.push_back(compare("cut vs file read back", "crrm float32", expected,
                                  run(read_onnx(room.model()), inputs), kFloatBound));
  if (OnnxRuntime::available())
    result.proofs.push_back(
        compare("cut vs file in ONNX Runtime", runtime_name(), expected,
                run_in_batches(OnnxRuntime::from_file(room.model(), /*threads=*/1),
                               inputs.contiguous(), stated_batch(written)),
                kFloatBound));
  else
    result.warnings.push_back("the file was not run in ONNX Runtime, which is not installed");
  require_all(result.proofs);
  room.release();
  return result;
}

std::vector<Latency> latencies(const Graph& graph, const at::Tensor& inputs, int threads,
                               at::Device device) {
  std::vector<at::Tensor> batches;
  if (const int64_t batch = stated_batch(graph); batch > 0)
    batches = {inputs.narrow(0, 0, batch)};
  else
    batches = {inputs.narrow(0, 0, 1),
               inputs.repeat_interleave((kLatencyBatch + inputs.size(0) - 1) / inputs.size(0), 0)
                   .narrow(0, 0, kLatencyBatch)};
  std::vector<Latency> result;
  const std::string bytes = OnnxRuntime::available() ? onnx_bytes(graph) : "";
  for (const at::Tensor& batch : batches) {
    for (const int count : std::set<int>{1, threads}) {
      if (batch.size(0) > 1 && count != threads) continue;  // large batches are for all threads
      result.push_back(time_executor(graph, batch.contiguous(), count, at::kCPU));
      if (!bytes.empty()) result.push_back(time_onnxruntime(bytes, batch.contiguous(), count));
    }
    if (!device.is_cpu())
      result.push_back(time_executor(graph, batch.contiguous(), threads, device));
  }
  return result;
}

}  // namespace crrm
