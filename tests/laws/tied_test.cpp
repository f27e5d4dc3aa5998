// Tensors that LibTorch lists under two names: tied weights, a layer that is registered twice. Right is what the same
// network gives that lists each tensor once.

#include "support/small_networks.hpp"
#include "support/tensors.hpp"

#include <cmath>
#include <functional>
#include <stdexcept>
#include <utility>
#include <vector>

#include <regimen/regimen.hpp>

namespace tied_test {

namespace {

using regimen::AnyRegularizer;
using regimen::Batch;
using regimen::Model;
using regimen::Named;
using regimen::Pass;
using regimen::Snapshot;
using torch::nn::BatchNorm1d;
using torch::nn::Linear;

/// One square layer and one norm, each registered under two names and used twice.
struct TwiceImpl : torch::nn::Module {
  TwiceImpl() {
    first = register_module("first", Linear(3, 3));
    norm = register_module("norm", BatchNorm1d(3));
    register_module("second", first);
    register_module("second_norm", norm);
    to(at::kDouble);
  }
  torch::Tensor forward(const torch::Tensor& x) {
    if (fails) {
      throw std::runtime_error("out of order");
    }
    return norm(first(torch::relu(norm(first(x)))));
  }

  Linear first{nullptr};
  BatchNorm1d norm{nullptr};
  bool fails = false;
};
TORCH_MODULE(Twice);

/// The same function of layers of its own.
struct ApartImpl : torch::nn::Module {
  ApartImpl() {
    for (const char* const name : {"first", "second"}) {
      layers.push_back(register_module(name, Linear(3, 3)));
    }
    for (const char* const name : {"norm", "second_norm"}) {
      norms.push_back(register_module(name, BatchNorm1d(3)));
    }
    to(at::kDouble);
  }
  torch::Tensor forward(const torch::Tensor& x) { return norms[1](layers[1](torch::relu(norms[0](layers[0](x))))); }

  std::vector<Linear> layers;
  std::vector<BatchNorm1d> norms;
};
TORCH_MODULE(Apart);

/// A word model's embedding that is the last layer's weight too, under a second name of its own.
struct WordsImpl : torch::nn::Module {
  WordsImpl() {
    table = register_parameter("table", torch::randn({5, 3}, at::kDouble));
    register_parameter("last", table);
    shift = register_parameter("shift", torch::randn({5}, at::kDouble));
  }
  torch::Tensor forward(const torch::Tensor& x) { return at::linear(x, table, shift); }

  torch::Tensor table, shift;
};
TORCH_MODULE(Words);

/// No module of LibTorch's; its list names a tensor three times.
struct Plain {
  at::Tensor weight = at::full({2, 2}, 3.0, at::kDouble).set_requires_grad(true);
  at::Tensor seen = at::zeros({1}, at::kDouble);

