// expect: a transform must be callable as: regimen::Batch transform\(const regimen::Batch&, const regimen::Key&\) const
#include <regimen/transform.hpp>

int main() {
  const regimen::AnyTransform negate = [](const regimen::Batch& batch, const regimen::Key&) { return -batch.data; };
}
