#include "tensors/support.hpp"

#include <cmath>
#include <string>

#include "regimen/loss.hpp"

namespace {

using regimen::AnyLoss;
using regimen::BinaryCrossEntropy;
using regimen::CrossEntropy;
using regimen::MeanSquaredError;

const at::Tensor logits = at::tensor({1., 2., 0., 3., 0., -1., 0.5, 0.5, 0.25}, at::kFloat).view({3, 3});

/// A loss of a user's own that says what is right: within `tolerance`.
struct Distance {
  double tolerance = 0.5;

  at::Tensor operator()(const at::Tensor& output, const at::Tensor& target) const {
    return (output.flatten() - target).abs().mean();
  }
  at::Tensor correct(const at::Tensor& output, const at::Tensor& target) const {
    return (output.flatten() - target).abs() <= tolerance;
  }
};

}  // namespace

TEST_CASE("loss: CrossEntropy is minus the mean log of the label's share of the softmax") {
  const at::Tensor labels = longs({1, 0, 2});
  const AnyLoss loss = CrossEntropy{};
  const double e = std::exp(1.0);
  const double expected = -(std::log(e * e / (e + e * e + 1)) + std::log(e * e * e / (e * e * e + 1 + 1 / e)) +
                            std::log(std::exp(0.25) / (2 * std::exp(0.5) + std::exp(0.25)))) /
                          3;
  const at::Tensor value = loss(logits, labels);
  CHECK(value.dim() == 0);
  CHECK(value.item<double>() == Approx(expected).epsilon(1e-6));
  CHECK(loss.correct(logits, labels).equal(bools({1, 1, 0})));
}

TEST_CASE("loss: CrossEntropy takes distributions as well, of which none is right or wrong") {
  const at::Tensor labels = longs({1, 0, 2});
  const AnyLoss loss = CrossEntropy{};
  const at::Tensor sure = at::one_hot(labels, 3).to(at::kFloat);
  CHECK(loss(logits, sure).item<double>() == Approx(loss(logits, labels).item<double>()).epsilon(1e-6));
  const at::Tensor mixed = sure * 0.4 + at::one_hot(longs({0, 0, 0}), 3) * 0.6;
  CHECK(loss(logits, mixed).item<double>() ==
        Approx(0.4 * loss(logits, labels).item<double>() + 0.6 * loss(logits, longs({0, 0, 0})).item<double>())
            .epsilon(1e-6));
  CHECK_FALSE(loss.correct(logits, mixed).defined());
}

TEST_CASE("loss: BinaryCrossEntropy takes one logit a sample, flat or as a column") {
  const at::Tensor output = at::tensor({2.0, -1.0, 0.5, -3.0}, at::kFloat);
  const at::Tensor target = at::tensor({1.0, 0.0, 0.0, 1.0}, at::kFloat);
  const AnyLoss loss = BinaryCrossEntropy{};
  const auto softplus = [](double x) { return std::log1p(std::exp(x)); };
  const double expected = (softplus(-2) + softplus(-1) + softplus(0.5) + softplus(3)) / 4;
  const at::Tensor right = bools({1, 1, 0, 0});
  for (const at::Tensor& o : {output, output.unsqueeze(1)}) {
    for (const at::Tensor& t : {target, target.unsqueeze(1)}) {
      CHECK(loss(o, t).item<double>() == Approx(expected).epsilon(1e-6));
      CHECK(same(loss.correct(o, t), right));
    }
  }
  // Labels of any type.
  CHECK(loss(output, target.to(at::kLong)).item<double>() == Approx(expected).epsilon(1e-6));
  CHECK(same(loss.correct(output, target.to(at::kLong)), right));
  // A logit of exactly 0 says no.
  CHECK(loss.correct(at::zeros({2}), at::tensor({0.0F, 1.0F})).equal(bools({1, 0})));
}

TEST_CASE("loss: MeanSquaredError is the mean of the squared differences, [N, 1] against [N] too") {
  const at::Tensor output = at::tensor({1.0, 2.0, 4.0}, at::kFloat);
  const at::Tensor target = at::tensor({0.0, 2.0, 1.0}, at::kFloat);
  const AnyLoss loss = MeanSquaredError{};
  CHECK(loss(output, target).item<double>() == Approx(10.0 / 3));
  CHECK(loss(output.unsqueeze(1), target).item<double>() == Approx(10.0 / 3));
  CHECK_FALSE(loss.correct(output, target).defined());
}

TEST_CASE(
    "loss: without a word about right, right is the argmax where [N, C] meets [N] int64, C >= 2, and else nothing") {
  const AnyLoss loss = [](const at::Tensor& output, const at::Tensor&) { return output.mean(); };
  CHECK(loss.correct(logits, longs({1, 1, 0})).equal(bools({1, 0, 1})));
  CHECK_FALSE(loss.correct(logits.select(1, 0), longs({1, 1, 0})).defined());     // output [N]
  CHECK_FALSE(loss.correct(logits.narrow(1, 0, 1), longs({0, 0, 0})).defined());  // one logit
  CHECK_FALSE(loss.correct(logits.unsqueeze(2), longs({1, 1, 0})).defined());     // output [N, C, 1]
  CHECK_FALSE(loss.correct(logits, at::zeros({3})).defined());                    // target floating
  CHECK_FALSE(loss.correct(logits, at::zeros({3, 3}, at::kLong)).defined());      // target [N, C]
  CHECK(loss(logits, longs({0, 0, 0})).item<double>() == Approx(logits.mean().item<double>()));
}

TEST_CASE("loss: one of a user's own may say what is right") {
  const AnyLoss loss = Distance{.tolerance = 0.2};
  const at::Tensor output = at::tensor({1.0, 2.0, 4.0}, at::kFloat).unsqueeze(1);
  const at::Tensor target = at::tensor({1.1, 2.0, 3.0}, at::kFloat);
  CHECK(loss(output, target).item<double>() == Approx(1.1 / 3));
  CHECK(loss.correct(output, target).equal(bools({1, 1, 0})));
  CHECK(loss.manifest().find("\"tolerance\": 0.2") != std::string::npos);
}
