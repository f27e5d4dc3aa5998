# add_test_program(<folder> <library> <precompiled header> [AS <name>] [TOGETHER]): the program <folder>-tests made of
# tests/<folder>/*.cpp, and one CTest entry `<folder>.<file>` for each of these files; by another name if one is given.
#
# TOGETHER: each of its files has a namespace of its own, so with REGIMEN_TESTS_TOGETHER several are compiled as one, and
# what they instantiate of the library is compiled once. Whoever works on one file leaves that off.
#
# An entry selects the test cases of its file by Catch2's "filenames as tags", which versions 2 and 3 share: nothing is
# discovered by running the program, so it can be built where it cannot run (a wheel whose CUDA libraries are not on
# the loader's path), and LibTorch is loaded once a file, not once a test case.
option(REGIMEN_TESTS_TOGETHER "Compile the files of a test program together: quicker for all, slower for one" OFF)
function(add_test_program folder library precompiled)
  cmake_parse_arguments(given "TOGETHER" "AS" "" ${ARGN})
  set(label ${folder})
  if(given_AS)
    set(label ${given_AS})
  endif()
  set(program ${label}-tests)
  file(GLOB files CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.cpp")
  if(NOT files)
    return()
  endif()

  add_executable(${program} ${files})
  target_include_directories(${program} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
  target_link_libraries(${program} PRIVATE ${library} regimen_warnings Catch2::Catch2WithMain)
  # LibTorch does the work and is optimized; optimizing the tests would double the time to compile them.
  target_compile_options(${program} PRIVATE $<$<CONFIG:Release>:-O0>)

  if(given_TOGETHER AND REGIMEN_TESTS_TOGETHER)
    set_target_properties(${program} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 6)
  endif()

  # torch/torch.h takes 11 s and 1.1 GB: parse it once for all the programs that need it.
  if(precompiled STREQUAL "OF_TENSORS" AND TARGET tensors-tests)
    target_precompile_headers(${program} REUSE_FROM tensors-tests)
  elseif(precompiled STREQUAL "OF_TENSORS")
    target_precompile_headers(${program} PRIVATE testing.hpp)
  else()
    target_precompile_headers(${program} PRIVATE ${precompiled})
  endif()

  foreach(file IN LISTS files)
    get_filename_component(name "${file}" NAME_WE)
    if(NOT name MATCHES "_test$") # what they share
      continue()
    endif()
    add_test(NAME ${label}.${name} COMMAND ${program} --filenames-as-tags "[#${name}]")
    # Two OpenMP programs at once spin against each other and take many times as long.
    # Catch2 2 calls a run without test cases a success.
    set_tests_properties(${label}.${name} PROPERTIES LABELS ${label} ENVIRONMENT OMP_NUM_THREADS=1 SKIP_RETURN_CODE 77
                                                     FAIL_REGULAR_EXPRESSION "No test cases matched;No tests ran")
  endforeach()
endfunction()
