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
using regimen::CrossEntropy;
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

TEST_CASE("OverMembers: with own targets, the sum of each member's own mean, also where samples weigh differently") {
  at::manual_seed(4);
  const at::Tensor logits = at::randn({5, 3, 4}, at::kDouble);  // [N, members, classes]
  const at::Tensor labels = longs({0, 1, 2, 3, -100, 1, 2, 2, 0, 1, 3, -100, 0, 0, 2}).view({5, 3});
  const at::Tensor outputs = at::randn({5, 3}, at::kDouble);
  const at::Tensor numbers = at::rand({5, 3}, at::kDouble);
  const at::Tensor all_labels = labels.clamp_min(0);
  struct Case {
    AnyLoss loss;
    at::Tensor output;
    at::Tensor target;
  };
  const auto absolute = [](const at::Tensor& o, const at::Tensor& t) {
    return (o - t).abs().mean();
  };  // without `each`
  const auto total = [](const at::Tensor& o, const at::Tensor& t) { return (o - t).abs().sum(); };
  for (const Case& each :
       {Case{CrossEntropy{}, logits, all_labels}, Case{CrossEntropy{.ignore_index = -100}, logits, labels},
        Case{CrossEntropy{.class_weights = {1, 2, 3, 4}}, logits, all_labels},
        Case{torch::nn::CrossEntropyLoss(), logits, labels}, Case{BinaryCrossEntropy{}, outputs, numbers},
        Case{MeanSquaredError{}, logits, at::rand({5, 3, 4}, at::kDouble)}, Case{absolute, outputs, numbers},
        Case{SummedLoss{total}, outputs, numbers}}) {
    CAPTURE(regimen::manifest(each.loss));
    const AnyLoss all = OverMembers{.loss = each.loss, .own_targets = true};
    at::Tensor output = each.output.clone().requires_grad_();
    const at::Tensor loss = all(output, each.target);
    loss.backward();
    double expected = 0;
    bool judges = false;
    at::Tensor correct = at::zeros({5}, at::kDouble);
    for (std::int64_t i = 0; i < 3; ++i) {
      at::Tensor own = each.output.select(1, i).clone().requires_grad_();
      const at::Tensor mean = each.loss(own, each.target.select(1, i).contiguous());
      mean.backward();
      expected += mean.item<double>();
      CHECK(furthest(own.grad(), output.grad().select(1, i)) < 1e-12);
      const at::Tensor right = each.loss.correct(own, each.target.select(1, i).contiguous());
      judges = right.defined();
      correct += judges ? right.to(at::kDouble).flatten() / 3 : correct;
    }
    CHECK(loss.item<double>() == Approx(expected).epsilon(1e-12));
    const at::Tensor judged = all.correct(output, each.target);
    REQUIRE(judged.defined() == judges);
    if (judges) {
      CHECK(furthest(judged.to(at::kDouble).flatten().nan_to_num(-1), correct.nan_to_num(-1)) < 1e-6);
    }
    CHECK(all.each(output, each.target).sizes() == at::IntArrayRef({5}));
    CHECK(all.count(each.target, 5).number() == 5);
    CHECK(all.weight(each.target, 5).equal(at::ones({5}, at::kDouble)));
  }
}

TEST_CASE(
    "OverMembers: with own targets, a member that is not finite, or of which nothing counts, is no part of the sum") {
  at::Tensor logit = at::tensor({1., std::nan(""), 0.5, -2.}, at::kDouble).view({2, 2}).requires_grad_();
  const at::Tensor label = longs({1, 0, 0, 1}).view({2, 2});
  const AnyLoss all = OverMembers{.loss = BinaryCrossEntropy{}, .own_targets = true};
  const at::Tensor loss = all(logit, label);
  const auto cost = [](double z) { return std::log1p(std::exp(-z)); };
  CHECK(loss.item<double>() == Approx((cost(1) + cost(-0.5)) / 2).epsilon(1e-12));
  loss.backward();
  CHECK(logit.grad().select(1, 0)[0].item<double>() == Approx(-1 / (1 + std::exp(1.)) / 2));
  const AnyLoss ignoring = OverMembers{.loss = CrossEntropy{.ignore_index = 7}, .own_targets = true};
  const at::Tensor even = at::zeros({1, 2, 2}, at::kDouble);
  CHECK(ignoring(even, longs({7, 1}).view({1, 2})).item<double>() == Approx(std::log(2.)));
}

TEST_CASE("OverMembers: own targets that are not there for each member are named") {
  const AnyLoss all = OverMembers{.own_targets = true};
  const at::Tensor output = at::ones({5, 3, 2});
  check_error([&] { (void)all(output, longs({0, 1, 0, 1, 0})); },
              {"own_targets", "[5, 3, ...]", "[5] long int", "stacked"});
  check_error([&] { (void)all(output, longs({0, 1}).expand({5, 2})); }, {"[5, 3, ...]", "[5, 2] long int"});
  check_error([&] { (void)all(at::ones({5}), longs({0, 1, 0, 1, 0})); }, {"[N, members, ...]"});
  check_error([&] { all.check_target(at::ones({5, 3})); }, {"CrossEntropy"});
}

}  // namespace over_members_test
