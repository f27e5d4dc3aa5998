#include "support/tensors.hpp"

#include <cmath>
#include <string>

#include <regimen/regimen.hpp>
#include "regimen/run/detail/not_a_mean.hpp"

namespace loss_test {

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

TEST_CASE("loss: BinarySquaredError is half the squared distance from -1 and +1, flat or as a column") {
  const at::Tensor output = torch::tensor({0.5, -2.0, 0.25, -1.0});
  const at::Tensor target = torch::tensor({1, 0, 0, 1});
  const regimen::AnyLoss loss = regimen::BinarySquaredError{};
  const at::Tensor each = torch::tensor({0.25, 1.0, 1.5625, 4.0}) / 2;
  CHECK(furthest(loss.each(output, target), each) < 1e-7);
  CHECK(loss(output, target).item<double>() == Approx(each.mean().item<double>()));
  CHECK(same(loss(output.unsqueeze(1), target), loss(output, target)));
  CHECK(same(loss.correct(output, target), torch::tensor({true, true, false, false})));
  CHECK(loss(torch::tensor({0.5}), torch::tensor({0.75})).item<double>() == Approx(0));  // a soft label: 2 * 0.75 - 1
  CHECK_FALSE(loss.correct(torch::tensor({std::nan("")}), torch::tensor({0})).item<bool>());
}

TEST_CASE("loss: BinarySquaredError refuses what it cannot judge, and says the cure") {
  const regimen::BinarySquaredError loss;
  check_error([&] { loss(torch::zeros({2}), torch::tensor({-1, 1})); },
              {"BinarySquaredError takes targets in [0, 1], but one is -1", "of -1 and 1 by > 0"});
  check_error([&] { loss(torch::zeros({2, 3}), torch::zeros({2, 3})); }, {"one output per sample", "[2, 3]"});
  check_error([&] { loss(torch::zeros({2}), torch::zeros({3})); }, {"targets of the output's shape"});
  check_error([&] { loss.check_target({}); }, {"BinarySquaredError takes labels 0 and 1"});
}

TEST_CASE("loss: a single output predicts class 1 above 0, else class 0; NaN predicts none") {
  const at::Tensor logit = torch::tensor({2.0, -1.0, 0.0, std::nan("")});
  const at::Tensor expected = torch::tensor({1, 0, 0, -1});
  CHECK(same(regimen::predicted_classes(logit), expected));
  CHECK(same(regimen::predicted_classes(logit.unsqueeze(1)), expected));
  CHECK(same(regimen::predicted_classes(logit.view({2, 1, 2})), expected.view({2, 2})));
  CHECK(same(regimen::predicted_classes(torch::tensor({{0.0, 1.0}, {3.0, 2.0}})), torch::tensor({1, 0})));
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

TEST_CASE("loss: class weights and an ignored label are those of PyTorch, for words, rows and pixels") {
  torch::manual_seed(3);
  const std::vector<double> weights{1, 0.5, 4};
  for (const std::vector<std::int64_t>& positions : {std::vector<std::int64_t>{}, {5}, {2, 3}}) {
    std::vector<std::int64_t> shape{7, 3};
    shape.insert(shape.end(), positions.begin(), positions.end());
    std::vector<std::int64_t> of_labels{7};
    of_labels.insert(of_labels.end(), positions.begin(), positions.end());
    const at::Tensor output = torch::randn(shape, at::kDouble);
    at::Tensor label = torch::randint(0, 3, of_labels, at::kLong);
    label.view(-1)[1] = 9;
    label.view(-1)[4] = 9;
    const CrossEntropy loss{.class_weights = weights, .ignore_index = 9};
    const at::Tensor right =
        at::cross_entropy_loss(output, label, at::tensor(weights, at::kDouble), at::Reduction::Mean, 9);
    CHECK(loss(output, label).item<double>() == Approx(right.item<double>()).epsilon(1e-12));
    CHECK(CrossEntropy{.ignore_index = 9}(output, label).item<double>() ==
          Approx(at::cross_entropy_loss(output, label, {}, at::Reduction::Mean, 9).item<double>()).epsilon(1e-12));
    // What the mean is over, one label after the other.
    double over = 0;
    for (std::int64_t i = 0; i < label.numel(); ++i) {
      const auto value = label.view(-1)[i].item<std::int64_t>();
      over += value == 9 ? 0 : weights[static_cast<std::size_t>(value)];
    }
    CHECK(loss.count(label).number() == Approx(over));
    CHECK(CrossEntropy{.ignore_index = 9}.count(label).number() == static_cast<double>(label.numel() - 2));
    CHECK(CrossEntropy{}.count(label).number() == static_cast<double>(label.numel()));
  }
  // Distributions: PyTorch weighs the classes and divides by the number of samples.
  const at::Tensor output = torch::randn({4, 3}, at::kDouble);
  const at::Tensor shares = torch::randn({4, 3}, at::kDouble).softmax(1);
  const CrossEntropy loss{.class_weights = weights};
  CHECK(loss(output, shares).item<double>() ==
        Approx(at::cross_entropy_loss(output, shares, at::tensor(weights, at::kDouble)).item<double>()));
  CHECK(loss.count(shares).number() == 4);
}

TEST_CASE("loss: a batch in which every label is ignored counts for nothing, and teaches nothing") {
  const CrossEntropy loss{.ignore_index = -1};
  const at::Tensor output = torch::randn({3, 2}).set_requires_grad(true);
  const at::Tensor label = longs({-1, -1, -1});
  const at::Tensor value = loss(output, label);
  CHECK(value.item<double>() == 0);
  CHECK(loss.count(label).number() == 0);
  value.backward();
  CHECK(output.grad().equal(at::zeros({3, 2})));
}

TEST_CASE("loss: CrossEntropy says which pixels and words are right, and not of those that it ignores") {
  // Two samples, two classes, three positions.
  const at::Tensor output =
      at::tensor({1., 0., 5., 0., 1., 0., /**/ 0., 0., 0., 1., 2., 3.}, at::kFloat).view({2, 2, 3});
  const at::Tensor label = longs({0, 1, 1, /**/ 1, 0, 7}).view({2, 3});
  const AnyLoss all = CrossEntropy{.ignore_index = 7};
  const at::Tensor right = all.correct(output, label);
  CHECK(right.isnan().equal(bools({0, 0, 0, 0, 0, 1}).view({2, 3})));
  CHECK(right.nan_to_num(0).equal(at::tensor({1., 1., 0., 1., 0., 0.}, at::kFloat).view({2, 3})));
}

TEST_CASE("loss: outputs that are NaN are right nowhere, whatever class is the most frequent") {
  const at::Tensor nan = at::full({3, 2}, std::nan(""));
  at::Tensor partly = at::tensor({1.F, 0.F, std::nanf(""), 9.F, 0.F, 1.F}).view({3, 2});
  const AnyLoss loss = CrossEntropy{};
  CHECK(loss.correct(nan, longs({0, 0, 1})).equal(bools({0, 0, 0})));
  CHECK(loss.correct(partly, longs({0, 1, 1})).equal(bools({1, 0, 1})));
  const AnyLoss own = [](const at::Tensor& o, const at::Tensor&) { return o.mean(); };
  CHECK(own.correct(nan, longs({0, 0, 1})).equal(bools({0, 0, 0})));
  CHECK(own.correct(nan.view({1, 3, 2}), at::zeros({1, 2}, at::kLong)).equal(bools({0, 0}).view({1, 2})));
  const AnyLoss binary = BinaryCrossEntropy{};
  CHECK(binary.correct(at::full({2, 1}, std::nan("")), at::tensor({0.F, 1.F})).equal(bools({0, 0})));
}

TEST_CASE("loss: targets that no output goes with are an Error that says the cure") {
  const at::Tensor output = at::zeros({4, 3});
  const auto refuse = [&](const at::Tensor& target, std::initializer_list<const char*> parts) {
    check_error([&] { (void)CrossEntropy{}(output, target); }, parts);
  };
  refuse(at::zeros({4}, at::kByte), {"CrossEntropy", "[4] unsigned char", ".to(torch::kLong)"});
  refuse(at::zeros({4}, at::kInt), {"CrossEntropy", "[4] int", ".to(torch::kLong)"});
  refuse(at::zeros({4}), {"CrossEntropy", "[4] float", ".to(torch::kLong)"});
  refuse(at::zeros({4, 1}, at::kLong), {"CrossEntropy", "[4, 3] float", "[4, 1]", ".squeeze(1)"});
  refuse(at::zeros({5}, at::kLong), {"[4, 3] float", "[5]"});
  refuse(at::zeros({4, 2}), {"distributions", "[4, 3] float", "[4, 2] float"});
  refuse({}, {"undefined", "targets"});
  check_error([&] { (void)CrossEntropy{}(at::zeros({4}), at::zeros({4}, at::kLong)); },
              {"logits of [N, C, ...]", "[4]"});
  check_error([&] { (void)CrossEntropy{.class_weights = {1, 2}}(output, at::zeros({4}, at::kLong)); },
              {"class_weights.size()", "3", "is 2"});
  check_error([] { (void)AnyLoss(CrossEntropy{.class_weights = {1, -2}}); }, {"CrossEntropy.class_weights", "-2"});
  check_error([&] { (void)CrossEntropy{.ignore_index = 0}(output, at::zeros({4, 3})); },
              {"ignore_index", "distributions"});
  check_error([&] { (void)CrossEntropy{}(output, longs({0, -100, 1, 2})); }, {"a label", "[0, 3)", "-100"});
  CHECK_NOTHROW(CrossEntropy{.ignore_index = -100}(output, longs({0, -100, 1, 2})));
}

TEST_CASE("loss: shapes are compared by their lengths in order, not by their number of entries") {
  const at::Tensor image = torch::rand({2, 3, 4, 5});
  for (const AnyLoss& loss : {AnyLoss(MeanSquaredError{}), AnyLoss(BinaryCrossEntropy{})}) {
    check_error([&] { (void)loss(image, image.permute({0, 2, 3, 1}).contiguous()); }, {"[2, 3, 4, 5]", "[2, 4, 5, 3]"});
    check_error([&] { (void)loss(image, image.view({2, 60})); }, {"[2, 3, 4, 5]", "[2, 60]"});
    check_error([&] { (void)loss(image.view({2, 60}), image.view({2, 3, 20})); }, {"[2, 60]", "[2, 3, 20]"});
    check_error([&] { (void)loss(image, {}); }, {"undefined"});
    // What differs in ones alone goes together.
    const at::Tensor grey = torch::rand({2, 1, 4, 5});
    CHECK(loss(grey, grey.squeeze(1)).item<double>() == loss(grey, grey).item<double>());
  }
}

TEST_CASE("loss: BinaryCrossEntropy takes labels in [0, 1] of any type, and no others") {
  const at::Tensor output = torch::randn({4, 1});
  check_error([&] { (void)BinaryCrossEntropy{}(output, longs({1, 2, 1, 2})); }, {"[0, 1]", "is 2", "- 1"});
  check_error([&] { (void)BinaryCrossEntropy{}(output, at::tensor({-1.F, 1.F, 1.F, -1.F})); }, {"[0, 1]", "is -1"});
  check_error([&] { (void)BinaryCrossEntropy{}(output, at::tensor({0, 255, 255, 0}).to(at::kByte)); },
              {"is 255", "/ 255"});
  check_error([&] { (void)BinaryCrossEntropy{}(output, at::full({4}, std::nan(""))); }, {"[0, 1]", "nan"});
  const at::Tensor labels = longs({0, 1, 1, 0});
  const double right = BinaryCrossEntropy{}(output, labels).item<double>();
  for (const at::ScalarType type : {at::kByte, at::kBool, at::kInt, at::kShort, at::kFloat, at::kDouble, at::kHalf}) {
    CHECK(BinaryCrossEntropy{}(output, labels.to(type)).item<double>() == right);
  }
}

TEST_CASE("loss: a loss module of torch::nn is a loss, with what its options say of its mean") {
  torch::manual_seed(1);
  const at::Tensor output = torch::randn({6, 3});
  const at::Tensor label = longs({0, 1, 2, 2, 1, 0});
  const AnyLoss plain = torch::nn::CrossEntropyLoss();
  CHECK(plain(output, label).item<double>() == CrossEntropy{}(output, label).item<double>());
  CHECK(plain.correct(output, label).equal((output.argmax(1) == label).to(at::kFloat)));
  CHECK_FALSE(plain.sums());

  const at::Tensor weight = at::tensor({1.F, 2.F, 3.F});
  const AnyLoss weighted =
      torch::nn::CrossEntropyLoss(torch::nn::CrossEntropyLossOptions().weight(weight).ignore_index(2));
  const CrossEntropy same{.class_weights = {1, 2, 3}, .ignore_index = 2};
  CHECK(weighted(output, label).item<double>() == Approx(same(output, label).item<double>()));
  CHECK(weighted.count(label, 6).number() == 1 + 2 + 2 + 1);
  const AnyLoss words = torch::nn::NLLLoss(torch::nn::NLLLossOptions().ignore_index(0));
  CHECK(words.count(label, 6).number() == 4);

  const AnyLoss sum = torch::nn::MSELoss(torch::nn::MSELossOptions().reduction(torch::kSum));
  CHECK(sum.sums());
  CHECK(sum(output, output + 1).item<double>() == Approx(18));
  check_error([] { (void)AnyLoss(torch::nn::MSELoss(torch::nn::MSELossOptions(torch::kNone))); }, {"torch::kNone"});
  CHECK(plain.manifest().find("CrossEntropyLoss") != std::string::npos);
  CHECK(plain.manifest() != weighted.manifest());

  // Targets in another shape are not spread over the outputs, and those that no label is are refused with a cure.
  const at::Tensor column = torch::randn({6, 1});
  const at::Tensor numbers = torch::randn({6});
  CHECK(AnyLoss(torch::nn::MSELoss())(column, numbers).item<double>() ==
        Approx((column.flatten() - numbers).square().mean().item<double>()));
  check_error([&] { (void)AnyLoss(torch::nn::L1Loss())(output, numbers); }, {"torch::nn::L1Loss", "[6, 3]"});
  check_error([&] { plain.check_target(label.to(at::kByte)); }, {"int64", "unsigned char", ".to(torch::kLong)"});
  check_error([&] { plain.check_target({}); }, {"undefined"});
  // The mean over samples is a mean.
  const AnyLoss divergence = torch::nn::KLDivLoss(torch::nn::KLDivLossOptions(torch::kBatchMean));
  const at::Tensor shares = torch::rand({6, 3}).softmax(1);
  CHECK_FALSE(divergence.sums());
  CHECK(divergence(output.log_softmax(1), shares).item<double>() ==
        Approx((shares * (shares.log() - output.log_softmax(1))).sum().item<double>() / 6));
  // What is ignored is not judged, and a batch of it has loss 0.
  const at::Tensor judged = weighted.correct(output, label);
  CHECK(judged.isnan().equal(label == 2));
  CHECK(AnyLoss(torch::nn::CrossEntropyLoss())(output, at::full({6}, -100, at::kLong)).item<double>() == 0);
}

TEST_CASE("loss: a `correct` that spreads a column over the samples is refused, of few and of many samples") {
  struct Spread {
    at::Tensor operator()(const at::Tensor& o, const at::Tensor& t) const { return at::cross_entropy_loss(o, t); }
    at::Tensor correct(const at::Tensor& o, const at::Tensor& t) const { return o.argmax(1, true) == t; }
  };
  const AnyLoss loss = Spread{};
  for (const std::int64_t n : {2, 8, 40}) {
    check_error([&] { (void)loss.correct(torch::randn({n, 10}), torch::zeros({n}, at::kLong)); }, {"judges more"});
  }
}

TEST_CASE("loss: by its values on a batch and its halves, a sum and what is neither are told from a mean") {
  using regimen::detail::not_a_mean;
  torch::manual_seed(1);
  const at::Tensor output = torch::randn({9, 3});
  const at::Tensor label = longs({0, 1, 2, 2, 1, 0, 0, 0, 1});
  const auto each = [](const at::Tensor& o, const at::Tensor& t) {
    return at::cross_entropy_loss(o, t, {}, at::Reduction::None);
  };
  const AnyLoss mean = [=](const at::Tensor& o, const at::Tensor& t) { return each(o, t).mean(); };
  const AnyLoss sum = [=](const at::Tensor& o, const at::Tensor& t) { return each(o, t).sum(); };
  const AnyLoss padded = [](const at::Tensor& o, const at::Tensor& t) {
    return at::cross_entropy_loss(o, t, {}, at::Reduction::Mean, 0);
  };
  const AnyLoss stubborn = [](const at::Tensor& o, const at::Tensor&) {
    TORCH_CHECK(o.size(0) == 9, "nine");
    return o.sum();
  };
  CHECK(not_a_mean(mean, output, label).empty());
  CHECK(not_a_mean(sum, output, label).find("SummedLoss") != std::string::npos);
  CHECK(not_a_mean(padded, output, label).find("count(target)") != std::string::npos);
  CHECK(not_a_mean(stubborn, output, label).empty());
  CHECK(not_a_mean(mean, output.narrow(0, 0, 1), label.narrow(0, 0, 1)).empty());
}

TEST_CASE("MeanSquaredError and BinaryCrossEntropy: complex numbers are refused, of which a half would be compared") {
  // |0 - 3i|^2 is 9; of the real parts it would be 0.
  const at::Tensor real = at::zeros({2});
  const at::Tensor target = at::full({2}, c10::complex<float>(0, 3), at::kComplexFloat);
  check_error([&] { (void)MeanSquaredError{}(real, target); }, {"MeanSquaredError compares real", "the target is [2]"});
  check_error([&] { (void)MeanSquaredError{}(target, target); }, {"MeanSquaredError compares real", "the output is"});
  check_error([&] { MeanSquaredError{}.check_target(target); }, {"MeanSquaredError", "torch::view_as_real"});
  check_error([&] { (void)BinaryCrossEntropy{}(real, target); }, {"BinaryCrossEntropy compares real", "the target is"});
  CHECK(MeanSquaredError{}(at::zeros({2, 2}), at::view_as_real(target)).item<double>() == Approx(9. / 2));
}

}  // namespace loss_test
