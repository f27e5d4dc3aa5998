#include "support/tensors.hpp"

#include <algorithm>
#include <memory>
#include <vector>

#include <regimen/regimen.hpp>

namespace fused_test {

namespace {

using regimen::fused_step;
using regimen::detail::SgdRule;
using torch::optim::SGD;
using torch::optim::SGDOptions;

/// Two networks of the same weights, and an optimizer of each.
struct Twins {
  explicit Twins(const SGDOptions& options) : theirs(network()), ours(network()) {
    their_step = std::make_unique<SGD>(theirs->parameters(), options);
    our_step = std::make_unique<SGD>(ours->parameters(), options);
  }

  /// More numbers than one thread takes, a convolution and a bias.
  static torch::nn::Sequential network() {
    torch::manual_seed(3);
    return torch::nn::Sequential(torch::nn::Conv2d(3, 4, 3), torch::nn::Flatten(), torch::nn::Linear(144, 300),
                                 torch::nn::ReLU(), torch::nn::Linear(300, 5));
  }

  /// Gradients of the same batch in both.
  void backward(std::uint64_t seed) const {
    const at::Tensor x = regimen::Key(seed, at::arange(8, at::kLong)).normal({3, 8, 8});
    for (const auto& net : {theirs, ours}) {
      for (at::Tensor& parameter : net->parameters()) {
        parameter.mutable_grad() = at::Tensor();
      }
      torch::nn::Sequential callable = net;
      callable->forward(x).square().mean().backward();
    }
  }

  [[nodiscard]] double apart() const {
    double most = 0;
    for (std::size_t i = 0; i < theirs->parameters().size(); ++i) {
      most = std::max(most, furthest(theirs->parameters()[i], ours->parameters()[i]));
    }
    return most;
  }

