// The tangent kernel's trace, eigenvalues and alignment against kernels in memory.
#include "support/gradients.hpp"
#include "support/tensors.hpp"

#include <cmath>
#include <memory>
#include <vector>

#include <regimen/regimen.hpp>

namespace tangent_kernel_test {

namespace {

namespace rg = regimen;

/// Samples (1, 0), (0, 1), (1, 1) with targets 1, -1, 0 for a linear network with one output: K = X X'.
rg::Batch three_samples() {
  return {.data = torch::tensor({{1.0, 0.0}, {0.0, 1.0}, {1.0, 1.0}}, torch::kDouble),
          .target = torch::tensor({1.0, -1.0, 0.0}, torch::kDouble)};
}

template <class M>
at::Tensor kernel_of(M& net, const rg::Batch& data) {
  const at::Tensor j = jacobian_of(net, data);
  return j.mm(j.t());
}

/// <K, y y'> / (||K|| ||y y'||) with a kernel in memory, both centred over the samples if asked for.
double alignment_of(at::Tensor k, at::Tensor y, std::int64_t samples, bool centred) {
  if (centred) {
    const at::Tensor h = torch::eye(samples, torch::kDouble) - 1.0 / static_cast<double>(samples);
    const at::Tensor all = at::kron(h, torch::eye(k.size(0) / samples, torch::kDouble));
    k = all.mm(k).mm(all);
    y = all.mv(y);
  }
  const at::Tensor yy = y.outer(y);
  return (k * yy).sum().item<double>() / (k.norm() * yy.norm()).item<double>();
}

at::Tensor one_hot(const rg::Batch& data) {
  return torch::one_hot(data.target, 3).to(torch::kDouble).flatten();
}

}  // namespace

TEST_CASE("tangent kernel: that of a linear model has eigenvalues 3, 1, 0 and trace 4") {
  const auto net = linear_at_zero(2, 1);
  const rg::TangentKernelTop top{.data = three_samples(), .top = {.largest = 3, .smallest = 1}};
  check_equal(
      top(net),
      {{"largest", 3}, {"largest_2", 1}, {"largest_3", 0}, {"smallest", 0}, {"residual", top(net).at("residual")}},
      1e-9);
  CHECK(top(net).at("residual") < 1e-9);
  const rg::TangentKernelTop centred{.data = three_samples(), .centred = true, .top = {.largest = 2}};
  CHECK(centred(net).at("largest") == Approx(1).epsilon(1e-9));
  const rg::TangentKernelTrace trace{.data = three_samples(), .draws = fixed_draws(1024)};
  CHECK(holds(trace.estimate(net), 4));
  CHECK(trace.estimate(net).value == Approx(4).epsilon(0.1));
}

TEST_CASE("kernel alignment: that of a linear model is .3162278, centred .9486833") {
  const auto net = linear_at_zero(2, 1);
  rg::KernelAlignment measure{.data = three_samples()};
  check_equal(measure(net), {{"value", std::sqrt(0.1)}, {"half_width", 0}});
  CHECK(measure(net).at("value") == Approx(.3162278).margin(5e-8));
  measure.centred = true;
  check_equal(measure(net), {{"value", std::sqrt(0.9)}, {"half_width", 0}});
  CHECK(measure(net).at("value") == Approx(.9486833).margin(5e-8));
  rg::Batch labels = three_samples();
  labels.target = torch::tensor({1, -1, 0}, torch::kLong);  // numbers, as there is one output
  measure.data = labels;
  check_equal(measure(net), {{"value", std::sqrt(0.9)}, {"half_width", 0}});
}

TEST_CASE("tangent kernel: a network's trace and eigenvalues are those of J J'") {
  auto net = relu_mlp();
  const rg::Batch data = samples_for_mlp();
  const at::Tensor k = kernel_of(net, data);
  const at::Tensor values = at::linalg_eigvalsh(k);
  const rg::TangentKernelTop top{.data = data, .top = {.largest = 2, .tolerance = 1e-10}};
  CHECK(top(net).at("largest") == Approx(values[-1].item<double>()).epsilon(1e-9));
  CHECK(top(net).at("largest_2") == Approx(values[-2].item<double>()).epsilon(1e-9));
  const rg::TangentKernelTrace trace{.data = data, .draws = {.relative = 0.05}};
  CHECK(trace.estimate(net).value == Approx(k.trace().item<double>()).epsilon(0.1));
}

TEST_CASE("kernel alignment: a classifier's is that to its one-hot labels") {
  auto net = relu_mlp();
  const rg::Batch data = samples_for_mlp();
  const at::Tensor k = kernel_of(net, data);
  for (const bool centred : {false, true}) {
    CAPTURE(centred);
    const double truth = alignment_of(k, one_hot(data), 10, centred);
    rg::KernelAlignment measure{.data = data, .centred = centred, .sketch = 30};
    const rg::MonteCarloEstimate exact = measure.estimate(net);
    CHECK(exact.value == Approx(truth).epsilon(1e-9));
    CHECK(exact.half_width == 0);
    CHECK(exact.passes == 31);
    for (const std::int64_t sketch : {0, 8}) {
      measure.sketch = sketch;
      measure.draws = {.least = 32, .relative = 0.1};
      const rg::MonteCarloEstimate estimate = measure.estimate(net);
      CHECK(estimate.value == Approx(truth).epsilon(0.15));
      CHECK(estimate.half_width < 0.2 * truth);
    }
  }
}

TEST_CASE("tangent kernel: 95 % intervals hold its trace in 95 % of all cases") {
  coverage::check_share([](std::uint64_t i) {
    auto net = relu_mlp(i);
    const rg::Batch data = samples_for_mlp(10, i);
    return holds(rg::TangentKernelTrace{.data = data, .draws = {.seed = i}}.estimate(net),
                 kernel_of(net, data).trace().item<double>());
  });
}

TEST_CASE("kernel alignment: 95 % intervals hold it in 95 % of all cases") {
  coverage::check_share([](std::uint64_t i) {
    auto net = relu_mlp(i);
    const rg::Batch data = samples_for_mlp(10, i);
    const rg::KernelAlignment measure{.data = data, .sketch = 1, .draws = {.seed = i}};
    return holds(measure.estimate(net), alignment_of(kernel_of(net, data), one_hot(data), 10, false));
  });
}

TEST_CASE("tangent kernel: all are functions of the network, the data and the seed") {
  const auto net = relu_mlp();
  rg::TangentKernelTrace trace{.data = samples_for_mlp(), .draws = fixed_draws(6)};
  rg::KernelAlignment alignment{.data = samples_for_mlp(), .sketch = 2, .draws = fixed_draws(6)};
  const auto check = [&](auto& measure) {
    check_batches(measure, net);
    const rg::Numbers before = measure(net);
    check_equal(measure(net), before, 0);
    measure.draws.seed = 1;
    CHECK(measure(net).at("value") != before.at("value"));
  };
  check(trace);
  check(alignment);
  check_batches(rg::TangentKernelTop{.data = samples_for_mlp(), .top = {.largest = 1, .tolerance = 1e-12}}, net);
}

TEST_CASE("tangent kernel: rescaling of ReLU layers changes all, a scale of the logits no alignment") {
  rg::KernelAlignment alignment{.data = samples_for_mlp(), .sketch = 30};
  rg::TangentKernelTrace trace{.data = samples_for_mlp(), .draws = fixed_draws(16)};
  auto net = relu_mlp();
  const auto larger = std::make_shared<TimesConstant>(net, 5);
  CHECK(std::abs(alignment(relu_mlp(1, 4)).at("value") / alignment(net).at("value") - 1) > 0.02);
  CHECK(std::abs(trace(relu_mlp(1, 4)).at("value") / trace(net).at("value") - 1) > 0.5);
  check_equal(alignment(larger), alignment(net), 1e-9);
  CHECK(trace(larger).at("value") == Approx(25 * trace(net).at("value")).epsilon(1e-9));
  const rg::TangentKernelTop top{.data = samples_for_mlp(), .top = {.largest = 1, .tolerance = 1e-10}};
  CHECK(std::abs(top(relu_mlp(1, 4)).at("largest") / top(net).at("largest") - 1) > 0.5);
  CHECK(top(larger).at("largest") == Approx(25 * top(net).at("largest")).epsilon(1e-9));
}

TEST_CASE("kernel alignment: what it cannot take is refused") {
  const auto net = relu_mlp();
  rg::Batch data = samples_for_mlp();
  check_error([&] { (void)rg::KernelAlignment{}(net); }, {"KernelAlignment takes data"});
  check_error([&] { (void)rg::TangentKernelTrace{}(net); }, {"TangentKernelTrace takes data"});
  check_error([&] { (void)rg::TangentKernelTop{}(net); }, {"TangentKernelTop takes data"});
  check_error([&] { (void)rg::KernelAlignment{.data = data, .sketch = -1}(net); }, {"KernelAlignment.sketch"});
  check_error([&] { (void)rg::TangentKernelTop{.data = data, .top = {.tolerance = 0}}(net); },
              {"TopOptions.tolerance"});
  data.target = torch::zeros({10, 2});
  check_error([&] { (void)rg::KernelAlignment{.data = data}(net); }, {"KernelAlignment takes labels", "[10, 2]"});
}

}  // namespace tangent_kernel_test
