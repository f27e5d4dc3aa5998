// The penalties, each against a closed form and its gradient against finite differences.

#include "support/small_networks.hpp"

#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include <regimen/regimen.hpp>
#include "support/tensors.hpp"

namespace penalties_test {

namespace {

using namespace regimen;
using torch::nn::BatchNorm1d;
using torch::nn::Linear;
using torch::nn::LinearOptions;
using torch::nn::Sequential;
using torch::nn::Tanh;

/// Doubles with every epoch.
double doubling(const Clock& clock) {
  return std::ldexp(1, clock.epoch);
}

double number(const at::Tensor& tensor) {
  return tensor.item<double>();
}

at::Tensor doubles(std::initializer_list<double> values, at::IntArrayRef shape) {
  return at::tensor(values, at::kDouble).view(shape);
}

at::Tensor random(at::IntArrayRef shape, std::uint64_t seed) {
  at::manual_seed(seed);
  return at::randn(shape, at::kDouble);
}

/// 3 -> 4 -> 2, smooth, with BatchNorm in the middle, in double.
Sequential smooth_net() {
  Sequential net(Linear(3, 4), BatchNorm1d(4), Tanh(), Linear(4, 2));
  net->to(at::kDouble);
  randomize(*net, 5);
  return net;
}

/// `value`, 0-d, is differentiated by these doubles as finite differences say.
template <class Value>
void check_gradient(const std::vector<at::Tensor>& by, Value&& value) {
  for (at::Tensor tensor : by) {
    tensor.mutable_grad() = at::Tensor();
  }
  value().backward();
  for (std::size_t k = 0; k < by.size(); ++k) {
    const at::Tensor flat = by[k].detach().view({-1});
    const at::Tensor gradient = by[k].grad().defined() ? by[k].grad().clone() : at::zeros_like(by[k]);
    for (std::int64_t i = 0; i < flat.numel(); ++i) {
      const double kept = number(flat[i]);
      const double step = 1e-5;
      flat[i] = kept + step;
      const double above = number(value());
      flat[i] = kept - step;
      const double below = number(value());
      flat[i] = kept;
      CAPTURE(k, i);
      CHECK(number(gradient.reshape({-1})[i]) == Approx((above - below) / (2 * step)).epsilon(1e-6).margin(1e-8));
    }
  }
}

/// A model that counts how often it runs.
struct Counted {
  explicit Counted(Sequential& net)
      : model(net, [this](Sequential& n, const Batch& batch) {
          ++runs;
          return n->forward(batch.data);
        }) {}
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

  int runs = 0;
  Model model;
};

/// Remembers what each of its hooks was shown.
struct Witness {
  std::vector<std::size_t>* seen;

  [[nodiscard]] at::Tensor penalty(const Pass& pass) const { return note(pass); }
  void gradient(const Pass& pass) const { note(pass); }
  void weights(const Pass& pass) const { note(pass); }

