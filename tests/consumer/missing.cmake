# Configures this project as if a package were not installed, one after the other: the error has to say what to do.
#
#     cmake -D source=... -D work=... -D "cache=<what configures it here>" -P missing.cmake
file(REMOVE_RECURSE "${work}")
set(torch "apt-get install libtorch-dev.*-DCMAKE_PREFIX_PATH=FOLDER")
set(zlib "apt-get install zlib1g-dev")
set(cli11 "apt-get install libcli11-dev.*-DREGIMEN_BUILD_EXAMPLES=OFF")
set(catch2 "apt-get install catch2.*-DREGIMEN_BUILD_TESTS=OFF")

foreach(package IN ITEMS Torch ZLIB CLI11 Catch2)
  set(without "-DCMAKE_DISABLE_FIND_PACKAGE_${package}=ON")
  execute_process(COMMAND "${CMAKE_COMMAND}" -S "${source}" -B "${work}" ${cache} ${without} -Wno-dev
                  RESULT_VARIABLE result ERROR_VARIABLE errors OUTPUT_QUIET)
  string(REGEX REPLACE "[ \n]+" " " said "${errors}") # CMake breaks lines as it likes
  string(TOLOWER ${package} expected)
  if(result EQUAL 0 OR NOT said MATCHES "${${expected}}")
    message("${errors}")
    message(FATAL_ERROR "Without ${package} no error says \"${${expected}}\".")
  endif()
  file(REMOVE "${work}/CMakeCache.txt") # keeps what was found out about the compiler
endforeach()
