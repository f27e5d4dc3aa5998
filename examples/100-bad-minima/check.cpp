#include "check.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <regimen/base/error.hpp>

#include "kit/workers.hpp"
#include "plan.hpp"
#include "settings_text.hpp"

namespace {

/// Two units of one name would write the same files.
template <class T>
bool has_twice(std::vector<T> values) {
  std::sort(values.begin(), values.end());
  return std::adjacent_find(values.begin(), values.end()) != values.end();
}

}  // namespace

bool is_default(const Settings& settings) {
  Settings standard;
  standard.seeds = 5;
  standard.first_seed = settings.first_seed;
  standard.device = settings.device;
  standard.precision = settings.device == "cuda" ? "bf16" : "fp32";
  return text_of(settings) == text_of(standard);
}

void check_together(const Settings& s, const Task& task) {
  const bool toy = s.data == "toy";
  if (toy && (s.device == "cuda" || s.precision == "bf16")) {
    throw regimen::Error("--data toy trains in fp32 on the CPU: leave out --device cuda and --precision bf16");
  }
  if (has_twice(s.models)) {
    throw regimen::Error("--model must name each network once");
  }
  if (has_twice(s.recipe.copies)) {
    throw regimen::Error("--copies must have each number once");
  }
  if (task.budget > 0 && !task.unit.empty() && !task.worker) {
    throw regimen::Error("--budget fits a whole run to a time, and --unit is a part of one: leave out one of them");
  }
}

void settle_processors(Settings& s, bool one_process, int here) {
  const int units = static_cast<int>(units_of(s).size());
  kit::settle_workers(s.workers, s.threads, units, one_process || s.device == "cuda" || s.data == "toy",
                      s.paper && s.data != "toy", here);
}
