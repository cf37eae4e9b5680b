# The target torch: LibTorch of the PyTorch wheel at CRRM_TORCH_ROOT. find_package(Torch) would ask for
# the CUDA toolkit and its compiler where the wheel is one for CUDA, as PyPI's is; but crrm compiles no
# CUDA, and libtorch.so brings the wheel's own CUDA libraries along.
set(PACKAGE_FIND_VERSION 2.13)
include("${CRRM_TORCH_ROOT}/share/cmake/Torch/TorchConfigVersion.cmake" OPTIONAL)
if(NOT PACKAGE_VERSION_COMPATIBLE)
  message(FATAL_ERROR "LibTorch 2.13 or later is needed; found \"${PACKAGE_VERSION}\" in "
                      "${CRRM_TORCH_ROOT}.")
endif()
set(torch_libraries "${CRRM_TORCH_ROOT}/lib")
set(torch_headers "${CRRM_TORCH_ROOT}/include")
add_library(torch INTERFACE IMPORTED)
set_target_properties(torch PROPERTIES
  INTERFACE_INCLUDE_DIRECTORIES "${torch_headers};${torch_headers}/torch/csrc/api/include"
  INTERFACE_COMPILE_DEFINITIONS "USE_DISTRIBUTED;USE_C10D_GLOO;USE_RPC;USE_TENSORPIPE"  # as Torch's
  # Kernels register themselves when their library is loaded: those are needed that nobody names.
  INTERFACE_LINK_LIBRARIES
  "-Wl,--no-as-needed,${torch_libraries}/libtorch.so,--as-needed;${torch_libraries}/libtorch_cpu.so;${torch_libraries}/libc10.so")
