// Where a run takes place.
#pragma once

#include <cstdint>
#include <string>

namespace crrm {

struct Machine {
  std::string cpu;           ///< the processor's name; its architecture where the system names none
  int64_t memory_bytes = 0;  ///< main memory
  std::string libtorch;      ///< version
};

Machine this_machine();

}  // namespace crrm
