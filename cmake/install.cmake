# Installs the headers and a package that `find_package(regimen)` finds. No file of it names a path of this machine.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(regimen_package_dir share/cmake/regimen) # share/, not lib/: headers are the same on every architecture

target_include_directories(regimen_headers INTERFACE "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
                                                     "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
set_target_properties(regimen_headers PROPERTIES EXPORT_NAME headers)

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/regimen" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        FILES_MATCHING PATTERN "*.hpp")

install(TARGETS regimen regimen_headers EXPORT regimen-targets)
install(EXPORT regimen-targets NAMESPACE regimen:: DESTINATION "${regimen_package_dir}")

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/regimen-config.cmake.in" regimen-config.cmake
                              INSTALL_DESTINATION "${regimen_package_dir}"
                              NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
# Before 1.0 a minor version may break its users, hence SameMinorVersion.
write_basic_package_version_file(regimen-config-version.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)

install(FILES "${PROJECT_BINARY_DIR}/regimen-config.cmake" "${PROJECT_BINARY_DIR}/regimen-config-version.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/dependencies.cmake" DESTINATION "${regimen_package_dir}")
