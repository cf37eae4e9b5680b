#include "crrm/train/machine.h"

#include <sys/utsname.h>
#include <torch/headeronly/version.h>
#include <unistd.h>

#include <fstream>

namespace crrm {

namespace {

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name"))
      if (const size_t colon = line.find(": "); colon != std::string::npos)
        return line.substr(colon + 2);
  utsname system = {};
  uname(&system);
  return system.machine;
}

}  // namespace

Machine this_machine() {
  return {.cpu = processor(),
          .memory_bytes = static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE),
          .libtorch = TORCH_VERSION};
}

}  // namespace crrm
