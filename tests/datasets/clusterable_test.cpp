#include "support/tensors.hpp"

#include <cmath>

#include <regimen/regimen.hpp>

namespace clusterable_test {

namespace {

namespace rg = regimen;

double largest(const at::Tensor& t) {
  return t.abs().max().item<double>();
}

TEST_CASE("clusterable data: points lie on the sphere, at one distance from their centre", "[datasets]") {
  for (const double radius : {0.0, 0.1, 0.5, 1.9}) {
    const rg::ClusterableData data{.clusters = 7, .dimensions = 12, .radius = radius, .classes = 3, .seed = 5};
    const rg::Batch points = data.sample(9, 2);
    REQUIRE(points.data.sizes() == at::IntArrayRef({63, 12}));
    CHECK(largest(points.data.norm(2, 1) - 1) < 1e-5);
    CHECK(largest(data.centres().norm(2, 1) - 1) < 1e-6);
    const at::Tensor centre = data.centres().index_select(0, points.id.remainder(7));
    CHECK(largest((points.data - centre).norm(2, 1) - radius) < 1e-5);
    CHECK(at::equal(data.cluster_of(points.id), points.id.remainder(7)));
    CHECK(at::equal(points.target, points.id.remainder(7).remainder(3)));
  }
}

TEST_CASE("clusterable data: in two dimensions a point is one of two on the circle", "[datasets]") {
  // At a right angle to the centre there are two directions, and radius sqrt(2) is a right angle.
  const rg::ClusterableData data{.clusters = 1, .dimensions = 2, .radius = std::sqrt(2.0)};
  const rg::Batch points = data.sample(200, 1);
  const at::Tensor centre = data.centres()[0];
  const at::Tensor across = at::stack({-centre[1], centre[0]});
  const at::Tensor side = points.data.matmul(across);
  CHECK(largest(points.data.matmul(centre)) < 1e-5);
  CHECK(largest(side.abs() - 1) < 1e-5);
  // Both are equally likely: 200 coins, five standard deviations.
  CHECK(std::abs(side.gt(0).sum().item<double>() - 100) < 35);
}

TEST_CASE("clusterable data: directions are uniform, and independent of the centre", "[datasets]") {
  const rg::ClusterableData data{.clusters = 1, .dimensions = 20, .radius = 0.3};
  const at::Tensor points = data.sample(4000, 3).data.to(at::kDouble);
  const at::Tensor centre = data.centres()[0].to(at::kDouble);
  const double cosine = 1 - 0.3 * 0.3 / 2;
  const at::Tensor across = (points - centre * cosine) / std::sqrt(1 - cosine * cosine);
  // A uniform direction among 19 has mean 0 and covariance (I - c c') / 19.
  CHECK(across.mean(0).norm().item<double>() < 5 / std::sqrt(4000.0));
  const at::Tensor covariance = across.t().matmul(across) / 4000;
  const at::Tensor expected = (at::eye(20, at::kDouble) - at::outer(centre, centre)) / 19;
  CHECK(largest(covariance - expected) < 0.006);
}

TEST_CASE("clusterable data: a point is a function of the seeds and its id", "[datasets]") {
  const rg::ClusterableData data{.clusters = 4, .dimensions = 6};
  const rg::Batch few = data.sample(2, 1);
  const rg::Batch many = data.sample(5, 1);
  CHECK(at::equal(few.data, many.data.narrow(0, 0, 8)));
  const rg::Batch picked = data.points(rg::Key(1, at::tensor({13, 2}, at::kLong)));
  CHECK(at::equal(picked.data[0], many.data[13]));
  CHECK(at::equal(picked.data[1], many.data[2]));
  CHECK_FALSE(at::equal(few.data, data.sample(2, 2).data));
  rg::ClusterableData elsewhere = data;
  elsewhere.seed = 2;
  CHECK_FALSE(at::equal(data.centres(), elsewhere.centres()));
  elsewhere = data;
  elsewhere.radius = 1;
  CHECK(at::equal(data.centres(), elsewhere.centres()));
}

TEST_CASE("clusterable data: an exact share of each cluster's labels can be flipped", "[datasets]") {
  const rg::ClusterableData data;
  const rg::Batch clean = data.sample(20, 1);
  const rg::Source noisy = rg::frozen(clean, rg::UniformLabels{.classes = 2, .exclude_true = true}, 1,
                                      rg::exactly_in_each(data.cluster_of(clean.id), 0.3));
  const rg::LabelNoise noise = rg::label_noise(noisy, clean);
  for (std::int64_t cluster = 0; cluster < 10; ++cluster) {
    const at::Tensor here = data.cluster_of(noise.id) == cluster;
    CHECK(noise.touched.logical_and(here).sum().item<std::int64_t>() == 6);
  }
}

TEST_CASE("clusterable data: fields out of their ranges are refused", "[datasets]") {
  check_error([] { (void)rg::ClusterableData{.radius = 2}.centres(); }, {"ClusterableData.radius must be in [0, 2)"});
  check_error([] { (void)rg::ClusterableData{.dimensions = 1}.sample(1, 1); }, {"ClusterableData.dimensions"});
  check_error([] { (void)rg::ClusterableData{.clusters = 0}.sample(1, 1); }, {"ClusterableData.clusters"});
  check_error([] { (void)rg::ClusterableData{.classes = 1}.sample(1, 1); }, {"ClusterableData.classes"});
  check_error([] { (void)rg::ClusterableData{}.sample(0, 1); }, {"per_cluster must be at least 1"});
}

}  // namespace

}  // namespace clusterable_test