  at::Tensor forward(const at::Tensor& x) { return x.matmul(weight); }
  std::vector<at::Tensor> parameters() { return {weight, weight, weight}; }
  std::vector<at::Tensor> buffers() { return {seen, seen}; }
};

Twice twice() {
  Twice net;
  randomize(*net, 4);
  return net;
}

Words words() {
  torch::manual_seed(2);
  return Words();
}

/// The tensors of a module, each once, in the order of LibTorch's list.
std::vector<at::Tensor> each_once(const std::vector<at::Tensor>& all) {
  std::vector<at::Tensor> distinct;
  for (const at::Tensor& tensor : all) {
    bool known = false;
    for (const at::Tensor& other : distinct) {
      known = known || other.is_same(tensor);
    }
    if (!known) {
      distinct.push_back(tensor);
    }
  }
  return distinct;
}

double squares(const std::vector<at::Tensor>& tensors) {
  double sum = 0;
  for (const at::Tensor& tensor : tensors) {
    sum += tensor.detach().square().sum().item<double>();
  }
  return sum;
}

std::vector<at::Tensor> copies(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> result;
  for (const at::Tensor& tensor : tensors) {
    result.push_back(tensor.detach().clone());
  }
  return result;
}

/// Sets every parameter's gradient to something of a seed.
void set_gradients(const std::vector<at::Tensor>& parameters, std::uint64_t seed) {
  torch::manual_seed(seed);
  for (at::Tensor parameter : parameters) {
    parameter.mutable_grad() = torch::randn(parameter.sizes(), at::kDouble);
  }
}

}  // namespace

TEST_CASE("tied: a model lists each tensor once, with its further names") {
  Twice net = twice();
  const Model model(net);
  CHECK(net->parameters().size() == 8);
  REQUIRE(model.named_parameters().size() == 4);
  CHECK(model.parameters().size() == 4);
  CHECK(model.named_buffers().size() == 3);
  const Named weight = model.named_parameters()[0];
  CHECK(weight.name == "first.weight");
  CHECK(weight.aliases == std::vector<std::string>{"second.weight"});
  CHECK(weight.tensor.is_same(net->first->weight));
  CHECK(weight.matches({"second"}));
  CHECK(weight.matches({"first.weight"}));
  CHECK_FALSE(weight.matches({"sec", "norm", "weight"}));

  Words table = words();
  CHECK(Model(table).named_parameters()[0].aliases == std::vector<std::string>{"last"});
  Plain plain;
  CHECK(Model(plain).named_parameters()[0].aliases == std::vector<std::string>{"parameter1", "parameter2"});
  CHECK(Model(plain).named_buffers().size() == 1);
}

TEST_CASE("tied: norms and distances count a tensor once") {
  const auto look = [](auto& net) {
    const std::vector<at::Tensor> own = each_once(regimen::detail::module_of(net).parameters());
    const Snapshot start(net);
    CHECK(regimen::l2_norm(net) == Approx(std::sqrt(squares(own))));
    const at::NoGradGuard no_grad;
    std::vector<at::Tensor> steps;
    for (at::Tensor tensor : own) {
      steps.push_back(torch::randn_like(tensor));
      tensor.add_(steps.back());
    }
    CHECK(regimen::distance(net, start) == Approx(std::sqrt(squares(steps))));
    const Model model(net);
    CHECK(regimen::RelativeDistanceFrom{start}(model) == Approx(std::sqrt(squares(steps) / squares(copies([&] {
                                                                            std::vector<at::Tensor> before;
                                                                            for (std::size_t i = 0; i < own.size();
                                                                                 ++i) {
                                                                              before.push_back(own[i] - steps[i]);
                                                                            }
                                                                            return before;
                                                                          }())))));
    CHECK(regimen::HeadingTo{.from = start, .to = Snapshot(net)}(model) == Approx(1));
  };
  Twice net = twice();
  look(net);
  Words table = words();
  look(table);
  Plain plain;
  look(plain);
}

TEST_CASE("tied: a path norm is that of the same network with layers of its own, and leaves every bit as it was") {
  Twice net = twice();
  Apart apart;
  {
    const at::NoGradGuard no_grad;
    for (const auto& item : net->named_parameters()) {
      apart->named_parameters()[item.key()].copy_(item.value());
    }
    for (const auto& item : net->named_buffers()) {
      apart->named_buffers()[item.key()].copy_(item.value());
    }
  }
  for (const double p : {1.0, 2.0, 3.0}) {
    const Kept before(*net);
    CHECK(regimen::path_norm(net, {3}, p) == Approx(regimen::path_norm(apart, {3}, p)).epsilon(1e-12));
    before.check();
  }

  // And as a penalty: a tied tensor's gradient is the sum of its copies'.
  const Batch batch{.data = torch::randn({2, 3}, at::kDouble)};
  const auto slopes = [&](auto& of) {
    const Model model(of);
    of->zero_grad();
    for (at::Tensor parameter : of->parameters()) {
      parameter.mutable_grad() = at::Tensor();
    }
    regimen::PathNorm{.strength = 1}
        .penalty({.parameters = of->parameters(), .batch = batch, .model = &model})
        .backward();
    std::vector<at::Tensor> gradients;
    for (const Named& named : model.named_parameters()) {
      gradients.push_back(named.tensor.grad().clone());
    }
    return gradients;
  };
  const std::vector<at::Tensor> tied = slopes(net);
  const std::vector<at::Tensor> single = slopes(apart);  // first, second, norm, second_norm: weight and bias of each
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(furthest(tied[i], single[i] + single[2 + i]) < 1e-9);
    CHECK(furthest(tied[2 + i], single[4 + i] + single[6 + i]) < 1e-9);
  }

