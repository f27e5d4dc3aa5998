// A header without LibTorch: those of LibTorch, where they come first, fail in their own words.
// flag: -fno-rtti
// errors: 2
// expect: error: #error "regimen needs run-time type information, as LibTorch does: compile without -fno-rtti"
// expect: fatal error: regimen needs run-time type information: compile without -fno-rtti
#include <regimen/schedule.hpp>

int main() {}
