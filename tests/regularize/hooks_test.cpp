// What acts between the backward pass and the next step: gradients clipped and noisy, weights decayed, sharpness.

#include "support/tensors.hpp"

#include <cmath>
#include <functional>
#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

#include <regimen/regimen.hpp>

namespace hooks_test {

namespace {

using regimen::AdaptiveClip;
using regimen::AnyRegularizer;
using regimen::Asam;
using regimen::ClipValues;
using regimen::Clock;
using regimen::DecoupledDecay;
using regimen::GradientNoise;
using regimen::Moment;
using regimen::Pass;
using regimen::Sam;

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

at::Tensor parameter_with(const at::Tensor& value, const at::Tensor& gradient) {
  at::Tensor parameter = value.clone().requires_grad_(true);
  parameter.mutable_grad() = gradient.defined() ? gradient.clone() : at::Tensor();
  return parameter;
}

Moment at_step(std::int64_t step) {
  return {.clock = {.step = step}};
}

/// The sum of a_i w_i^2 / 2, of which everything is known.
struct Bowl {
  at::Tensor w = at::tensor({1.0, -2.0, 0.5, 0.0}, at::kDouble).requires_grad_(true);
  at::Tensor a = at::tensor({3.0, 1.0, -2.0, 5.0}, at::kDouble);
  int passes = 0;

  void gradient() {
    ++passes;
    w.mutable_grad() = at::Tensor();
    (w.square() * a * 0.5).sum().backward();
  }
  Pass pass() {
    return {.parameters = {w}, .recompute_gradients = [this] { gradient(); }};
  }
};

/// What a recording of the hook, made at one moment, does at another: what the hook reads on the host is of the first,
/// and what it reads from slots of the second.
template <class Hook>
at::Tensor replayed(const Moment& recorded, const Moment& at, const std::function<Pass()>& fresh_pass,
                    const Hook& hook) {
  regimen::detail::Slots slots(at::kCPU);
  at::Tensor result;
  for (const Moment& moment : {recorded, at}) {
    slots.begin(moment, moment);
    Pass pass = fresh_pass();
    pass.now = recorded;
    pass.now.slots = &slots;
    hook.gradient(pass);
    slots.close();
    result = at::cat({pass.parameters[0].detach().flatten(), pass.parameters[0].grad().flatten()});
  }
  CHECK(slots.refused().empty());
  CHECK(slots.complete());
  return result;
}

}  // namespace

TEST_CASE("FiniteGradients: sets NaN and infinity to 0, and nothing else") {
  const double nan = std::nan(""), infinity = std::numeric_limits<double>::infinity();
  const at::Tensor touched = at::zeros({4}, at::kDouble).requires_grad_(), unused = at::zeros({2}).requires_grad_();
  touched.mutable_grad() = at::tensor({1e300, nan, -infinity, -2.0}, at::kDouble);
  regimen::FiniteGradients{}.gradient({.parameters = {touched, unused}});
  CHECK(touched.grad().equal(at::tensor({1e300, 0.0, 0.0, -2.0}, at::kDouble)));
  CHECK_FALSE(unused.grad().defined());
}

TEST_CASE("ClipValues: is PyTorch's clip_grad_value_, and leaves parameters without a gradient alone") {
  at::manual_seed(1);
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    const at::Tensor gradient = at::randn({5, 4}, type);
    const std::vector<at::Tensor> ours{parameter_with(at::zeros({5, 4}, type), gradient),
                                       parameter_with(at::zeros({}, type), at::full({}, -7, type)),
                                       parameter_with(at::zeros({2}, type), {})};
    const std::vector<at::Tensor> theirs{parameter_with(at::zeros({5, 4}, type), gradient)};
    ClipValues{.bound = 0.3}.gradient({.parameters = ours});
    torch::nn::utils::clip_grad_value_(theirs, 0.3);
    CHECK(same(ours[0].grad(), theirs[0].grad()));
    CHECK(ours[1].grad().item<double>() == Approx(-0.3));
    CHECK_FALSE(ours[2].grad().defined());
  }
}

