# Finds what regimen needs and wraps LibTorch in one small target, regimen::torch.
#
# The build tree includes this file, and so does the installed package (regimen-config.cmake). What is exported is
# therefore the *name* regimen::torch: were ${TORCH_LIBRARIES} linked instead, the absolute path of this machine's
# libc10.so would be written into the package.
#
# What is not found is told by regimen_missing, a sentence for each of them, which is empty otherwise: who includes this
# file decides whether that is an error.

# Put back below. find_package has no scope of its own, and Debian's TorchConfig.cmake finds glog, which writes to
# CMAKE_MODULE_PATH.
set(regimen_settings CMAKE_FIND_PACKAGE_TARGETS_GLOBAL CMAKE_MODULE_PATH CMAKE_PREFIX_PATH)
foreach(regimen_setting IN LISTS regimen_settings)
  if(DEFINED ${regimen_setting})
    set(regimen_saved_${regimen_setting} "${${regimen_setting}}")
  else()
    unset(regimen_saved_${regimen_setting})
  endif()
endforeach()

# Targets found in a subdirectory are invisible outside it, and a project that takes regimen by add_subdirectory or
# FetchContent would fail when CMake generates.
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL TRUE)

# TorchConfig.cmake looks in its own folder *last*, after the system's: with nothing but Torch_DIR given, the headers
# would be those of that LibTorch and the libraries Debian's.
if(EXISTS "${Torch_DIR}/TorchConfig.cmake")
  list(PREPEND CMAKE_PREFIX_PATH "${Torch_DIR}/../../..")
elseif(EXISTS "$ENV{Torch_DIR}/TorchConfig.cmake")
  list(APPEND CMAKE_PREFIX_PATH "$ENV{Torch_DIR}/../../..")
endif()

# QUIET: of a package that is missing CMake says what a find module or config file is, and not what to install.
find_package(Torch 1.13 QUIET) # not 1.13.1: Debian 12's 1.13.1 calls itself 1.13.0
find_package(ZLIB QUIET)

foreach(regimen_setting IN LISTS regimen_settings)
  if(DEFINED regimen_saved_${regimen_setting})
    set(${regimen_setting} "${regimen_saved_${regimen_setting}}")
    unset(regimen_saved_${regimen_setting})
  else()
    unset(${regimen_setting})
  endif()
endforeach()
unset(regimen_settings)
unset(regimen_setting)

set(regimen_missing "")
if(NOT Torch_FOUND)
  string(APPEND regimen_missing
         "regimen needs LibTorch 1.13 or newer, and CMake does not find it. Debian: apt-get install libtorch-dev. Another "
         "one: -DCMAKE_PREFIX_PATH=FOLDER, the folder that holds its include/ and lib/ (of PyPI's: site-packages/torch).")
  foreach(regimen_config regimen_found IN ZIP_LISTS Torch_CONSIDERED_CONFIGS Torch_CONSIDERED_VERSIONS)
    string(APPEND regimen_missing " Found and refused: ${regimen_config}, version ${regimen_found}.")
  endforeach()
elseif(NOT regimen_FIND_QUIETLY)
  message(STATUS "regimen: LibTorch ${Torch_VERSION}, ${TORCH_LIBRARY}")
endif()
if(NOT ZLIB_FOUND)
  string(APPEND regimen_missing " regimen needs zlib, and CMake does not find it. Debian: apt-get install zlib1g-dev.")
endif()
string(STRIP "${regimen_missing}" regimen_missing)

# IMPORTED makes LibTorch's include directories system ones: its warnings are not ours.
if(Torch_FOUND AND NOT TARGET regimen::torch)
  add_library(regimen::torch INTERFACE IMPORTED GLOBAL)
  # PyPI's libtorch.so exports a std::filesystem of its own; found before the compiler's, its remove_all() jumps to 0.
  # The loader searches in link order.
  target_link_libraries(regimen::torch INTERFACE $<$<CXX_COMPILER_ID:GNU>:stdc++>)
  if(TARGET torch) # Debian, the PyPI wheel, pytorch.org's archives, vcpkg
    target_link_libraries(regimen::torch INTERFACE torch)
  elseif(TARGET libtorch::libtorch) # Conan
    target_link_libraries(regimen::torch INTERFACE libtorch::libtorch)
  else()
    target_include_directories(regimen::torch INTERFACE ${TORCH_INCLUDE_DIRS})
    target_link_libraries(regimen::torch INTERFACE ${TORCH_LIBRARIES})
  endif()
endif()

# regimen::c10d, for processes that share a run (adapt/c10d.hpp): with Gloo, where LibTorch's own headers for it find
# Gloo's, as Debian's libtorch-dev finds libgloo-dev's, and with NCCL, where a LibTorch for CUDA finds its header. Elsewhere
# (PyPI's LibTorch has Gloo inside, without headers) processes talk through c10d's store, for which nothing is added.
if(Torch_FOUND AND NOT TARGET regimen::c10d)
  add_library(regimen::c10d INTERFACE IMPORTED GLOBAL)
  # Beside LibTorch's own, for another Gloo's would be of another version.
  find_path(REGIMEN_GLOO_HEADERS gloo/transport/device.h PATHS ${TORCH_INCLUDE_DIRS} NO_DEFAULT_PATH)
  find_library(REGIMEN_GLOO_LIBRARY gloo)
  mark_as_advanced(REGIMEN_GLOO_HEADERS REGIMEN_GLOO_LIBRARY)
  if(REGIMEN_GLOO_HEADERS AND REGIMEN_GLOO_LIBRARY)
    target_compile_definitions(regimen::c10d INTERFACE USE_C10D_GLOO REGIMEN_WITH_GLOO=1)
    target_link_libraries(regimen::c10d INTERFACE "${REGIMEN_GLOO_LIBRARY}")
  endif()
  if(TARGET torch_cuda)
    find_path(REGIMEN_NCCL_HEADERS nccl.h HINTS ${CUDA_INCLUDE_DIRS} ${CUDAToolkit_INCLUDE_DIRS})
    mark_as_advanced(REGIMEN_NCCL_HEADERS)
    if(REGIMEN_NCCL_HEADERS)
      target_compile_definitions(regimen::c10d INTERFACE USE_C10D_NCCL REGIMEN_WITH_NCCL=1)
      target_include_directories(regimen::c10d INTERFACE "${REGIMEN_NCCL_HEADERS}")
    endif()
  endif()
endif()
