# Installs the headers, licence and README, and a package that `find_package(regimen)` finds. No file of it names a path
# of this machine, so the installed tree can be moved. Included where REGIMEN_INSTALL is ON.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(regimen_package_dir share/cmake/regimen) # share/, not lib/: headers are the same on every architecture

file(GLOB_RECURSE regimen_header_files CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/include/regimen/*.hpp")
target_sources(regimen_headers INTERFACE FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}/include"
                                         FILES ${regimen_header_files})
set_target_properties(regimen_headers PROPERTIES EXPORT_NAME headers)

install(TARGETS regimen regimen_headers EXPORT regimen-targets FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT regimen-targets NAMESPACE regimen:: DESTINATION "${regimen_package_dir}")

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/regimen-config.cmake.in" regimen-config.cmake
                              INSTALL_DESTINATION "${regimen_package_dir}"
                              NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
# Before 1.0 a minor version may break its users, hence SameMinorVersion.
write_basic_package_version_file(regimen-config-version.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)

install(FILES "${PROJECT_BINARY_DIR}/regimen-config.cmake" "${PROJECT_BINARY_DIR}/regimen-config-version.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/dependencies.cmake" DESTINATION "${regimen_package_dir}")

# Not CMAKE_INSTALL_DOCDIR, which in a larger project has the name of that one.
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/README.md"
        DESTINATION "${CMAKE_INSTALL_DATAROOTDIR}/doc/regimen")

# The Common Package Specification (CPS), for tools that do not read CMake code. It describes regimen::headers alone:
# LibTorch comes without such a file, and its target `torch` has no namespace that one could refer to. The package has a
# name of its own, since find_package(regimen) would take a regimen.cps instead of regimen-config.cmake.
if(CMAKE_VERSION VERSION_GREATER_EQUAL 4.3)
  install(TARGETS regimen_headers EXPORT regimen-headers FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
  install(PACKAGE_INFO regimen-headers EXPORT regimen-headers DESTINATION share/cps/regimen-headers
          VERSION "${PROJECT_VERSION}" COMPAT_VERSION "${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}.0" LICENSE MIT DESCRIPTION "The headers of regimen that need no LibTorch")
endif()
