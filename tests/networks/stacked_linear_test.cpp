// Ensembles of equal networks in one module: the layer, and that each member trains as it would alone.
#include "support/torch.hpp"

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <regimen/networks.hpp>
#include <regimen/regimen.hpp>
#include "support/errors.hpp"

namespace stacked_linear_test {

namespace {

namespace rg = regimen;
using rg::networks::StackedLinear;
using rg::networks::StackedLinearOptions;

StackedLinear layer(int members, int inputs, int outputs) {
  return StackedLinear(StackedLinearOptions{.members = members, .inputs = inputs, .outputs = outputs});
}

double furthest(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

/// Two hidden layers, tapped, with BatchNorm after the first if wanted, of several members or of one.
struct EnsembleImpl : torch::nn::Module {
  EnsembleImpl(int members_, bool normalized) : members(members_) {
    first = register_module("first", layer(members, 2, 5));
    second = register_module("second", layer(members, 5, 5));
    last = register_module("last", layer(members, 5, 3));
    if (normalized) {
      norm = register_module("norm", torch::nn::BatchNorm1d(5 * members));
    }
  }
  torch::Tensor forward(const torch::Tensor& x) {
    torch::Tensor a = first(x);
    if (!norm.is_empty()) {
      a = norm(a.flatten(1)).view({-1, members, 5});
    }
    a = torch::relu(rg::tap(a));
    return last(torch::relu(rg::tap(second(a))));
  }
  int members;
  StackedLinear first{nullptr}, second{nullptr}, last{nullptr};
  torch::nn::BatchNorm1d norm{nullptr};
};
TORCH_MODULE(Ensemble);

/// Member i of an ensemble as an ensemble of one.
Ensemble member_of(const Ensemble& all, std::int64_t i) {
  Ensemble one(1, !all->norm.is_empty());
  const at::NoGradGuard no_grad;
  const auto from = all->named_parameters();
  for (auto& item : one->named_parameters()) {
    const bool norm = item.key().rfind("norm", 0) == 0;
    const at::Tensor& source = from[item.key()];
    item.value().copy_(norm ? source.slice(0, 5 * i, 5 * (i + 1)) : source.slice(0, i, i + 1));
  }
  return one;
}

rg::Batch points(std::int64_t n) {
  const at::Tensor x = torch::randn({n, 2});
  return {.data = x,
          .target = (x.select(1, 0) > 0).to(torch::kLong) + (x.select(1, 1) > 0).to(torch::kLong),
          .id = torch::arange(n)};
}

}  // namespace

TEST_CASE("stacked linear: is torch::nn::Linear for each member", "[networks]") {
  torch::manual_seed(1);
  const StackedLinear net = layer(3, 4, 2);
  StackedLinear all = net;
  const at::Tensor shared = torch::randn({6, 4}), own = torch::randn({6, 3, 4});
  const at::Tensor of_shared = all(shared), of_own = all(own);
  REQUIRE(of_shared.sizes() == at::IntArrayRef({6, 3, 2}));
  for (std::int64_t i = 0; i < 3; ++i) {
    torch::nn::Linear one(4, 2);
    one->weight.set_data(net->weight[i].detach());
    one->bias.set_data(net->bias[i].detach());
    CHECK(furthest(one(shared), of_shared.select(1, i)) < 1e-6);
    CHECK(furthest(one(own.select(1, i)), of_own.select(1, i)) < 1e-6);
  }
  CHECK(net->parameters().size() == 2);
  all->to(torch::kDouble);
  CHECK(all(shared.to(torch::kDouble)).scalar_type() == torch::kDouble);
}

TEST_CASE("stacked linear: of layers that are there already, as copies", "[networks]") {
  torch::manual_seed(7);
  std::vector<torch::nn::Linear> layers{torch::nn::Linear(3, 2), torch::nn::Linear(3, 2)};
  StackedLinear all(layers);
  CHECK(all->options.members == 2);
  CHECK(all->options.inputs == 3);
  CHECK(all->options.outputs == 2);
  const at::Tensor x = torch::randn({5, 2, 3});
  for (std::int64_t i = 0; i < 2; ++i) {
    CHECK(furthest(all(x).select(1, i), layers[static_cast<std::size_t>(i)](x.select(1, i))) < 1e-6);
  }
  all->weight.detach().zero_();
  CHECK(layers[0]->weight.abs().max().item<double>() > 0);
  CHECK(all->parameters().size() == 2);
  CHECK(all->weight.requires_grad());
  check_error([] { (void)StackedLinear(std::vector<torch::nn::Linear>()); }, {"StackedLinearOptions.members", "is 0"});
  layers.emplace_back(3, 4);
  check_error([&] { (void)StackedLinear(layers); }, {"one shape, type and device", "layer 2", "[4, 3]", "[2, 3]"});
  layers.back() = torch::nn::Linear(torch::nn::LinearOptions(3, 2).bias(false));
  check_error([&] { (void)StackedLinear(layers); }, {"without a bias"});
  layers.back() = torch::nn::Linear(3, 2);
  layers.back()->to(torch::kDouble);
  check_error([&] { (void)StackedLinear(layers); }, {"double"});
}

TEST_CASE("stacked linear: initial weights are those of torch::nn::Linear in distribution", "[networks]") {
  torch::manual_seed(2);
  const StackedLinear net = layer(50, 16, 40);
  const double bound = 0.25;  // 1 / sqrt(16)
  for (const at::Tensor& parameter : net->parameters()) {
    CHECK(parameter.abs().max().item<double>() <= bound);
    // A uniform distribution's deviation is bound / sqrt(3); seven standard errors of the 2,000 biases.
    CHECK(parameter.std().item<double>() == Approx(bound / std::sqrt(3)).epsilon(0.08));
    CHECK(std::abs(parameter.mean().item<double>()) < 0.025);
  }
  CHECK(furthest(net->weight[0], net->weight[1]) > 0.1);
}

TEST_CASE("stacked linear: a clone has its values, and goes its own way", "[networks]") {
  const StackedLinear net = layer(2, 3, 4);
  const auto copy = std::dynamic_pointer_cast<rg::networks::StackedLinearImpl>(net->clone());
  REQUIRE(copy);
  CHECK(copy->weight.equal(net->weight));
  {
    const at::NoGradGuard no_grad;
    copy->weight.zero_();
  }
  CHECK(net->weight.abs().max().item<double>() > 0);
}

TEST_CASE("stacked linear: misuse is named", "[networks]") {
  StackedLinear net = layer(2, 3, 4);
  check_error([&] { (void)net(torch::ones({5, 4})); }, {"StackedLinear", "[N, 3] or [N, 2, 3]", "[5, 4]"});
  check_error([&] { (void)net(torch::ones({5, 3, 3})); }, {"[N, 2, 3]", "[5, 3, 3]"});
  check_error([&] { (void)net(torch::ones({3})); }, {"[3] float"});
  check_error([] { (void)layer(0, 1, 1); }, {"StackedLinearOptions.members", "at least 1", "is 0"});
  check_error([] { (void)layer(1, 0, 1); }, {"StackedLinearOptions.inputs"});
  check_error([] { (void)layer(1, 1, 0); }, {"StackedLinearOptions.outputs"});
}

TEST_CASE("ensemble: each member trains as it would alone, in a run", "[networks]") {
  for (const bool normalized : {false, true}) {
    for (const rg::Aggregation how : {rg::Aggregation::balanced, rg::Aggregation::norm}) {
      CAPTURE(normalized, name_of(how));
      torch::manual_seed(3);
      Ensemble all(4, normalized);
      const rg::Batch data = points(40);
      std::vector<Ensemble> alone;
      for (int i = 0; i < 4; ++i) {
        alone.push_back(member_of(all, i));
      }
      const auto train = [&](Ensemble& net) {
        torch::optim::Adam adam(net->parameters(), torch::optim::AdamOptions(0.01).weight_decay(0.01));
        const rg::Phase phase{
            .data = data,
            .optimizer = adam,
            .epochs = 6,
            .batch = 16,
            .loss = rg::OverMembers{},
            .regularize = {rg::Jumpstart{.strength = 0.3, .aggregation = how, .members = net->members}, rg::L2{0.01}},
            .seed = 5};
        return rg::run(net, {phase}, {.test = data}).back();
      };
      double accuracy = 0, loss = 0;
      for (Ensemble& one : alone) {
        const rg::Epoch trained = train(one);
        accuracy += trained.test.accuracy / 4;
        loss += trained.test.loss;
      }
      const rg::Epoch together = train(all);
      CHECK(together.test.accuracy == Approx(accuracy).epsilon(1e-6));
      CHECK(together.test.loss == Approx(loss).epsilon(1e-4));
      for (int i = 0; i < 4; ++i) {
        const Ensemble own = member_of(all, i);
        const auto here = own->parameters(), there = alone[static_cast<std::size_t>(i)]->parameters();
        for (std::size_t p = 0; p < here.size(); ++p) {
          CHECK(furthest(here[p], there[p]) < 1e-4);
        }
      }
    }
  }
}

TEST_CASE("ensemble: a member that diverges does not touch the others", "[networks]") {
  torch::manual_seed(6);
  Ensemble all(3, true);
  const rg::Batch data = points(40);
  Ensemble alone = member_of(all, 2);
  {
    const at::NoGradGuard no_grad;
    all->second->weight[1].fill_(1e38);  // whose products are infinite
  }
  const auto train = [&](Ensemble& net) {
    torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.05));
    const rg::Jumpstart jumpstart{.strength = 0.3, .aggregation = rg::Aggregation::balanced, .members = net->members};
    const rg::Phase phase{.data = data,
                          .optimizer = sgd,
                          .epochs = 5,
                          .batch = 16,
                          .loss = rg::OverMembers{},
                          .regularize = {jumpstart, rg::FiniteGradients{}},
                          .seed = 5};
    return rg::run(net, {phase});
  };
  const rg::History of_all = train(all), of_one = train(alone);
  CHECK(of_all.ended() == rg::Ended::epochs);
  CHECK_FALSE(all(data.data).select(1, 1).isfinite().all().item<bool>());
  const Ensemble third = member_of(all, 2);
  for (std::size_t p = 0; p < alone->parameters().size(); ++p) {
    CHECK(furthest(third->parameters()[p], alone->parameters()[p]) < 1e-4);
  }
}

