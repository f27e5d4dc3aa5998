#include "support/small_networks.hpp"

#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <regimen/regimen.hpp>
#include "support/awkward.hpp"
#include "support/tensors.hpp"

namespace norm_products_test {

namespace {

using regimen::Batch;
using regimen::InMemory;
using regimen::Probe;
using regimen::Snapshot;
using regimen::Source;
using torch::nn::BatchNorm2d;
using torch::nn::BatchNorm2dOptions;
using torch::nn::Conv2d;
using torch::nn::Conv2dOptions;
using torch::nn::Linear;
using torch::nn::LinearOptions;
using torch::nn::ReLU;
using torch::nn::Sequential;

at::Tensor matrix(const std::vector<double>& numbers, std::int64_t columns) {
  return at::tensor(numbers, at::kDouble).view({-1, columns});
}

/// Linear layers without bias, ReLU between them.
Sequential layers(const std::vector<at::Tensor>& weights) {
  Sequential net;
  const at::NoGradGuard no_grad;
  for (const at::Tensor& weight : weights) {
    if (!net->is_empty()) {
      net->push_back(ReLU());
    }
    Linear layer(LinearOptions(weight.size(1), weight.size(0)).bias(false));
    layer->to(at::kDouble);
    layer->weight.copy_(weight);
    net->push_back(layer);
  }
  return net;
}

/// diag(3, 1), then diag(2, 1).
Sequential diagonals() {
  return layers({matrix({3, 0, 0, 1}, 2), matrix({2, 0, 0, 1}, 2)});
}

/// Two bias-free convolutions with BatchNorm and a residual sum, or the same with BatchNorm folded away by hand.
struct Residual : torch::nn::Module {
  explicit Residual(bool normalized, bool affine = true) : has_norms(normalized) {
    const auto kernel = Conv2dOptions(3, 3, 3).padding(1).bias(!normalized);
    first = register_module("first", Conv2d(Conv2dOptions(kernel)));
    second = register_module("second", Conv2d(Conv2dOptions(kernel)));
    if (normalized) {
      first_norm = register_module("first_norm", BatchNorm2d(BatchNorm2dOptions(3).affine(affine)));
      second_norm = register_module("second_norm", BatchNorm2d(BatchNorm2dOptions(3).affine(affine)));
    }
    last = register_module("last", Linear(3, 3));
    to(at::kDouble);
  }
  at::Tensor forward(const at::Tensor& x) {
    const at::Tensor once = has_norms ? first_norm(first(x)) : first(x);
    const at::Tensor hidden = at::relu(once);
    const at::Tensor twice = has_norms ? second_norm(second(hidden)) : second(hidden);
    return last(at::relu(twice + hidden).mean({2, 3}));
  }

