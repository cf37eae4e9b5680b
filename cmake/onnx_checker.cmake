# What the program writes, seen by ONNX's own checker (tests/onnx_checker).
add_test(NAME onnx_checker COMMAND "${CRRM_PYTHON}"
         "${CMAKE_SOURCE_DIR}/tests/onnx_checker/check_written.py" "${CMAKE_BINARY_DIR}/crrm")
set_tests_properties(onnx_checker PROPERTIES TIMEOUT 600 ENVIRONMENT "OMP_NUM_THREADS=1")