TEST_CASE("AdaptiveClip: scales each row's gradient back to its share of the row's weights, and a bias as a whole") {
  const at::Tensor w = at::tensor({3.0F, 4.0F, 0.0F, 0.0F, 6.0F, 8.0F}).view({3, 2});
  const at::Tensor g = at::tensor({0.6F, 0.8F, 0.3F, 0.4F, 0.0F, 0.5F}).view({3, 2});
  const at::Tensor matrix = parameter_with(w, g);
  const at::Tensor bias = parameter_with(at::tensor({0.0F, 2.0F}), at::tensor({3.0F, 4.0F}));
  const at::Tensor still = parameter_with(at::zeros({2, 2}), at::zeros({2, 2}));
  AdaptiveClip{.factor = 0.1, .floor = 0.01}.gradient({.parameters = {matrix, bias, still}});
  // |W| = 5, 0 (0.01 by the floor), 10; |G| = 1, 0.5, 0.5.
  CHECK(furthest(matrix.grad(), at::tensor({0.3, 0.4, 0.0006, 0.0008, 0.0, 0.5}).view({3, 2})) < 1e-7);
  CHECK(furthest(bias.grad(), at::tensor({0.12, 0.16})) < 1e-7);
  CHECK(same(still.grad(), at::zeros({2, 2})));

  // A kernel's row is all that comes in to a channel.
  const at::Tensor kernel = parameter_with(at::ones({2, 3, 2, 2}), at::full({2, 3, 2, 2}, 5.0F));
  AdaptiveClip{.factor = 0.01}.gradient({.parameters = {kernel}});
  CHECK(furthest(kernel.grad(), at::full({2, 3, 2, 2}, 0.01)) < 1e-7);
}

TEST_CASE("AdaptiveClip: on fixed tensors it gives the numbers that timm's own adaptive_clip_grad gave") {
  // timm/utils/agc.py at 15d1dbc8, run with clip_factor=0.0625, eps=0.015625; the third is of a transposed convolution.
  struct Case {
    std::vector<std::int64_t> shape;
    std::vector<float> weight;
    std::vector<float> gradient;
    std::vector<float> clipped;
  };
  const std::vector<Case> cases{
      {{3, 2},
       {0.5F, -1.25F, 0, 0, 2, 0.75F},
       {0.25F, -0.5F, 0.125F, 0.0625F, -0.0078125F, 0.015625F},
       {0.0376299806F, -0.0752599612F, 0.000873464043F, 0.000436732022F, -0.0078125F, 0.015625F}},
      {{2, 1, 2, 2},
       {1, -0.5F, 0.25F, 2, 0.125F, 0, -0.0625F, 0.5F},
       {1, 2, -3, 0.5F, 0.0078125F, -0.03125F, 0.0625F, 0},
       {0.0381612033F, 0.0763224065F, -0.11448361F, 0.0190806016F, 0.00360530522F, -0.0144212209F, 0.0288424417F, 0}},
      {{2, 3, 1},
       {0.75F, -0.5F, 1.5F, -1, 0.25F, 0.125F},
       {-0.5F, 1, 0.25F, 0.0625F, 2, -1.5F},
       {-0.0477351621F, 0.0954703242F, 0.023867581F, 0.00162188068F, 0.0519001819F, -0.0389251374F}},
      {{4}, {0.5F, -0.25F, 0, 1}, {3, -1, 0.5F, 2}, {0.0569040924F, -0.0189680308F, 0.00948401541F, 0.0379360616F}}};
  for (const Case& each : cases) {
    const auto shaped = [&](const std::vector<float>& numbers) { return at::tensor(numbers).view(each.shape); };
    const at::Tensor parameter = parameter_with(shaped(each.weight), shaped(each.gradient));
    AdaptiveClip{.factor = 0.0625, .floor = 0.015625}.gradient({.parameters = {parameter}});
    CAPTURE(each.shape);
    CHECK(at::allclose(parameter.grad(), shaped(each.clipped), 1e-6, 1e-9));
  }
}

