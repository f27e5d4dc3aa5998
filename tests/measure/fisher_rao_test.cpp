#include "support/minima.hpp"
#include "support/small_networks.hpp"

#include <cmath>
#include <memory>
#include <stdexcept>
#include <vector>

#include <regimen/regimen.hpp>
#include "support/awkward.hpp"
#include "support/tensors.hpp"

namespace fisher_rao_test {

namespace {

using regimen::Batch;
using regimen::FisherRao;
using regimen::Source;
using torch::nn::Linear;
using torch::nn::LinearOptions;
using torch::nn::ReLU;
using torch::nn::Sequential;

Sequential two_layers() {
  Sequential net(Linear(LinearOptions(2, 2).bias(false)), ReLU(), Linear(LinearOptions(2, 2).bias(false)));
  net->to(at::kDouble);
  const at::NoGradGuard no_grad;
  net->parameters()[0].copy_(at::eye(2));
  net->parameters()[1].copy_(at::tensor({1.0, -1.0, 0.0, 2.0}, at::kDouble).view({2, 2}));
  return net;
}

Source three_samples() {
  return Batch{.data = at::tensor({1.0, 2.0, 2.0, -1.0, 0.5, 0.5}, at::kDouble).view({3, 2}),
               .target = at::tensor({0, 1, 1}, at::kLong)};
}

/// The norm by the gradient of each sample, one after another.
double by_gradients(Sequential& net, const Source& data) {
  const Batch all = regimen::materialize(data);
  net->eval();
  double sum = 0;
  for (std::int64_t i = 0; i < all.size(); ++i) {
    const at::Tensor loss = at::cross_entropy_loss(net->forward(all.data.narrow(0, i, 1)), all.target.narrow(0, i, 1));
    const std::vector<at::Tensor> slopes = torch::autograd::grad({loss}, net->parameters());
    double product = 0;
    for (std::size_t k = 0; k < slopes.size(); ++k) {
      product += (slopes[k] * net->parameters()[k]).sum().item<double>();
    }
    sum += product * product;
  }
  return std::sqrt(sum / static_cast<double>(all.size()));
}

}  // namespace

TEST_CASE("FisherRao: two layers by hand, with the data's labels and the model's") {
  // Outputs (-1, 4), (2, 0), (0, 1). <w, grad l> = 2 sum_c (p_c - [y = c]) z_c, here 2 (p_1 - y) (z_1 - z_0).
  Sequential net = two_layers();
  const auto logistic = [](double margin) { return 1 / (1 + std::exp(-margin)); };
  double data = 0;
  double model = 0;
  const double margins[3] = {5, -2, 1};
  const double labels[3] = {0, 1, 1};
  for (int i = 0; i < 3; ++i) {
    const double p = logistic(margins[i]);
    data += std::pow(2 * (p - labels[i]) * margins[i], 2) / 3;
    model += p * (1 - p) * std::pow(2 * margins[i], 2) / 3;
  }
  CHECK(data == Approx(37.1226944).epsilon(1e-8));
  CHECK(model == Approx(1.0437169).epsilon(1e-7));
  CHECK(FisherRao{.data = three_samples()}(net) == Approx(std::sqrt(data)).epsilon(1e-9));
  CHECK(FisherRao{.data = three_samples()}(net) == Approx(6.0928396).epsilon(1e-8));
  CHECK(FisherRao{.data = three_samples(), .model_labels = true}(net) == Approx(std::sqrt(model)).epsilon(1e-9));
}

TEST_CASE("FisherRao: with biases and BatchNorm it is that by gradients of samples") {
  for (const bool affine : {true, false}) {
    Sequential net(Linear(2, 4), torch::nn::BatchNorm1d(torch::nn::BatchNorm1dOptions(4).affine(affine)), ReLU(),
                   Linear(4, 2));
    net->to(at::kDouble);
    randomize(*net, 3);
    const Source data = minima::labelled();
    CHECK(FisherRao{.data = data}(net) == Approx(by_gradients(net, data)).epsilon(1e-8));
  }
}

TEST_CASE("FisherRao: the model's labels are the mean over labels drawn from its probabilities") {
  Sequential net = small_mlp();
  randomize(*net, 4);
  const Source data = minima::labelled(4);
  const Batch all = regimen::materialize(data);
  const at::Tensor p = net->forward(all.data).softmax(1).detach();
  double squares = 0;
  for (std::int64_t i = 0; i < 4; ++i) {
    for (std::int64_t c = 0; c < 2; ++c) {
      const Batch one{.data = all.data.narrow(0, i, 1), .target = at::full({1}, c, at::kLong)};
      squares += p[i][c].item<double>() * std::pow(by_gradients(net, one), 2) / 4;
    }
  }
  CHECK(FisherRao{.data = data, .model_labels = true}(net) == Approx(std::sqrt(squares)).epsilon(1e-8));
}

TEST_CASE("FisherRao: rescaling of ReLU units changes nothing, a scale of the logits does") {
  Sequential net = small_mlp();
  randomize(*net, 5);
  const FisherRao measure{.data = minima::labelled()};
  const double before = measure(net);
  minima::rescale(net, at::tensor({0.01, 3.0, 20.0}, at::kDouble));
  CHECK(measure(net) == Approx(before).epsilon(1e-8));
  minima::scale_logits(net, 2);
  CHECK(std::abs(measure(net) / before - 1) > 0.1);
  for (const double a : {1.0, 2.0, 4.0}) {  // at (c, 2 / c): <w, grad l> = (ab - 1) 2ab = 4
    const auto product = std::make_shared<minima::Product>(a, 2 / a);
    CHECK(FisherRao{.data = minima::samples(), .how = {.loss = minima::HalfSquare{}}}(product) ==
          Approx(4).epsilon(1e-9));
  }
}

TEST_CASE("FisherRao: a float network has the number of the same network in double") {
  Sequential net = small_mlp(2, 8);
  randomize(*net, 6);
  minima::scale_logits(net, 4);  // well fitted samples, whose losses differ by less than float resolves
  const Batch all = regimen::materialize(minima::labelled(40));
  const at::Tensor labels = net->forward(all.data).argmax(1);
  const double exact = FisherRao{.data = Batch{.data = all.data, .target = labels}}(net);
  net->to(at::kFloat);
  const Source rounded = Batch{.data = all.data.to(at::kFloat), .target = labels};
  CHECK(FisherRao{.data = rounded}(net) == Approx(exact).epsilon(1e-3));
}

TEST_CASE("FisherRao: a deep float network with large logits has the norm that its logits give") {
  // Without biases <w, grad l> = (number of layers) <grad_f l, f>; a difference quotient in float is far off here.
  torch::manual_seed(9);
  Sequential net;
  for (int layer = 0; layer < 20; ++layer) {
    net->push_back(torch::nn::Linear(torch::nn::LinearOptions(8, 8).bias(false)));
    torch::nn::init::orthogonal_(net->parameters().back());
    net->push_back(torch::nn::LeakyReLU(torch::nn::LeakyReLUOptions().negative_slope(0.9)));
  }
  const at::Tensor data = torch::randn({12, 8});
  const at::NoGradGuard no_grad;
  net->parameters()[0].mul_(20 / net->forward(data).abs().max());
  const at::Tensor target = torch::arange(12).remainder(8);
  const at::Tensor f = net->forward(data).to(at::kDouble);
  const at::Tensor slope = f.softmax(1) - torch::one_hot(target, 8).to(at::kDouble);
  const double expected = 20 * (slope * f).sum(1).square().mean().sqrt().item<double>();
  CHECK(FisherRao{.data = Batch{.data = data, .target = target}}(net) == Approx(expected).epsilon(1e-4));
}

TEST_CASE("FisherRao: samples count as in the loss") {
  Sequential net = small_mlp();
  randomize(*net, 10);
  const Batch all = regimen::materialize(minima::labelled(10));
  at::Tensor some = all.target.clone();
  some.slice(0, 6).fill_(-1);
  const Batch six = regimen::slice(all, 0, 6);
  const regimen::Evaluation ignoring{.loss = regimen::CrossEntropy{.ignore_index = -1}, .batch = 4};
  CHECK(FisherRao{.data = Batch{.data = all.data, .target = some}, .how = ignoring}(net) ==
        Approx(FisherRao{.data = six}(net)).epsilon(1e-9));
}

TEST_CASE("FisherRao: the batch size changes nothing, nor does an unequal last batch") {
  Sequential net = small_mlp();
  randomize(*net, 7);
  const Source data = minima::labelled(10);
  const double all = FisherRao{.data = data}(net);
  for (const int batch : {1, 7}) {
    CHECK(FisherRao{.data = data, .how = {.batch = batch}}(net) == Approx(all).epsilon(1e-9));
  }
}

TEST_CASE("FisherRao: selected and trained parameters alone are scaled, tied ones once") {
  const auto product = std::make_shared<minima::Product>(2, 3);
  const regimen::Evaluation how{.loss = minima::HalfSquare{}};
  CHECK(FisherRao{.data = minima::samples(), .how = how}(product) == Approx(60).epsilon(1e-9));
  CHECK(FisherRao{.data = minima::samples(), .how = how, .parameters = regimen::Layers{{"second"}}}(product) ==
        Approx(30).epsilon(1e-9));
  product->first.set_requires_grad(false);
  CHECK(FisherRao{.data = minima::samples(), .how = how}(product) == Approx(30).epsilon(1e-9));
  product->first.set_requires_grad(true);
  product->register_parameter("unused", at::ones({2}, at::kDouble));
  product->register_parameter("zero", at::zeros({2}, at::kDouble));
  product->register_parameter("tied", product->first);
  CHECK(FisherRao{.data = minima::samples(), .how = how}(product) == Approx(60).epsilon(1e-9));
}

TEST_CASE("FisherRao: every awkward network is unchanged, also after an exception") {
  for (const awkward::Network& net : awkward::all_ten()) {
    CAPTURE(net.name);
    const awkward::State before(net);
    const FisherRao measure{.data = net.batch, .how = {.batch = 4}};
    if (net.name == "buffers alone") {
      check_error([&] { (void)measure(net.model); }, {"selects none"});
      continue;
    }
    const double value = measure(net.model);
    CHECK(value > 0);
    CHECK(measure(net.model) == value);
    CHECK(before.difference(awkward::State(net), {.write = true}) == "");
    net.fail_at(2);
    CHECK_THROWS((void)measure(net.model));
    net.fail_at(0);
    CHECK(before.difference(awkward::State(net), {.write = true}) == "");
  }
}

TEST_CASE("FisherRao: errors name the field") {
  Sequential net = small_mlp();
  check_error([&] { (void)FisherRao{}(net); }, {"FisherRao takes data", "FisherRao.data"});
  Sequential one = small_mlp(2, 3, 1);
  check_error([&] { (void)FisherRao{.data = minima::labelled(), .model_labels = true}(one); },
              {"FisherRao.model_labels", "logits of [N, C]"});
}

TEST_CASE("FisherRao: it is a measure of a scoring") {
  Sequential net = small_mlp();
  randomize(*net, 8);
  regimen::Probe probe(net);
  probe.fit = minima::labelled();
  CHECK(regimen::AnyMeasure(FisherRao{})(probe) == FisherRao{.data = minima::labelled()}(net));
}

}  // namespace fisher_rao_test