  torch::nn::Sequential theirs;
  torch::nn::Sequential ours;
  std::unique_ptr<SGD> their_step;
  std::unique_ptr<SGD> our_step;
};

struct OwnSgd : SGD {
  using SGD::SGD;
};
static_assert(regimen::Fusible<SGD>);
static_assert(!regimen::Fusible<OwnSgd>);
static_assert(!regimen::Fusible<torch::optim::Adam>);
static_assert(!regimen::Fusible<torch::optim::Optimizer>);

}  // namespace

TEST_CASE("fused: twenty steps are LibTorch's to rounding, with every option that SGD has") {
  for (const double momentum : {0.0, 0.9}) {
    for (const double weight_decay : {0.0, 1e-2}) {
      for (const double dampening : {0.0, 0.3}) {
        for (const bool nesterov : {false, true}) {
          if (nesterov && (momentum == 0 || dampening != 0)) {
            continue;  // LibTorch refuses it
          }
          CAPTURE(momentum, weight_decay, dampening, nesterov);
          const Twins twins(
              SGDOptions(0.1).momentum(momentum).weight_decay(weight_decay).dampening(dampening).nesterov(nesterov));
          for (int step = 0; step < 20; ++step) {
            twins.backward(static_cast<std::uint64_t>(step));
            twins.their_step->step();
            fused_step(*twins.our_step);
          }
          CHECK(twins.apart() < 1e-6);
        }
      }
    }
  }
}

TEST_CASE("fused: the two kinds of step take turns on one optimizer") {
  const Twins twins(SGDOptions(0.1).momentum(0.9).weight_decay(1e-3));
  for (int step = 0; step < 6; ++step) {
    twins.backward(static_cast<std::uint64_t>(step));
    twins.their_step->step();
    if (step % 2 == 0) {
      fused_step(*twins.our_step);
    } else {
      twins.our_step->step();
    }
  }
  CHECK(twins.apart() < 1e-6);
  CHECK(twins.our_step->state().size() == twins.their_step->state().size());
}

TEST_CASE("fused: what drives the options is as if they had been set") {
  using regimen::Clock;
  for (const bool nesterov : {false, true}) {
    for (const double dampening : {0.0, 0.3}) {
      if (nesterov && dampening != 0) {
        continue;
      }
      CAPTURE(nesterov, dampening);
      const SGDOptions options =
          SGDOptions(0.1).momentum(0.9).weight_decay(1e-2).dampening(dampening).nesterov(nesterov);
      const regimen::OptimizerKnobs knobs{
          .lr_scale = regimen::Cosine{.epochs = 12},
          .momentum = regimen::OneCycle{.epochs = 10, .start = 0.95, .peak = 0.5, .end = 0.9},
          .weight_decay_scale = regimen::LinearDecay{.epochs = 10, .from = 3, .to = 0.5}};
      const Twins twins(options);
      const Twins recorded(options);  // as in a step that is recorded: the numbers come from slots
      regimen::detail::Slots slots(at::kCPU);
      for (int step = 0; step < 10; ++step) {
        const Clock clock{.epoch = step};
        twins.backward(static_cast<std::uint64_t>(step));
        recorded.backward(static_cast<std::uint64_t>(step));
        auto& group = static_cast<SGDOptions&>(twins.their_step->param_groups()[0].options());
        group.lr(0.1 * knobs.lr_scale(clock));
        group.momentum((*knobs.momentum)(clock));
        group.weight_decay(1e-2 * knobs.weight_decay_scale(clock));
        twins.their_step->step();
        fused_step(*twins.our_step, {clock}, knobs);

        slots.begin({clock}, {clock});
        fused_step(*recorded.our_step, {.clock = clock, .slots = &slots}, knobs);
        CHECK(slots.complete());
      }
      CHECK(twins.apart() < 1e-6);
      double apart = 0;
      for (std::size_t i = 0; i < twins.ours->parameters().size(); ++i) {
        apart = std::max(apart, furthest(twins.theirs->parameters()[i], recorded.ours->parameters()[i]));
      }
      CHECK(apart < 1e-6);
      CHECK(slots.refused().empty());
    }
  }
}

TEST_CASE("fused: parameter groups keep their own options, and a parameter without a gradient stays") {
  torch::nn::Linear net(3, 2);
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(std::vector<at::Tensor>{net->weight}, std::make_unique<SGDOptions>(0.5));
  groups.emplace_back(std::vector<at::Tensor>{net->bias}, std::make_unique<SGDOptions>(0.25));
  SGD optimizer(groups, SGDOptions(1));
  const at::Tensor weight = net->weight.detach().clone();
  const at::Tensor bias = net->bias.detach().clone();

  net->weight.mutable_grad() = at::ones_like(weight);
  fused_step(optimizer);
  CHECK(furthest(net->weight, weight - 0.5) < 1e-7);
  CHECK(net->bias.equal(bias));

  net->weight.mutable_grad() = at::Tensor();
  net->bias.mutable_grad() = at::ones_like(bias);
  fused_step(optimizer);
  CHECK(furthest(net->weight, weight - 0.5) < 1e-7);
  CHECK(furthest(net->bias, bias - 0.25) < 1e-7);
}

TEST_CASE("fused: gradients of another layout, and numbers that are no floats, take LibTorch's own operations") {
  const SGDOptions options = SGDOptions(0.1).momentum(0.9).weight_decay(1e-2);
  at::Tensor theirs = at::arange(6, at::kDouble).view({2, 3}).requires_grad_();
  at::Tensor ours = theirs.detach().clone().requires_grad_();
  at::Tensor turned = at::arange(6, at::kFloat).view({2, 3}).requires_grad_();
  SGD their_step({theirs}, options);
  SGD our_step({ours, turned}, options);
  for (int step = 0; step < 3; ++step) {
    const at::Tensor gradient = at::arange(6, at::kDouble).view({2, 3}) + step;
    theirs.mutable_grad() = gradient;
    ours.mutable_grad() = gradient;
    turned.mutable_grad() = gradient.to(at::kFloat).t().contiguous().t();
    REQUIRE(turned.grad().strides() != turned.strides());
    their_step.step();
    fused_step(our_step);
  }
  CHECK(furthest(ours, theirs) < 1e-12);
  CHECK(furthest(turned.to(at::kDouble), theirs) < 1e-5);
}

TEST_CASE("fused: the kernels for a whole list, those of a GPU, do the same on this processor") {
  const SgdRule rules[] = {{.lr = 0.1},
                           {.lr = 0.1, .weight_decay = 1e-2},
                           {.lr = 0.1, .momentum = 0.9, .weight_decay = 1e-2},
                           {.lr = 0.1, .momentum = 0.9, .dampening = 0.3},
                           {.lr = 0.1, .momentum = 0.9, .weight_decay = 1e-2, .nesterov = true}};
  for (const SgdRule& rule : rules) {
    CAPTURE(rule.momentum, rule.dampening, rule.weight_decay, rule.nesterov);
    const at::Tensor one = at::linspace(-1, 1, 12).view({3, 4});
    const at::Tensor other = at::linspace(0, 2, 5);
    regimen::detail::SgdTensors all{{one.clone(), other.clone()}, {}, {}};
    std::vector<at::Tensor> alone = {one.clone(), other.clone()};
    std::vector<at::Tensor> buffers(2);
    if (rule.momentum != 0) {
      all.buffers = {at::zeros_like(one), at::zeros_like(other)};
      buffers = {at::zeros_like(one), at::zeros_like(other)};
    }
    for (const bool first : {true, false, false}) {
      all.gradients = {one.cos(), other.cos()};
      for (std::size_t i = 0; i < alone.size(); ++i) {
        regimen::detail::sgd_by_operations(alone[i], all.gradients[i], buffers[i], rule, first);
      }
      regimen::detail::sgd_on_device(all, rule, first);
    }
    CHECK(furthest(all.parameters[0], alone[0]) < 1e-6);
    CHECK(furthest(all.parameters[1], alone[1]) < 1e-6);
  }
}

}  // namespace fused_test
