// flag: -std=c++17
// errors: 2
// expect: error: #error "regimen needs C\+\+20: compile with -std=c\+\+20
// expect: fatal error: regimen needs C\+\+20: compile with -std=c\+\+20
#include <regimen/regimen.hpp>

int main() {}
