// Measures of curvature: eigenvalues and traces, and what all measures of gradients and curvature must hold.
#include "support/gradients.hpp"
#include "support/tensors.hpp"

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <regimen/regimen.hpp>
#include "support/awkward.hpp"

namespace curvature_measures_test {

namespace {

namespace rg = regimen;
using rg::Curvature;

/// Each measure of gradients and curvature, with few draws.
std::vector<std::pair<std::string, rg::AnyMeasure>> all_measures(const rg::Source& data,
                                                                 const rg::Evaluation& how = {}) {
  const rg::Draws draws = fixed_draws(2);
  const rg::TraceOptions trace{.draws = draws};
  return {{"top", rg::TopEigenvalue{.data = data, .how = how, .top = {.largest = 1, .smallest = 1, .most = 5}}},
          {"trace", rg::HessianTrace{.data = data, .how = how, .trace = trace}},
          {"fisher", rg::FisherTrace{.data = data, .how = how, .draws = draws}},
          {"drawn", rg::FisherTrace{.data = data, .how = how, .labels = rg::FisherLabels::drawn, .draws = draws}},
          {"empirical", rg::FisherTrace{.data = data, .how = how, .labels = rg::FisherLabels::data, .draws = draws}},
          {"confident", rg::FisherTrace{.data = data, .how = how, .confidence = 0.6, .draws = draws}},
          {"noise", rg::GradientNoiseScale{.data = data, .how = how, .draws = draws}},
          {"negative", rg::NegativeCurvature{.data = data, .how = how, .density = {.draws = 2, .steps = 4}}},
          {"flatness", rg::RelativeFlatness{.data = data, .how = how, .trace = trace}},
          {"rank", rg::SoftRank{.data = data, .how = how, .steps = 4, .draws = draws}},
          {"tic", rg::TakeuchiTrace{.data = data, .how = how, .steps = 4, .draws = draws}},
          {"kernel trace", rg::TangentKernelTrace{.data = data, .how = how, .draws = draws}},
          {"kernel", rg::TangentKernelTop{.data = data, .how = how, .top = {.most = 5}}},
          {"alignment", rg::KernelAlignment{.data = data, .how = how, .sketch = 2, .draws = draws}}};
}

/// And those of losses nearby.
std::vector<std::pair<std::string, rg::AnyMeasure>> with_sharpness(const rg::Source& data) {
  auto all = all_measures(data);
  all.emplace_back("average", rg::AverageSharpness{.data = data, .draws = fixed_draws(2)});
  all.emplace_back("worst", rg::WorstSharpness{.data = data, .steps = 1});
  all.emplace_back("pac bayes", rg::PacBayes{.data = data, .draws = 3});
  all.emplace_back("fisher rao", rg::FisherRao{.data = data});
  all.emplace_back("model's labels", rg::FisherRao{.data = data, .model_labels = true});
  return all;
}

rg::Evaluation batches_of_four() {
  rg::Evaluation how;
  how.batch = 4;
  return how;
}

/// The share of negative curvature of a Hessian in memory.
template <class Net>
double negative_share(Net net, const rg::Batch& data) {
  const at::Tensor loss = at::cross_entropy_loss(net->forward(data.data), data.target);
  const at::Tensor values = at::linalg_eigvalsh(hessian_of(loss, net->parameters()));
  return (-values).clamp_min(0).sum().template item<double>() / values.abs().sum().template item<double>();
}

}  // namespace

TEST_CASE("top eigenvalue: the litmus of rescaling has 2, 4.25 and 16.0625") {
  for (const auto& [c, largest] : {std::pair{1.0, 2.0}, {2.0, 4.25}, {4.0, 16.0625}}) {
    const auto net = std::make_shared<Product>(c, 1 / c);
    for (const Curvature curvature : {Curvature::hessian, Curvature::gauss_newton}) {
      const rg::TopEigenvalue top{.data = one_sample(), .how = {.loss = HalfSquares{}}, .curvature = curvature};
      CHECK(top(net).at("largest") == Approx(largest).epsilon(1e-9));
      CHECK(top(net).at("smallest") == Approx(0).margin(1e-9));
      CHECK(top(net).at("residual") < 1e-9);
      const rg::HessianTrace trace{
          .data = one_sample(), .how = {.loss = HalfSquares{}}, .curvature = curvature, .trace = {.sketch = 2}};
      check_equal(trace(net), {{"value", largest}, {"half_width", 0}});
    }
  }
}

TEST_CASE("top eigenvalue: (2, 1) has -.8541020 and 5.8541020, Gauss-Newton 5 and 0") {
  const auto net = std::make_shared<Product>(2, 1);
  rg::TopEigenvalue top{.data = one_sample(), .how = {.loss = HalfSquares{}}};
  CHECK(top(net).at("largest") == Approx((5 + std::sqrt(45)) / 2).epsilon(1e-9));
  CHECK(top(net).at("smallest") == Approx((5 - std::sqrt(45)) / 2).epsilon(1e-9));
  top.curvature = Curvature::gauss_newton;
  CHECK(top(net).at("largest") == Approx(5).epsilon(1e-9));
  CHECK(top(net).at("smallest") == Approx(0).margin(1e-9));
}

TEST_CASE("top eigenvalue: softmax regression has 2/3, 2/3, 1/6, 1/6, 0, 0, and names for each") {
  const rg::TopEigenvalue top{.data = two_samples(), .top = {.largest = 4, .smallest = 2}};
  const rg::Numbers numbers = rg::AnyMeasure(top).numbers("h", rg::Probe(linear_at_zero(2, 3)));
  CHECK(numbers.size() == 7);
  CHECK(numbers.at("h_largest") == Approx(2.0 / 3).epsilon(1e-9));
  CHECK(numbers.at("h_largest_2") == Approx(2.0 / 3).epsilon(1e-9));
  CHECK(numbers.at("h_largest_3") == Approx(1.0 / 6).epsilon(1e-9));
  CHECK(numbers.at("h_largest_4") == Approx(1.0 / 6).epsilon(1e-9));
  CHECK(numbers.at("h_smallest") == Approx(0).margin(1e-9));
  CHECK(numbers.at("h_smallest_2") == Approx(0).margin(1e-9));
  CHECK(numbers.at("h_residual") < 1e-9);
}

TEST_CASE("top eigenvalue: those that there are not are NaN") {
  const rg::TopEigenvalue top{.data = two_samples(), .top = {.largest = 8, .smallest = 0}};
  const rg::Numbers numbers = top(linear_at_zero(2, 3));
  CHECK(numbers.at("largest_6") == Approx(0).margin(1e-9));
  CHECK(std::isnan(numbers.at("largest_7")));
}

TEST_CASE("Hessian trace: it is that of a Hessian in memory") {
  auto net = relu_mlp();
  const rg::Batch data = samples_for_mlp();
  const at::Tensor hessian =
      hessian_of(at::cross_entropy_loss(net->forward(data.data), data.target), net->parameters());
  rg::HessianTrace measure{.data = data, .trace = {.sketch = 1000}};
  CHECK(measure.estimate(net).value == Approx(hessian.trace().item<double>()).epsilon(1e-9));
  const rg::TopEigenvalue top{.data = data, .top = {.largest = 1, .smallest = 1, .tolerance = 1e-9}};
  const at::Tensor values = at::linalg_eigvalsh(hessian);
  CHECK(top(net).at("largest") == Approx(values[-1].item<double>()).epsilon(1e-8));
  CHECK(top(net).at("smallest") == Approx(values[0].item<double>()).epsilon(1e-8));
}

TEST_CASE("Hessian trace: its draws have Hutchinson's variance and its interval holds 5/3") {
  const rg::HessianTrace measure{.data = two_samples(), .trace = {.draws = fixed_draws(400), .block = 40}};
  const rg::MonteCarloEstimate trace = measure.estimate(linear_at_zero(2, 3));
  CHECK(holds(trace, 5.0 / 3));
  const double deviation = trace.half_width / rg::student_t_quantile(399);
  CHECK(deviation * deviation * 400 == Approx(17.0 / 27).epsilon(0.2));  // .6296296
}

TEST_CASE("Hessian trace: each curvature is the operator's") {
  auto net = relu_mlp();
  const rg::Batch data = samples_for_mlp();
  const rg::LossSurface surface(net, data);
  rg::HessianTrace measure{.data = data, .trace = {.draws = fixed_draws(4)}};
  const auto check = [&](Curvature curvature, const auto& a) {
    measure.curvature = curvature;
    CHECK(measure.estimate(net).value == regimen::trace(a, measure.trace).value);
  };
  check(Curvature::hessian, rg::Hessian(surface));
  check(Curvature::gauss_newton, rg::GaussNewton(surface));
  check(Curvature::fisher, rg::Fisher(surface));
  check(Curvature::empirical_fisher, rg::EmpiricalFisher(surface));
}

TEST_CASE("negative curvature: (2, 1) has .854 of 6.708") {
  const auto net = std::make_shared<Product>(2, 1);
  rg::NegativeCurvature measure{.data = one_sample(), .how = {.loss = HalfSquares{}}, .density = {.draws = 1000}};
  const double share = (std::sqrt(45) - 5) / 2 / std::sqrt(45);
  const rg::MonteCarloEstimate estimate = measure.estimate(net);
  CHECK(holds(estimate, share));
  CHECK(estimate.value == Approx(share).epsilon(0.1));
  check_equal(measure(std::make_shared<Product>(2, 0.5)), {{"value", 0}, {"half_width", 0}});
  check_error([&] { (void)rg::NegativeCurvature{.density = {.draws = 1}}(net); },
              {"NegativeCurvature.density.draws", "at least 2"});
  check_error([&] { (void)rg::NegativeCurvature{}(net); }, {"NegativeCurvature takes data"});
}

TEST_CASE("negative curvature: rescaling of ReLU layers and a scale of the logits change it") {
  // The draws' error would hide the difference, so it is that of Hessians in memory, and the measure agrees with each.
  const rg::NegativeCurvature measure{.data = samples_for_mlp(), .density = {.draws = 16, .steps = 60}};
  const auto net = relu_mlp();
  const double before = negative_share(net, samples_for_mlp());
  const auto check = [&](auto other) {
    const double after = negative_share(other, samples_for_mlp());
    CHECK(std::abs(after / before - 1) > 0.1);
    CHECK(holds(measure.estimate(other), after));
  };
  CHECK(holds(measure.estimate(net), before));
  check(relu_mlp(1, 4));
  check(std::make_shared<TimesConstant>(net, 5));
}

TEST_CASE("negative curvature: 95 % intervals hold the share in 95 % of all cases") {
  coverage::check_share(
      [](std::uint64_t i) {
        torch::manual_seed(i);
        torch::nn::Sequential net(torch::nn::Linear(2, 3), torch::nn::Tanh(), torch::nn::Linear(3, 3));
        net->to(torch::kDouble);
        rg::Batch data = samples_for_mlp(10, i);
        data.data = data.data.narrow(1, 0, 2).contiguous();
        return holds(rg::NegativeCurvature{.data = data, .density = {.steps = 21, .seed = i}}.estimate(net),
                     negative_share(net, data));
      },
      10);
}

TEST_CASE("top eigenvalue: batches change nothing, rescaling of ReLU layers does") {
  rg::TopEigenvalue top{.data = samples_for_mlp(), .top = {.largest = 1, .tolerance = 1e-12}};
  rg::HessianTrace trace{.data = samples_for_mlp(), .trace = {.draws = fixed_draws(8)}};
  check_batches(top, relu_mlp());
  check_batches(trace, relu_mlp());
  check_batches(rg::NegativeCurvature{.data = samples_for_mlp(), .density = {.draws = 2, .steps = 4}}, relu_mlp());
  CHECK(std::abs(top(relu_mlp(1, 4)).at("largest") / top(relu_mlp()).at("largest") - 1) > 0.5);
  CHECK(std::abs(trace(relu_mlp(1, 4)).at("value") / trace(relu_mlp()).at("value") - 1) > 0.5);
}

TEST_CASE("measures of curvature: awkward networks have numbers and are left as they were") {
  for (const awkward::Network& network : awkward::all_ten()) {
    for (const auto& [name, measure] : all_measures(network.batch, batches_of_four())) {
      CAPTURE(network.name, name);
      if (network.name == "buffers alone") {
        check_error([&] { (void)measure.numbers("m", rg::Probe(network.model)); }, {"none of the parameters"});
        continue;
      }
      const awkward::State before(network);
      const rg::Numbers numbers = measure.numbers("m", rg::Probe(network.model));
      for (const auto& [number, value] : numbers) {
        CAPTURE(number, value);
        CHECK((std::isfinite(value) || (name == "noise" && value > 0)));
      }
      CHECK(before.difference(awkward::State(network), {}) == "");
      check_equal(measure.numbers("m", rg::Probe(network.model)), numbers, 0);
    }
  }
}

TEST_CASE("measures of curvature: in a run they take the phase's data and settings") {
  auto net = relu_mlp();
  const rg::Batch data = samples_for_mlp();
  struct Doubled {
    rg::Batch operator()(const rg::Batch& batch, const rg::Key& /*key*/) const {
      rg::Batch result = batch;
      result.data = batch.data * 2;
      return result;
    }
  };
  rg::Probe probe(net);
  probe.fit = data;
  probe.how.preprocess = {Doubled{}};
  rg::Batch doubled = data;
  doubled.data = data.data * 2;
  check_equal(rg::TopEigenvalue{}(probe), rg::TopEigenvalue{.data = doubled}(net));
  check_equal(rg::FisherTrace{}(probe), rg::FisherTrace{.data = doubled}(net));
  check_equal(rg::GradientNoiseScale{}(probe), rg::GradientNoiseScale{.data = doubled}(net));
  check_equal(rg::KernelAlignment{.sketch = 30}(probe), rg::KernelAlignment{.data = doubled, .sketch = 30}(net));
}

TEST_CASE("measures of curvature: a failing pass leaves the network as it was") {
  for (const awkward::Network& network : awkward::all_ten()) {
    if (network.name != "tied") {
      continue;
    }
    for (const auto& [name, measure] : all_measures(network.batch, batches_of_four())) {
      CAPTURE(name);
      const awkward::State before(network);
      network.fail_at(2);
      CHECK_THROWS(measure.numbers("m", rg::Probe(network.model)));
      network.fail_at(0);
      CHECK(before.difference(awkward::State(network), {}) == "");
    }
  }
}

TEST_CASE("measures of curvature: BatchNorm without affine, and what its statistics do not see, work") {
  torch::manual_seed(6);
  torch::nn::Sequential net(torch::nn::Linear(4, 6),
                            torch::nn::BatchNorm1d(torch::nn::BatchNorm1dOptions(6).affine(false)), torch::nn::ReLU(),
                            torch::nn::Linear(6, 3));
  net->to(torch::kDouble);
  net->train();
  for (const auto& [name, measure] : all_measures(samples_for_mlp())) {
    CAPTURE(name);
    const rg::Numbers numbers = measure.numbers("m", rg::Probe(net));
    CHECK(std::isfinite(numbers.begin()->second));
    CHECK(net->is_training());
  }
}

TEST_CASE("measures of curvature: a network that draws in eval mode is refused by each") {
  struct AlwaysDrops : torch::nn::Module {
    AlwaysDrops() {
      last = register_module("last", torch::nn::Linear(4, 3));
      to(torch::kDouble);
    }
    at::Tensor forward(const at::Tensor& x) { return last(torch::dropout(x, 0.5, /*train=*/true)); }
    torch::nn::Linear last{nullptr};
  };
  torch::manual_seed(8);
  const auto net = std::make_shared<AlwaysDrops>();
  for (const auto& [name, measure] : with_sharpness(samples_for_mlp())) {
    CAPTURE(name);
    check_error([&, of = measure] { (void)of.numbers("m", rg::Probe(net)); }, {"two passes", "dropout"});
  }
  check_error([&] { (void)rg::HessianTrace{.data = samples_for_mlp()}(net); }, {"HessianTrace: two passes"});
}

TEST_CASE("measures of curvature: weights that are not finite give NaN, not an error") {
  const auto net = relu_mlp();
  {
    const at::NoGradGuard no_grad;
    net->parameters()[0][0][0] = NAN;
  }
  for (const auto& [name, measure] : with_sharpness(samples_for_mlp())) {
    CAPTURE(name);
    if (name != "pac bayes") {  // which looks at the accuracy alone
      const rg::Numbers numbers = measure.numbers("m", rg::Probe(net));
      CHECK(std::isnan(numbers.begin()->second));
    }
  }
}

TEST_CASE("measures of curvature: samples that the loss ignores are as if they were not there") {
  const auto net = relu_mlp();
  const rg::Batch all = samples_for_mlp(10);
  const rg::Batch six = rg::slice(all, 0, 6);
  rg::Batch some = all;
  some.target = all.target.clone();
  some.target.slice(0, 6).fill_(-1);
  rg::Evaluation ignoring{.loss = rg::CrossEntropy{.ignore_index = -1}};
  ignoring.batch = 4;
  const auto same = [&](auto measure) {
    measure.data = six;
    const rg::Numbers expected = rg::AnyMeasure(measure).numbers("m", rg::Probe(net));
    measure.data = some;
    measure.how = ignoring;
    check_equal(rg::AnyMeasure(measure).numbers("m", rg::Probe(net)), expected);
  };
  same(rg::TopEigenvalue{});
  same(rg::FisherTrace{.labels = rg::FisherLabels::data, .draws = fixed_draws(3)});
  same(rg::FisherRao{});
  same(rg::NegativeCurvature{.density = {.draws = 2, .steps = 4}});
  same(rg::AverageSharpness{.draws = fixed_draws(3)});
  same(rg::WorstSharpness{.steps = 2});
}

TEST_CASE("measures of curvature: Takeuchi's trace over the samples does not see those that are ignored") {
  // tr(H^-1 C) / n, with C from weights over their mean: four of ten samples that are ignored change nothing.
  const auto net = relu_mlp();
  const rg::Batch all = samples_for_mlp(10);
  rg::Batch some = all;
  some.target = all.target.clone();
  some.target.slice(0, 6).fill_(-1);
  rg::TakeuchiTrace measure{.data = rg::slice(all, 0, 6), .draws = fixed_draws(4)};
  const double of_six = measure.estimate(net).value / 6;
  measure.data = some;
  measure.how.loss = rg::CrossEntropy{.ignore_index = -1};
  CHECK(measure.estimate(net).value / 10 == Approx(of_six).epsilon(1e-9));
}

TEST_CASE("measures of curvature: Takeuchi's trace is NaN where no eigenvalue is positive") {
  const rg::Batch two{.data = torch::ones({2, 4}, torch::kDouble), .target = torch::zeros({2}, torch::kLong)};
  struct Flat {
    at::Tensor each(const at::Tensor& output, const at::Tensor&) const { return output.sum(1); }
  };
  CHECK(std::isnan(rg::TakeuchiTrace{.data = two, .how = {.loss = Flat{}}}.estimate(linear_at_zero(4, 3)).value));
}

TEST_CASE("measures of curvature: a kernel is aligned to its labels by 1 at most, however few the draws") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const rg::KernelAlignment measure{
        .data = samples_for_mlp(6, seed), .sketch = 0, .draws = {.least = 2, .most = 2, .seed = seed}};
    const rg::MonteCarloEstimate found = measure.estimate(relu_mlp(seed));
    CHECK(found.value <= 1);
    CHECK(found.half_width >= 0);
  }
  // One sample and one output: the kernel is one number, and each draw is exact.
  const rg::Batch one{.data = torch::ones({1, 4}, torch::kDouble), .target = torch::ones({1, 1}, torch::kDouble)};
  CHECK(rg::KernelAlignment{.data = one, .sketch = 0}.estimate(linear_at_zero(4, 1)).value == Approx(1));
}

TEST_CASE("measures of curvature: settings out of range and missing data are refused") {
  const auto net = relu_mlp();
  check_error([&] { (void)rg::TopEigenvalue{}(net); }, {"TopEigenvalue takes data"});
  check_error([&] { (void)rg::HessianTrace{}(net); }, {"HessianTrace takes data"});
  check_error([&] { (void)rg::TopEigenvalue{.data = samples_for_mlp(), .top = {.most = 0}}(net); },
              {"TopOptions.most"});
  check_error([&] { (void)rg::HessianTrace{.data = samples_for_mlp(), .trace = {.sketch = -1}}(net); },
              {"TraceOptions.sketch"});
}

}  // namespace curvature_measures_test
