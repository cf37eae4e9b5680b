#include "crrm/cli/run_gates.h"

#include <ATen/ATen.h>

#include <set>

#include "crrm/base/error.h"
#include "crrm/base/file.h"
#include "crrm/cli/config.h"
#include "crrm/cli/task.h"
#include "crrm/coupling/inputs.h"
#include "crrm/io/safetensors.h"
#include "crrm/report/schema.h"
#include "crrm/surgery/batch_norm.h"
#include "crrm/train/run_folder.h"

namespace crrm::cli {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr char kDistortion[] = "network/distortion";

RunFolder folder_of(const fs::path& model) {
  return RunFolder(fs::absolute(model).parent_path());
}

/// The network as the run got it, so that units have the run's numbers.
Graph compressed_network(const RunFolder& folder, const RunData& data) {
  const Json report = Json::parse(read_file(folder.report()), nullptr, /*allow_exceptions=*/false);
  validate(report, folder.report().string());
  const fs::path path = report["model"]["path"].get<std::string>();
  if (!fs::exists(path) || sha256_file(path) != report["model"]["sha256"])
    throw InputError(
        {.file = path.string(),
         .expected = fmt::format("the network that {} compressed", folder.path().string()),
         .found = fs::exists(path) ? "another file" : "no file",
         .hint = "put it back, or leave rates out with --measures"});
  Settings settings;
  read_config(settings, "compress", folder.config());
  Graph network = load_model(path);
  fit_model(network, path, data);
  if (report["model"]["unfolded"]) {
    constexpr int64_t kSamples = 64;  // statistics do not matter to units
    const int64_t count = std::min(kSamples, data.train.size());
    unfold_batch_norm(network, folded_convolutions(network),
                      take(data.train, data.normalisation, 0, count, true).inputs);
  }
  if (settings.inputs) gate_inputs(network, {data.train.inputs.sizes().slice(1).vec()});
  return network;
}

/// Units along the axes of a value, ascending.
std::set<int> units_of(const Coupling& coupling, const std::string& value, size_t rank) {
  std::set<int> units;
  for (size_t a = 0; a < rank; ++a) {
    const AxisRef axis = coupling.axis_of(value, static_cast<int64_t>(a));
    if (axis.axis < 0) continue;
    const std::vector<int>& along = coupling.axes()[static_cast<size_t>(axis.axis)];
    units.insert(along.begin(), along.end());
  }
  units.erase(Coupling::kStays);
  return units;
}

}  // namespace

bool is_of_compress_run(const fs::path& model) {
  const RunFolder folder = folder_of(model);
  if (!same_file(folder.model(), model) || !fs::exists(folder.checkpoint())) return false;
  const TensorFile checkpoint = read_safetensors(folder.checkpoint());
  const auto command = checkpoint.metadata.find("command");
  return command != checkpoint.metadata.end() && command->second == "compress";
}

std::map<std::string, at::Tensor> run_gates(const fs::path& model, const RunData& data) {
  const RunFolder folder = folder_of(model);
  const Graph network = compressed_network(folder, data);
  const Coupling coupling(
      network, infer_shapes(network, input_shapes(network, kCouplingBatch,
                                                  {data.train.inputs.sizes().slice(1).vec()})));
  const TensorFile checkpoint = read_safetensors(folder.checkpoint());
  const auto found = checkpoint.tensors.find(kDistortion);
  if (found == checkpoint.tensors.end() || found->second.numel() != coupling.size())
    throw InputError({.file = folder.checkpoint().string(),
                      .place = kDistortion,
                      .expected = fmt::format("[{}], a number for each unit", coupling.size()),
                      .found = found == checkpoint.tensors.end()
                                   ? "nothing"
                                   : fmt::format("[{}]", found->second.numel())});
  const at::Tensor distortion = found->second.to(at::kDouble).flatten();
  std::map<std::string, at::Tensor> gates;
  for (const auto& [value, shape] : coupling.shapes()) {
    const std::set<int> units = units_of(coupling, value, shape.size());
    if (units.empty() || network.is_parameter(value)) continue;
    const std::vector<int64_t> index(units.begin(), units.end());
    gates[value] = distortion.index_select(0, at::tensor(index, at::kLong));
  }
  return gates;
}

}  // namespace crrm::cli