  const Kept before(*net);
  net->fails = true;
  CHECK_THROWS_AS(regimen::path_norm(net, {3}), std::runtime_error);
  before.check();
}

TEST_CASE("tied: two BatchNorms that share their gain and not their statistics have no path norm, and it says so") {
  struct SharedGain {
    at::Tensor gain = at::ones({2}), mean = at::zeros({2}), variance = at::ones({2}), other_variance = at::ones({2});

    at::Tensor forward(const at::Tensor& x) { return x * gain; }
    std::vector<at::Tensor> parameters() { return {gain}; }
    std::vector<at::Tensor> buffers() { return {mean, variance, other_variance}; }
    std::vector<Named> named_parameters() { return {{"a.weight", gain}, {"b.weight", gain}}; }
    std::vector<Named> named_buffers() {
      return {{"a.running_mean", mean},
              {"a.running_var", variance},
              {"b.running_mean", mean},
              {"b.running_var", other_variance}};
    }
  };
  SharedGain net;
  check_error([&] { (void)regimen::path_norm(net, {2}); }, {"a.weight", "b.weight", "two BatchNorms"});
  net.other_variance = net.variance;  // one BatchNorm under two names
  CHECK_NOTHROW(regimen::path_norm(net, {2}));
}

TEST_CASE("tied: BatchNorm under two names is estimated anew as under one") {
  Twice net = twice();
  const Batch data{.data = torch::randn({12, 3}, at::kDouble) * 2 + 1, .id = at::arange(12, at::kLong)};
  // By hand: the statistics of every call, of all batches.
  at::Tensor mean = at::zeros({3}, at::kDouble);
  at::Tensor variance = at::zeros({3}, at::kDouble);
  {
    const at::NoGradGuard no_grad;
    for (std::int64_t begin = 0; begin < 12; begin += 4) {
      at::Tensor x = data.data.narrow(0, begin, 4);
      for (int call = 0; call < 2; ++call) {
        const at::Tensor z = net->first(x);
        mean += z.mean(0) / 6;
        variance += z.var(0) / 6;
        x = torch::relu((z - z.mean(0)) / (z.var(0, false) + 1e-5).sqrt() * net->norm->weight + net->norm->bias);
      }
    }
  }
  regimen::reestimate_batch_norm(net, data, {.batch = 4, .shuffle = false});
  CHECK(furthest(net->norm->running_mean, mean) < 1e-9);
  CHECK(furthest(net->norm->running_var, variance) < 1e-9);
  CHECK(net->norm->num_batches_tracked.item<std::int64_t>() == 6);
}