 private:
  at::Tensor note(const Pass& pass) const {
    seen->push_back(pass.parameters.size());
    return at::zeros({});
  }
};

}  // namespace

TEST_CASE("On: all hooks of a regularizer are shown the selected parameters only") {
  Sequential net = smooth_net();
  const Model model(net);
  const Pass pass{.parameters = net->parameters(), .model = &model};
  const double matrices = number(net->parameters()[0].square().sum() + net->parameters()[4].square().sum());
  CHECK(number(On{Matrices{}, L2{.strength = 0.2}}.penalty(pass)) == Approx(0.1 * matrices));
  const double head = number(net->parameters()[4].abs().sum() + net->parameters()[5].abs().sum());
  CHECK(number(On{Layers{{"3"}}, L1{.strength = 2}}.penalty(pass)) == Approx(2 * head));
  CHECK(number(On{Layers{{"3.bias"}}, L1{.strength = 2}}.penalty(pass)) ==
        Approx(2 * number(net->parameters()[5].abs().sum())));

  std::vector<std::size_t> seen;
  const AnyRegularizer any = On{Matrices{}, Witness{&seen}};
  (void)any.penalty(pass);
  any.gradient(pass);
  any.weights(pass);
  CHECK(seen == std::vector<std::size_t>{2, 2, 2});

  const On short_rows{[](const at::Tensor& parameter) { return parameter.dim() == 2 && parameter.size(0) == 2; },
                      MaxNorm{.bound = 0.1}};
  const Snapshot before(net);
  short_rows.weights(pass);
  for (const std::size_t i : {0U, 1U, 2U, 3U, 5U}) {
    CHECK(net->parameters()[i].equal(before.tensors()[i].tensor));
  }
  CHECK(number(net->parameters()[4].square().sum(1).sqrt().max()) == Approx(0.1));
  CHECK_FALSE(On{Matrices{}, MaxNorm{}}.penalty(pass).defined());
}

TEST_CASE("On: a selector of one's own may look at names; one that selects nothing is an error") {
  Sequential net = smooth_net();
  const Model model(net);
  const Pass pass{.parameters = net->parameters(), .model = &model};
  const auto biases = [](const Named& parameter) { return parameter.name.find("bias") != std::string::npos; };
  std::vector<std::size_t> seen;
  (void)On{biases, Witness{&seen}}.penalty(pass);
  CHECK(seen == std::vector<std::size_t>{3});
  (void)On{Matrices{}, On{Layers{{"0"}}, Witness{&seen}}}.penalty(pass);
  CHECK(seen.back() == 1);

  check_error([&] { (void)On{Layers{{"haed"}}, L2{}}.penalty(pass); }, {"On", "Layers", "haed", "selects none"});
  check_error([&] { (void)On{Layers{{"3"}}, L2{}}.penalty({.parameters = net->parameters()}); },
              {"On", "names", "Pass.model"});
  check_error([&] { (void)On{Layers{{"3"}}, L2{}}.penalty({.parameters = {at::ones({1})}, .model = &model}); },
              {"On", "no parameter of Pass.model"});
  check_error([&] { (void)On{Matrices{}, L2{}}.penalty({.parameters = {at::ones({3})}}); }, {"Matrices"});
  check_error([] { (void)On{Matrices{}, L2{.strength = -1}}; }, {"L2.strength", "is -1"});
}

TEST_CASE("ElasticNet: is scikit-learn's formula, with L1 and L2 at its ends") {
  const at::Tensor w = doubles({1, -2, 3, 0}, {2, 2}).requires_grad_();
  const at::Tensor b = doubles({-0.5}, {1}).requires_grad_();
  const Pass pass{.parameters = {w, b}};
  CHECK(number(ElasticNet{.strength = 0.1, .l1_share = 0.3}.penalty(pass)) ==
        Approx(0.1 * (0.3 * 6.5 + 0.7 / 2 * 14.25)));
  CHECK(number(ElasticNet{.strength = 0.1, .l1_share = 1}.penalty(pass)) ==
        Approx(number(L1{.strength = 0.1}.penalty(pass))));
  CHECK(number(ElasticNet{.strength = 0.1, .l1_share = 0}.penalty(pass)) ==
        Approx(number(L2{.strength = 0.1}.penalty(pass))));
  const at::Tensor away = random({5}, 3).requires_grad_();  // from 0, where |w| has no derivative
  check_gradient({away}, [&] { return ElasticNet{.strength = 0.4, .l1_share = 0.25}.penalty({.parameters = {away}}); });
  CHECK(number(ElasticNet{}.penalty({})) == 0);
}

TEST_CASE("L2SP: pulls to the snapshot, and to 0 what the snapshot does not have") {
  Sequential net = smooth_net();
  const Model model(net);
  const Snapshot start(net);
  const Pass pass{.parameters = net->parameters(), .model = &model};
  const L2SP regularizer{.start = start, .strength = 0.3, .elsewhere = 0.7};
  const at::Tensor at_start = regularizer.penalty(pass);
  CHECK(number(at_start) == 0);
  at_start.backward();
  CHECK(number(net->parameters()[0].grad().abs().max()) == 0);

  randomize(*net, 6);
  double squares = 0;
  for (std::size_t i = 0; i < net->parameters().size(); ++i) {
    squares += number((net->parameters()[i] - start.tensors()[i].tensor).square().sum());
  }
  CHECK(number(regularizer.penalty(pass)) == Approx(0.15 * squares).epsilon(1e-12));
  check_gradient(net->parameters(), [&] { return regularizer.penalty(pass); });

  // Another network's snapshot: a head of another shape is new here.
  Sequential wider(Linear(3, 4), BatchNorm1d(4), Tanh(), Linear(4, 7));
  wider->to(at::kDouble);
  const Model other(wider);
  const Pass other_pass{.parameters = wider->parameters(), .model = &other};
  double pulled_back = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    pulled_back += number((wider->parameters()[i] - start.tensors()[i].tensor).square().sum());
  }
  const double to_zero = number(wider->parameters()[4].square().sum() + wider->parameters()[5].square().sum());
  CHECK(number(regularizer.penalty(other_pass)) == Approx(0.15 * pulled_back + 0.35 * to_zero).epsilon(1e-12));
}

TEST_CASE("L2SP: frozen parameters move no other one's start, and a snapshot of something else is an error") {
  Sequential net = smooth_net();
  const Model model(net);
  const Snapshot start(net);
  randomize(*net, 8);
  const std::vector<at::Tensor> trained{net->parameters()[4], net->parameters()[5]};
  const double moved = number((net->parameters()[4] - start.tensors()[4].tensor).square().sum() +
                              (net->parameters()[5] - start.tensors()[5].tensor).square().sum());
  CHECK(number(L2SP{.start = start, .strength = 2}.penalty({.parameters = trained, .model = &model})) ==
        Approx(moved).epsilon(1e-12));

  Sequential stranger(Linear(9, 9));
  check_error([&] { (void)L2SP{.start = Snapshot(stranger)}.penalty({.parameters = trained, .model = &model}); },
              {"L2SP.start", "none"});
  check_error([&] { (void)L2SP{.start = start}.penalty({.parameters = trained}); }, {"L2SP", "Pass.model"});
}

TEST_CASE("SpectralNorm: is half the strength times the squared largest singular values") {
  const at::Tensor diagonal = doubles({3, 0, 0, -5, 0, 0}, {3, 2});
  CHECK(number(SpectralNorm{.strength = 2, .iterations = 60}.penalty({.parameters = {diagonal}})) == Approx(25));

  const at::Tensor matrix = random({5, 8}, 1);
  const at::Tensor kernel = random({4, 2, 3, 3}, 2);
  const at::Tensor bias = random({6}, 3);
  const double largest = number(std::get<1>(at::linalg_svd(matrix)).max());
  const double of_kernel = number(std::get<1>(at::linalg_svd(kernel.flatten(1))).max());
  const Pass pass{.parameters = {matrix, bias, kernel}};
  const double squares = largest * largest + of_kernel * of_kernel;
  CHECK(number(SpectralNorm{.strength = 0.1, .iterations = 300}.penalty(pass)) == Approx(0.05 * squares).epsilon(1e-9));

  double before = 0;
  for (const int iterations : {1, 2, 4, 8, 16}) {  // from below, and nearer with each iteration
    const double estimate = number(SpectralNorm{.strength = 0.1, .iterations = iterations}.penalty(pass));
    CHECK(estimate > before);
    CHECK(estimate <= 0.05 * squares * (1 + 1e-12));
    before = estimate;
  }
  CHECK(number(SpectralNorm{}.penalty({.parameters = {bias}})) == 0);
}

