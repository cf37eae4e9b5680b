# The program's own tests run it as users do (tests/cli).
crrm_test(cli base)
add_dependencies(test_cli crrm_cli)
target_compile_definitions(test_cli PRIVATE CRRM_PROGRAM="${CMAKE_BINARY_DIR}/crrm")
gtest_discover_tests(test_cli TEST_PREFIX cli. PROPERTIES TIMEOUT 600 DISCOVERY_TIMEOUT 60)