TEST_CASE("tied: in a loop of one's own every regularizer takes LibTorch's list as if each tensor were in it once") {
  const std::vector<std::pair<const char*, AnyRegularizer>> all{
      {"L1", regimen::L1{.strength = 0.1}},
      {"L2", regimen::L2{.strength = 0.1}},
      {"ElasticNet", regimen::ElasticNet{.strength = 0.1}},
      {"SpectralNorm", regimen::SpectralNorm{.strength = 0.1}},
      {"ClipGradients", regimen::ClipGradients{.max_norm = 1}},
      {"ClipValues", regimen::ClipValues{.bound = 0.3}},
      {"AdaptiveClip", regimen::AdaptiveClip{.factor = 0.1}},
      {"GradientNoise", regimen::GradientNoise{.eta = 0.1}},
      {"DecoupledDecay", regimen::DecoupledDecay{.decay = 0.1}},
      {"MaxNorm", regimen::MaxNorm{.bound = 0.5}},
      {"L2SP", regimen::L2SP{.start = Snapshot(words()), .strength = 0.3}},
      {"On", regimen::On{regimen::Layers{{"last"}}, regimen::L2{.strength = 0.1}}},
  };
  for (const auto& [name, regularizer] : all) {
    CAPTURE(name);
    std::vector<std::vector<at::Tensor>> ends;
    for (const bool as_listed : {true, false}) {
      Words net = words();
      const Model model(net);
      const std::vector<at::Tensor> own = each_once(net->parameters());
      const std::vector<at::Tensor> given = as_listed ? net->parameters() : own;
      REQUIRE(given.size() == (as_listed ? 3 : 2));
      set_gradients(own, 3);
      const Pass pass{.parameters = given, .model = &model};
      const at::Tensor penalty = regularizer.penalty(pass);
      regularizer.gradient(pass);
      regularizer.weights(pass);
      std::vector<at::Tensor> end = copies(own);
      for (const at::Tensor& parameter : own) {
        end.push_back(parameter.grad().clone());
      }
      end.push_back(penalty.defined() ? penalty.detach() : at::zeros({}));
      ends.push_back(end);
    }
    for (std::size_t i = 0; i < ends[0].size(); ++i) {
      CHECK(ends[0][i].equal(ends[1][i]));
    }
  }
  // And not by comparison only: clipping to 1 gives a norm of 1, whatever is listed twice.
  Words net = words();
  set_gradients(each_once(net->parameters()), 3);
  regimen::ClipGradients{.max_norm = 1}.gradient({.parameters = net->parameters()});
  CHECK(squares({net->table.grad(), net->shift.grad()}) == Approx(1).epsilon(1e-5));
  CHECK(regimen::L2{.strength = 2}.penalty({.parameters = net->parameters()}).item<double>() ==
        Approx(squares({net->table, net->shift})));
}

TEST_CASE("tied: Sam moves a tensor uphill once, and puts it back bit for bit") {
  Words net = words();
  const std::vector<at::Tensor> own = each_once(net->parameters());
  const std::vector<at::Tensor> before = copies(own);
  set_gradients(own, 3);
  const double length = std::sqrt(squares({net->table.grad(), net->shift.grad()}));
  const at::Tensor expected = before[0] + net->table.grad() * (0.5 / length);
  at::Tensor seen;
  const auto again = [&] { seen = net->table.detach().clone(); };
  regimen::Sam{.rho = 0.5}.gradient({.parameters = net->parameters(), .recompute_gradients = again});
  CHECK(furthest(seen, expected) < 1e-9);
  CHECK(net->table.equal(before[0]));
  CHECK(net->shift.equal(before[1]));
}

TEST_CASE("tied: a gradient is unscaled once") {
  Words net = words();
  set_gradients(each_once(net->parameters()), 3);
  const at::Tensor gradient = net->table.grad().clone();
  regimen::LossScaler scaler({.initial = 1024});
  CHECK(scaler.unscale(net->parameters()));
  CHECK(net->table.grad().equal(gradient / 1024));
}

TEST_CASE("tied: a snapshot goes into a network that ties its weights, and out of one") {
  Twice net = twice();
  Apart apart;
  const Snapshot tied(net);
  tied.restore(apart);
  CHECK(apart->layers[0]->weight.equal(net->first->weight));
  CHECK(apart->layers[1]->weight.equal(net->first->weight));
  CHECK(apart->norms[1]->running_var.equal(net->norm->running_var));
  Twice other;
  Snapshot(apart).restore(other);
  CHECK(other->first->weight.equal(net->first->weight));
  {
    const at::NoGradGuard no_grad;
    apart->layers[1]->weight.add_(1);
  }
  const at::Tensor before = other->first->weight.detach().clone();
  check_error([&] { Snapshot(apart).restore(other); }, {"first.weight", "second.weight", "two values"});
  CHECK(other->first->weight.equal(before));
}

TEST_CASE("tied: an average moves a tensor once") {
  Words net = words();
  regimen::ExponentialAverage average(net, {.decay = 0.75});
  const at::Tensor first = net->table.detach().clone();
  average.update();
  {
    const at::NoGradGuard no_grad;
    net->table.mul_(3);
  }
  average.update();
  CHECK(furthest(average.weights().tensors()[0].tensor, first * 0.75 + first * 3 * 0.25) < 1e-12);
  CHECK(average.weights().tensors().size() == 2);
}

}  // namespace tied_test
