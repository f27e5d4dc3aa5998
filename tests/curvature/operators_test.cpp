// Products with the Hessian, Gauss-Newton, Fisher and Gram matrices, compared with matrices made otherwise.
#include "support/tensors.hpp"

#include <functional>
#include <memory>
#include <vector>

#include <regimen/regimen.hpp>
#include "support/awkward.hpp"

namespace operators_test {

namespace {

namespace rg = regimen;

/// f(a, b) = a b, whatever the input: the network of the litmus of rescaling.
struct Product : torch::nn::Module {
  explicit Product(double a_is, double b_is) {
    a = register_parameter("a", torch::full({1}, a_is, torch::kDouble));
    b = register_parameter("b", torch::full({1}, b_is, torch::kDouble));
  }
  at::Tensor forward(const at::Tensor& x) { return (a * b).expand({x.size(0), 1}); }
  at::Tensor a, b;
};

/// Half the square of output - 1.
struct HalfSquare {
  at::Tensor operator()(const at::Tensor& output, const at::Tensor& /*target*/) const {
    return (output - 1).square().mean() / 2;
  }
};

rg::Batch one_sample() {
  return {.data = torch::zeros({1, 1}, torch::kDouble), .target = torch::zeros({1}, torch::kLong)};
}

/// Softmax regression with weights 0 on (1, 0) and (0, 2), three classes.
struct SoftmaxRegression {
  SoftmaxRegression() {
    net->to(torch::kDouble);
    const at::NoGradGuard no_grad;
    net->weight.zero_();
  }
  torch::nn::Linear net{torch::nn::LinearOptions(2, 3).bias(false)};
  rg::Batch data{.data = torch::tensor({{1.0, 0.0}, {0.0, 2.0}}, torch::kDouble), .target = torch::tensor({0, 1})};
};

struct Smooth : torch::nn::Module {
  Smooth() {
    first = register_module("first", torch::nn::Linear(4, 5));
    norm = register_module("norm", torch::nn::BatchNorm1d(5));
    last = register_module("last", torch::nn::Linear(5, 3));
    to(torch::kDouble);
    norm->running_mean.normal_(0, 0.5);
    norm->running_var.uniform_(0.5, 2);
  }
  at::Tensor forward(const at::Tensor& x) { return last(torch::tanh(norm(first(x)))); }
  torch::nn::Linear first{nullptr}, last{nullptr};
  torch::nn::BatchNorm1d norm{nullptr};
};

rg::Batch ten_samples() {
  return {.data = torch::randn({10, 4}, torch::kDouble), .target = torch::arange(10, torch::kLong).remainder(3)};
}

/// The operator as a matrix, a column for each unit vector.
template <class A>
at::Tensor matrix_of(const A& a) {
  std::vector<at::Tensor> columns;
  for (std::int64_t i = 0; i < a.size(); ++i) {
    at::Tensor unit = torch::zeros({a.size()}, torch::kDouble);
    unit[i] = 1;
    columns.push_back(a.apply(unit));
  }
  return at::stack(columns, 1);
}

/// Rows of derivatives of f(), [m], by all weights of the surface: central differences.
at::Tensor differences(const rg::LossSurface& surface, const std::function<at::Tensor()>& f, double step = 1e-5) {
  std::vector<at::Tensor> columns;
  for (std::int64_t i = 0; i < surface.size(); ++i) {
    at::Tensor by = torch::zeros({surface.size()}, torch::kDouble);
    by[i] = step;
    const at::NoGradGuard no_grad;
    const auto at_moved = [&](const at::Tensor& displacement) {
      const auto moved = surface.displaced(displacement);
      return f();
    };
    columns.push_back((at_moved(by) - at_moved(-by)) / (2 * step));
  }
  return at::stack(columns, 1);
}

rg::Evaluation batches_of(std::int64_t batch) {
  rg::Evaluation how;
  how.batch = batch;
  return how;
}

}  // namespace

TEST_CASE("curvature: the Hessian of (ab - 1)^2 / 2 is the one by hand") {
  const auto net = std::make_shared<Product>(2, 1);
  const rg::LossSurface surface(net, one_sample(), {.loss = HalfSquare{}});
  CHECK(furthest(matrix_of(rg::Hessian(surface)), torch::tensor({{1.0, 3.0}, {3.0, 4.0}}, torch::kDouble)) < 1e-12);
  CHECK(furthest(matrix_of(rg::GaussNewton(surface)), torch::tensor({{1.0, 2.0}, {2.0, 4.0}}, torch::kDouble)) < 1e-12);
  CHECK(surface.loss() == Approx(0.5));
  CHECK(furthest(surface.gradient(), torch::tensor({1.0, 2.0}, torch::kDouble)) < 1e-12);
}

TEST_CASE("curvature: operators of softmax regression are X'X times diag(p) - pp'") {
  const SoftmaxRegression at_zero;
  const rg::LossSurface surface(at_zero.net, at_zero.data);
  const at::Tensor bend = torch::eye(3, torch::kDouble) / 3 - 1.0 / 9;
  const at::Tensor spread = torch::tensor({{0.5, 0.0}, {0.0, 2.0}}, torch::kDouble);  // mean of x x'
  const at::Tensor expected = at::kron(bend, spread);
  CHECK(furthest(matrix_of(rg::Hessian(surface)), expected) < 1e-12);
  CHECK(furthest(matrix_of(rg::GaussNewton(surface)), expected) < 1e-12);
  CHECK(furthest(matrix_of(rg::Fisher(surface)), expected) < 1e-12);
}

TEST_CASE("curvature: the Hessian is the derivative of the gradient, whatever the batches") {
  torch::manual_seed(3);
  const auto net = std::make_shared<Smooth>();
  const rg::Batch data = ten_samples();
  const rg::LossSurface all(net, data, batches_of(10));
  const at::Tensor expected = differences(all, [&] { return all.gradient(); });
  for (const std::int64_t batch : {1, 7, 10}) {
    CAPTURE(batch);
    CHECK(furthest(matrix_of(rg::Hessian(rg::LossSurface(net, data, batches_of(batch)))), expected) < 1e-7);
  }
}

TEST_CASE("curvature: Gauss-Newton, Fishers and Gram come from the Jacobian of the outputs") {
  torch::manual_seed(4);
  const auto net = std::make_shared<Smooth>();
  const rg::Batch data = ten_samples();
  const rg::LossSurface surface(net, data, batches_of(7));
  net->eval();
  const auto output = [&] { return net->forward(data.data).detach(); };
  const at::Tensor jacobian = differences(surface, [&] { return output().flatten(); }).view({10, 3, -1});
  const at::Tensor p = output().softmax(1);
  at::Tensor fisher = torch::zeros({surface.size(), surface.size()}, torch::kDouble);
  at::Tensor empirical = torch::zeros_like(fisher);
  for (std::int64_t i = 0; i < 10; ++i) {
    const at::Tensor j = jacobian[i];
    fisher += j.t().mm((p[i].diag() - p[i].outer(p[i])).mm(j)) / 10;
    const at::Tensor gradient = j.t().mv(p[i] - torch::one_hot(data.target[i], 3).to(torch::kDouble));
    empirical += gradient.outer(gradient) / 10;
  }
  CHECK(furthest(matrix_of(rg::GaussNewton(surface)), fisher) < 1e-8);
  CHECK(furthest(matrix_of(rg::Fisher(surface)), fisher) < 1e-8);
  CHECK(furthest(matrix_of(rg::EmpiricalFisher(surface)), empirical) < 1e-8);
  const at::Tensor rows = jacobian.flatten(0, 1);
  CHECK(furthest(matrix_of(rg::Gram(surface)), rows.mm(rows.t())) < 1e-7);
  const at::Tensor centred = (jacobian - jacobian.mean(0, /*keepdim=*/true)).flatten(0, 1);
  CHECK(furthest(matrix_of(rg::Gram(surface, /*centred=*/true)), centred.mm(centred.t())) < 1e-7);
}

TEST_CASE("curvature: the Jacobian as a matrix is that of central differences, whatever the batches") {
  torch::manual_seed(5);
  Smooth net;
  const rg::Batch data = ten_samples();
  net.eval();
  for (const int batch : {3, 10, 128}) {
    const rg::LossSurface surface(net, data, {.batch = batch});
    const at::Tensor expected = differences(surface, [&] { return net.forward(data.data).flatten(); });
    CHECK(furthest(rg::jacobian(surface), expected) < 1e-7);
    CHECK(furthest(rg::jacobian_singular_values(surface), at::linalg_svdvals(expected)) < 1e-7);
  }
  const rg::LossSurface some(net, data, {}, rg::Matrices{});
  CHECK(rg::jacobian(some).size(1) == 5 * 4 + 3 * 5);
}

TEST_CASE("curvature: the Jacobian has the outputs' order, however they lie in memory") {
  struct Transposed : torch::nn::Module {
    Transposed() { weight = register_parameter("weight", torch::zeros({2, 3}, torch::kDouble)); }
    at::Tensor forward(const at::Tensor& x) { return weight.matmul(x.t()).t(); }
    at::Tensor weight;
  } net;
  const at::Tensor x = torch::tensor({{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}}, torch::kDouble);
  const at::Tensor j = rg::jacobian({net, rg::Batch{.data = x, .target = torch::zeros({2}, torch::kLong)}});
  const at::Tensor none = torch::zeros({3}, torch::kDouble);
  CHECK(
      same(j, at::stack({at::cat({x[0], none}), at::cat({none, x[0]}), at::cat({x[1], none}), at::cat({none, x[1]})})));
}

TEST_CASE("curvature: the Jacobian of a linear network is its inputs, and 0 for unused weights") {
  struct Unused : torch::nn::Module {
    Unused() {
      used = register_parameter("used", torch::zeros({2}, torch::kDouble));
      unused = register_parameter("unused", torch::ones({3}, torch::kDouble));
    }
    at::Tensor forward(const at::Tensor& x) { return x.matmul(used); }
    at::Tensor used, unused;
  } net;
  const at::Tensor x = torch::tensor({{3.0, 4.0}, {0.0, 2.0}, {1.0, 1.0}}, torch::kDouble);
  const rg::LossSurface surface(net, rg::Batch{.data = x, .target = torch::zeros({3}, torch::kLong)});
  CHECK(same(rg::jacobian(surface), at::cat({x, torch::zeros({3, 3}, torch::kDouble)}, 1)));
}

TEST_CASE("curvature: Gauss-Newton takes any loss of the outputs, and counts as the loss does") {
  torch::manual_seed(5);
  const auto net = std::make_shared<Smooth>();
  const rg::Batch data = ten_samples();
  const at::Tensor weight = torch::tensor({1.0, 2.0, 5.0}, torch::kDouble);
  const rg::LossSurface surface(net, data, {.loss = rg::CrossEntropy{.class_weights = {1, 2, 5}}, .batch = 4});
  net->eval();
  const at::Tensor jacobian =
      differences(surface, [&] { return net->forward(data.data).detach().flatten(); }).view({10, 3, -1});
  const at::Tensor p = net->forward(data.data).detach().softmax(1);
  const at::Tensor each = weight.index_select(0, data.target);
  at::Tensor expected = torch::zeros({surface.size(), surface.size()}, torch::kDouble);
  for (std::int64_t i = 0; i < 10; ++i) {
    expected += jacobian[i].t().mm((p[i].diag() - p[i].outer(p[i])).mm(jacobian[i])) * each[i] / each.sum();
  }
  CHECK(furthest(matrix_of(rg::GaussNewton(surface)), expected) < 1e-8);
  CHECK(furthest(matrix_of(rg::Hessian(surface)), differences(surface, [&] { return surface.gradient(); })) < 1e-7);
}

TEST_CASE("curvature: several products at once are those one after another") {
  torch::manual_seed(6);
  const auto net = std::make_shared<Smooth>();
  const rg::LossSurface surface(net, ten_samples(), batches_of(4));
  const at::Tensor v = torch::randn({surface.size(), 3}, torch::kDouble);
  const auto check = [&](const auto& a) {
    for (std::int64_t i = 0; i < 3; ++i) {
      CHECK(furthest(a.apply_all(v).select(1, i), a.apply(v.select(1, i).contiguous())) < 1e-12);
    }
  };
  check(rg::Hessian(surface));
  check(rg::GaussNewton(surface));
  check(rg::Fisher(surface));
  check(rg::EmpiricalFisher(surface));
}

TEST_CASE("curvature: a selector leaves rows and columns out") {
  torch::manual_seed(7);
  const auto net = std::make_shared<Smooth>();
  const rg::Batch data = ten_samples();
  const at::Tensor all = matrix_of(rg::Hessian(rg::LossSurface(net, data)));
  const rg::LossSurface last(net, data, {}, rg::Layers{{"last"}});
  CHECK(last.size() == 18);
  CHECK(furthest(matrix_of(rg::Hessian(last)), all.slice(0, all.size(0) - 18).slice(1, all.size(0) - 18)) < 1e-12);
  check_error([&] { rg::LossSurface(net, data, {}, rg::Layers{{"lost"}}); }, {"LossSurface", "lost", "none"});
}

TEST_CASE("curvature: awkward networks have symmetric operators and are left as they were") {
  for (const awkward::Network& network : awkward::all_ten()) {
    CAPTURE(network.name);
    if (network.name == "buffers alone") {
      check_error([&] { rg::LossSurface(network.model, network.batch); }, {"LossSurface", "none of the parameters"});
      continue;
    }
    const awkward::State before(network);
    const rg::LossSurface surface(network.model, network.batch, batches_of(4));
    const auto check = [&](const auto& a) {
      const at::Tensor v = rg::detail::random_signs(a.size(), 0, 0, torch::kDouble);
      const at::Tensor w = rg::detail::random_signs(a.size(), 0, 1, torch::kDouble);
      const at::Tensor to_v = a.apply(v);
      const double size = to_v.norm().template item<double>();
      CHECK(std::isfinite(size));
      CHECK(w.dot(to_v).template item<double>() ==
            Approx(v.dot(a.apply(w)).template item<double>()).margin(1e-4 * size));
    };
    check(rg::Hessian(surface));
    check(rg::GaussNewton(surface));
    check(rg::Fisher(surface));
    check(rg::EmpiricalFisher(surface));
    check(rg::Gram(surface));
    CHECK(before.difference(awkward::State(network), {}).empty());
  }
}

TEST_CASE("curvature: frozen and unused weights are left out, or have rows of 0") {
  for (const awkward::Network& network : awkward::all_ten()) {
    CAPTURE(network.name);
    if (network.name == "frozen") {
      CHECK(rg::LossSurface(network.model, network.batch).size() == 6 * 3 + 3);
    }
    if (network.name == "unused") {
      const rg::LossSurface spare(network.model, network.batch, {}, rg::Layers{{"spare"}});
      CHECK(furthest(rg::Hessian(spare).apply(torch::ones({42}, torch::kDouble)), torch::zeros({42})) == 0);
      CHECK(furthest(rg::Gram(spare).apply(torch::ones({27}, torch::kDouble)), torch::zeros({27})) == 0);
    }
    if (network.name == "tied") {
      CHECK(rg::LossSurface(network.model, network.batch).size() == 20 + 12);
    }
  }
}

TEST_CASE("curvature: two passes that differ are refused") {
  struct AlwaysDrops : torch::nn::Module {
    AlwaysDrops() { last = register_module("last", torch::nn::Linear(4, 3)); }
    at::Tensor forward(const at::Tensor& x) { return last(torch::dropout(x, 0.5, /*train=*/true)); }
    torch::nn::Linear last{nullptr};
  };
  torch::manual_seed(8);
  rg::Batch data = ten_samples();
  data.data = data.data.to(torch::kFloat);
  const auto drops = std::make_shared<AlwaysDrops>();
  check_error([&] { (void)rg::LossSurface(drops, data).loss(); }, {"two passes", "batch 0", "dropout", "frozen"});

  const auto net = std::make_shared<torch::nn::LinearImpl>(4, 3);
  const auto shuffles = [&data, reading = std::make_shared<int>(0)](const rg::Order& order) {
    rg::Order own = order;
    own.shuffle = true;
    own.seed = static_cast<std::uint64_t>((*reading)++);
    return rg::Source(data).read(own);
  };
  const rg::LossSurface shuffled(net, rg::limit(rg::Source(shuffles), 10), batches_of(5));
  (void)shuffled.loss();
  check_error([&] { (void)shuffled.loss(); }, {"two passes", "shuffles"});

  const rg::LossSurface trained(net, data);
  (void)trained.loss();
  {
    const at::NoGradGuard no_grad;
    net->weight.mul_(2);
  }
  check_error([&] { (void)trained.gradient(); }, {"the weights have changed", "make a new one"});
}

TEST_CASE("curvature: every product refuses a pass that differs from the one before") {
  torch::manual_seed(8);
  const auto net = std::make_shared<Smooth>();
  const rg::Batch data = ten_samples();
  // The second reading has two samples exchanged within a batch, another label, or another input.
  const auto second = [&data](const std::function<void(rg::Batch&)>& change) {
    return rg::Source([data, change, reading = std::make_shared<int>(0)](const rg::Order& order) {
      rg::Batch now = rg::detail::map_tensors(data, [](const at::Tensor& t) { return t.clone(); });
      if ((*reading)++ > 0) {
        change(now);
      }
      return rg::Source(now).read(order);
    });
  };
  const std::vector<rg::Source> changing = {
      second([](rg::Batch& b) { b = rg::rows(b, torch::tensor({0, 1, 2, 3, 4, 6, 5, 7, 8, 9})); }),
      second([](rg::Batch& b) { b.target[9] = 2; }), second([](rg::Batch& b) { b.data[0][0] += 0.1; })};
  for (std::size_t i = 0; i < changing.size(); ++i) {
    CAPTURE(i);
    const rg::LossSurface surface(net, rg::limit(changing[i], 10), batches_of(5));
    const at::Tensor v = torch::ones({surface.size()}, torch::kDouble);
    (void)surface.loss();
    check_error([&] { (void)rg::Hessian(surface).apply(v); }, {"two passes"});
    check_error([&] { (void)rg::GaussNewton(surface).apply(v); }, {"two passes"});
    check_error([&] { (void)rg::Fisher(surface).apply(v); }, {"two passes"});
    check_error([&] { (void)rg::EmpiricalFisher(surface).apply(v); }, {"two passes"});
    check_error([&] { (void)rg::Gram(surface); }, {"two passes"});
    check_error([&] { (void)surface.loss_at(v); }, {"two passes"});
    check_error([&] { (void)surface.weighted_gradient([](const rg::Batch& b) { return torch::ones({b.size()}); }); },
                {"two passes"});
  }
}

TEST_CASE("curvature: losses that are infinite or tiny are no difference") {
  const auto product = std::make_shared<Product>(1e200, 1e200);
  const rg::LossSurface infinite(product, one_sample(), {.loss = HalfSquare{}});
  CHECK(std::isinf(infinite.loss()));
  CHECK(std::isinf(infinite.loss()));
}

TEST_CASE("curvature: confident samples of a float network keep their curvature") {
  // One sample x = 1, logits (m, 0): p (1 - p) [[1, -1], [-1, 1]], with 1 - p of about e^-m.
  torch::nn::Linear net(torch::nn::LinearOptions(1, 2).bias(false));
  for (const double margin : {5.0, 16.0, 25.0}) {
    CAPTURE(margin);
    {
      const at::NoGradGuard no_grad;
      net->weight.copy_(torch::tensor({{margin}, {0.0}}));
    }
    const rg::LossSurface surface(net, rg::Batch{.data = torch::ones({1, 1}), .target = torch::tensor({0})});
    const double other = 1 / (1 + std::exp(margin));
    const at::Tensor expected = torch::tensor({{1.0, -1.0}, {-1.0, 1.0}}, torch::kDouble);
    for (const at::Tensor& found :
         {matrix_of(rg::Hessian(surface)), matrix_of(rg::GaussNewton(surface)), matrix_of(rg::Fisher(surface))}) {
      CHECK(furthest(found / (other * (1 - other)), expected) < 1e-4);
    }
    CHECK(furthest(matrix_of(rg::EmpiricalFisher(surface)) / (other * other), expected) < 1e-4);
    CHECK(surface.loss() == Approx(std::log1p(std::exp(-margin))).epsilon(1e-4));
  }
}

TEST_CASE("curvature: a loss with float tensors of its own is computed in float") {
  torch::manual_seed(9);
  const auto net = std::make_shared<torch::nn::LinearImpl>(4, 3);
  rg::Batch data = ten_samples();
  data.data = data.data.to(torch::kFloat);
  const at::Tensor weight = torch::tensor({1.0F, 2.0F, 5.0F});
  const torch::nn::CrossEntropyLoss module(torch::nn::CrossEntropyLossOptions().weight(weight));
  const rg::LossSurface by_module(net, data, {.loss = module, .batch = 4});
  const rg::LossSurface by_struct(net, data, {.loss = rg::CrossEntropy{.class_weights = {1, 2, 5}}, .batch = 4});
  const at::Tensor v = torch::ones({15}, torch::kDouble);
  CHECK(furthest(rg::Hessian(by_module).apply(v), rg::Hessian(by_struct).apply(v)) < 1e-6);
  CHECK(furthest(rg::GaussNewton(by_module).apply(v), rg::GaussNewton(by_struct).apply(v)) < 1e-6);
  CHECK(furthest(rg::EmpiricalFisher(by_module).apply(v), rg::EmpiricalFisher(by_struct).apply(v)) < 1e-6);

  const auto float_alone = [weight](const at::Tensor& output, const at::Tensor& target) {
    if (output.scalar_type() != torch::kFloat) {
      throw std::runtime_error("as a TorchScript throws");
    }
    return torch::nll_loss(output.log_softmax(1), target, weight);
  };
  const rg::LossSurface by_function(net, data, {.loss = float_alone, .batch = 10});
  CHECK(furthest(rg::GaussNewton(by_function).apply(v), rg::GaussNewton(by_struct).apply(v)) < 1e-6);
  const auto fails = [](const at::Tensor&, const at::Tensor&) -> at::Tensor { throw std::runtime_error("own words"); };
  CHECK_THROWS_WITH((void)rg::LossSurface(net, data, {.loss = fails}).loss(), "own words");
}

TEST_CASE("curvature: a mean that counts some samples and has no losses of its own weighs them alike") {
  struct Masked {
    at::Tensor operator()(const at::Tensor& output, const at::Tensor& target) const {
      const at::Tensor keep = (target != 2).to(output.scalar_type());
      const at::Tensor each = -output.log_softmax(1).gather(1, target.unsqueeze(1)).squeeze(1);
      return (each * keep).sum() / keep.sum();
    }
    rg::LossCount count(const at::Tensor& target) const { return (target != 2).sum().to(torch::kDouble); }
  };
  torch::manual_seed(12);
  const auto net = std::make_shared<Smooth>();
  const rg::Batch data = ten_samples();
  const rg::LossSurface masked(net, data, {.loss = Masked{}, .batch = 4});
  const rg::LossSurface ignoring(net, data, {.loss = rg::CrossEntropy{.ignore_index = 2}, .batch = 4});
  CHECK(furthest(matrix_of(rg::EmpiricalFisher(masked)), matrix_of(rg::EmpiricalFisher(ignoring))) < 1e-12);
  const rg::GradientNoiseScale noise{.data = data, .how = {.loss = Masked{}}, .draws = {.least = 2, .most = 2}};
  CHECK(std::isfinite(noise(net).at("variance")));
}

TEST_CASE("curvature: a network may give one number for all samples") {
  struct OneNumber : torch::nn::Module {
    OneNumber() { w = register_parameter("w", torch::tensor({1.0, 2.0}, torch::kDouble)); }
    at::Tensor forward(const at::Tensor& x) { return (x.mv(w)).square().mean(); }
    at::Tensor w;
  };
  struct Itself {
    at::Tensor operator()(const at::Tensor& output, const at::Tensor&) const { return output; }
  };
  const rg::LossSurface surface(
      std::make_shared<OneNumber>(),
      rg::Batch{.data = torch::eye(2, torch::kDouble), .target = torch::zeros({2}, torch::kLong)}, {.loss = Itself{}});
  CHECK(furthest(matrix_of(rg::Hessian(surface)), torch::eye(2, torch::kDouble)) < 1e-12);
}

TEST_CASE("curvature: the empirical Fisher weighs samples as the loss does") {
  torch::manual_seed(10);
  const auto net = std::make_shared<Smooth>();
  const rg::Batch data = ten_samples();
  const rg::CrossEntropy loss{.class_weights = {1, 4, 9}, .ignore_index = 2};
  const rg::LossSurface surface(net, data, {.loss = loss, .batch = 4});
  net->eval();
  at::Tensor expected = torch::zeros({surface.size(), surface.size()}, torch::kDouble);
  double all = 0;
  for (std::int64_t i = 0; i < 10; ++i) {
    const auto label = data.target[i].item<std::int64_t>();
    const double weight = label == 0 ? 1 : label == 1 ? 4 : 0;
    const at::Tensor of = -net->forward(data.data.narrow(0, i, 1)).log_softmax(1)[0][label];
    const at::Tensor gradient = surface.flat(surface.gradients(of, /*create_graph=*/false));
    expected += gradient.outer(gradient) * weight;
    all += weight;
  }
  CHECK(furthest(matrix_of(rg::EmpiricalFisher(surface)), expected / all) < 1e-10);
}

TEST_CASE("curvature: a loss without a gradient and vectors of another length are refused") {
  struct Detached {
    at::Tensor each(const at::Tensor& output, const at::Tensor&) const { return output.detach().square().sum(1); }
  };
  const auto net = std::make_shared<Smooth>();
  const rg::LossSurface surface(net, ten_samples(), {.loss = Detached{}});
  CHECK(surface.loss() > 0);
  check_error([&] { (void)surface.gradient(); }, {"LossSurface", "no gradient", "detached"});
  check_error([&] { (void)rg::EmpiricalFisher(surface).apply(surface.weights()); }, {"no gradient"});
  check_error([&] { (void)surface.loss_at(torch::zeros({3}, torch::kDouble)); },
              {"length of a vector", "the number of weights", "3"});
}

TEST_CASE("curvature: a graph made before a displacement can be differentiated after it") {
  const auto net = std::make_shared<Smooth>();
  const rg::Batch data = ten_samples();
  const at::Tensor loss = net->forward(data.data).square().sum();
  const rg::LossSurface surface(net, data);
  (void)surface.loss_at(torch::ones({surface.size()}, torch::kDouble));
  CHECK_NOTHROW(loss.backward());
}

TEST_CASE("curvature: a displacement is undone bit for bit, and its losses are not compared") {
  torch::manual_seed(9);
  const auto net = std::make_shared<Smooth>();
  const rg::LossSurface surface(net, ten_samples());
  const at::Tensor weights = surface.weights();
  const double loss = surface.loss();
  const at::Tensor by = torch::randn({surface.size()}, torch::kDouble);
  CHECK(surface.loss_at(by) != loss);
  CHECK(surface.weights().equal(weights));
  CHECK(surface.loss() == loss);
  CHECK(surface.loss_at(torch::zeros_like(by)) == loss);
}

TEST_CASE("curvature: a surface needs data with an end") {
  const auto net = std::make_shared<torch::nn::LinearImpl>(4, 3);
  check_error([&] { rg::LossSurface(net, rg::Source()); }, {"LossSurface", "a source that ends"});
}

TEST_CASE("curvature: the products are in full precision whatever the phase computes in") {
  torch::manual_seed(10);
  const auto net = std::make_shared<torch::nn::LinearImpl>(4, 3);
  rg::Batch data = ten_samples();
  data.data = data.data.to(torch::kFloat);
  rg::Evaluation in_bf16;
  in_bf16.execute.precision = rg::Precision::bf16;
  const at::Tensor v = torch::ones({15}, torch::kDouble);
  CHECK(rg::Hessian(rg::LossSurface(net, data, in_bf16))
            .apply(v)
            .equal(rg::Hessian(rg::LossSurface(net, data)).apply(v)));
}

}  // namespace operators_test
