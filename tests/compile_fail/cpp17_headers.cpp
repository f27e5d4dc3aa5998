// A header that reaches regimen's own code late: by then LibTorch has been read.
// flag: -std=c++17
// errors: 2
// expect: regimen needs C\+\+20: compile with -std=c\+\+20
#include <regimen/key.hpp>

int main() {}
