#include "support/tensors.hpp"

#include <optional>
#include <stdexcept>
#include <thread>

#include <regimen/regimen.hpp>

namespace tap_test {

using regimen::tap;
using regimen::Taps;

TEST_CASE("tap: gives its tensor back, whether or not somebody records") {
  const at::Tensor tensor = at::ones({3});
  CHECK(tap(tensor).is_same(tensor));
  const Taps taps;
  CHECK(tap(tensor).is_same(tensor));
  REQUIRE(taps.tensors().size() == 1);
  CHECK(taps.tensors()[0].is_same(tensor));
}

TEST_CASE("tap: tensors are recorded in the order in which they pass, gradients and all") {
  const at::Tensor weight = at::full({2}, 3.0).requires_grad_(true);
  const Taps taps;
  CHECK(taps.tensors().empty());
  const at::Tensor second = tap(tap(weight * 2).square());
  REQUIRE(taps.tensors().size() == 2);
  CHECK(taps.tensors()[0].equal(at::full({2}, 6.0)));
  CHECK(taps.tensors()[1].is_same(second));
  taps.tensors()[0].sum().backward();
  CHECK(weight.grad().equal(at::full({2}, 2.0)));
}

TEST_CASE("tap: what passes while nobody records is not remembered") {
  (void)tap(at::ones({1}));
  {
    const Taps taps;
    (void)tap(at::ones({2}));
    CHECK(taps.tensors().size() == 1);
  }
  (void)tap(at::ones({3}));
  const Taps taps;
  CHECK(taps.tensors().empty());
}

TEST_CASE("tap: the innermost one records, and the outer one goes on after it") {
  const Taps outer;
  (void)tap(at::ones({1}));
  {
    const Taps inner;
    (void)tap(at::ones({2}));
    REQUIRE(inner.tensors().size() == 1);
    CHECK(inner.tensors()[0].size(0) == 2);
  }
  (void)tap(at::ones({3}));
  REQUIRE(outer.tensors().size() == 2);
  CHECK(outer.tensors()[0].size(0) == 1);
  CHECK(outer.tensors()[1].size(0) == 3);
}

TEST_CASE("tap: an exception inside leaves the outer one recording") {
  const Taps outer;
  try {
    const Taps inner;
    (void)tap(at::ones({2}));
    throw std::runtime_error("a forward pass that fails");
  } catch (const std::runtime_error&) {}
  (void)tap(at::ones({3}));
  REQUIRE(outer.tensors().size() == 1);
  CHECK(outer.tensors()[0].size(0) == 3);
}

TEST_CASE("tap: another thread's tensors are not recorded, and it can record its own") {
  const Taps taps;
  std::size_t theirs = 0;
  std::thread other([&] {
    (void)tap(at::ones({1}));
    const Taps own;
    (void)tap(at::ones({2}));
    theirs = own.tensors().size();
  });
  other.join();
  CHECK(theirs == 1);
  CHECK(taps.tensors().empty());
}

}  // namespace tap_test