TEST_CASE("AdaptiveClip: the last parameters can be left out, and gradients within the bound keep their bits") {
  std::vector<at::Tensor> parameters;
  for (int i = 0; i < 4; ++i) {
    parameters.push_back(parameter_with(at::ones({2, 2}), at::full({2, 2}, 7.0F)));
  }
  AdaptiveClip{.except_last = 2}.gradient({.parameters = parameters});
  CHECK(parameters[1].grad().max().item<double>() == Approx(0.01));
  CHECK(same(parameters[2].grad(), at::full({2, 2}, 7.0F)));
  CHECK(same(parameters[3].grad(), at::full({2, 2}, 7.0F)));
  CHECK_NOTHROW(AdaptiveClip{.except_last = 9}.gradient({.parameters = parameters}));

  at::manual_seed(3);
  const at::Tensor small = at::randn({3, 5}) * 1e-4;
  const at::Tensor within = parameter_with(at::ones({3, 5}), small);
  AdaptiveClip{}.gradient({.parameters = {within}});
  CHECK(same(within.grad(), small));
}

TEST_CASE("GradientNoise: has the published variance at every step, whatever the parameter's shape") {
  for (const std::int64_t step : {0, 3, 99}) {
    const at::Tensor matrix = parameter_with(at::zeros({200, 500}), at::full({200, 500}, 2.0F));
    const at::Tensor scalar = parameter_with(at::zeros({}), at::zeros({}));
    GradientNoise{.eta = 0.3, .gamma = 0.55, .seed = 5}.gradient(
        {.parameters = {matrix, scalar}, .now = at_step(step)});
    const at::Tensor noise = matrix.grad() - 2;
    const double variance = 0.3 / std::pow(1 + step, 0.55);
    CAPTURE(step);
    // The variance of 100,000 normals strays by 0.0045 of itself, their mean by 0.0032 of a deviation.
    CHECK(noise.var().item<double>() == Approx(variance).epsilon(0.02));
    CHECK(std::abs(noise.mean().item<double>()) < 0.016 * std::sqrt(variance));
    CHECK(scalar.grad().item<double>() != 0);
  }
  const at::Tensor constant = parameter_with(at::zeros({10000}), at::zeros({10000}));
  GradientNoise{.eta = 4, .gamma = 0}.gradient({.parameters = {constant}, .now = at_step(7)});
  CHECK(constant.grad().std().item<double>() == Approx(2).epsilon(0.04));
}

TEST_CASE("GradientNoise: is a function of seed, parameter and step, and of nothing else") {
  const auto noise = [](std::uint64_t seed, std::int64_t step, int epoch, bool other_gradients) {
    std::vector<at::Tensor> parameters;
    for (int i = 0; i < 3; ++i) {
      const at::Tensor gradient = i == 0 && other_gradients ? at::Tensor() : at::zeros({40, 5});
      parameters.push_back(parameter_with(at::zeros({40, 5}), gradient));
    }
    at::manual_seed(static_cast<std::uint64_t>(step) + 17 * seed);
    const Moment now{.clock = {.epoch = epoch, .step = step}};
    GradientNoise{.eta = 1, .gamma = 0, .seed = seed}.gradient({.parameters = parameters, .now = now});
    return parameters;
  };
  const auto base = noise(1, 4, 0, false);
  CHECK(same(noise(1, 4, 2, false)[1].grad(), base[1].grad()));
  CHECK(same(noise(1, 4, 0, true)[1].grad(), base[1].grad()));
  CHECK_FALSE(noise(1, 4, 0, true)[0].grad().defined());
  for (const at::Tensor& other : {noise(1, 5, 0, false)[1].grad(), noise(2, 4, 0, false)[1].grad(), base[0].grad()}) {
    CHECK(std::abs(correlation(other, base[1].grad())) < 0.36);  // 5 deviations for 200 numbers
  }
}

