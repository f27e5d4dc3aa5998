// expect: correct must be: at::Tensor correct\(const at::Tensor& output, const at::Tensor& target\) const
// expect: count must be: regimen::LossCount count\(const at::Tensor& target\) const
#include <regimen/loss.hpp>

struct Forgetful {
  at::Tensor operator()(const at::Tensor& output, const at::Tensor&) const { return output; }
  at::Tensor correct(const at::Tensor& output, const at::Tensor&) { return output; }
  double count(const at::Tensor&) { return 1; }
};

int main() {
  const regimen::AnyLoss loss = Forgetful{};
}
