// Linked with the translation units that CMake generates for every header: regimen.hpp is then included twice in one
// program, and each definition has to be inline.
#include <regimen/regimen.hpp>

int main() {
  return regimen::version[0] == '\0';
}