TEST_CASE("GradientNoise: leaves the global generator alone, and takes a schedule for its variance") {
  at::manual_seed(9);
  const at::Tensor expected = at::randn({3});
  at::manual_seed(9);
  const at::Tensor noisy = parameter_with(at::zeros({4, 500}), at::zeros({4, 500}));
  const regimen::Knob once = [](const Clock& clock) { return clock.epoch == 0 ? 1.0 : 0.0; };
  GradientNoise{.eta = once}.gradient({.parameters = {noisy}, .now = {.clock = {.epoch = 1}}});
  CHECK(noisy.grad().abs().max().item<double>() == 0);
  GradientNoise{.eta = once}.gradient({.parameters = {noisy}});
  CHECK(noisy.grad().std().item<double>() == Approx(1).epsilon(0.1));
  CHECK(same(at::randn({3}), expected));
}

TEST_CASE("DecoupledDecay: before Adam's step it is AdamW, step by step, and a schedule of its own") {
  at::manual_seed(2);
  const at::Tensor start = at::randn({4, 3});
  const at::Tensor ours = start.clone().requires_grad_(true);
  const at::Tensor theirs = start.clone().requires_grad_(true);
  torch::optim::Adam adam({ours}, torch::optim::AdamOptions(0.01));
  torch::optim::AdamW adamw({theirs}, torch::optim::AdamWOptions(0.01).weight_decay(0.3));
  const DecoupledDecay decay{.decay = regimen::Knob(0.01 * 0.3)};
  for (int step = 0; step < 8; ++step) {
    adam.zero_grad();
    adamw.zero_grad();
    (ours - 1).square().sum().backward();
    (theirs - 1).square().sum().backward();
    decay.gradient({.parameters = {ours}});
    adam.step();
    adamw.step();
    CHECK(furthest(ours, theirs) < 1e-6);
  }
}

TEST_CASE("DecoupledDecay: multiplies by 1 - decay, once a step, what has a gradient") {
  const at::Tensor with = parameter_with(at::tensor({2.0F, -4.0F}), at::ones({2}));
  const at::Tensor without = parameter_with(at::tensor({2.0F}), {});
  const regimen::Knob halving = [](const Clock& clock) { return clock.epoch == 0 ? 0.5 : 0.25; };
  DecoupledDecay{.decay = halving}.gradient({.parameters = {with, without}});
  CHECK(same(with.detach(), at::tensor({1.0F, -2.0F})));
  DecoupledDecay{.decay = halving}.gradient({.parameters = {with}, .now = {.clock = {.epoch = 3}}});
  CHECK(same(with.detach(), at::tensor({0.75F, -1.5F})));
  DecoupledDecay{.decay = halving}.gradient({.parameters = {with}, .evaluation = 1});
  CHECK(same(with.detach(), at::tensor({0.75F, -1.5F})));
  CHECK(same(without.detach(), at::tensor({2.0F})));
  CHECK(same(with.grad(), at::ones({2})));
  CHECK(with.is_leaf());
}

TEST_CASE("Sam: takes the gradient at w + rho g / |g| and leaves w as it was, in a loop of one's own") {
  Bowl bowl;
  const at::Tensor w = bowl.w.detach().clone();
  bowl.gradient();
  Sam{.rho = 0.25}.gradient(bowl.pass());
  const at::Tensor g = bowl.a * w;
  CHECK(furthest(bowl.w.grad(), bowl.a * (w + 0.25 * g / g.norm())) < 1e-12);
  CHECK(same(bowl.w.detach(), w));
  CHECK(bowl.passes == 2);
}

