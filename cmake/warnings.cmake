# Warnings for our own programs. A target, linked PRIVATE, so that no user of the library inherits a flag; regimen's
# headers are not system headers to it, so what they do is warned about too.
add_library(regimen_warnings INTERFACE)
target_compile_options(
  regimen_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-qual
                             -Wextra-semi $<$<BOOL:${REGIMEN_WERROR}>:-Werror>)

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # g++ 12 finds overflows in `"text" + std::string` that are not there (GCC bug 105651), and, at -O3, strings that are not
  # initialized where an exception would end a designated initializer like `rg::Barrier{.data = data}`.
  target_compile_options(regimen_warnings INTERFACE -Wno-array-bounds -Wno-restrict -Wno-stringop-overflow
                                                    -Wno-maybe-uninitialized)
endif()