  bool has_norms;
  Conv2d first{nullptr}, second{nullptr};
  BatchNorm2d first_norm{nullptr}, second_norm{nullptr};
  Linear last{nullptr};
};

void fold(Conv2d& into, const Conv2d& conv, const BatchNorm2d& norm) {
  const at::NoGradGuard no_grad;
  at::Tensor gain = 1 / (norm->running_var + norm->options.eps()).sqrt();
  at::Tensor shift = -norm->running_mean * gain;
  if (norm->weight.defined()) {
    gain = gain * norm->weight;
    shift = norm->bias - norm->running_mean * gain;
  }
  into->weight.copy_(conv->weight * gain.view({-1, 1, 1, 1}));
  into->bias.copy_(shift);
}

Residual folded(Residual& net) {
  Residual plain(/*normalized=*/false);
  fold(plain.first, net.first, net.first_norm);
  fold(plain.second, net.second, net.second_norm);
  const at::NoGradGuard no_grad;
  plain.last->weight.copy_(net.last->weight);
  plain.last->bias.copy_(net.last->bias);
  return plain;
}

struct Case {
  std::string name;
  std::function<double(const Probe&)> measure;
  bool by_layers;  ///< unchanged when a layer grows and the next one shrinks
  bool by_units;   ///< the same for single units
  bool by_logits;  ///< unchanged by the scale of the last layer
};

/// Every measure of this kind, on these data.
std::vector<Case> all_cases(const Source& data, const Snapshot& start) {
  // A network without parameters has no distances.
  const auto largest = [](const regimen::Numbers& numbers) { return numbers.empty() ? 0.0 : numbers.begin()->second; };
  return {
      {"MarginPercentile", regimen::MarginPercentile{.data = data}, true, true, false},
      {"LogSpectralProduct", regimen::LogSpectralProduct{.data = data}, true, false, false},
      {"LogSpectralProduct, margin", regimen::LogSpectralProduct{.data = data, .margin_percent = 10}, true, false,
       true},
      {"LogFrobeniusProduct", regimen::LogFrobeniusProduct{.data = data}, true, false, false},
      {"LogFrobeniusProduct, margin", regimen::LogFrobeniusProduct{.data = data, .margin_percent = 10}, true, false,
       true},
      {"FrobeniusOverSpectral", regimen::FrobeniusOverSpectral{.data = data}, true, false, true},
      {"SpectralComplexity", regimen::SpectralComplexity{.data = data}, true, false, false},
      {"SpectralComplexity, margin", regimen::SpectralComplexity{.data = data, .margin_percent = 10}, true, false,
       true},
      {"SpectralComplexity, start", regimen::SpectralComplexity{.data = data, .reference = start}, false, false, false},
      {"MarginOverSpectralProduct", regimen::MarginOverSpectralProduct{.data = data}, true, false, true},
      {"PathNormOverMargin", regimen::PathNormOverMargin{.data = data}, true, true, true},
      {"InputJacobianNorm", regimen::InputJacobianNorm{.data = data}, true, true, false},
      {"InputJacobianSpectralNorm", regimen::InputJacobianSpectralNorm{.data = data}, true, true, false},
      {"InputJacobianSpectralNorm, iterated", regimen::InputJacobianSpectralNorm{.data = data, .iterations = 300}, true,
       true, false},
      {"InputJacobianSquare",
       [data](const Probe& probe) {
         return regimen::InputJacobianSquare{.data = data, .draws = {.least = 4, .most = 4}}(probe).at("value");
       },
       true, true, false},
      {"SpectralNorms",
       [=](const Probe& probe) { return largest(regimen::SpectralNorms{.data = data, .layers = {"0.weight"}}(probe)); },
       false, false, true},
      {"LayerDistances", [=](const Probe& probe) { return largest(regimen::LayerDistances{start}(probe.model)); },
       false, false, true},
  };
}

/// Samples with the labels that the network gives them, so margins are positive.
Source fitted(const regimen::Model& net, const at::Tensor& x) {
  const at::NoGradGuard no_grad;
  return InMemory({.data = x, .target = net.forward(Batch{.data = x}).argmax(1)});
}

}  // namespace

TEST_CASE("norm products: two diagonal layers have the values computed by hand") {
  Sequential net = diagonals();
  const regimen::Integers shape{2};
  CHECK(regimen::LogSpectralProduct{.sample_shape = shape}(net) == Approx(std::log(36)).epsilon(1e-12));
  CHECK(regimen::LogFrobeniusProduct{.sample_shape = shape}(net) == Approx(std::log(50)).epsilon(1e-12));  // 3.9120230
  CHECK(regimen::FrobeniusOverSpectral{.sample_shape = shape}(net) == Approx(10.0 / 9 + 5.0 / 4).epsilon(1e-12));
  const double terms = std::pow(4.0 / 3, 2.0 / 3) + std::pow(3.0 / 2, 2.0 / 3);
  CHECK(regimen::SpectralComplexity{.sample_shape = shape}(net) == Approx(6 * std::pow(terms, 1.5)).epsilon(1e-12));
  CHECK(regimen::SpectralComplexity{.sample_shape = shape}(net) == Approx(24.0277546).epsilon(1e-8));
  Sequential ones = layers({matrix({1, 0, 0, 1}, 2), matrix({1, 0, 0, 1}, 2)});
  Snapshot(net).restore(ones);  // the names fit
  ones = layers({matrix({1, 0, 0, 1}, 2), matrix({1, 0, 0, 1}, 2)});
  const double moved = std::pow(2.0 / 3, 2.0 / 3) + std::pow(1.0 / 2, 2.0 / 3);
  const regimen::SpectralComplexity from_ones{.sample_shape = shape, .reference = Snapshot(ones)};
  CHECK(from_ones(net) == Approx(6 * std::pow(moved, 1.5)).epsilon(1e-12));
  CHECK(from_ones(net) == Approx(9.8656626).epsilon(1e-7));
  CHECK(from_ones(ones) == 0);
}

TEST_CASE("norm products: margins divide, and one that is not positive gives NaN") {
  Sequential net = diagonals();
  // Logits 6 x_0 and x_1: margins 5, 11, and -1 for the wrong label.
  const at::Tensor x = matrix({1, 1, 2, 1}, 2);
  const Source right = InMemory({.data = x, .target = longs({0, 0})});
  const Source wrong = InMemory({.data = x, .target = longs({0, 1})});
  CHECK(regimen::LogSpectralProduct{.data = right, .margin_percent = 10}(net) == Approx(std::log(36.0 / 25)));
  CHECK(regimen::LogFrobeniusProduct{.data = right, .margin_percent = 100}(net) == Approx(std::log(50.0 / 121)));
  CHECK(regimen::SpectralComplexity{.data = right, .margin_percent = 10}(net) == Approx(24.0277546 / 5));
  CHECK(regimen::MarginOverSpectralProduct{.data = right}(net) == Approx(5.0 / 6));
  CHECK(regimen::MarginOverSpectralProduct{.data = wrong}(net) == Approx(-11.0 / 6));
  CHECK(regimen::PathNormOverMargin{.data = right}(net) == Approx(std::sqrt(37) / 5));
  CHECK(std::isnan(regimen::LogSpectralProduct{.data = wrong, .margin_percent = 10}(net)));
  CHECK(std::isnan(regimen::PathNormOverMargin{.data = wrong}(net)));
}

TEST_CASE("norm products: the 2,1 norm adds up the incoming weights of the outputs") {
  // Rows 5 and 10, columns not: a matrix for which they differ.
  Sequential net = layers({matrix({3, 4, 6, 8}, 2)});
  const double spectral = std::sqrt(125);  // of rank one
  CHECK(regimen::SpectralComplexity{.sample_shape = {2}}(net) == Approx(15).epsilon(1e-10));
  CHECK(regimen::LogSpectralProduct{.sample_shape = {2}}(net) == Approx(2 * std::log(spectral)));
}

TEST_CASE("norm products: a layer of zeros leaves nothing of the product") {
  Sequential net = layers({matrix({3, 0, 0, 1}, 2), matrix({0, 0, 0, 0}, 2)});
  CHECK(regimen::LogSpectralProduct{.sample_shape = {2}}(net) == -std::numeric_limits<double>::infinity());
  CHECK(regimen::SpectralComplexity{.sample_shape = {2}}(net) == 0);
  CHECK(std::isnan(regimen::FrobeniusOverSpectral{.sample_shape = {2}}(net)));
}

TEST_CASE("path norm: its values with a skip and with biases are those of all paths") {
  struct Skip : torch::nn::Module {
    Skip() {
      first = register_module("first", Linear(2, 2));
      last = register_module("last", Linear(LinearOptions(2, 1).bias(false)));
      to(at::kDouble);
      const at::NoGradGuard no_grad;
      first->weight.copy_(matrix({1, 2, 3, 4}, 2));
      first->bias.copy_(at::tensor({1.0, 2.0}, at::kDouble));
      last->weight.copy_(matrix({5, 6}, 2));
    }
    at::Tensor forward(const at::Tensor& x) { return last(skips ? x + first(x) : first(x)); }
    Linear first{nullptr}, last{nullptr};
    bool skips = false;
  };
  Skip net;
  CHECK(regimen::path_norm(net, {2}) == Approx(std::sqrt(1194)).epsilon(1e-12));
  const at::NoGradGuard no_grad;
  net.first->bias.zero_();
  CHECK(regimen::path_norm(net, {2}) == Approx(32.0156212).epsilon(1e-8));
  CHECK(regimen::path_norm(net, {2}, 1) == Approx(57).epsilon(1e-12));
  net.skips = true;
  CHECK(regimen::path_norm(net, {2}) == Approx(std::sqrt(1086)).epsilon(1e-12));
  CHECK(regimen::path_norm(net, {2}, 1) == Approx(68).epsilon(1e-12));
}

TEST_CASE("litmus: the norms and margins that are said invariant are, and no others") {
  const auto make = [] {
    Sequential net(Linear(3, 8), ReLU(), Linear(8, 5), ReLU(), Linear(5, 3));
    net->to(at::kDouble);
    randomize(*net, 11);
    return net;
  };
  Sequential net = make();
  const Snapshot start(net);
  {
    const at::NoGradGuard no_grad;
    for (at::Tensor parameter : net->parameters()) {
      parameter.add_(0.2 * at::randn_like(parameter));
    }
  }
  const Snapshot trained(net);
  const at::Tensor x = at::randn({20, 3}, at::kDouble);
  const Source data = fitted(net, x);
  const at::NoGradGuard no_grad;
  const at::Tensor output = net->forward(x);
  auto parameters = net->named_parameters();
  const auto rescale = [&](const at::Tensor& factors) {
    parameters["0.weight"].mul_(factors.unsqueeze(1));
    parameters["0.bias"].mul_(factors);
    parameters["2.weight"].div_(factors);
  };
  for (const Case& each : all_cases(data, start)) {
    CAPTURE(each.name);
    const auto stays = [&](double before) { return std::abs(each.measure(net) - before) < 1e-7 * std::abs(before); };
    const double before = each.measure(net);
    CHECK(std::isfinite(before));
    for (const double factor : {2.0, 4.0}) {
      rescale(at::full({8}, factor, at::kDouble));
      CHECK(furthest(net->forward(x), output) < 1e-12);
      CHECK(stays(before) == each.by_layers);
      trained.restore();
    }
    rescale(at::linspace(0.3, 3, 8, at::kDouble));
    CHECK(furthest(net->forward(x), output) < 1e-12);
    CHECK(stays(before) == each.by_units);
    trained.restore();
    parameters["4.weight"].mul_(3);
    parameters["4.bias"].mul_(3);
    CHECK(stays(before) == each.by_logits);
    trained.restore();
    CHECK(each.measure(net) == before);
  }
}

TEST_CASE("norm products: batch sizes, an unequal last batch among them, give one number") {
  Residual net(/*normalized=*/true);
  randomize(net, 12);
  net.eval();
  const Source data = fitted(net, at::randn({10, 3, 4, 4}, at::kDouble));
  const Snapshot start(net);
  for (const Case& each : all_cases(data, start)) {
    if (each.name == "SpectralNorms") {
      continue;  // asks for another network's layer
    }
    CAPTURE(each.name);
    Probe probe(net);
    probe.how.batch = 10;
    const double all = each.measure(probe);
    for (const std::int64_t batch : {1, 7}) {
      probe.how.batch = batch;
      CHECK(each.measure(probe) == Approx(all).epsilon(1e-9));
    }
  }
}

TEST_CASE("norm products: a residual network with BatchNorm has the folded one's values") {
  for (const bool affine : {true, false}) {
    Residual net(/*normalized=*/true, affine);
    randomize(net, 13);
    net.eval();
    Residual plain = folded(net);
    const at::Tensor x = at::randn({6, 3, 5, 5}, at::kDouble);
    REQUIRE(furthest(net.forward(x), plain.forward(x)) < 1e-10);
    const Source data = fitted(net, x);
    for (const Case& each : all_cases(data, Snapshot(net))) {
      if (each.name != "SpectralNorms" && each.name != "LayerDistances" && each.name != "SpectralComplexity, start") {
        CAPTURE(each.name, affine);
        CHECK(each.measure(net) == Approx(each.measure(plain)).epsilon(1e-8));
      }
    }
  }
}

TEST_CASE("spectral complexity: the reference is folded with its own BatchNorm") {
  Residual net(/*normalized=*/true);
  randomize(net, 14);
  const Snapshot start(net);
  Residual plain_start = folded(net);
  randomize(net, 15);
  Residual plain = folded(net);
  const regimen::Integers shape{3, 4, 4};
  const double expected = regimen::SpectralComplexity{.sample_shape = shape, .reference = Snapshot(plain_start)}(plain);
  CHECK(regimen::SpectralComplexity{.sample_shape = shape, .reference = start}(net) == Approx(expected).epsilon(1e-8));
  CHECK(regimen::SpectralComplexity{.sample_shape = shape}(net) != Approx(expected));
  check_error([&] { (void)regimen::SpectralComplexity{.sample_shape = shape, .reference = Snapshot(plain)}(net); },
              {"does not fit the snapshot"});
}

TEST_CASE("norm products: frozen, unused, tied and channels_last parameters change nothing") {
  Residual net(/*normalized=*/true);
  randomize(net, 16);
  const Source data = fitted(net, at::randn({5, 3, 4, 4}, at::kDouble));
  const double before = regimen::LogSpectralProduct{.data = data}(net);
  for (at::Tensor parameter : net.parameters()) {
    parameter.set_requires_grad(false);
  }
  CHECK(regimen::LogSpectralProduct{.data = data}(net) == before);
  net.first->weight.set_data(net.first->weight.contiguous(at::MemoryFormat::ChannelsLast));
  CHECK(regimen::LogSpectralProduct{.data = data}(net) == Approx(before).epsilon(1e-12));
  awkward::Unused unused;
  CHECK(std::isfinite(regimen::SpectralComplexity{.sample_shape = {4}}(unused)));
  awkward::Tied tied;
  const auto square = [](const at::Tensor& w) { return w.detach().to(at::kDouble).square().sum().item<double>(); };
  CHECK(regimen::LogFrobeniusProduct{.sample_shape = {4}}(tied) ==
        Approx(std::log(square(tied.first->weight) * square(tied.table))));
}

TEST_CASE("norms and margins: ten awkward networks are left as they were") {
  for (const awkward::Network& net : awkward::all_ten()) {
    const Source data = InMemory(net.batch);
    const awkward::State before(net);
    for (const Case& each : all_cases(data, Snapshot(net.model))) {
      CAPTURE(net.name, each.name);
      const std::string said = error_of([&] { (void)each.measure(net.model); });
      const bool has_none = said.find("0.weight runs") != std::string::npos ||  // SpectralNorms of another network
                            said.find("with parameters") != std::string::npos;  // a path norm
      CHECK((said == "no error" || has_none));
      CHECK(before.difference(awkward::State(net), {}) == "");
    }
  }
}

TEST_CASE("norm products: missing data, missing layers and wrong settings are errors") {
  Sequential net = diagonals();
  Sequential none{ReLU(), torch::nn::Flatten()};
  const Source no_labels = InMemory({.data = matrix({1, 1}, 2)});
  check_error([&] { (void)regimen::LogSpectralProduct{}(net); }, {"LogSpectralProduct.sample_shape"});
  check_error([&] { (void)regimen::LogSpectralProduct{.sample_shape = {2}, .margin_percent = 10}(net); },
              {"LogSpectralProduct.data"});
  check_error([&] { (void)regimen::LogSpectralProduct{.data = no_labels, .margin_percent = 10}(net); }, {"margins"});
  check_error([&] { (void)regimen::FrobeniusOverSpectral{.sample_shape = {2}}(none); }, {"FrobeniusOverSpectral"});
  check_error([] { regimen::LogSpectralProduct{.margin_percent = 0}.check(); }, {"LogSpectralProduct.margin_percent"});
  check_error([] { regimen::SpectralComplexity{.margin_percent = 101}.check(); }, {"(0, 100]", "101"});
  check_error([] { regimen::PathNormOverMargin{.p = 0.5}.check(); }, {"PathNormOverMargin.p"});
  check_error([] { regimen::MarginOverSpectralProduct{.percent = 0}.check(); }, {"MarginOverSpectralProduct.percent"});
  Probe probe(net);
  probe.fit = InMemory({.data = matrix({1, 1}, 2), .target = longs({0})});
  CHECK(regimen::MarginOverSpectralProduct{}(probe) == Approx(5.0 / 6));
}

TEST_CASE("norm summary: its numbers are those of the single measures") {
  Residual net(/*normalized=*/true);
  randomize(net, 17);
  const Snapshot start(net);
  randomize(net, 18);
  net.eval();  // as it is scored
  const Source data = fitted(net, at::randn({5, 3, 4, 4}, at::kDouble));
  for (const std::optional<double>& percent : {std::optional<double>(), std::optional<double>(100)}) {
    const regimen::NormSummary summary{.data = data, .reference = start, .margin_percent = percent};
    const regimen::Numbers all = summary(net);
    const auto is = [&](const char* name, double number) {
      CAPTURE(name, number);
      CHECK((all.at(name) == number || (std::isnan(number) && std::isnan(all.at(name)))));
    };
    is("log_spectral", regimen::LogSpectralProduct{.data = data, .margin_percent = percent}(net));
    is("log_frobenius", regimen::LogFrobeniusProduct{.data = data, .margin_percent = percent}(net));
    is("frobenius_over_spectral", regimen::FrobeniusOverSpectral{.data = data}(net));
    is("complexity", regimen::SpectralComplexity{.data = data, .reference = start, .margin_percent = percent}(net));
    is("unconverged", 0);
    CHECK(regimen::AnyMeasure(summary).numbers("norms", net).at("norms_complexity") == all.at("complexity"));
  }
  CHECK(regimen::NormSummary{.data = data, .iteration = {.most = 1}}(net).at("unconverged") == 2);
  check_error([] { regimen::NormSummary{.margin_percent = -1}.check(); }, {"NormSummary.margin_percent"});
}

TEST_CASE("layer distances: each parameter has its own, under its name") {
  Sequential net = layers({matrix({3, 0, 0, 4}, 2), matrix({1, 1}, 2)});
  const Snapshot start(net);
  const at::NoGradGuard no_grad;
  net->parameters()[0][0][0] += 2;
  const regimen::Numbers distances = regimen::layer_distances(net, start);
  CHECK(distances == regimen::Numbers{{"0.weight", 2}, {"2.weight", 0}});
  CHECK(regimen::LayerDistances{start, /*relative=*/true}(net).at("0.weight") == Approx(2.0 / 5));
  const regimen::AnyMeasure measure = regimen::LayerDistances{start};
  CHECK(measure.names("distance") == std::vector<std::string>{"distance_0.weight", "distance_2.weight"});
  CHECK(measure.numbers("distance", net).at("distance_0.weight") == 2);
  double square = 0;
  for (const auto& [name, distance] : distances) {
    square += distance * distance;
  }
  CHECK(std::sqrt(square) == regimen::distance(net, start));
  awkward::Tied tied;  // and a network with tied weights and with buffers
  CHECK(regimen::LayerDistances{Snapshot(tied)}(tied).size() == 3);
  awkward::SharedNorm shared;
  CHECK(regimen::LayerDistances{Snapshot(shared)}.names().size() == regimen::Weights(shared).parameters().size());
  Sequential wider = layers({matrix({1, 0, 0, 1, 1, 1}, 2), matrix({1, 1, 1}, 3)});
  check_error([&] { (void)regimen::layer_distances(wider, start); }, {"layer_distances", "0.weight"});
}

}  // namespace norm_products_test
