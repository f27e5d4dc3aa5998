#include "support/tensors.hpp"

#include <cmath>
#include <vector>

#include <regimen/regimen.hpp>

namespace gaussian_features_test {

namespace {

using regimen::Batch;
using regimen::GaussianFeatures;

at::Tensor vector(const std::vector<double>& values) {
  return at::tensor(values, at::kDouble);
}

}  // namespace

TEST_CASE("gaussian features: a label has the bits of its id, alone and among many") {
  const regimen::GaussianFeatures data{.spectrum = regimen::power_law_spectrum(1, 2003),
                                       .theta = torch::ones({2003}, torch::kDouble)};
  const regimen::Batch many = data.sample(37, 4);
  for (std::int64_t id = 0; id < 37; ++id) {
    const regimen::Batch one = data.points(regimen::Key(4, torch::tensor({id})));
    CHECK(same(one.data[0], many.data[id]));
    CHECK(same(one.target[0], many.target[id]));
  }
}

TEST_CASE("GaussianFeatures: variances are the spectrum, features are uncorrelated, the noise is the labels' rest") {
  const GaussianFeatures data{.spectrum = {4, 1, 0.25, 0}, .theta = vector({1.0, -1, 2, 5}), .noise = 0.5};
  const Batch many = data.sample(40000, 1);
  CHECK(many.data.sizes() == at::IntArrayRef({40000, 4}));
  CHECK(many.data.scalar_type() == at::kDouble);
  CHECK(many.target.sizes() == at::IntArrayRef({40000}));
  const at::Tensor covariance = many.data.t().matmul(many.data) / 40000;
  // An entry's standard deviation is at most sqrt(2) times the variance over sqrt(40000).
  CHECK(furthest(covariance, at::diag(data.variances())) < 5 * 4 * std::sqrt(2.0 / 40000));
  CHECK(covariance[0][1].abs().item<double>() < 5 * 2 / std::sqrt(40000.0));
  CHECK(covariance[3].abs().max().item<double>() == 0);
  const at::Tensor rest = many.target - many.data.matmul(data.theta);
  CHECK(std::abs(rest.mean().item<double>()) < 5 * 0.5 / 200);
  CHECK(std::abs(rest.std().item<double>() - 0.5) < 5 * 0.5 / std::sqrt(80000.0));
  CHECK(std::abs(correlation(rest, many.data.select(1, 0))) < 5 / 200.0);
}

TEST_CASE("GaussianFeatures: a sample is a function of seed and id, the features not of theta and noise") {
  const GaussianFeatures data{.spectrum = std::vector<double>(6, 1.0), .theta = at::ones({6}), .noise = 1};
  CHECK(same(regimen::slice(data.sample(20, 3), 0, 5), data.sample(5, 3)));
  CHECK(same(data.points(regimen::Key(3, longs({4, 2}))), regimen::rows(data.sample(5, 3), longs({4, 2}))));
  CHECK_FALSE(same(data.sample(5, 3).data, data.sample(5, 4).data));
  GaussianFeatures other = data;
  other.theta = at::Tensor();
  other.noise = 0;
  CHECK(same(other.sample(5, 3).data, data.sample(5, 3).data));
  CHECK(other.sample(5, 3).target.abs().max().item<double>() == 0);
  other.type = at::kFloat;
  CHECK(same(other.sample(5, 3).data, data.sample(5, 3).data.to(at::kFloat)));
}

TEST_CASE("GaussianFeatures: excess_risk by hand, and as the mean over new points") {
  const GaussianFeatures data{.spectrum = {4, 1, 0.25}, .theta = vector({1.0, -1, 2}), .noise = 3};
  const at::Tensor w = vector({0.5, -1, 4});
  CHECK(data.excess_risk(w) == Approx(4 * 0.25 + 0.25 * 4).epsilon(1e-14));
  const at::Tensor off = data.sample(20000, 1).data.matmul(w - data.theta).square();
  CHECK(std::abs(off.mean().item<double>() - 2) < 5 * 2 * std::sqrt(2.0 / 20000));
  CHECK(GaussianFeatures{.spectrum = {4, 1}}.excess_risk(at::ones({2})) == 5);
}

TEST_CASE("GaussianFeatures: fields out of range are errors") {
  const auto refused = [](const GaussianFeatures& data) { return error_of([&] { (void)data.sample(1, 1); }); };
  CHECK(refused({}) == "GaussianFeatures.spectrum.size() must be at least 1, but is 0");
  CHECK(refused({.spectrum = {1, -2}}) == "GaussianFeatures.spectrum[1] must be finite and at least 0, but is -2");
  CHECK(refused({.spectrum = {1}, .noise = NAN}) == "GaussianFeatures.noise must be finite and at least 0, but is nan");
  CHECK(refused({.spectrum = {1, 1}, .theta = at::ones({3})}) ==
        "GaussianFeatures.theta must be of [2], one for each variance, not [3] float");
  CHECK(refused({.spectrum = {1}, .type = at::kLong}) == "GaussianFeatures.type must be floating, but is Long");
  check_error([] { (void)GaussianFeatures{.spectrum = {1}}.sample(0, 1); }, {"sample: n", "at least 1", "is 0"});
  check_error([] { (void)GaussianFeatures{.spectrum = {1}}.excess_risk(at::ones({2})); }, {"w of [1]", "[2] float"});
}

}  // namespace gaussian_features_test