TEST_CASE("ensemble: the activity of each member is that of the member alone", "[networks]") {
  torch::manual_seed(4);
  Ensemble all(3, false);
  const rg::Batch data = points(30);
  const auto of_all = rg::member_activity(all, data, 3, {.batch = 7});
  REQUIRE(of_all.size() == 3);
  for (int i = 0; i < 3; ++i) {
    Ensemble one = member_of(all, i);
    const rg::Taps taps;
    (void)one(data.data);
    const std::vector<at::Tensor>& units = taps.tensors();
    REQUIRE(of_all[static_cast<std::size_t>(i)].size() == units.size());
    for (std::size_t l = 0; l < units.size(); ++l) {
      const at::Tensor a = units[l].squeeze(1);  // [N, units]
      const rg::LayerActivity& found = of_all[static_cast<std::size_t>(i)][l];
      const auto share = [](const at::Tensor& which) { return which.to(at::kDouble).mean().item<double>(); };
      CHECK(found.dead == Approx(share((a > 0).sum(0) == 0)));
      CHECK(found.affine == Approx(share((a > 0).sum(0) == a.size(0))));
      CHECK(found.dead_points == Approx(share((a > 0).sum(1) == 0)));
      CHECK(found.dead + found.affine + found.separating == Approx(1));
    }
  }
}

}  // namespace stacked_linear_test
