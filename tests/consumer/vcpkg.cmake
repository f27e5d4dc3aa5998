# Runs regimen's vcpkg port without vcpkg. Its functions are imitated: they configure and install for real, and move the
# package to where vcpkg puts it.
#
#     cmake -D port=<folder of portfile.cmake> -D work=<folder> [-D source=<what vcpkg_from_github gives>] \
#           [-D "cache=<options of cmake>"] -P vcpkg.cmake
cmake_minimum_required(VERSION 3.25...4.3)
file(REMOVE_RECURSE "${work}")
set(PORT regimen)
set(CURRENT_PORT_DIR "${port}")
set(CURRENT_PACKAGES_DIR "${work}/packages")
set(VERSION 0)

function(vcpkg_from_github)
  cmake_parse_arguments(given "" "OUT_SOURCE_PATH;REPO;REF;SHA512;HEAD_REF" "" ${ARGN})
  if(given_UNPARSED_ARGUMENTS OR NOT given_REPO OR NOT given_SHA512 MATCHES "^[0-9a-f]+$")
    message(FATAL_ERROR "vcpkg_from_github: ${ARGN}")
  endif()
  set(${given_OUT_SOURCE_PATH} "${source}" PARENT_SCOPE)
endfunction()

function(vcpkg_cmake_configure)
  cmake_parse_arguments(given "" "SOURCE_PATH" "OPTIONS" ${ARGN})
  if(given_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "vcpkg_cmake_configure: ${ARGN}")
  endif()
  execute_process(COMMAND "${CMAKE_COMMAND}" -S "${given_SOURCE_PATH}" -B "${work}/build" ${cache} ${given_OPTIONS}
                  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
endfunction()

function(vcpkg_cmake_install)
  execute_process(COMMAND "${CMAKE_COMMAND}" --install "${work}/build" --prefix "${CURRENT_PACKAGES_DIR}"
                  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# vcpkg has CMake packages in share/<port>, and corrects how they find their prefix.
function(vcpkg_cmake_config_fixup)
  cmake_parse_arguments(given "" "CONFIG_PATH" "" ${ARGN})
  set(to "${CURRENT_PACKAGES_DIR}/share/${PORT}")
  file(GLOB files "${CURRENT_PACKAGES_DIR}/${given_CONFIG_PATH}/*.cmake")
  if(NOT files)
    message(FATAL_ERROR "vcpkg_cmake_config_fixup: no CMake files in ${given_CONFIG_PATH}")
  endif()
  file(COPY ${files} DESTINATION "${to}")
  file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/share/cmake")
  file(READ "${to}/regimen-targets.cmake" text)
  set(up "get_filename_component(_IMPORT_PREFIX \"\${_IMPORT_PREFIX}\" PATH)\n")
  string(REPLACE "${up}${up}${up}" "${up}${up}" text "${text}")
  file(WRITE "${to}/regimen-targets.cmake" "${text}")
endfunction()

function(vcpkg_install_copyright)
  cmake_parse_arguments(given "" "" "FILE_LIST" ${ARGN})
  file(COPY_FILE "${given_FILE_LIST}" "${CURRENT_PACKAGES_DIR}/share/${PORT}/copyright")
endfunction()

include("${port}/portfile.cmake")
if(NOT VCPKG_BUILD_TYPE STREQUAL "release")
  message(FATAL_ERROR "a port of headers alone sets VCPKG_BUILD_TYPE to release")
endif()
foreach(folder IN ITEMS lib debug bin)
  if(EXISTS "${CURRENT_PACKAGES_DIR}/${folder}")
    message(FATAL_ERROR "the port installs a folder ${folder}/")
  endif()
endforeach()
foreach(file IN ITEMS copyright usage regimen-config.cmake)
  if(NOT EXISTS "${CURRENT_PACKAGES_DIR}/share/regimen/${file}")
    message(FATAL_ERROR "the port does not install share/regimen/${file}")
  endif()
endforeach()
