// A header without LibTorch: those of LibTorch, where they come first, fail in their own words.
// flag: -fno-exceptions
// errors: 2
// expect: error: #error "regimen needs exceptions, as LibTorch does: compile without -fno-exceptions"
// expect: fatal error: regimen needs exceptions: compile without -fno-exceptions
#include <regimen/schedule.hpp>

int main() {}
