#include <regimen/regimen.hpp>

#include <cstdio>

int main() {
  return std::puts(regimen::version) < 0;
}
