#include "crrm/cli/report_head.h"

#include "crrm/base/version.h"
#include "crrm/report/schema.h"
#include "crrm/train/machine.h"

namespace crrm::cli {

nlohmann::ordered_json report_head(const std::string& kind, const std::string& command,
                                   const Settings& settings, const Invocation& invocation,
                                   at::Device device) {
  using Json = nlohmann::ordered_json;
  const Machine machine = this_machine();
  const std::string accelerator = accelerator_name(device);
  return {{"schema_version", kReportVersion},
          {"kind", kind},
          {"crrm", {{"version", kVersion}, {"commit", kCommit}}},
          {"command", invocation.words},
          {"config", values(settings, command)},
          {"seed", settings.seed},
          {"machine",
           {{"cpu", machine.cpu},
            {"threads", *settings.threads},
            {"memory_bytes", machine.memory_bytes},
            {"gpu", accelerator.empty() ? Json() : Json(accelerator)},
            {"libtorch", machine.libtorch}}}};
}

}  // namespace crrm::cli
