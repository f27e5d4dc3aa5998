#pragma once

#include <optional>
#include <vector>

#include "regimen/optimizer/concept.hpp"
#include "regimen/optimizer/detail/numbers.hpp"

namespace regimen::inline v0::detail {

/// Changes one number of each parameter group for its lifetime, which is one step: checkpoints never see scheduled
/// values, and nothing has to be restored at the end of a phase.
class HeldNumbers {
 public:
  HeldNumbers() = default;  ///< changes nothing

  template <class Change>
  HeldNumbers(const GroupNumbers& numbers, Change change) : numbers_(&numbers), before_(numbers.get()) {
    std::vector<double> changed = before_;
    for (double& number : changed) {
      number = change(number);
    }
    numbers.set(changed);
  }
  ~HeldNumbers() {
    if (numbers_ != nullptr) {
      numbers_->set(before_);
    }
  }
  HeldNumbers(const HeldNumbers&) = delete;
  HeldNumbers& operator=(const HeldNumbers&) = delete;

 private:
  const GroupNumbers* numbers_ = nullptr;
  std::vector<double> before_;
};

[[nodiscard]] inline HeldNumbers scaled_rates(const OptimizerRef& optimizer, double scale) {
  return scale == 1 ? HeldNumbers() : HeldNumbers(optimizer.rates(), [=](double own) { return own * scale; });
}

[[nodiscard]] inline HeldNumbers scaled_weight_decays(const OptimizerRef& optimizer, double scale) {
  return scale == 1 ? HeldNumbers() : HeldNumbers(optimizer.weight_decays(), [=](double own) { return own * scale; });
}

[[nodiscard]] inline HeldNumbers set_momenta(const OptimizerRef& optimizer, std::optional<double> momentum) {
  return momentum ? HeldNumbers(optimizer.momenta(), [=](double /*own*/) { return *momentum; }) : HeldNumbers();
}

}  // namespace regimen::inline v0::detail