TEST_CASE("Asam: takes the gradient at w + rho T^2 g / |T g|, T = |w| + eta") {
  Bowl bowl;
  const at::Tensor w = bowl.w.detach().clone();
  bowl.gradient();
  Asam{.rho = 0.25, .eta = 0.1}.gradient(bowl.pass());
  const at::Tensor g = bowl.a * w;
  const at::Tensor scale = w.abs() + 0.1;
  CHECK(furthest(bowl.w.grad(), bowl.a * (w + 0.25 * scale * scale * g / (scale * g).norm())) < 1e-12);
  CHECK(same(bowl.w.detach(), w));
}

TEST_CASE("Asam: a network's gain in loss does not depend on how its layers are scaled, Sam's does") {
  // f = u v: the same function when u grows by a factor and v shrinks by it.
  const auto loss_uphill = [](const auto& regularizer, double factor) {
    at::Tensor u = at::tensor({2.0 * factor}, at::kDouble).requires_grad_(true);
    at::Tensor v = at::tensor({0.5 / factor}, at::kDouble).requires_grad_(true);
    double loss = 0;
    const auto gradient = [&] {
      u.mutable_grad() = v.mutable_grad() = at::Tensor();
      const at::Tensor value = (u * v - 3).square().sum();
      loss = value.item<double>();
      value.backward();
    };
    gradient();
    regularizer.gradient({.parameters = {u, v}, .recompute_gradients = gradient});
    return loss;
  };
  const Asam asam{.rho = 0.1, .eta = 0};
  CHECK(loss_uphill(asam, 1) == Approx(loss_uphill(asam, 8)).epsilon(1e-12));
  CHECK(std::abs(loss_uphill(Sam{.rho = 0.1}, 1) - loss_uphill(Sam{.rho = 0.1}, 8)) > 0.1);
}

TEST_CASE("Sam and Asam: weights come back also after an exception, and flat places are no trouble") {
  Bowl bowl;
  const at::Tensor w = bowl.w.detach().clone();
  bowl.gradient();
  Pass pass = bowl.pass();
  pass.recompute_gradients = [] { throw std::runtime_error("out of memory"); };
  CHECK_THROWS_AS(Sam{}.gradient(pass), std::runtime_error);
  CHECK(same(bowl.w.detach(), w));

  const at::Tensor flat = parameter_with(at::ones({2}), at::zeros({2}));
  const auto again = [&] { CHECK(same(flat.detach(), at::ones({2}))); };
  Sam{}.gradient({.parameters = {flat, parameter_with(at::ones({2}), {})}, .recompute_gradients = again});
  Asam{}.gradient({.parameters = {flat}, .recompute_gradients = again});
  int calls = 0;
  Sam{}.gradient({.parameters = {parameter_with(at::ones({2}), {})}, .recompute_gradients = [&] { ++calls; }});
  CHECK(calls == 0);
  check_error([&] { Sam{}.gradient({.parameters = {flat}}); }, {"Sam", "Pass.recompute_gradients"});
  check_error([&] { Asam{}.gradient({.parameters = {flat}}); }, {"Asam", "Pass.recompute_gradients"});
}

TEST_CASE("Sam: in a loop of one's own, a model that is named keeps its running statistics") {
  torch::manual_seed(4);
  torch::nn::Sequential net(torch::nn::Linear(3, 4), torch::nn::BatchNorm1d(4));
  const at::Tensor x = at::randn({8, 3});
  const auto gradient = [&] {
    net->zero_grad();
    net->forward(x).pow(3).mean().backward();
  };
  gradient();
  const at::Tensor mean = net->named_buffers()["1.running_mean"].clone();
  const regimen::Model model(net);
  Sam{}.gradient({.parameters = net->parameters(), .model = &model, .recompute_gradients = gradient});
  CHECK(same(net->named_buffers()["1.running_mean"], mean));
  CHECK(net->named_buffers()["1.num_batches_tracked"].item<int>() == 1);
  Sam{}.gradient({.parameters = net->parameters(), .recompute_gradients = gradient});
  CHECK(net->named_buffers()["1.num_batches_tracked"].item<int>() == 2);
}