TEST_CASE("SpectralNorm: has the gradient of the singular value, and no state between calls") {
  const at::Tensor matrix = random({4, 3}, 4).requires_grad_();
  const Pass pass{.parameters = {matrix}};
  check_gradient({matrix}, [&] { return SpectralNorm{.strength = 0.6, .iterations = 200}.penalty(pass); });

  const auto once = [&] { return SpectralNorm{.strength = 1, .iterations = 2, .seed = 9}.penalty(pass); };
  CHECK(once().equal(once()));
  CHECK_FALSE(once().equal(SpectralNorm{.strength = 1, .iterations = 2, .seed = 10}.penalty(pass)));

  const at::Tensor nothing = at::zeros({3, 3}).requires_grad_();
  const at::Tensor penalty = SpectralNorm{}.penalty({.parameters = {nothing}});
  penalty.backward();
  CHECK(number(penalty) == 0);
  CHECK(nothing.grad().equal(at::zeros({3, 3})));
}

TEST_CASE("JacobianNorm: of a linear map it is half the strength times its squared Frobenius norm") {
  const at::Tensor weight = random({3, 5}, 1).requires_grad_();
  const double squares = number(weight.square().sum());
  const Batch batch{.data = random({4000, 5}, 2).requires_grad_(), .id = at::arange(4000, at::kLong)};
  const Pass pass{.batch = batch, .output = batch.data.matmul(weight.t())};
  CHECK(number(JacobianNorm{.strength = 0.4, .projections = 0}.penalty(pass)) == Approx(0.2 * squares).epsilon(1e-12));
  // Each direction is right in the mean; of 4,000 samples' the mean is off by some 1 %.
  for (const int projections : {1, 3}) {
    const JacobianNorm estimate{.strength = 0.4, .projections = projections, .seed = 5};
    CHECK(number(estimate.penalty(pass)) == Approx(0.2 * squares).epsilon(0.05));
    CHECK(estimate.penalty(pass).equal(estimate.penalty(pass)));
  }
  // With one output there is but one direction.
  const Pass one{.batch = batch, .output = batch.data.matmul(weight.t()).narrow(1, 0, 1)};
  CHECK(number(JacobianNorm{.strength = 2}.penalty(one)) == Approx(number(weight[0].square().sum())).epsilon(1e-6));
}

TEST_CASE(
    "JacobianNorm: the exact one is the mean over the samples of all blocks, where BatchNorm lets samples meet too") {
  torch::manual_seed(5);
  for (const bool meet : {true, false}) {
    CAPTURE(meet);
    Sequential net(Linear(3, 4), torch::nn::BatchNorm1d(4), torch::nn::Tanh(), Linear(4, 2));
    net->to(at::kDouble);
    net->train(meet);
    const Model model(net);
    const Batch batch{.data = random({16, 3}, 7), .id = at::arange(16, at::kLong)};
    // Every entry of the Jacobian of all outputs by all inputs, by central differences.
    double sum = 0;
    {
      const at::NoGradGuard no_grad;
      const double h = 1e-5;
      for (std::int64_t i = 0; i < 16 * 3; ++i) {
        at::Tensor up = batch.data.clone();
        at::Tensor down = batch.data.clone();
        up.view(-1)[i] += h;
        down.view(-1)[i] -= h;
        sum += ((net->forward(up) - net->forward(down)) / (2 * h)).square().sum().item<double>();
      }
    }
    const double right = sum / 16 / 2 * 0.3;
    const Pass pass{.batch = batch, .model = &model};
    CHECK(number(JacobianNorm{.strength = 0.3, .projections = 0}.penalty(pass)) == Approx(right).epsilon(1e-6));
    // And what random directions estimate, on average.
    double mean = 0;
    for (int epoch = 0; epoch < 40; ++epoch) {
      Pass at_epoch = pass;
      at_epoch.now.clock.epoch = epoch;
      mean += number(JacobianNorm{.strength = 0.3, .projections = 20}.penalty(at_epoch)) / 40;
    }
    CHECK(mean == Approx(right).epsilon(0.1));
  }
}

TEST_CASE("JacobianNorm: what a sample's direction is depends on seed, sample and epoch alone") {
  const at::Tensor weight = random({3, 5}, 1);
  const at::Tensor x = random({4, 5}, 2);
  const auto of = [&](const std::vector<std::int64_t>& places, std::uint64_t seed, int epoch) {
    const at::Tensor id = longs(places);
    const Batch batch{.data = x.index_select(0, id).requires_grad_(), .id = id};
    const Moment now{.clock = {.epoch = epoch}};
    const at::Tensor penalty = JacobianNorm{.strength = 1, .seed = seed}.penalty(
        {.batch = batch, .output = batch.data.matmul(weight.t()), .now = now});
    return number(penalty) * static_cast<double>(places.size());
  };
  CHECK(of({0, 1, 2, 3}, 1, 0) == Approx(of({3, 1}, 1, 0) + of({2, 0}, 1, 0)).epsilon(1e-12));
  CHECK(of({0, 1}, 1, 0) != Approx(of({0, 1}, 1, 1)));
  CHECK(of({0, 1}, 1, 0) != Approx(of({0, 1}, 2, 0)));
}

