// The hook has the right name, and would never be called.
// expect: gradient must be: void gradient\(const regimen::Pass&\) const
#include <regimen/regularize.hpp>

struct Push {
  void gradient(const at::Tensor& parameter) const { parameter.mutable_grad() += 1; }
};

int main() {
  const regimen::AnyRegularizer push = Push{};
}