TEST_CASE("steps: a recording of a hook follows its schedule, for nothing that changes is read on the host") {
  const regimen::Knob knob = [](const Clock& clock) { return 0.1 * (1 + clock.epoch); };
  const Moment recorded{.clock = {.epoch = 0, .step = 2}};
  const Moment later{.clock = {.epoch = 3, .step = 9}};
  at::manual_seed(6);
  const at::Tensor w = at::randn({4, 3});
  const at::Tensor g = at::randn({4, 3});
  at::Tensor live;
  const auto fresh_pass = [&]() -> Pass {
    live = parameter_with(w, g);
    return {.parameters = {live}, .recompute_gradients = [&live] {
              live.mutable_grad() = at::Tensor();
              live.pow(4).sum().backward();
            }};
  };
  const auto check = [&](const auto& hook) {
    Pass pass = fresh_pass();
    pass.now = later;
    hook.gradient(pass);
    const at::Tensor eager = at::cat({pass.parameters[0].detach().flatten(), pass.parameters[0].grad().flatten()});
    CHECK(furthest(replayed(recorded, later, fresh_pass, hook), eager) < 1e-6);
    CHECK(furthest(replayed(recorded, recorded, fresh_pass, hook), eager) > 1e-3);
  };
  check(ClipValues{.bound = knob});
  check(AdaptiveClip{.factor = knob});
  check(DecoupledDecay{.decay = knob});
  check(Sam{.rho = knob});
  check(Asam{.rho = knob});
}

TEST_CASE("steps: every field's bound is checked where it is put to use, and each time a schedule is read") {
  const auto use = [](auto regularizer) { return [regularizer] { (void)AnyRegularizer(regularizer); }; };
  for (const double value : {-0.1, not_a_number}) {
    const std::string text = "is " + regimen::detail::text(value);
    check_error(use(ClipValues{.bound = value}), {"ClipValues.bound", "above 0", text.c_str()});
    check_error(use(AdaptiveClip{.factor = value}), {"AdaptiveClip.factor", "above 0", text.c_str()});
    check_error(use(AdaptiveClip{.floor = value}), {"AdaptiveClip.floor", "above 0", text.c_str()});
    check_error(use(GradientNoise{.eta = value}), {"GradientNoise.eta", "at least 0", text.c_str()});
    check_error(use(GradientNoise{.gamma = value}), {"GradientNoise.gamma", "at least 0", text.c_str()});
    check_error(use(DecoupledDecay{.decay = value}), {"DecoupledDecay.decay", "in [0, 1]", text.c_str()});
    check_error(use(Sam{.rho = value}), {"Sam.rho", "at least 0", text.c_str()});
    check_error(use(Asam{.rho = value}), {"Asam.rho", "at least 0", text.c_str()});
    check_error(use(Asam{.eta = value}), {"Asam.eta", "at least 0", text.c_str()});
  }
  check_error(use(AdaptiveClip{.except_last = -1}), {"AdaptiveClip.except_last", "is -1"});
  check_error(use(DecoupledDecay{.decay = 1.5}), {"DecoupledDecay.decay", "is 1.5"});

  const regimen::Knob wrong = [](const Clock&) { return -1; };
  Bowl bowl;
  bowl.gradient();
  const Pass pass = bowl.pass();
  check_error([&] { ClipValues{.bound = wrong}.gradient(pass); }, {"ClipValues.bound", "is -1"});
  check_error([&] { AdaptiveClip{.factor = wrong}.gradient(pass); }, {"AdaptiveClip.factor", "is -1"});
  check_error([&] { GradientNoise{.eta = wrong}.gradient(pass); }, {"GradientNoise.eta", "is -1"});
  check_error([&] { DecoupledDecay{.decay = wrong}.gradient(pass); }, {"DecoupledDecay.decay", "is -1"});
  check_error([&] { Sam{.rho = wrong}.gradient(pass); }, {"Sam.rho", "is -1"});
  check_error([&] { Asam{.rho = wrong}.gradient(pass); }, {"Asam.rho", "is -1"});
}

