# The commit in --version and reports: taken anew after each commit.
set(CRRM_COMMIT "")
if(EXISTS "${CMAKE_SOURCE_DIR}/.git/logs/HEAD")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/.git/logs/HEAD")
  execute_process(COMMAND git -C "${CMAKE_SOURCE_DIR}" rev-parse --short HEAD
                  OUTPUT_VARIABLE CRRM_COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
set_source_files_properties(
  "${CMAKE_SOURCE_DIR}/crrm/base/version.cpp" TARGET_DIRECTORY crrm_base PROPERTIES
  SKIP_PRECOMPILE_HEADERS ON
  COMPILE_DEFINITIONS "CRRM_VERSION=\"${PROJECT_VERSION}\";CRRM_COMMIT=\"${CRRM_COMMIT}\"")
