// Every regularizer in a recorded step: the same weights as step by step, with strengths that change; or the reason why
// it cannot be recorded.

#include "device/trial.hpp"

namespace {

using namespace trial;

struct Case {
  std::string name;
  rg::AnyRegularizer regularizer;
  std::string why_not = "";  ///< of the notice; "" for what is recorded
};

/// A small network from outputs to outputs, twice differentiable.
torch::nn::Sequential potential() {
  torch::manual_seed(6);
  torch::nn::Sequential net(torch::nn::Linear(4, 5), torch::nn::ELU(), torch::nn::Linear(5, 4));
  net->to(gpu::device());
  return net;
}

rg::Snapshot elsewhere(const at::Device& device) {
  torch::nn::Sequential net = network(9);
  net->to(device);
  return rg::Snapshot(net);
}

std::vector<Case> regularizers() {
  std::vector<Case> all{
      {"L1", rg::L1{.strength = falling * 0.01}},
      {"L2", rg::L2{.strength = falling * 0.1}},
      {"ElasticNet", rg::ElasticNet{.strength = falling * 0.03, .l1_share = falling}},
      {"L2SP", rg::L2SP{.start = elsewhere(gpu::device()), .strength = falling * 0.3}},
      {"L2SP of a snapshot on the CPU", rg::L2SP{.start = elsewhere(at::kCPU), .strength = falling * 0.3}},
      {"PathNorm", rg::PathNorm{.strength = falling * 0.01}},
      {"PathNorm, p = 1", rg::PathNorm{.strength = falling * 0.001, .p = 1}},
      {"SpectralNorm", rg::SpectralNorm{.strength = falling * 0.1}},
      {"JacobianNorm", rg::JacobianNorm{.strength = falling * 0.3, .seed = 5}},
      {"JacobianNorm, exact", rg::JacobianNorm{.strength = falling * 0.3, .projections = 0}, "on the host"},
      {"ConfidencePenalty", rg::ConfidencePenalty{.strength = falling}},
      {"one of one's own",
       [](const rg::Pass& pass) { return pass.parameters.back().square().sum() * pass.now.tensor(falling); }},
      {"On, by shape", rg::On{rg::Matrices{}, rg::L2{.strength = falling * 0.1}}},
      {"On, by name", rg::On{rg::Layers{{"4"}}, rg::MaxNorm{.bound = falling * 0.5}}},
      {"ClipGradients", rg::ClipGradients{.max_norm = falling * 0.3}},
      {"ClipValues", rg::ClipValues{.bound = falling * 0.03}},
      {"AdaptiveClip", rg::AdaptiveClip{.factor = falling * 0.1}},
      {"GradientNoise", rg::GradientNoise{.eta = falling * 1e-2, .seed = 8}},
      {"DecoupledDecay", rg::DecoupledDecay{.decay = falling * 0.05}},
      {"MaxNorm", rg::MaxNorm{.bound = falling * 0.5}},
      {"Sam", rg::Sam{.rho = falling * 0.1}, "same random numbers"},
      {"Asam", rg::Asam{.rho = falling * 0.5}, "same random numbers"},
  };
  for (const rg::Slacks slacks : {rg::Slacks::both, rg::Slacks::units, rg::Slacks::points}) {
    for (const rg::Aggregation aggregation :
         {rg::Aggregation::norm, rg::Aggregation::mean, rg::Aggregation::sum, rg::Aggregation::balanced}) {
      const bool mean = aggregation == rg::Aggregation::mean || aggregation == rg::Aggregation::balanced;
      const double scale = mean ? 1 : 0.05;
      all.push_back(
          {"Jumpstart, " + name_of(slacks) + ", " + name_of(aggregation),
           rg::Jumpstart{
               .strength = falling * scale, .slacks = slacks, .aggregation = aggregation, .balance = falling * 0.5}});
    }
  }
  for (const rg::Potential kind : {rg::Potential::gradient_step, rg::Potential::red, rg::Potential::scalar}) {
    all.push_back({"LearnedPotential, " + name_of(kind),
                   rg::LearnedPotential{.network = potential(), .potential = kind, .strength = falling * 0.3}});
  }
  return all;
}

}  // namespace

TEST_CASE("regularizers recorded: each ends where it ends step by step, while its strength falls") {
  for (const Case& one : regularizers()) {
    INFO(one.name);
    const End stepwise = train({.regularize = {one.regularizer}}, /*recorded=*/false);
    const End recorded = train({.regularize = {one.regularizer}}, /*recorded=*/true);
    const End frozen = train({.regularize = {Frozen{one.regularizer}}}, /*recorded=*/false);
    CAPTURE(recorded.notices);
    CHECK(apart(recorded, stepwise) < rounding);
    CHECK(apart(frozen, stepwise) > visible);
    if (one.why_not.empty()) {
      CHECK(recorded.notices.empty());
    } else {
      REQUIRE(recorded.notices.size() == 1);
      CHECK(training::contains(recorded.notices[0], one.why_not));
    }
  }
}

TEST_CASE("regularizers recorded: several with strengths that change, whose gradients are taken together") {
  const Parts parts{.regularize = {rg::L1{.strength = falling * 0.01}, rg::ElasticNet{.strength = falling * 0.03},
                                   rg::Jumpstart{.strength = falling, .balance = falling}}};
  const End recorded = train(parts, /*recorded=*/true);
  CHECK(recorded.notices.empty());
  CHECK(apart(recorded, train(parts, /*recorded=*/false)) < rounding);
}