TEST_CASE("JacobianNorm: its gradient is right by finite differences, in both modes, however the graph was had") {
  Sequential net = smooth_net();
  const Model model(net);
  const Batch batch{.data = random({5, 3}, 7), .id = at::arange(5, at::kLong)};
  for (const bool training : {true, false}) {
    net->train(training);
    for (const int projections : {0, 1, 2}) {
      CAPTURE(training, projections);
      const JacobianNorm regularizer{.strength = 0.5, .projections = projections};
      const auto first_graph = [&] {
        const regimen::detail::BufferGuard buffers(model);  // train mode would move them between the evaluations
        Batch shown = batch;
        shown.data = batch.data.detach().requires_grad_();
        return regularizer.penalty({.batch = shown, .output = net->forward(shown.data)});
      };
      const auto once_more = [&] { return regularizer.penalty({.batch = batch, .model = &model}); };
      CHECK(number(first_graph()) == Approx(number(once_more())).epsilon(1e-12));
      check_gradient(net->parameters(), once_more);
      check_gradient(net->parameters(), first_graph);
    }
  }
}

TEST_CASE("JacobianNorm: the network runs once if its input carries gradients, and twice if not") {
  Sequential net = smooth_net();
  net->train();
  const Snapshot start(net);
  const Batch batch{.data = random({5, 3}, 7)};
  for (const bool carries : {true, false}) {
    CAPTURE(carries);
    start.restore();
    Counted counted(net);
    Batch shown = batch;
    shown.data = batch.data.detach().requires_grad_(carries);
    const at::Tensor output = counted.model.forward(shown);
    const Snapshot once(net);
    const at::Tensor loss = output.square().mean();
    const at::Tensor penalty = JacobianNorm{}.penalty({.batch = shown, .output = output, .model = &counted.model});
    CHECK(counted.runs == (carries ? 1 : 2));
    CHECK_NOTHROW((loss + penalty).backward());
    // BatchNorm's statistics saw the batch once.
    const Snapshot after(net);
    for (std::size_t i = 0; i < once.tensors().size(); ++i) {
      CAPTURE(once.tensors()[i].name);
      CHECK(after.tensors()[i].tensor.equal(once.tensors()[i].tensor));
    }
    CHECK_FALSE(after.tensors()[6].tensor.equal(start.tensors()[6].tensor));
  }
}

TEST_CASE("JacobianNorm and PathNorm: buffers come back as they were, in the same memory, also after an exception") {
  Sequential net = smooth_net();
  net->train();
  const Kept kept(*net);
  const Model model(net);
  const Batch batch{.data = random({5, 3}, 7)};
  (void)JacobianNorm{}.penalty({.batch = batch, .model = &model});
  kept.check();
  const Model fails(net, [](Sequential& n, const Batch& shown) -> at::Tensor {
    (void)n->forward(shown.data);
    throw std::runtime_error("no output");
  });
  CHECK_THROWS_AS((void)JacobianNorm{}.penalty({.batch = batch, .model = &fails}), std::runtime_error);
  CHECK_THROWS_AS((void)PathNorm{}.penalty({.batch = batch, .model = &fails}), std::runtime_error);
  kept.check();
}

TEST_CASE("JacobianNorm: says what it needs") {
  Sequential net = smooth_net();
  const Model model(net);
  const at::Tensor x = random({5, 3}, 7);
  check_error([&] { (void)JacobianNorm{}.penalty({.batch = {.data = x}, .output = net->forward(x)}); },
              {"JacobianNorm", "requires_grad_()", "Pass.model"});
  check_error([&] { (void)JacobianNorm{}.penalty({.batch = {.data = at::ones({5, 3}, at::kByte)}, .model = &model}); },
              {"JacobianNorm", "floating"});
  const at::Tensor input = x.detach().requires_grad_();
  check_error([&] { (void)JacobianNorm{}.penalty({.batch = {.data = input}, .output = net->forward(x)}); },
              {"JacobianNorm", "does not depend"});
}

TEST_CASE("ConfidencePenalty: is minus the strength times the mean entropy") {
  CHECK(number(ConfidencePenalty{.strength = 0.1}.penalty({.output = at::zeros({3, 8})})) ==
        Approx(-0.1 * std::log(8)));
  const double p = 0.2;
  const at::Tensor two = doubles({std::log(p), std::log(1 - p), 7, 7}, {2, 2});
  const double entropy = -p * std::log(p) - (1 - p) * std::log(1 - p);
  CHECK(number(ConfidencePenalty{.strength = 3}.penalty({.output = two})) ==
        Approx(-3 * (entropy + std::numbers::ln2) / 2));
  CHECK(number(ConfidencePenalty{}.penalty({.output = doubles({1000, -1000}, {1, 2})})) == Approx(0).margin(1e-12));

  const at::Tensor logits = random({4, 3, 2}, 1).requires_grad_();  // [N, C, positions]
  check_gradient({logits}, [&] { return ConfidencePenalty{.strength = 0.7}.penalty({.output = logits}); });
  check_error([] { (void)ConfidencePenalty{}.penalty({}); }, {"ConfidencePenalty", "Pass.output"});
  check_error([] { (void)ConfidencePenalty{}.penalty({.output = at::ones({4})}); },
              {"ConfidencePenalty", "[N, C, ...]"});
}

