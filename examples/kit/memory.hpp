#pragma once

#include <cstdlib>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace kit {

/// Makes glibc keep the memory of large tensors: it would give it back to the system and ask for it anew at every step,
/// 10 to 19 % of the time of training in fp32. For a program's main; a library has no business here.
inline void keep_memory() {
#if defined(__GLIBC__)
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_TOP_PAD, 256 << 20);
#endif
}

}  // namespace kit