TEST_CASE("steps: the manifest has every field by itself") {
  CHECK(regimen::manifest(ClipValues{.bound = 0.5}) == R"({"type": "ClipValues", "bound": 0.5})");
  CHECK(regimen::manifest(AdaptiveClip{.factor = 0.5, .floor = 0.25, .except_last = 2}) ==
        R"({"type": "AdaptiveClip", "factor": 0.5, "floor": 0.25, "except_last": 2})");
  CHECK(regimen::manifest(GradientNoise{.eta = 0.5, .gamma = 0.25, .seed = 3}) ==
        R"({"type": "GradientNoise", "eta": 0.5, "gamma": 0.25, "seed": 3})");
  CHECK(regimen::manifest(DecoupledDecay{.decay = 0.5}) == R"({"type": "DecoupledDecay", "decay": 0.5})");
  CHECK(regimen::manifest(Sam{.rho = 0.5}) == R"({"type": "Sam", "rho": 0.5})");
  CHECK(regimen::manifest(Asam{.rho = 0.5, .eta = 0.25}) == R"({"type": "Asam", "rho": 0.5, "eta": 0.25})");
}

TEST_CASE("LossScaler: gradients that are computed again in a step are divided, and count only if they overflow") {
  regimen::LossScaler scaler({.initial = 8, .interval = 2});
  const at::Tensor weight = at::zeros({2}).requires_grad_(true);
  const auto gradient = [&](double value) { weight.mutable_grad() = at::full({2}, value, at::kFloat); };
  gradient(16);
  CHECK(scaler.unscale({weight}));
  gradient(24);
  CHECK(scaler.unscale_again({weight}));
  CHECK(same(weight.grad(), at::full({2}, 3.0F)));
  CHECK(scaler.factor() == 8);
  CHECK(scaler.steps() == 1);
  gradient(std::numeric_limits<double>::infinity());
  CHECK_FALSE(scaler.unscale_again({weight}));
  CHECK(scaler.factor() == 4);
  CHECK(scaler.steps() == 0);
}

namespace {

/// An embedding of 6 words in 3 numbers, with the sparse gradient of a batch in which a word occurs twice; and the same
/// gradient dense.
struct Embedded {
  at::Tensor table = at::arange(1, 19, at::kDouble).view({6, 3}).div(10).requires_grad_(true);
  at::Tensor dense;

  Embedded() {
    const at::Tensor words = longs({4, 1, 4});
    const at::Tensor pull = at::tensor({1., -2., 3., 0.1, 0.2, -0.3, 4., 1., -9.}, at::kDouble).view({3, 3});
    (at::embedding(table, words, -1, false, /*sparse=*/true) * pull).sum().backward();
    dense = table.grad().to_dense();
  }
};

}  // namespace

