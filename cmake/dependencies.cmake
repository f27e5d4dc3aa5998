# Finds what regimen needs and wraps LibTorch in one small target, regimen::torch.
#
# The build tree includes this file, and so does the installed package (regimen-config.cmake). What is exported is
# therefore the *name* regimen::torch: were ${TORCH_LIBRARIES} linked instead, the absolute path of this machine's
# libc10.so would be written into the package.

set(regimen_saved_prefix_path "${CMAKE_PREFIX_PATH}")
set(regimen_saved_targets_global "${CMAKE_FIND_PACKAGE_TARGETS_GLOBAL}")

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

find_package(Torch 1.13 REQUIRED) # not 1.13.1: Debian 12's 1.13.1 calls itself 1.13.0
find_package(ZLIB REQUIRED)

set(CMAKE_PREFIX_PATH "${regimen_saved_prefix_path}")
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL "${regimen_saved_targets_global}")
unset(regimen_saved_prefix_path)
unset(regimen_saved_targets_global)

# IMPORTED makes LibTorch's include directories system ones: its warnings are not ours.
if(NOT TARGET regimen::torch)
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