TEST_CASE("ConfidencePenalty: a class that is masked out by -inf adds nothing and gets no gradient") {
  constexpr double masked = -std::numeric_limits<double>::infinity();
  const double p = 0.2;
  const at::Tensor logits = doubles({std::log(p), masked, std::log(1 - p), masked, masked, 3}, {2, 3}).requires_grad_();
  const at::Tensor rest = doubles({std::log(p), std::log(1 - p)}, {1, 2}).requires_grad_();
  const at::Tensor penalty = ConfidencePenalty{.strength = 3}.penalty({.output = logits});
  const double entropy = -p * std::log(p) - (1 - p) * std::log(1 - p);
  CHECK(number(penalty) == Approx(-3 * entropy / 2));  // a sample that has one class left is certain

  penalty.backward();
  ConfidencePenalty{.strength = 1.5}.penalty({.output = rest}).backward();
  const at::Tensor slopes = logits.grad();
  CHECK(slopes.isfinite().all().item<bool>());
  CHECK(slopes[0][1].item<double>() == 0);
  CHECK(slopes[0][0].item<double>() == Approx(rest.grad()[0][0].item<double>()));
  CHECK(slopes[0][2].item<double>() == Approx(rest.grad()[0][1].item<double>()));
  CHECK(slopes[0][0].item<double>() != 0);
  CHECK(slopes[1].abs().max().item<double>() == 0);
}

TEST_CASE("Jumpstart: is the aggregate of the slacks of units and points, worked out by hand") {
  // Units: maxima 0.5, 2, -1; minima -2, 0.5, -3. Samples: maxima 0.5, 2; minima -1, -3.
  const at::Tensor a = doubles({0.5, 0.5, -1, -2, 2, -3}, {2, 3});
  const Pass pass{.taps = {a}};
  // 0.25 * relu(1 - max) + 0.75 * relu(1 + min)
  const std::vector<double> units{0.25 * 0.5, 0.75 * 1.5, 0.25 * 2};
  const std::vector<double> points{0.25 * 0.5, 0};
  const auto check = [&](Slacks slacks, const std::vector<double>& expected) {
    double sum = 0;
    double squares = 0;
    for (const double slack : expected) {
      sum += slack;
      squares += slack * slack;
    }
    const auto of = [&](Aggregation aggregation) {
      return number(
          Jumpstart{.strength = 2, .slacks = slacks, .aggregation = aggregation, .balance = 0.25}.penalty(pass));
    };
    CHECK(of(Aggregation::sum) == Approx(2 * sum));
    CHECK(of(Aggregation::mean) == Approx(2 * sum / static_cast<double>(expected.size())));
    CHECK(of(Aggregation::norm) == Approx(2 * std::sqrt(squares)));
    return of(Aggregation::balanced) / 2;
  };
  const double of_units = (units[0] + units[1] + units[2]) / 3, of_points = (points[0] + points[1]) / 2;
  CHECK(check(Slacks::units, units) == Approx(of_units));
  CHECK(check(Slacks::points, points) == Approx(of_points));
  CHECK(check(Slacks::both, {units[0], units[1], units[2], points[0], points[1]}) == Approx(of_units + of_points));
}

TEST_CASE("Jumpstart: of an ensemble's taps it is the sum of the members', with their gradients") {
  // Two layers of one shape, which are put together, one of another, and one with positions.
  const std::int64_t members = 3;
  std::vector<at::Tensor> taps{random({5, members, 4}, 1), random({5, members, 4}, 2), random({5, members, 2}, 3),
                               random({5, members, 4, 2, 3}, 4)};
  for (at::Tensor& each : taps) {
    each.requires_grad_();
  }
  for (const Slacks slacks : {Slacks::both, Slacks::units, Slacks::points}) {
    for (const Aggregation how : {Aggregation::norm, Aggregation::mean, Aggregation::sum, Aggregation::balanced}) {
      CAPTURE(name_of(slacks), name_of(how));
      Jumpstart jumpstart{.strength = 0.7, .slacks = slacks, .aggregation = how, .balance = 0.3};
      at::Tensor alone = at::zeros({}, at::kDouble);
      for (std::int64_t i = 0; i < members; ++i) {
        std::vector<at::Tensor> own;
        for (const at::Tensor& each : taps) {
          own.push_back(each.select(1, i));
        }
        alone = alone + jumpstart.penalty({.taps = own});
      }
      jumpstart.members = members;
      const at::Tensor together = jumpstart.penalty({.taps = taps});
      CHECK(number(together) == Approx(number(alone)).epsilon(1e-12));
      const auto by_alone = torch::autograd::grad({alone}, taps);
      const auto by_together = torch::autograd::grad({together}, taps);
      for (std::size_t i = 0; i < taps.size(); ++i) {
        CHECK(furthest(by_alone[i], by_together[i]) < 1e-12);
      }
    }
  }
  const at::Tensor with_nan = random({5, members, 4}, 7);
  with_nan.select(1, 1).fill_(std::nan(""));
  for (const Aggregation how : {Aggregation::norm, Aggregation::mean, Aggregation::sum, Aggregation::balanced}) {
    const Jumpstart one{.strength = 1, .aggregation = how};
    Jumpstart all = one;
    all.members = members;
    CHECK(number(all.penalty({.taps = {with_nan}})) == Approx(number(one.penalty({.taps = {with_nan.select(1, 0)}})) +
                                                              number(one.penalty({.taps = {with_nan.select(1, 2)}}))));
    CHECK(std::isnan(number(one.penalty({.taps = {with_nan.select(1, 1)}}))));
  }
  const auto of = [](std::int64_t members_, const at::Tensor& tap) {
    return [=] { (void)Jumpstart{.members = members_}.penalty({.taps = {tap}}); };
  };
  check_error(of(0, taps[0]), {"Jumpstart.members", "at least 1", "is 0"});
  check_error(of(2, taps[0]), {"Jumpstart with members = 2", "[N, 2, units, ...]", "[5, 3, 4]"});
  check_error(of(5, at::ones({4, 5})), {"[N, 5, units, ...]", "[4, 5]"});
  check_error(of(1, at::ones({4, 5})), {"[N, 1, units, ...]", "[4, 5]"});
  check_error([] { (void)Jumpstart{}.penalty({.taps = {at::ones({0, 5})}}); }, {"at least one entry", "[0, 5]"});
}

