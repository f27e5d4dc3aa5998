#include <regimen/schedule.hpp>

int main() {
  return regimen::StepDecay{{1}, 0.5}({.epoch = 2}) == 0.5 ? 0 : 1;
}
