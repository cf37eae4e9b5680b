#include "crrm/train/machine.h"

#include <ATen/Context.h>
#include <dlfcn.h>
#include <sys/utsname.h>
#include <torch/headeronly/version.h>
#include <unistd.h>

#include <fstream>

#include "crrm/base/error.h"

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

/// From CUDA's driver, which LibTorch has loaded: its own C++ interface knows no names.
std::string cuda_name(int index) {
  void* driver = dlopen("libcuda.so.1", RTLD_LAZY);
  if (driver == nullptr) return "";
  const auto get = reinterpret_cast<int (*)(int*, int)>(dlsym(driver, "cuDeviceGet"));
  const auto get_name =
      reinterpret_cast<int (*)(char*, int, int)>(dlsym(driver, "cuDeviceGetName"));
  std::array<char, 256> name = {};
  int device = 0;
  const bool found = get != nullptr && get_name != nullptr && get(&device, index) == 0 &&
                     get_name(name.data(), static_cast<int>(name.size()), device) == 0;
  dlclose(driver);
  return found ? name.data() : "";
}

}  // namespace

Machine this_machine() {
  return {.cpu = processor(),
          .memory_bytes = static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE),
          .libtorch = TORCH_VERSION};
}

at::Device find_device(const std::string& name) {
  if (name == "cpu") return at::kCPU;
  if (at::globalContext().hasCUDA()) return {at::kCUDA, 0};
  const bool built = at::globalContext().hasCUDART();
  throw InputError(
      {.file = "--device",
       .expected = "cpu, or cuda where there is a GPU for it",
       .found = built ? "cuda, but LibTorch finds no GPU that it can use"
                      : "cuda, but this LibTorch is built without it",
       .hint = built ? "see that nvidia-smi lists the GPU, and a driver new enough for the CUDA of "
                       "LibTorch"
                     : "docs/guide.md, \"On a GPU\", says which wheel of PyTorch has it"});
}

std::string accelerator_name(at::Device device) {
  if (device.is_cpu()) return "";
  const std::string name = device.is_cuda() ? cuda_name(device.index()) : "";
  return name.empty() ? device.str() : name;
}

}  // namespace crrm
