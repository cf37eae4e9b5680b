// Where a run takes place.
#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <string>

namespace crrm {

struct Machine {
  std::string cpu;           ///< the processor's name; its architecture where the system names none
  int64_t memory_bytes = 0;  ///< main memory
  std::string libtorch;      ///< version
};

Machine this_machine();

/// The device that --device names: "cpu", or "cuda" for the first GPU that CUDA_VISIBLE_DEVICES
/// leaves.
/// @throws InputError where LibTorch is built without CUDA, or finds no GPU that it can use.
at::Device find_device(const std::string& name);

/// What a report calls an accelerator, such as "NVIDIA H100 80GB HBM3"; empty for the CPU.
std::string accelerator_name(at::Device device);

}  // namespace crrm
