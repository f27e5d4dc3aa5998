// Meter: by the sanitizers' hooks where there are any, else by standing in for glibc's malloc.

#include <malloc.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "target.hpp"

#if defined(__SANITIZE_ADDRESS__)
#define FUZZ_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FUZZ_SANITIZED
#endif
#endif

namespace {

// Of the program itself, so that they are there before the first malloc and need none.
thread_local bool counting = false;
thread_local std::int64_t held = 0;
thread_local std::int64_t most = 0;

void taken(std::size_t bytes) {
  if (counting) {
    held += static_cast<std::int64_t>(bytes);
    most = std::max(most, held);
  }
}

void given_back(std::size_t bytes) {
  if (counting) {
    held -= static_cast<std::int64_t>(bytes);  // below 0 where it was taken before the meter's time
  }
}

}  // namespace

#ifdef FUZZ_SANITIZED

// As in <sanitizer/allocator_interface.h>, which Debian's g++ comes without.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void*, std::size_t),
                                                         void (*)(const volatile void*));
extern "C" std::size_t __sanitizer_get_allocated_size(const volatile void*);

namespace {

const int hooks = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void* /*memory*/, std::size_t bytes) { taken(bytes); },
    [](const volatile void* memory) { given_back(__sanitizer_get_allocated_size(memory)); });

}  // namespace

#else

extern "C" {

void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* memory, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);
void __libc_free(void* memory);

void* malloc(std::size_t bytes) noexcept {
  void* const memory = __libc_malloc(bytes);
  taken(malloc_usable_size(memory));
  return memory;
}

void* calloc(std::size_t count, std::size_t bytes) noexcept {
  void* const memory = __libc_calloc(count, bytes);
  taken(malloc_usable_size(memory));
  return memory;
}

void* realloc(void* memory, std::size_t bytes) noexcept {
  const std::size_t before = malloc_usable_size(memory);
  void* const moved = __libc_realloc(memory, bytes);
  if (moved != nullptr || bytes == 0) {
    taken(malloc_usable_size(moved));
    given_back(before);  // afterwards: it may have been copied
  }
  return moved;
}

void* memalign(std::size_t alignment, std::size_t bytes) noexcept {
  void* const memory = __libc_memalign(alignment, bytes);
  taken(malloc_usable_size(memory));
  return memory;
}

void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
  return memalign(alignment, bytes);
}

int posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) noexcept {
  *memory = memalign(alignment, bytes);
  return *memory == nullptr ? ENOMEM : 0;
}

void free(void* memory) noexcept {
  given_back(malloc_usable_size(memory));
  __libc_free(memory);
}

}  // extern "C"

#endif

namespace fuzz {

Meter::Meter() {
  held = 0;
  most = 0;
  counting = true;
}

Meter::~Meter() {
  counting = false;
}

std::int64_t Meter::peak() const {
  return most;
}

}  // namespace fuzz
