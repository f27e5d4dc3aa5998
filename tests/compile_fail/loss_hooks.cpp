// expect: correct must be: at::Tensor correct\(const at::Tensor& output, const at::Tensor& target\) const
// expect: count must be: regimen::LossCount count\(const at::Tensor& target\) const
#include <regimen/loss.hpp>

struct Forgetful {
  at::Tensor operator()(const at::Tensor& output, const at::Tensor&) const { return output; }
  at::Tensor correct(const at::Tensor& output, const at::Tensor&) { return output; }
  double count(const at::Tensor&) { return 1; }
};

// expect: check_target must be: void check_target\(const at::Tensor& target\) const
// expect: sums must be: bool sums\(\) const
struct Silent {
  at::Tensor operator()(const at::Tensor& output, const at::Tensor&) const { return output; }
  void check_target(const at::Tensor&) {}
  bool sums() { return true; }
};

int main() {
  const regimen::AnyLoss loss = Forgetful{};
  const regimen::AnyLoss silent = Silent{};
}
