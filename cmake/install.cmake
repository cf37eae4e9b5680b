# Installed, crrm is a package: find_package(crrm CONFIG) gives the library crrm::crrm.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(CRRM_PACKAGE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/crrm")

target_include_directories(crrm INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(crrm INTERFACE $<INSTALL_INTERFACE:torch>
                                     $<INSTALL_INTERFACE:nlohmann_json::nlohmann_json>)
target_compile_features(crrm INTERFACE cxx_std_20)
# LibTorch is found where it was at build time; its targets name it by flags that CMake's own run
# path search does not see.
set_target_properties(crrm PROPERTIES INSTALL_RPATH "$ORIGIN;${CRRM_TORCH_ROOT}/lib")
set_target_properties(crrm_cli PROPERTIES
                      INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR};${CRRM_TORCH_ROOT}/lib")

install(TARGETS crrm EXPORT crrmTargets)
install(TARGETS crrm_cli)
install(DIRECTORY "${CMAKE_SOURCE_DIR}/crrm" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        FILES_MATCHING PATTERN "*.h" PATTERN "cli" EXCLUDE)
install(EXPORT crrmTargets NAMESPACE crrm:: DESTINATION "${CRRM_PACKAGE_DIR}")
configure_package_config_file("${CMAKE_SOURCE_DIR}/cmake/crrmConfig.cmake.in"
                              "${CMAKE_BINARY_DIR}/crrmConfig.cmake"
                              INSTALL_DESTINATION "${CRRM_PACKAGE_DIR}")
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file("${CMAKE_BINARY_DIR}/crrmConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_BINARY_DIR}/crrmConfig.cmake" "${CMAKE_BINARY_DIR}/crrmConfigVersion.cmake"
              "${CMAKE_SOURCE_DIR}/cmake/torch.cmake"
        DESTINATION "${CRRM_PACKAGE_DIR}")

if(CRRM_TESTS)
  add_test(NAME install.another_project_links_crrm
           COMMAND "${CMAKE_SOURCE_DIR}/tests/install/check.sh" "${CMAKE_BINARY_DIR}")
  set_tests_properties(install.another_project_links_crrm PROPERTIES TIMEOUT 300)
endif()
