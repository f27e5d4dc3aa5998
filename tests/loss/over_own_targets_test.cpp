// The loss of several networks in one module, each with targets of its own.
#include "support/tensors.hpp"

#include <cmath>
#include <cstdint>
#include <vector>

#include <regimen/regimen.hpp>

namespace over_own_targets_test {

namespace {

using regimen::AnyLoss;
using regimen::BinaryCrossEntropy;
using regimen::CrossEntropy;
using regimen::MeanSquaredError;
using regimen::MemberSamples;
using regimen::OverOwnTargets;
using regimen::SummedLoss;

/// Squared errors that weigh the samples above 0.5 twice, the others not at all, by a count that the host knows.
struct Weighted {
  [[nodiscard]] at::Tensor each(const at::Tensor& output, const at::Tensor& target) const {
    return (output - target).square();
  }
  [[nodiscard]] at::Tensor weight(const at::Tensor& target) const { return (target > 0.5).to(at::kDouble) * 2; }
  [[nodiscard]] regimen::LossCount count(const at::Tensor& target) const { return target.size(0); }
};

}  // namespace

TEST_CASE("OverOwnTargets: the sum of each member's own mean, also where samples weigh differently") {
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
  const auto root = [](const at::Tensor& o, const at::Tensor& t) { return (o - t).square().mean().sqrt(); };  // no mean
  const auto above = [](const at::Tensor& o, const at::Tensor& t) {  // NaN for a sample alone that is not above
    return (o - t).masked_select(t > 0.3).abs().mean();
  };
  const auto total = [](const at::Tensor& o, const at::Tensor& t) { return (o - t).abs().sum(); };
  for (const Case& each :
       {Case{CrossEntropy{}, logits, all_labels}, Case{CrossEntropy{.ignore_index = -100}, logits, labels},
        Case{CrossEntropy{.class_weights = {1, 2, 3, 4}}, logits, all_labels},
        Case{torch::nn::CrossEntropyLoss(), logits, labels}, Case{BinaryCrossEntropy{}, outputs, numbers},
        Case{MeanSquaredError{}, logits, at::rand({5, 3, 4}, at::kDouble)}, Case{absolute, outputs, numbers},
        Case{SummedLoss{total}, outputs, numbers}, Case{root, outputs, numbers}, Case{Weighted{}, outputs, numbers},
        Case{above, outputs, numbers}}) {
    CAPTURE(regimen::manifest(each.loss));
    const AnyLoss all = OverOwnTargets{each.loss};
    at::Tensor output = each.output.clone().requires_grad_();
    const at::Tensor loss = all(output, each.target);
    loss.backward();
    double expected = 0;
    bool judges = false;
    std::vector<at::Tensor> all_right;
    for (std::int64_t i = 0; i < 3; ++i) {
      at::Tensor own = each.output.select(1, i).clone().requires_grad_();
      const at::Tensor mean = each.loss(own, each.target.select(1, i).contiguous());
      mean.backward();
      expected += mean.item<double>();
      CHECK(furthest(own.grad(), output.grad().select(1, i)) < 1e-12);
      const at::Tensor right = each.loss.correct(own, each.target.select(1, i).contiguous());
      judges = right.defined();
      if (judges) {
        all_right.push_back(right.to(at::kDouble).flatten());
      }
    }
    CHECK(loss.item<double>() == Approx(expected).epsilon(1e-12));
    const at::Tensor judged = all.correct(output, each.target);
    REQUIRE(judged.defined() == judges);
    if (judges) {
      CHECK(furthest(judged.to(at::kDouble).flatten(), at::stack(all_right).nanmean(at::IntArrayRef{0})) < 1e-6);
    }
    CHECK(all.count(each.target, 5).number() == 5);
    CHECK_FALSE(all.counts());
  }
}

TEST_CASE("OverOwnTargets: a member that is not finite, or of which nothing counts, is no part of the sum") {
  at::Tensor logit = at::tensor({1., std::nan(""), 0.5, -2.}, at::kDouble).view({2, 2}).requires_grad_();
  const at::Tensor label = longs({1, 0, 0, 1}).view({2, 2});
  const AnyLoss all = OverOwnTargets{BinaryCrossEntropy{}};
  const at::Tensor loss = all(logit, label);
  const auto cost = [](double z) { return std::log1p(std::exp(-z)); };
  CHECK(loss.item<double>() == Approx((cost(1) + cost(-0.5)) / 2).epsilon(1e-12));
  loss.backward();
  CHECK(logit.grad().select(1, 0)[0].item<double>() == Approx(-1 / (1 + std::exp(1.)) / 2));
  const AnyLoss ignoring = OverOwnTargets{CrossEntropy{.ignore_index = 7}};
  const at::Tensor even = at::zeros({1, 2, 2}, at::kDouble);
  CHECK(ignoring(even, longs({7, 1}).view({1, 2})).item<double>() == Approx(std::log(2.)));
}

TEST_CASE("OverOwnTargets: targets that are not there for each member are named") {
  const AnyLoss all = OverOwnTargets{};
  const at::Tensor output = at::ones({5, 3, 2});
  check_error([&] { (void)all(output, longs({0, 1, 0, 1, 0})); },
              {"targets", "[5, 3, ...]", "[5] long int", "stacked"});
  check_error([&] { (void)all(output, longs({0, 1}).expand({5, 2})); }, {"[5, 3, ...]", "[5, 2] long int"});
  check_error([&] { (void)all(at::ones({5}), longs({0, 1, 0, 1, 0})); }, {"[N, members, ...]", "[5] float"});
  check_error([&] { all.check_target(at::ones({5, 3})); }, {"CrossEntropy"});
}

TEST_CASE("OverOwnTargets: accumulated gradients are those of the whole batch") {
  at::manual_seed(5);
  const at::Tensor data = at::randn({8, 3, 2}, at::kDouble);
  const regimen::Batch batch{.data = data, .target = at::randint(4, {8, 3}, at::kLong)};
  const auto weights_after = [&](int size, int accumulate) {
    at::manual_seed(6);
    torch::nn::Linear net(2, 4);
    net->to(at::kDouble);
    torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.5));
    regimen::run(net, regimen::Phase{.data = batch,
                                     .optimizer = sgd,
                                     .epochs = 2,
                                     .batch = size,
                                     .loss = regimen::OverOwnTargets{},
                                     .accumulate = accumulate,
                                     .shuffle = false});
    return net->weight.detach().clone();
  };
  CHECK(furthest(weights_after(8, 1), weights_after(3, 3)) < 1e-12);
}

TEST_CASE("member samples: targets that are the same for all members") {
  const at::Tensor output = at::tensor({0., 1., 2., 3.}, at::kDouble).view({2, 2}),
                   target = at::tensor({0., 3.}, at::kDouble);
  const MemberSamples samples(output, target, /*own_targets=*/false);
  CHECK(samples.means(MeanSquaredError{}).equal(at::tensor({0.5, 0.5}, at::kDouble)));
  const MemberSamples::Sums sums = samples.sums(MeanSquaredError{});
  CHECK(sums.loss.equal(at::tensor({1., 1.}, at::kDouble)));
  CHECK(sums.count.equal(at::tensor({2., 2.}, at::kDouble)));
  check_error([&] { (void)MemberSamples(output, at::ones({}), false); }, {"targets", "[2, ...]", "[] float"});
  check_error([&] { (void)MemberSamples(output, at::ones({3}), false); }, {"[2, ...]", "[3] float"});
  check_error([&] { (void)MemberSamples(output, at::Tensor(), true); }, {"[2, 2, ...]", "stacked"});
}

}  // namespace over_own_targets_test
