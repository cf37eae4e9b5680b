# LibTorch comes from the PyTorch wheel in the project's virtual environment (scripts/setup.sh).
if(NOT DEFINED CRRM_PYTHON)
  set(CRRM_PYTHON "${CMAKE_SOURCE_DIR}/.venv/bin/python3")
endif()
if(NOT EXISTS "${CRRM_PYTHON}")
  message(FATAL_ERROR "No ${CRRM_PYTHON}. Run scripts/setup.sh first, or pass -DCRRM_PYTHON=<python "
                      "with torch 2.13.0 installed>.")
endif()
execute_process(
  COMMAND "${CRRM_PYTHON}" -c
          "import sysconfig, os; print(os.path.join(sysconfig.get_path('purelib'), 'torch'))"
  OUTPUT_VARIABLE CRRM_TORCH_ROOT OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
include(cmake/torch.cmake)

find_package(CLI11 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(Threads REQUIRED)
find_path(PROTOZERO_INCLUDE_DIR protozero/pbf_reader.hpp REQUIRED)
find_path(TURBOJPEG_INCLUDE_DIR turbojpeg.h REQUIRED)
find_library(TURBOJPEG_LIBRARY turbojpeg REQUIRED)
find_path(SPNG_INCLUDE_DIR spng.h REQUIRED)
find_library(SPNG_LIBRARY spng REQUIRED)
find_file(CRRM_CHART_JS NAMES chart.min.js chart.js Chart.min.js
          PATHS /usr/share/javascript/chart.js REQUIRED NO_DEFAULT_PATH)

find_program(CRRM_MOLD mold)
find_program(CRRM_LLD ld.lld)
if(CRRM_MOLD)
  add_link_options(-fuse-ld=mold)
elseif(CRRM_LLD)
  add_link_options(-fuse-ld=lld)
endif()

find_program(CRRM_CCACHE ccache)
if(CRRM_CCACHE)
  # The precompiled header needs ccache to overlook its time stamps. Nothing is written outside the
  # project.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      "${CMAKE_COMMAND}" -E env "CCACHE_DIR=${CMAKE_SOURCE_DIR}/.ccache" CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      "${CRRM_CCACHE}")
endif()

# What every room compiles with.
add_library(crrm_options INTERFACE)
target_include_directories(crrm_options INTERFACE "$<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}>")
target_include_directories(crrm_options SYSTEM INTERFACE "${PROTOZERO_INCLUDE_DIR}"
                           "${TURBOJPEG_INCLUDE_DIR}" "${SPNG_INCLUDE_DIR}")
target_compile_options(crrm_options INTERFACE -fPIC -Wall -Wextra -Wno-unused-parameter
                       $<$<BOOL:${CRRM_WERROR}>:-Werror> -fpch-preprocess)
target_compile_definitions(crrm_options INTERFACE FMT_HEADER_ONLY=1)
target_link_libraries(crrm_options INTERFACE torch nlohmann_json::nlohmann_json Threads::Threads
                      ZLIB::ZLIB OpenSSL::Crypto "${TURBOJPEG_LIBRARY}" "${SPNG_LIBRARY}"
                      ${CMAKE_DL_LIBS})
