# At file scope: gtest_discover_tests needs variables that this sets, wherever it is called.
include(GoogleTest)

set(CRRM_ROOMS "" CACHE INTERNAL "")

# crrm_room(NAME [ROOM...]): object library crrm_NAME of crrm/NAME/*.cpp. The rooms that follow are
# those it may include; they and theirs are linked into its tests.
function(crrm_room name)
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/crrm/${name}/*.cpp")
  add_library(crrm_${name} OBJECT ${sources} "${CMAKE_SOURCE_DIR}/cmake/empty.cpp")
  target_link_libraries(crrm_${name} PUBLIC crrm_options)
  if(name STREQUAL "base")
    target_precompile_headers(crrm_${name} PRIVATE "${CMAKE_SOURCE_DIR}/cmake/precompiled.h")
  else()
    target_precompile_headers(crrm_${name} REUSE_FROM crrm_base)
  endif()
  set(needed ${name})
  foreach(room ${ARGN})
    list(APPEND needed ${CRRM_NEEDED_${room}})
  endforeach()
  list(REMOVE_DUPLICATES needed)
  set(CRRM_NEEDED_${name} ${needed} CACHE INTERNAL "")
  set(CRRM_ROOMS ${CRRM_ROOMS} ${name} CACHE INTERNAL "")
endfunction()

# The shared library: object files are linked whole, so that what registers itself is not dropped.
function(crrm_library)
  add_library(crrm SHARED)
  foreach(room ${CRRM_ROOMS})
    target_sources(crrm PRIVATE $<TARGET_OBJECTS:crrm_${room}>)
  endforeach()
  target_link_libraries(crrm PUBLIC $<BUILD_INTERFACE:crrm_options>)
  set_target_properties(crrm PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION 0
                        LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
endfunction()

function(crrm_program)
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/crrm/cli/*.cpp")
  add_executable(crrm_cli ${sources})
  target_link_libraries(crrm_cli PRIVATE crrm CLI11::CLI11)
  target_precompile_headers(crrm_cli REUSE_FROM crrm_base)
  set_target_properties(crrm_cli PROPERTIES OUTPUT_NAME crrm
                        RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")
endfunction()

# crrm_test(NAME ROOM...): tests/NAME/*.cpp as the program test_NAME, with those rooms' object
# files and with tests/NAME/data.
function(crrm_test name)
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/${name}/*.cpp")
  if(NOT sources)
    return()
  endif()
  add_executable(test_${name} ${sources})
  foreach(room ${ARGN})
    target_link_libraries(test_${name} PRIVATE crrm_${room})
  endforeach()
  target_link_libraries(test_${name} PRIVATE GTest::gmock GTest::gtest GTest::gtest_main)
  target_precompile_headers(test_${name} REUSE_FROM crrm_base)
  target_compile_definitions(test_${name} PRIVATE
                             CRRM_SOURCE="${CMAKE_SOURCE_DIR}"
                             CRRM_TEST_DATA="${CMAKE_SOURCE_DIR}/tests/${name}/data")
endfunction()

# One entry of CTest a program, or a part of it, on one thread each: to start LibTorch for every case
# takes longer than the cases. `build/test_NAME --gtest_filter=...` runs single ones.
function(crrm_run_test name parts)
  if(NOT TARGET test_${name})
    return()
  endif()
  math(EXPR last "${parts} - 1")
  foreach(part RANGE ${last})
    set(label ${name})
    if(parts GREATER 1)
      math(EXPR number "${part} + 1")
      set(label ${name}.${number}of${parts})
    endif()
    add_test(NAME ${label} COMMAND test_${name})
    set_tests_properties(${label} PROPERTIES TIMEOUT 1200 ENVIRONMENT
                         "GTEST_TOTAL_SHARDS=${parts};GTEST_SHARD_INDEX=${part};OMP_NUM_THREADS=1")
  endforeach()
endfunction()

# One test program a room, and one for what only all of them can show.
function(crrm_tests)
  find_package(GTest REQUIRED)
  foreach(room ${CRRM_ROOMS})
    crrm_test(${room} ${CRRM_NEEDED_${room}})
    crrm_run_test(${room} 1)
  endforeach()
  crrm_test(conformance ${CRRM_ROOMS})
  crrm_run_test(conformance 8)
  crrm_test(testdata ${CRRM_ROOMS})
  crrm_run_test(testdata 1)
  find_package(rapidcheck CONFIG REQUIRED)
  crrm_test(properties ${CRRM_ROOMS})
  target_link_libraries(test_properties PRIVATE rapidcheck)
  crrm_run_test(properties 1)
  # The same networks at every change; `make nightly` looks at others.
  set_property(TEST properties APPEND PROPERTY ENVIRONMENT "RC_PARAMS=seed=1")
endfunction()

# Benchmarks: built on demand, `ninja -C build bench`.
function(crrm_benchmarks)
  add_custom_target(bench)
  foreach(name training_step intrinsic_dimension manifold_capacity beyond_normal)
    add_executable(bench_${name} EXCLUDE_FROM_ALL "${CMAKE_SOURCE_DIR}/bench/${name}.cpp")
    target_link_libraries(bench_${name} PRIVATE crrm)
    target_precompile_headers(bench_${name} REUSE_FROM crrm_base)
    add_dependencies(bench bench_${name})
  endforeach()
  target_sources(bench_beyond_normal PRIVATE
                 "${CMAKE_SOURCE_DIR}/tests/estimators/beyond_normal.cpp")
endfunction()
