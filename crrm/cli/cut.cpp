// crrm cut MODEL: units removed without any training, and the proof for anyone to repeat.
#include "crrm/surgery/cut.h"

#include <ATen/core/grad_mode.h>

#include <iostream>

#include "crrm/base/amount.h"
#include "crrm/base/error.h"
#include "crrm/base/file.h"
#include "crrm/bottleneck/gates.h"
#include "crrm/cli/command.h"
#include "crrm/cli/task.h"
#include "crrm/coupling/cost.h"
#include "crrm/coupling/subsets.h"
#include "crrm/data/normalisation.h"
#include "crrm/io/onnx.h"
#include "crrm/report/comparison.h"
#include "crrm/surgery/proof.h"

namespace crrm::cli {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// {"GROUP": [POSITION, ...], ...}: which units of a group go, counted from 0.
std::vector<bool> read_units(const fs::path& file, const Coupling& coupling) {
  const Json listed = Json::parse(read_file(file), nullptr, /*allow_exceptions=*/false);
  Fault fault{.file = file.string(),
              .expected = "{\"GROUP\": [POSITION, ...]}, groups as crrm inspect names them"};
  if (!listed.is_object()) throw InputError(fault);
  std::vector<std::string> names;
  for (const Group& group : coupling.groups()) names.push_back(group.name);
  std::vector<bool> alive(static_cast<size_t>(coupling.size()), true);
  for (const auto& [name, positions] : listed.items()) {
    fault.place = name;
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
      fault.found = "no such group";
      fault.hint = suggestion(name, names);
      throw InputError(fault);
    }
    const std::vector<int>& units =
        coupling.groups()[static_cast<size_t>(found - names.begin())].units;
    for (const Json& position : positions) {
      fault.expected = fmt::format("positions from 0 to {}", units.size() - 1);
      fault.found = position.dump();
      if (!position.is_number_unsigned() || position.get<size_t>() >= units.size())
        throw InputError(fault);
      alive[static_cast<size_t>(units[position.get<size_t>()])] = false;
    }
  }
  check_subset(coupling, alive, file.string());
  return alive;
}

Json removed_units(const Coupling& coupling, const std::vector<bool>& alive) {
  Json removed = Json::object();
  for (const Group& group : coupling.groups())
    for (size_t i = 0; i < group.units.size(); ++i)
      if (!alive[static_cast<size_t>(group.units[i])]) removed[group.name].push_back(i);
  return removed;
}

fs::path make_folder(const Settings& settings) {
  const fs::path folder =
      !settings.output.empty() ? settings.output : name_of_model(settings.model) + "-cut";
  for (const char* name : {"cut.onnx", "masked.onnx", "units.json"})
    if (fs::exists(folder / name) && !settings.force)
      throw InputError({.file = (folder / name).string(),
                        .expected = "a file that is not there yet",
                        .found = "a file",
                        .hint = "--force replaces it; -o chooses another folder"});
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw WriteError({.file = folder.string(), .found = error.message()});
  return folder;
}

Json cost_json(const Cost& cost) {
  return {{"params", cost.params}, {"macs", cost.macs}};
}

int run(Settings settings, const Invocation&) {
  if (settings.units.empty() != settings.random.has_value())
    throw InputError({.file = "crrm cut",
                      .place = "units",
                      .expected = "one of --units FILE and --random SHARE",
                      .found = settings.units.empty() ? "neither" : "both"});
  Graph network = read_onnx(settings.model);
  std::vector<Shape> sample;
  if (!settings.shape.empty()) sample.push_back(parse_shape(settings.shape));
  Json result;
  naming(settings.model, [&] {
    fold_shape_arithmetic(network, sample);
    const Coupling coupling(network,
                            infer_shapes(network, input_shapes(network, kCouplingBatch, sample)));
    const std::vector<bool> alive =
        settings.units.empty()
            ? random_subset(coupling, *settings.random, static_cast<uint64_t>(settings.seed))
            : read_units(settings.units, coupling);
    const Graph smaller = cut(network, coupling, alive);
    const fs::path folder = make_folder(settings);
    write_onnx(smaller, folder / "cut.onnx");
    write_onnx(mask(network, coupling, alive), folder / "masked.onnx");
    const Json removed = removed_units(coupling, alive);
    write_file(folder / "units.json", removed.dump(2) + "\n");
    const CostModel cost(network, coupling);
    const std::vector<bool> all(alive.size(), true);
    result = {{"folder", folder.string()},
              {"units", coupling.size()},
              {"removed", std::count(alive.begin(), alive.end(), false)},
              {"before", cost_json(cost(all))},
              {"after", cost_json(cost(alive))}};
  });
  if (settings.json) {
    std::cout << result.dump(2) << "\n";
    return 0;
  }
  std::cout << fmt::format(
      "{} of {} units removed: {} of {} parameters, {} of {} MACs stay\n"
      "{}: cut.onnx and masked.onnx, the whole network with these units multiplied by zero at "
      "every\n"
      "reader. Both give the same outputs; run them in ONNX Runtime to see it.\n",
      result["removed"].get<int64_t>(), result["units"].get<int>(),
      format_count(result["after"]["params"]), format_count(result["before"]["params"]),
      format_count(result["after"]["macs"]), format_count(result["before"]["macs"]),
      result["folder"].get<std::string>());
  return 0;
}

const CommandRegistration registration({
    .name = "cut",
    .summary = "Removes units without training, and writes the masked network beside",
    .example = "crrm cut demo/digits.onnx --random 0.5 -o digits-cut",
    .run = &run,
});

}  // namespace

}  // namespace crrm::cli
