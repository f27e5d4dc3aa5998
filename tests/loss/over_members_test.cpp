// The loss of several networks in one module.
#include "support/tensors.hpp"

#include <cmath>
#include <cstdint>
#include <vector>

#include <regimen/regimen.hpp>

namespace over_members_test {

namespace {

using regimen::AnyLoss;
using regimen::BinaryCrossEntropy;
using regimen::MeanSquaredError;
using regimen::OverMembers;
using regimen::SummedLoss;

}  // namespace

TEST_CASE("OverMembers: the sum of the members' losses, sample by sample, with their weights and accuracies") {
  at::manual_seed(3);
  const at::Tensor output = at::randn({5, 3, 4}, at::kDouble);  // [N, members, classes]
  const at::Tensor labels = longs({0, 3, -100, 2, 1});
  const AnyLoss one = torch::nn::CrossEntropyLoss();  // which leaves out -100
  const AnyLoss all = OverMembers{one};
  double loss = 0;
  at::Tensor each = at::zeros({5}, at::kDouble), correct = at::zeros({5}, at::kDouble);
  for (int i = 0; i < 3; ++i) {
    const at::Tensor own = output.select(1, i);
    loss += one(own, labels).item<double>();
    each += one.each(own, labels);
    correct += one.correct(own, labels).to(at::kDouble) / 3;
  }
  CHECK(all(output, labels).item<double>() == Approx(loss).epsilon(1e-12));
  CHECK(furthest(all.each(output, labels), each) < 1e-12);
  CHECK(all.count(labels, 5).number() == one.count(labels, 5).number());
  CHECK(all.weight(labels, 5).equal(one.weight(labels, 5)));
  const at::Tensor judged = all.correct(output, labels).to(at::kDouble);
  REQUIRE(judged.sizes() == correct.sizes());
  for (const int i : {0, 1, 3, 4}) {
    CHECK(judged[i].item<double>() == Approx(correct[i].item<double>()).margin(1e-6));
  }
  CHECK(std::isnan(judged[2].item<double>()) == std::isnan(correct[2].item<double>()));
  check_error([&] { (void)all(at::ones({5}), labels); }, {"OverMembers", "[N, members, ...]", "[5]"});
  check_error([] { OverMembers{BinaryCrossEntropy{}}.check_target(at::tensor({2.})); }, {"targets in [0, 1]"});
}

TEST_CASE("OverMembers: one logit a member, squared errors, and sums") {
  const at::Tensor logit = at::tensor({1., -2., 3., 0.5}, at::kDouble).view({2, 2}), label = longs({1, 0});
  const AnyLoss binary = OverMembers{BinaryCrossEntropy{}};
  const auto cost = [](double z) { return std::log1p(std::exp(-z)); };
  // Members' means over the two samples: of (1, -3) and of (-2, -0.5), each with the label's sign.
  CHECK(binary(logit, label).item<double>() == Approx((cost(1) + cost(-3)) / 2 + (cost(-2) + cost(-0.5)) / 2));
  CHECK(binary.correct(logit, label).equal(at::tensor({0.5, 0.0}, at::kFloat)));
  const AnyLoss squared = OverMembers{MeanSquaredError{}};
  const at::Tensor aim = at::tensor({0., 1.}, at::kDouble);
  CHECK(squared(logit, aim).item<double>() == Approx((1. + 4.) / 2 + (4. + 0.25) / 2));
  CHECK_FALSE(squared.correct(logit, aim).defined());
  const auto added = [](const at::Tensor& o, const at::Tensor& t) { return (o.flatten() - t).square().sum(); };
  const AnyLoss sum = OverMembers{SummedLoss{added}};
  CHECK(sum.sums());
  CHECK(sum(logit, aim).item<double>() == Approx(1. + 4. + 4. + 0.25));
}

TEST_CASE("OverMembers: a member that is not finite is left out, with its gradient, unless all are") {
  const double nan = std::nan("");
  const at::Tensor label = longs({1, 0});
  at::Tensor logit = at::tensor({1., nan, 0.5, -2., 1., 0.25}, at::kDouble).view({2, 3}).requires_grad_();
  const AnyLoss all = OverMembers{BinaryCrossEntropy{}};
  const at::Tensor loss = all(logit, label);
  double expected = 0;
  for (const int i : {0, 2}) {
    expected += BinaryCrossEntropy{}(logit.detach().select(1, i), label).item<double>();
  }
  CHECK(loss.item<double>() == Approx(expected).epsilon(1e-12));
  loss.backward();
  for (const int i : {0, 2}) {
    const at::Tensor own = logit.detach().select(1, i).clone().requires_grad_();
    BinaryCrossEntropy{}(own, label).backward();
    CHECK(furthest(own.grad(), logit.grad().select(1, i)) < 1e-12);
  }
  CHECK(all.correct(logit, label)[0].item<double>() == Approx(2. / 3));
  CHECK(std::isnan(all(at::full({2, 3}, nan, at::kDouble), label).item<double>()));
}

}  // namespace over_members_test
