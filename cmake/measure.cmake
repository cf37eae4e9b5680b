# ONNX Runtime is loaded at run time: where the virtual environment would hold it.
cmake_path(GET CRRM_TORCH_ROOT PARENT_PATH CRRM_SITE_PACKAGES)
target_compile_definitions(
  crrm_measure PRIVATE CRRM_ONNXRUNTIME_HINT="${CRRM_SITE_PACKAGES}/onnxruntime/capi")
