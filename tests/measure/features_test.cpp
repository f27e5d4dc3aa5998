// Ranks of features and neural collapse.

#include "support/tensors.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include <regimen/regimen.hpp>
#include "support/measured.hpp"

namespace features_test {

namespace {

using measured::check_close;
using measured::Echo;
using measured::points;
using measured::rows;
using regimen::FeatureRank;
using regimen::neural_collapse;
using regimen::NeuralCollapse;

const double nan = std::numeric_limits<double>::quiet_NaN();

/// Samples at +- sqrt(4 l) along each axis, so that the covariance is diagonal with the entries l.
at::Tensor with_covariance(const std::vector<double>& eigenvalues) {
  const at::Tensor half =
      at::diag((at::tensor(eigenvalues, at::kDouble) * static_cast<double>(eigenvalues.size())).sqrt());
  return at::cat({half, -half});
}

/// NC1 as it is written, by the matrices.
double collapse_by_hand(const at::Tensor& h, const at::Tensor& label, std::int64_t classes) {
  std::vector<at::Tensor> means;
  at::Tensor within = at::zeros({h.size(1), h.size(1)}, at::kDouble);
  for (std::int64_t c = 0; c < classes; ++c) {
    const at::Tensor own = h.index_select(0, (label == c).nonzero().flatten());
    means.push_back(own.mean(0));
    within += (own - own.mean(0)).t().matmul(own - own.mean(0)) / h.size(0);
  }
  const at::Tensor mean = at::stack(means);
  const at::Tensor between = (mean - mean.mean(0)).t().matmul(mean - mean.mean(0)) / classes;
  return within.matmul(at::linalg_pinv(between, 1e-10, /*hermitian=*/true)).trace().item<double>() /
         static_cast<double>(classes);
}

/// A network that shows its hidden features.
struct Shows : torch::nn::Module {
  Shows() {
    first = register_module("first", torch::nn::Linear(4, 5));
    last = register_module("last", torch::nn::Linear(5, 3));
    to(at::kDouble);
  }
  torch::Tensor forward(const torch::Tensor& x) {
    return last(regimen::tap(torch::relu(first(x)).view({x.size(0), 5, 1})).flatten(1));
  }
  torch::nn::Linear first{nullptr}, last{nullptr};
};

}  // namespace

TEST_CASE("covariance_spectrum: the covariance's eigenvalues by falling size") {
  const std::vector<double> expected = {4, 2, 1, 1};
  const std::vector<double> found = regimen::covariance_spectrum(with_covariance({1, 4, 1, 2}) + 5);
  REQUIRE(found.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(found[i] == Approx(expected[i]).epsilon(1e-12));
  }
  const at::Tensor x = points(30).data + 1;
  const at::Tensor moments = x.t().matmul(x) / 30;
  const std::vector<double> plain = regimen::covariance_spectrum(x, /*centred=*/false);
  const at::Tensor direct = at::linalg_eigvalsh(moments).flip(0);
  CHECK(furthest(at::tensor(plain, at::kDouble), direct) < 1e-12);
  CHECK(regimen::covariance_spectrum(x.slice(0, 0, 3)).size() == 3);
}

TEST_CASE("feature rank: the ranks of a covariance with the eigenvalues 4, 2, 1, 1") {
  Echo net;
  const FeatureRank rank{.data = regimen::Batch{.data = with_covariance({4, 2, 1, 1}) + 3}};
  const regimen::Numbers expected = {
      {"effective_rank", 2}, {"squared_effective_rank", 64.0 / 22}, {"entropy_rank", std::pow(2, 1.75)}};
  check_close(rank(net), expected);
  net.weight.fill_(7);  // the scale of the logits
  check_close(rank(net), expected);
}

TEST_CASE("feature rank: batch size and rescaled ReLU units change nothing") {
  torch::nn::Sequential net = small_mlp(4, 8, 3);
  randomize(*net, 1);
  net->train();
  const regimen::Source data = points(50);
  const FeatureRank rank{.data = data};
  const NeuralCollapse collapse{.data = data};
  const Kept kept(*net);
  const regimen::Numbers found = rank(net);
  const double collapsed = collapse(net);
  kept.check();
  CHECK(found.at("effective_rank") > 1);
  for (const int batch : {1, 7, 50}) {
    check_close(FeatureRank{.data = data, .how = {.batch = batch}}(net), found);
    CHECK(NeuralCollapse{.data = data, .how = {.batch = batch}}(net) == Approx(collapsed).epsilon(1e-10));
  }
  measured::rescale(net);
  measured::scale_outputs(net, 4);
  check_close(rank(net), found);
  CHECK(collapse(net) == Approx(collapsed).epsilon(1e-10));
}

TEST_CASE("feature rank: a tensor shown by tap is flattened to a row a sample") {
  Shows net;
  randomize(net, 3);
  const regimen::Batch data = points(40);
  const at::Tensor hidden = torch::relu(net.first(data.data));
  const regimen::Numbers found = FeatureRank{.data = data, .tap = 0}(net);
  CHECK(found.at("effective_rank") ==
        Approx(regimen::effective_rank(regimen::covariance_spectrum(hidden))).epsilon(1e-12));
  CHECK(NeuralCollapse{.data = data, .tap = 0}(net) == Approx(neural_collapse(hidden, data.target)).epsilon(1e-12));
  CHECK(NeuralCollapse{.data = data}(net) ==
        Approx(neural_collapse(net.forward(data.data), data.target)).epsilon(1e-12));
  const at::NoGradGuard no_grad;
  net.first->weight[0].mul_(10);
  net.first->bias[0].mul_(10);
  net.last->weight.select(1, 0).div_(10);
  CHECK(std::abs(FeatureRank{.data = data, .tap = 0}(net).at("effective_rank") - found.at("effective_rank")) > 1e-3);
  check_error([&] { (void)FeatureRank{.data = data, .tap = 1}(net); }, {"FeatureRank.tap", "regimen::tap, 1", "is 1"});
  check_error([&] { (void)NeuralCollapse{.data = data, .tap = -1}(net); }, {"NeuralCollapse.tap", "at least 0"});
}

TEST_CASE("covariance_spectrum: what is rounding of the features' own type is 0") {
  const at::Tensor x = regimen::Key(3, at::arange(50, at::kLong)).normal({2}).to(at::kDouble);
  const at::Tensor wide = regimen::Key(4, at::arange(2, at::kLong)).normal({6}).to(at::kDouble);
  const std::vector<double> exact = regimen::covariance_spectrum(x.matmul(wide));  // of rank 2
  const std::vector<double> rounded = regimen::covariance_spectrum(x.matmul(wide).to(at::kFloat));
  for (std::size_t i = 0; i < 6; ++i) {
    CAPTURE(i);
    CHECK((rounded[i] > 0) == (i < 2));
    CHECK((exact[i] > 0) == (i < 2));
  }
  CHECK(rounded[1] == Approx(exact[1]).epsilon(1e-5));
  CHECK_FALSE(regimen::benign_split(rounded, 3).has_value());  // a tail of rounding alone is none
}

TEST_CASE("feature rank: NaN for features that are equal or not finite") {
  Echo net;
  const auto rank_of = [&](const at::Tensor& features) {
    return FeatureRank{.data = regimen::Batch{.data = features}}(net);
  };
  CHECK(std::isnan(rank_of(at::ones({4, 2}, at::kDouble)).at("entropy_rank")));
  CHECK(std::isnan(rank_of(rows({1, nan}, 2)).at("effective_rank")));
  for (const std::int64_t n : {3, 7, 100, 1001}) {  // means of these are rounded
    CAPTURE(n);
    const at::Tensor equal = rows({0.1, 1.0 / 3, -7e5}, 3).expand({n, 3});
    CHECK(std::isnan(rank_of(equal).at("effective_rank")));
    CHECK(std::isnan(rank_of(equal.to(at::kFloat)).at("entropy_rank")));
  }
  check_error([] { (void)regimen::covariance_spectrum(rows({1, nan}, 2)); }, {"covariance_spectrum", "finite"});
  check_error([] { (void)regimen::covariance_spectrum(at::ones({3}, at::kDouble)); }, {"[n, d]", "[3] double"});
  check_error([&] { (void)FeatureRank{}(net); }, {"FeatureRank takes data"});
}

TEST_CASE("neural collapse: spread of 0.1 across the means is 0, along them 0.005") {
  const at::Tensor label = longs({0, 0, 1, 1});
  const at::Tensor across = rows({1, 0.1, 1, -0.1, -1, 0.1, -1, -0.1}, 2);
  const at::Tensor along = rows({1.1, 0, 0.9, 0, -0.9, 0, -1.1, 0}, 2);
  CHECK(neural_collapse(across, label) == Approx(0).margin(1e-15));
  CHECK(neural_collapse(along, label) == Approx(0.005).epsilon(1e-12));
  CHECK(neural_collapse(along * 100 - 7, label) == Approx(0.005).epsilon(1e-12));
  CHECK(neural_collapse(along + 1e6, label) == Approx(0.005).epsilon(1e-8));
  CHECK(neural_collapse(across + 1e6, label) == Approx(0).margin(1e-8));
  CHECK(neural_collapse(along, label * 5 - 3) == Approx(0.005).epsilon(1e-12));  // any two labels are two classes
}

TEST_CASE("neural collapse: it is the trace of the matrices, for classes of any size") {
  for (const std::int64_t dimensions : {2, 5, 12}) {
    const std::int64_t classes = 4;
    const at::Tensor id = at::arange(60, at::kLong);
    const at::Tensor label = (id / 3).floor().remainder(7).clamp_max(classes - 1).to(at::kLong);  // of unequal sizes
    const at::Tensor h = regimen::Key(5, id).normal({dimensions}).to(at::kDouble) +
                         at::one_hot(label, 12).to(at::kDouble).slice(1, 0, dimensions) * 3;
    CAPTURE(dimensions);
    CHECK(neural_collapse(h, label) == Approx(collapse_by_hand(h, label, classes)).epsilon(1e-9));
    const at::Tensor turned = std::get<0>(at::linalg_qr(at::randn({dimensions, dimensions}, at::kDouble)));
    CHECK(neural_collapse(h.matmul(turned) * 3, label) == Approx(neural_collapse(h, label)).epsilon(1e-9));
  }
}

TEST_CASE("neural collapse: behind a bottleneck, float features have the bottleneck's own value") {
  // An injective linear map changes neither the trace nor its terms, so outputs of rank 2 have the value of the 2
  // features that they are made of; what rounding adds in 7 more directions is no spread.
  const at::Tensor id = at::arange(90, at::kLong);
  const at::Tensor label = id.remainder(9);
  const at::Tensor means = regimen::Key(1, at::arange(9, at::kLong)).normal({2}).to(at::kDouble);
  const at::Tensor two = means.index_select(0, label) + 0.1 * regimen::Key(2, id).normal({2}).to(at::kDouble);
  const double own = collapse_by_hand(two, label, 9);
  torch::nn::Linear last(2, 9);
  randomize(*last, 4);
  const at::Tensor outputs = last(two.to(at::kFloat)).detach();
  REQUIRE(outputs.scalar_type() == at::kFloat);
  CHECK(neural_collapse(outputs, label) == Approx(own).epsilon(1e-4));
  const regimen::Batch data{.data = two.to(at::kFloat), .target = label};
  CHECK(NeuralCollapse{.data = data}(last) == Approx(own).epsilon(1e-4));
  CHECK(neural_collapse(outputs.to(at::kBFloat16), label) == Approx(own).epsilon(0.2));
}

TEST_CASE("neural collapse: NaN with one class, equal means or NaN") {
  const at::Tensor h = rows({1, 0, -1, 0, 1, 0, -1, 0}, 2);
  CHECK(std::isnan(neural_collapse(h, longs({2, 2, 2, 2}))));
  CHECK(std::isnan(neural_collapse(h, longs({0, 0, 1, 1}))));
  CHECK(std::isnan(neural_collapse(rows({1, nan}, 2), longs({0}))));
  CHECK(neural_collapse(h, longs({0, 1, 0, 1})) == 0);
  check_error([&] { (void)neural_collapse(h, longs({0, 1})); }, {"neural_collapse", "labels of [n]", "[2] long"});
  check_error([&] { (void)neural_collapse(h, h); }, {"labels of [n]", "double"});
  Echo net;
  check_error([&] { (void)NeuralCollapse{.data = regimen::Batch{.data = h}}(net); }, {"labels of [n]", "undefined"});
}

}  // namespace features_test