TEST_CASE("Jumpstart: large layers, single ones and half precision are as small ones in full") {
  const at::Tensor large = random({400, 100}, 1).requires_grad_(), more = random({400, 100}, 2).requires_grad_();
  const Jumpstart jumpstart{.strength = 1, .aggregation = Aggregation::sum};
  double expected = 0;
  for (const at::Tensor& each : {large, more}) {
    expected += number(jumpstart.penalty({.taps = {each}}));
  }
  CHECK(number(jumpstart.penalty({.taps = {large, more}})) == Approx(expected).epsilon(1e-12));
  const at::Tensor half = large.detach().to(at::kBFloat16);
  CHECK(number(jumpstart.penalty({.taps = {half, half}})) ==
        Approx(2 * number(jumpstart.penalty({.taps = {half.to(at::kDouble)}}))).epsilon(1e-5));
  const at::Tensor images = random({3, 4, 5, 6}, 3).contiguous(at::MemoryFormat::ChannelsLast);
  CHECK(number(jumpstart.penalty({.taps = {images}})) ==
        Approx(number(jumpstart.penalty({.taps = {images.contiguous()}}))).epsilon(1e-12));
}

TEST_CASE("Jumpstart: takes extrema over positions too, and all layers together") {
  const at::Tensor first = random({4, 3, 5, 2}, 1);
  const at::Tensor second = random({4, 6}, 2) * 0.1;
  double expected = 0;
  const auto add = [&](const at::Tensor& rows) {  // [units or samples, the rest]
    for (std::int64_t i = 0; i < rows.size(0); ++i) {
      expected += 0.5 * std::max(0.0, 1 - number(rows[i].max())) + 0.5 * std::max(0.0, 1 + number(rows[i].min()));
    }
  };
  for (const at::Tensor& tap : {first, second}) {
    add(tap.transpose(0, 1).flatten(1));
    add(tap.flatten(1));
  }
  const Jumpstart sum{.strength = 1, .aggregation = Aggregation::sum};
  CHECK(number(sum.penalty({.taps = {first, second}})) == Approx(expected).epsilon(1e-12));
  CHECK(number(Jumpstart{.strength = 1, .aggregation = Aggregation::mean}.penalty({.taps = {first, second}})) ==
        Approx(expected / (3 + 4 + 6 + 4)).epsilon(1e-12));
}

TEST_CASE("Jumpstart: its gradient is right by finite differences, and 0 where nothing is slack") {
  const at::Tensor weight = random({3, 2}, 1).requires_grad_();
  const at::Tensor x = random({5, 2}, 2);
  for (const Aggregation aggregation :
       {Aggregation::norm, Aggregation::mean, Aggregation::sum, Aggregation::balanced}) {
    check_gradient({weight}, [&] {
      const Taps taps;
      (void)tap(x.matmul(weight.t()));
      return Jumpstart{.strength = 0.5, .aggregation = aggregation}.penalty({.taps = taps.tensors()});
    });
  }
  const at::Tensor alive = doubles({5, -5, -5, 5}, {2, 2}).requires_grad_();
  const at::Tensor penalty = Jumpstart{.strength = 1}.penalty({.taps = {alive}});
  penalty.backward();
  CHECK(number(penalty) == 0);
  CHECK(alive.grad().equal(at::zeros({2, 2}, at::kDouble)));
  check_error([] { (void)Jumpstart{}.penalty({}); }, {"Jumpstart", "taps", "regimen::tap"});
  check_error([] { (void)Jumpstart{}.penalty({.taps = {at::ones({3})}}); }, {"Jumpstart", "[N, units, ...]", "[3]"});
}

TEST_CASE("LearnedPotential: of a linear network all three have closed forms, and so have their slopes") {
  Linear network(LinearOptions(3, 3).bias(false));
  network->to(at::kDouble);
  const at::Tensor a = network->weight.detach();
  const at::Tensor x = random({4, 3}, 1);
  const at::Tensor change = at::eye(3, at::kDouble) - a;  // x - N(x) = (I - A) x
  const auto check = [&](Potential potential, const at::Tensor& values, const at::Tensor& slopes) {
    const LearnedPotential learned{.network = network, .potential = potential, .strength = 0.4};
    CHECK(furthest(learned.value(x), values) < 1e-12);
    CHECK(furthest(learned.slope(x), slopes) < 1e-12);
    CHECK(number(learned.penalty({.output = x})) == Approx(0.4 * number(values.mean())).epsilon(1e-12));
  };
  const at::Tensor d = x.matmul(change.t());
  check(Potential::gradient_step, d.square().sum(1) / 2, d.matmul(change));
  check(Potential::red, (x * d).sum(1) / 2, x - (x.matmul(a.t()) + x.matmul(a)) / 2);
  check(Potential::scalar, x.matmul(a.t()).sum(1), a.sum(0).expand({4, 3}));
}