TEST_CASE("steps: hooks do to a sparse gradient what they do to the same one dense, or say that they cannot") {
  const std::vector<std::pair<const char*, AnyRegularizer>> all{
      {"ClipGradients", regimen::ClipGradients{.max_norm = 2}},
      {"ClipValues", ClipValues{.bound = 1.5}},
      {"AdaptiveClip", AdaptiveClip{.factor = 0.3}},
      {"DecoupledDecay", DecoupledDecay{.decay = 0.1}},
      {"MaxNorm", regimen::MaxNorm{.bound = 1}},
  };
  for (const auto& [name, hook] : all) {
    CAPTURE(name);
    Embedded sparse;
    REQUIRE(sparse.table.grad().is_sparse());
    at::Tensor dense = parameter_with(sparse.table.detach(), sparse.dense);
    hook.gradient({.parameters = {sparse.table}});
    hook.gradient({.parameters = {dense}});
    hook.weights({.parameters = {sparse.table}});
    hook.weights({.parameters = {dense}});
    CHECK(sparse.table.grad().is_sparse());
    CHECK(furthest(sparse.table.grad().to_dense(), dense.grad()) < 1e-12);
    CHECK(furthest(sparse.table.detach(), dense.detach()) < 1e-12);
  }
  Embedded sparse;
  check_error([&] { GradientNoise{}.gradient({.parameters = {sparse.table}}); }, {"GradientNoise", "sparse", "On"});
  CHECK(sparse.table.grad().to_dense().equal(sparse.dense));

  regimen::LossScaler scaler({.initial = 8});
  CHECK(scaler.unscale({sparse.table}));
  CHECK(furthest(sparse.table.grad().to_dense(), sparse.dense / 8) < 1e-12);
  sparse.table.mutable_grad() = sparse.table.grad() * std::numeric_limits<double>::infinity();
  CHECK_FALSE(scaler.unscale({sparse.table}));
}

TEST_CASE("Sam: goes uphill along a sparse gradient as along the same one dense") {
  for (const bool adaptive : {false, true}) {
    std::vector<at::Tensor> seen;
    for (const bool is_sparse : {true, false}) {
      Embedded embedded;
      if (!is_sparse) {
        embedded.table.mutable_grad() = embedded.dense;
      }
      const at::Tensor before = embedded.table.detach().clone();
      const Pass pass{.parameters = {embedded.table},
                      .recompute_gradients = [&] { seen.push_back(embedded.table.detach().clone()); }};
      adaptive ? Asam{.rho = 0.5}.gradient(pass) : Sam{.rho = 0.5}.gradient(pass);
      CHECK(embedded.table.equal(before));
    }
    CHECK(furthest(seen[0], seen[1]) < 1e-12);
  }
}

TEST_CASE("steps: of complex parameters the modulus counts, and what has no meaning for them says so") {
  const at::Tensor w =
      at::complex(at::tensor({3., 0.}, at::kDouble), at::tensor({4., 2.}, at::kDouble)).requires_grad_(true);
  const Pass pass{.parameters = {w}};
  CHECK(regimen::L2{.strength = 2}.penalty(pass).item<double>() == Approx(25 + 4));
  CHECK(regimen::L1{.strength = 1}.penalty(pass).item<double>() == Approx(5 + 2));
  CHECK(regimen::ElasticNet{.strength = 1, .l1_share = 0.5}.penalty(pass).item<double>() == Approx(3.5 + 29. / 4));
  regimen::L2{.strength = 2}.penalty(pass).backward();
  CHECK(at::view_as_real(w.grad()).equal(at::view_as_real(w.detach()) * 2));  // PyTorch's convention: that of (re, im)
  regimen::ClipGradients{.max_norm = 1}.gradient(pass);
  CHECK(at::view_as_real(w.grad()).norm().item<double>() == Approx(1).epsilon(1e-5));
  GradientNoise{.eta = 1}.gradient(pass);
  CHECK(at::view_as_real(w.grad()).isfinite().all().item<bool>());
  check_error([&] { ClipValues{}.gradient(pass); }, {"ClipValues", "real"});
  check_error([&] { (void)regimen::SpectralNorm{}.penalty(pass); }, {"SpectralNorm", "real"});

  const at::Tensor rows =
      at::complex(at::tensor({3., 0., 0.6, 0.}, at::kDouble), at::tensor({4., 0., 0., 0.8}, at::kDouble))
          .view({2, 2})
          .requires_grad_(true);
  regimen::MaxNorm{.bound = 1}.weights({.parameters = {rows}});  // rows of length 5 and 1
  CHECK(furthest(at::view_as_real(rows.detach()),
                 at::tensor({0.6, 0.8, 0., 0., 0.6, 0., 0., 0.8}, at::kDouble).view({2, 2, 2})) < 1e-12);
}

}  // namespace hooks_test
