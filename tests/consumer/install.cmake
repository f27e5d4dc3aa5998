# Installs a build folder into a prefix and looks at every file there.
#
#     cmake -D source=<regimen's folder> -D build=<folder> -D prefix=<folder> -D ours=ON [-D moved_to=<folder>] -P install.cmake
#
# ours=ON: what lies there of regimen is all of its headers, its CMake package, licence and README, and none of these
# files names a folder of this machine. ours=OFF: nothing is regimen's, and something is. moved_to: moves the prefix.
cmake_minimum_required(VERSION 3.25...4.3)
file(REMOVE_RECURSE "${prefix}")
if(moved_to)
  file(REMOVE_RECURSE "${moved_to}")
endif()
execute_process(COMMAND "${CMAKE_COMMAND}" --install "${build}" --prefix "${prefix}" OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)

file(GLOB_RECURSE files RELATIVE "${prefix}" "${prefix}/*")
set(regimens ${files})
list(FILTER regimens INCLUDE REGEX "regimen")
if(NOT files)
  message(FATAL_ERROR "nothing was installed")
elseif(NOT ours)
  if(regimens)
    message(FATAL_ERROR "the project's installation holds regimen too: ${regimens}")
  endif()
  return()
endif()

file(GLOB_RECURSE expected RELATIVE "${source}" "${source}/include/regimen/*.hpp")
set(package share/cmake/regimen)
list(APPEND expected ${package}/regimen-config.cmake ${package}/regimen-config-version.cmake
                     ${package}/regimen-targets.cmake ${package}/dependencies.cmake
                     share/doc/regimen/LICENSE share/doc/regimen/README.md)
if(CMAKE_VERSION VERSION_GREATER_EQUAL 4.3)
  list(APPEND expected share/cps/regimen-headers/regimen-headers.cps)
endif()
foreach(file IN LISTS expected)
  if(NOT file IN_LIST regimens)
    message(FATAL_ERROR "not installed: ${file}")
  endif()
endforeach()
list(REMOVE_ITEM regimens ${expected})
if(regimens)
  message(FATAL_ERROR "installed, and not expected: ${regimens}")
endif()

foreach(file IN LISTS expected)
  file(READ "${prefix}/${file}" text)
  foreach(folder IN ITEMS "${source}" "${build}" "${prefix}")
    # A whole path: /regimen is a folder's end in ${CMAKE_CURRENT_LIST_DIR}/regimen-targets.cmake too.
    string(REGEX REPLACE "([][+.*()^$?|\\])" "\\\\\\1" pattern "${folder}")
    if(text MATCHES "(^|-[IL]|[^A-Za-z0-9_.}/-])${pattern}([^A-Za-z0-9_.-]|$)")
      message(FATAL_ERROR "${file} names ${folder}, a folder of the machine that installed it")
    endif()
  endforeach()
endforeach()

if(moved_to)
  file(RENAME "${prefix}" "${moved_to}")
endif()