TEST_CASE("LearnedPotential: the penalty reaches the output and not the network, which it leaves as it was") {
  Sequential network(Linear(3, 3), BatchNorm1d(3), torch::nn::ELU());
  network->to(at::kDouble);
  randomize(*network, 3);
  network->train();
  network->parameters()[1].set_requires_grad(false);
  const Kept kept(*network);
  const at::Tensor x = random({4, 3}, 1).requires_grad_();
  for (const Potential potential : {Potential::gradient_step, Potential::red, Potential::scalar}) {
    const LearnedPotential learned{.network = network, .potential = potential, .strength = 0.4};
    check_gradient({x}, [&] { return learned.penalty({.output = x}); });
    kept.check();
    CHECK_FALSE(network->parameters()[1].requires_grad());
    CHECK(network->parameters()[0].requires_grad());
  }
  // To train it, value and slope do reach it.
  network->eval();
  network->parameters()[1].set_requires_grad(true);
  const LearnedPotential learned{.network = network};
  check_gradient(network->parameters(), [&] { return learned.slope(x.detach()).square().mean(); });
  CHECK(network->parameters()[0].grad().defined());

  check_error([&] { (void)learned.penalty({}); }, {"LearnedPotential", "Pass.output"});
  Linear narrower(3, 2);
  check_error([&] { (void)LearnedPotential{.network = narrower}.value(at::ones({4, 3})); },
              {"LearnedPotential.network", "shape"});
}

TEST_CASE("LearnedPotential: a slope has a graph where gradients are on, and the same numbers where they are off") {
  Sequential network(Linear(3, 3), torch::nn::ELU());
  network->to(at::kDouble);
  randomize(*network, 3);
  const at::Tensor x = random({4, 3}, 1);
  for (const Potential potential : {Potential::gradient_step, Potential::red, Potential::scalar}) {
    const LearnedPotential learned{.network = network, .potential = potential};
    const at::Tensor with_graph = learned.slope(x);
    CHECK(with_graph.requires_grad());
    const at::NoGradGuard no_grad;
    for (const bool carries : {false, true}) {
      const at::Tensor slope = learned.slope(x.clone().set_requires_grad(carries));
      CHECK_FALSE(slope.requires_grad());
      CHECK(slope.grad_fn() == nullptr);
      CHECK(slope.equal(with_graph));
    }
    CHECK_FALSE(at::GradMode::is_enabled());
  }
}

TEST_CASE("LearnedPotential: a strength may be a tensor that is learned") {
  Sequential network(Linear(3, 3), torch::nn::ELU());
  network->to(at::kDouble);
  randomize(*network, 3);
  const LearnedPotential learned{.network = network};
  const at::Tensor x = random({4, 3}, 1).requires_grad_();
  const at::Tensor log_strength = at::full({}, -1.0, at::kDouble).requires_grad_();
  std::vector<at::Tensor> variables = network->parameters();
  variables.push_back(x);
  variables.push_back(log_strength);
  check_gradient(variables, [&] { return (x - 0.4 * log_strength.exp() * learned.slope(x)).square().mean(); });
}

TEST_CASE("penalties: every strength may be a schedule, and is a slot in a step that is recorded") {
  Sequential net = smooth_net();
  net->eval();
  const Model model(net);
  const Snapshot start(net);
  randomize(*net, 9);
  Linear denoiser(2, 2);
  denoiser->to(at::kDouble);
  const Batch batch{.data = random({5, 3}, 7), .id = at::arange(5, at::kLong)};
  Pass pass{.parameters = net->parameters(), .batch = batch, .taps = {random({5, 4}, 1)}, .model = &model};
  pass.output = net->forward(batch.data);
  const std::vector<AnyRegularizer> all{
      L1{.strength = doubling},
      L2{.strength = doubling},
      ElasticNet{.strength = doubling},
      ElasticNet{.strength = 1, .l1_share = [](const Clock& clock) { return 1 - std::ldexp(1, clock.epoch - 4); }},
      On{Matrices{}, L2{.strength = doubling}},
      On{Layers{{"0"}}, L2{.strength = doubling}},
      L2SP{.start = start, .strength = doubling},
      PathNorm{.strength = doubling},
      SpectralNorm{.strength = doubling},
      ConfidencePenalty{.strength = doubling},
      Jumpstart{.strength = doubling},
      LearnedPotential{.network = denoiser, .strength = doubling},
  };
  for (const AnyRegularizer& regularizer : all) {
    CAPTURE(regularizer.manifest());
    const bool by_share = regularizer.manifest().find("\"strength\": 1,") != std::string::npos;
    std::vector<double> eager;
    std::vector<double> from_slots;
    regimen::detail::Slots slots(at::kCPU);
    for (const int epoch : {0, 3}) {
      pass.now = {.clock = {.epoch = epoch}};
      eager.push_back(number(regularizer.penalty(pass)));
      slots.begin(pass.now, pass.now);
      pass.now.slots = &slots;
      from_slots.push_back(number(regularizer.penalty(pass)));
      CHECK(slots.complete());
    }
    CHECK(slots.refused().empty());
    CHECK(from_slots == eager);
    CHECK(std::abs(eager[0]) > 0);
    CHECK((by_share || eager[1] == Approx(8 * eager[0]).epsilon(1e-9)));
    CHECK(eager[1] != Approx(eager[0]));
  }
}

