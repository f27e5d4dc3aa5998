# add_test_program(<program> <library> <precompiled header> [FOLDER <folder>] [TOGETHER]): the program <program>-tests,
# and one CTest entry `<room>.<file>` for each test in it, labelled <program>.
#
# Its tests are those that include support/<program>.hpp, in the folder of any room and in laws/. CMake looks at the
# includes when it configures: run it again where a test has moved to another program.
# FOLDER: all tests of this folder instead; the entries are called `<program>.<file>`.
#
# TOGETHER: each of its files has a namespace of its own, so with REGIMEN_TESTS_TOGETHER several are compiled as one, and
# what they instantiate of the library is compiled once. Whoever works on one file leaves that off.
#
# An entry selects the test cases of its file by Catch2's "filenames as tags", which versions 2 and 3 share: nothing is
# discovered by running the program, so it can be built where it cannot run (a wheel whose CUDA libraries are not on
# the loader's path), and LibTorch is loaded once a file, not once a test case.
option(REGIMEN_TESTS_TOGETHER "Compile the files of a test program together: quicker for all, slower for one" OFF)

# REGIMEN_TESTS_WITHOUT: a regular expression for the <folder>/<file> that are left out, for a build that has a reason to
# look at the others only.
set(REGIMEN_TESTS_WITHOUT "" CACHE STRING "Tests that are not built, as a regular expression for <folder>/<file>")

# The tests of rooms and laws that include support/<program>.hpp, into the named variable.
function(find_tests program result)
  file(GLOB files CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*/*_test.cpp")
  set(found "")
  foreach(file IN LISTS files)
    cmake_path(GET file PARENT_PATH folder)
    cmake_path(GET folder FILENAME room)
    cmake_path(GET file FILENAME name)
    if(REGIMEN_TESTS_WITHOUT AND "${room}/${name}" MATCHES "${REGIMEN_TESTS_WITHOUT}")
      continue()
    endif()
    if(room STREQUAL "laws" OR IS_DIRECTORY "${PROJECT_SOURCE_DIR}/include/regimen/${room}")
      file(STRINGS "${file}" includes REGEX "^#include \"support/${program}\\.hpp\"")
      if(includes)
        list(APPEND found "${file}")
      endif()
    endif()
  endforeach()
  set(${result} "${found}" PARENT_SCOPE)
endfunction()

function(add_test_program name library precompiled)
  cmake_parse_arguments(given "TOGETHER" "FOLDER" "" ${ARGN})
  set(program ${name}-tests)
  if(given_FOLDER)
    file(GLOB files CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${given_FOLDER}/*_test.cpp")
  else()
    find_tests(${name} files)
  endif()

  add_executable(${program} ${files})
  target_include_directories(${program} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
  target_link_libraries(${program} PRIVATE ${library} regimen_warnings Catch2::Catch2WithMain)
  # LibTorch does the work and is optimized; optimizing the tests would double the time to compile them.
  target_compile_options(${program} PRIVATE $<$<CONFIG:Release>:-O0>)
  target_compile_definitions(${program} PRIVATE _GLIBCXX_ASSERTIONS) # a subscript out of range ends the test

  if(given_TOGETHER AND REGIMEN_TESTS_TOGETHER)
    set_target_properties(${program} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 6)
  endif()

  # torch/torch.h takes 11 s and 1.1 GB: parse it once for all the programs that need it.
  if(precompiled STREQUAL "OF_TENSORS")
    target_precompile_headers(${program} REUSE_FROM tensors-tests)
  else()
    target_precompile_headers(${program} PRIVATE ${precompiled})
  endif()

  foreach(file IN LISTS files)
    cmake_path(GET file STEM test)
    cmake_path(GET file PARENT_PATH folder)
    cmake_path(GET folder FILENAME room)
    if(given_FOLDER)
      set(room ${name})
    endif()
    set(entry ${room}.${test})
    add_test(NAME ${entry} COMMAND ${program} --filenames-as-tags "[#${test}]")
    # Two OpenMP programs at once spin against each other and take many times as long.
    # Catch2 2 calls a run without test cases a success.
    set_tests_properties(${entry} PROPERTIES LABELS ${name} ENVIRONMENT OMP_NUM_THREADS=1 SKIP_RETURN_CODE 77
                                             FAIL_REGULAR_EXPRESSION "No test cases matched;No tests ran")
  endforeach()
endfunction()
