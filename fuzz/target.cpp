#include "fuzz/target.h"

#include <ATen/Parallel.h>

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  at::set_num_threads(1);  // as many processes as there are targets may run
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  crrm::fuzz::test({reinterpret_cast<const char*>(data), size});
  return 0;
}