TEST_CASE(
    "penalties: a Jacobian's norm in random directions may be recorded, the exact one looks at what it computes") {
  Sequential net = smooth_net();
  const Model model(net);
  Pass pass{.batch = {.data = random({5, 3}, 7), .id = at::arange(5, at::kLong)}, .model = &model};
  for (const int projections : {0, 1}) {
    regimen::detail::Slots slots(at::kCPU);
    slots.begin(pass.now, pass.now);
    pass.now.slots = &slots;
    (void)JacobianNorm{.strength = doubling, .projections = projections}.penalty(pass);
    CHECK(slots.refused().empty() == (projections > 0));
  }
}

TEST_CASE(
    "penalties: every field's bound is checked where the penalty is put to use, and a schedule's when it is read") {
  Linear net(2, 2);
  const Snapshot start(net);
  const auto use = [](auto regularizer) { return [regularizer] { (void)AnyRegularizer(regularizer); }; };
  for (const double value : {-0.1, std::nan("")}) {
    const std::string text = "is " + regimen::detail::text(value);
    const char* const is = text.c_str();
    check_error(use(ElasticNet{.strength = value}), {"ElasticNet.strength", "at least 0", is});
    check_error(use(ElasticNet{.l1_share = value}), {"ElasticNet.l1_share", "in [0, 1]", is});
    check_error(use(L2SP{.start = start, .strength = value}), {"L2SP.strength", "at least 0", is});
    check_error(use(L2SP{.start = start, .elsewhere = value}), {"L2SP.elsewhere", "at least 0", is});
    check_error(use(SpectralNorm{.strength = value}), {"SpectralNorm.strength", "at least 0", is});
    check_error(use(JacobianNorm{.strength = value}), {"JacobianNorm.strength", "at least 0", is});
    check_error(use(ConfidencePenalty{.strength = value}), {"ConfidencePenalty.strength", "at least 0", is});
    check_error(use(Jumpstart{.strength = value}), {"Jumpstart.strength", "at least 0", is});
    check_error(use(Jumpstart{.balance = value}), {"Jumpstart.balance", "in [0, 1]", is});
    check_error(use(LearnedPotential{.network = net, .strength = value}), {"LearnedPotential.strength", is});
  }
  check_error(use(SpectralNorm{.iterations = 0}), {"SpectralNorm.iterations", "at least 1", "is 0"});
  check_error(use(JacobianNorm{.projections = -1}), {"JacobianNorm.projections", "at least 0", "is -1"});

  const Knob negative = [](const Clock&) { return -1; };
  const Pass pass{.parameters = {at::ones({2, 2})}, .output = at::ones({2, 2})};
  check_error([&] { (void)ElasticNet{.strength = negative}.penalty(pass); }, {"ElasticNet.strength", "is -1"});
  check_error([&] { (void)SpectralNorm{.strength = negative}.penalty(pass); }, {"SpectralNorm.strength", "is -1"});
  check_error([&] { (void)ConfidencePenalty{.strength = negative}.penalty(pass); },
              {"ConfidencePenalty.strength", "is -1"});
}

TEST_CASE("penalties: a manifest has every field") {
  Linear net(2, 2);
  net->weight.data().fill_(0.5);
  net->bias.data().zero_();
  CHECK(manifest(On{Matrices{}, L2{.strength = 0.5}}) ==
        R"({"type": "On", "parameters": {"type": "Matrices"}, "regularizer": {"type": "L2", "strength": 0.5}})");
  CHECK(manifest(On{Layers{{"head"}}, L1{.strength = 0.5}}) ==
        R"({"type": "On", "parameters": {"type": "Layers", "names": ["head"]}, )"
        R"("regularizer": {"type": "L1", "strength": 0.5}})");
  CHECK(manifest(ElasticNet{.strength = 0.5, .l1_share = 0.25}) ==
        R"({"type": "ElasticNet", "strength": 0.5, "l1_share": 0.25})");
  // The second sum is zlib.crc32(b"weight [2, 2] float; bias [2] float; ") in Python.
  CHECK(
      manifest(L2SP{.start = Snapshot(net), .strength = 0.5, .elsewhere = 0}) ==
      R"({"type": "L2SP", "start": {"type": "Snapshot", "tensors": 2, "crc32": "1d09dd71", "kinds_crc32": "1884871a"}, )"
      R"("strength": 0.5, "elsewhere": 0})");
  CHECK(manifest(PathNorm{.strength = 0.5, .p = 1, .epsilon = 0.25}) ==
        R"({"type": "PathNorm", "strength": 0.5, "p": 1, "epsilon": 0.25})");
  CHECK(manifest(SpectralNorm{.strength = 0.5, .iterations = 3, .seed = 7}) ==
        R"({"type": "SpectralNorm", "strength": 0.5, "iterations": 3, "seed": 7})");
  CHECK(manifest(JacobianNorm{.strength = 0.5, .projections = 2, .seed = 7}) ==
        R"({"type": "JacobianNorm", "strength": 0.5, "projections": 2, "seed": 7})");
  CHECK(manifest(ConfidencePenalty{.strength = 0.5}) == R"({"type": "ConfidencePenalty", "strength": 0.5})");
  CHECK(
      manifest(Jumpstart{.strength = 0.5, .slacks = Slacks::units, .aggregation = Aggregation::mean}) ==
      R"({"type": "Jumpstart", "strength": 0.5, "slacks": "units", "aggregation": "mean", "balance": 0.5, "members": null})");
  CHECK(manifest(LearnedPotential{.network = net, .potential = Potential::red, .strength = 0.5}) ==
        R"({"type": "LearnedPotential", "network": {"type": "torch::nn::LinearImpl", "parameters": 6, )"
        R"("crc32": "1d09dd71", "kinds_crc32": "1884871a"}, "potential": "red", "strength": 0.5})");
}

}  // namespace penalties_test
