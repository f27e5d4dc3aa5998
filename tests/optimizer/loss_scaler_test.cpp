#include "support/tensors.hpp"

#include <limits>
#include <vector>

#include <regimen/regimen.hpp>

namespace loss_scaler_test {

namespace {

using regimen::LossScaler;

/// A parameter whose gradient is `value` everywhere.
at::Tensor with_gradient(double value) {
  at::Tensor parameter = at::zeros({3}).requires_grad_();
  parameter.mutable_grad() = at::full({3}, value);
  return parameter;
}

const double infinite = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("loss scaler: what is scaled before the backward pass is unscaled after it") {
  LossScaler scaler;
  const at::Tensor parameter = at::full({3}, 2.0F).requires_grad_();
  scaler.scale(parameter.square().sum()).backward();
  CHECK(parameter.grad().equal(at::full({3}, 4.0F * 65536)));
  CHECK(scaler.unscale({parameter, at::zeros({2}).requires_grad_()}));  // one without a gradient is passed over
  CHECK(parameter.grad().equal(at::full({3}, 4.0F)));
}

TEST_CASE("loss scaler: of a model and of a loss with parameters of its own, all that are named are unscaled") {
  LossScaler scaler;
  const at::Tensor weight = at::full({3}, 2.0F).requires_grad_();
  const at::Tensor of_loss = at::full({}, 5.0F).requires_grad_();
  scaler.scale(weight.sum() * of_loss).backward();
  CHECK(scaler.unscale({weight, of_loss}));
  CHECK(weight.grad().equal(at::full({3}, 5.0F)));
  CHECK(of_loss.grad().item<float>() == 6);
  of_loss.mutable_grad() = at::full({}, infinite, at::kFloat);
  CHECK_FALSE(scaler.unscale({weight, of_loss}));
}

TEST_CASE("loss scaler: a factor saves a gradient that half precision would lose") {
  const double gradient = 1e-8;  // the smallest half is 6e-8
  const at::Tensor lost = at::full({}, gradient).to(at::kHalf);
  CHECK(lost.item<float>() == 0);
  const at::Tensor kept = (at::full({}, gradient) * LossScaler().factor()).to(at::kHalf);
  CHECK(kept.to(at::kDouble).item<double>() / LossScaler().factor() == Approx(gradient).epsilon(1e-3));
}

TEST_CASE("loss scaler: the factor follows the rule step by step") {
  LossScaler scaler({.initial = 8, .growth = 2, .backoff = 0.5, .interval = 3});
  const std::vector<at::Tensor> good = {with_gradient(1)};
  CHECK(scaler.unscale(good));
  CHECK(scaler.unscale(good));
  CHECK(scaler.factor() == 8);
  CHECK(scaler.steps() == 2);
  CHECK(scaler.unscale(good));
  CHECK(scaler.factor() == 16);  // three in a row
  CHECK(scaler.steps() == 0);

  CHECK(scaler.unscale(good));
  for (const double bad : {infinite, -infinite, std::numeric_limits<double>::quiet_NaN()}) {
    const double before = scaler.factor();
    CHECK_FALSE(scaler.unscale({with_gradient(1), with_gradient(bad)}));
    CHECK(scaler.factor() == before / 2);
    CHECK(scaler.steps() == 0);
  }
}

TEST_CASE("loss scaler: the factor neither falls to 0 nor rises to infinity") {
  LossScaler scaler({.interval = 1});
  for (int i = 0; i < 300; ++i) {
    CHECK_FALSE(scaler.unscale({with_gradient(infinite)}));
  }
  CHECK(scaler.factor() > 0);
  for (int i = 0; i < 600; ++i) {
    CHECK(scaler.unscale({with_gradient(1)}));
  }
  CHECK(scaler.factor() <= std::numeric_limits<float>::max());
}

TEST_CASE("loss scaler: goes on where another was") {
  LossScaler scaler({.initial = 8, .interval = 3});
  scaler.restore(32, 2);
  CHECK(scaler.unscale({with_gradient(1)}));
  CHECK(scaler.factor() == 64);
}

TEST_CASE("loss scaler: a rule that cannot work is an error that names it") {
  check_error([] { LossScaler({.initial = 0}); }, {"LossScaler.initial must be above 0 and finite", "0"});
  check_error([] { LossScaler({.growth = 1}); }, {"LossScaler.growth must be above 1", "1"});
  check_error([] { LossScaler({.backoff = 1}); }, {"LossScaler.backoff must be in (0, 1)", "1"});
  check_error([] { LossScaler({.interval = 0}); }, {"LossScaler.interval must be at least 1", "0"});
  LossScaler scaler;
  check_error([&] { scaler.restore(0, 0); }, {"above 0"});
  check_error([&] { scaler.restore(1, -1); }, {"at least 0", "-1"});
}

}  // namespace loss_scaler_test
