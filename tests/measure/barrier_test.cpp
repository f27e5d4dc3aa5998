#include "support/minima.hpp"
#include "support/small_networks.hpp"

#include <cmath>
#include <memory>
#include <vector>

#include <regimen/regimen.hpp>
#include "support/awkward.hpp"
#include "support/tensors.hpp"

namespace barrier_test {

namespace {

using minima::HalfSquare;
using minima::Product;
using regimen::Barrier;
using regimen::Batch;
using regimen::LossLine;
using regimen::Snapshot;
using regimen::Source;
using torch::nn::BatchNorm1d;
using torch::nn::BatchNorm1dOptions;
using torch::nn::Linear;
using torch::nn::ReLU;
using torch::nn::Sequential;

Sequential with_norm(bool affine = true) {
  Sequential net(Linear(2, 4), BatchNorm1d(BatchNorm1dOptions(4).affine(affine)), ReLU(), Linear(4, 2));
  net->to(at::kDouble);
  return net;
}

}  // namespace

TEST_CASE("Barrier: from (1, 1) to (-1, -1) on (ab - 1)^2 / 2 it is .5, in the middle") {
  Product net(1, 1);
  Product other(-1, -1);
  const Snapshot to(other);
  const Barrier barrier{.data = minima::samples(), .how = {.loss = HalfSquare{}}, .to = to};
  const LossLine line = barrier.line(net);
  REQUIRE(line.points.size() == 25);
  for (const regimen::LinePoint& point : line.points) {
    const double a = 1 - 2 * point.t;
    CHECK(point.loss == Approx(std::pow(a * a - 1, 2) / 2).margin(1e-14));
    CHECK(std::isnan(point.accuracy));
  }
  CHECK(line.barrier() == Approx(0.5).epsilon(1e-12));
  CHECK(line.over_mean() == Approx(0.5).epsilon(1e-12));
  CHECK(std::isnan(line.accuracy_barrier()));
  CHECK(net.first.item<double>() == 1);
}

TEST_CASE("Barrier: a straight line from 0 to 1 has none, but rises over the mean of its ends") {
  torch::nn::Linear net = minima::linear({0});
  torch::nn::Linear other = minima::linear({1});
  const Source data = Batch{.data = at::ones({3, 1}, at::kDouble)};
  const LossLine line = Barrier{.data = data, .how = {.loss = minima::OutputItself{}}, .to = Snapshot(other)}.line(net);
  CHECK(std::abs(line.barrier()) < 1e-15);
  CHECK(line.over_mean() == Approx(0.5).epsilon(1e-12));
  const LossLine sagging{.points = {{0, 1, 0.9}, {0.5, 0.2, 0.5}, {1, 0, 0.7}}};
  CHECK(sagging.barrier() == 0);
  CHECK(sagging.accuracy_barrier() == Approx(0.3));
  CHECK(sagging.accuracy_below_mean() == Approx(0.3));
  const LossLine of_nan{.points = {{0, 1, 1}, {0.5, std::nan(""), 1}, {1, 2, 1}}};
  CHECK(std::isnan(of_nan.barrier()));
}

TEST_CASE("Barrier: its ends are the two networks, and its accuracies those of evaluate") {
  Sequential net = small_mlp();
  randomize(*net, 1);
  const Snapshot first(net);
  randomize(*net, 2);
  const Snapshot last(net);
  randomize(*net, 3);
  const Source data = minima::labelled(20);
  const LossLine line = Barrier{.data = data, .from = first, .to = last, .points = 3}.line(net);
  const Kept kept(*net);
  const auto check = [&](const regimen::LinePoint& point) {
    const regimen::Score score = regimen::evaluate(net, data);
    CHECK(point.loss == score.loss);
    CHECK(point.accuracy == score.accuracy);
  };
  first.restore();
  check(line.points[0]);
  last.restore();
  check(line.points[2]);
  const at::NoGradGuard no_grad;
  for (const regimen::Named& named : regimen::Model(net).named_parameters()) {
    at::Tensor parameter = named.tensor;
    parameter.copy_((first.find(named) + last.find(named)) / 2);
  }
  CHECK(line.points[1].loss == Approx(regimen::evaluate(net, data).loss).epsilon(1e-12));
}

TEST_CASE("Barrier: without a `from` the line begins at the model") {
  Sequential net = small_mlp();
  randomize(*net, 1);
  const Snapshot first(net);
  randomize(*net, 2);
  const Snapshot last(net);
  first.restore();
  const Source data = minima::labelled();
  const regimen::Numbers own = Barrier{.data = data, .to = last}(net);
  CHECK(own == Barrier{.data = data, .from = first, .to = last}(net));
  const regimen::Numbers back = Barrier{.data = data, .from = last, .to = first}(net);
  CHECK(back.at("barrier") == Approx(own.at("barrier")).epsilon(1e-9));
}

TEST_CASE("Barrier: BatchNorm's statistics are interpolated, or estimated anew at each point") {
  for (const bool affine : {true, false}) {
    Sequential net = with_norm(affine);
    randomize(*net, 1);
    const Snapshot first(net);
    randomize(*net, 2);
    const Snapshot last(net);
    const Source data = minima::labelled(20);
    Barrier barrier{.data = data, .from = first, .to = last, .points = 3};
    const LossLine interpolated = barrier.line(net);
    barrier.batch_norm = regimen::Reestimation{.batch = 20};
    const LossLine estimated = barrier.line(net);

    const at::NoGradGuard no_grad;
    for (const regimen::Named& named : regimen::Model(net).named_tensors()) {
      at::Tensor tensor = named.tensor;
      if (tensor.is_floating_point()) {
        tensor.copy_((first.find(named) + last.find(named)) / 2);
      }
    }
    CHECK(interpolated.points[1].loss == Approx(regimen::evaluate(net, data).loss).epsilon(1e-12));
    regimen::reestimate_batch_norm(net, data, {.batch = 20});
    CHECK(estimated.points[1].loss == Approx(regimen::evaluate(net, data).loss).epsilon(1e-12));
    first.restore();
    CHECK(interpolated.points[0].loss == regimen::evaluate(net, data).loss);
    regimen::reestimate_batch_norm(net, data, {.batch = 20});
    CHECK(estimated.points[0].loss == Approx(regimen::evaluate(net, data).loss).epsilon(1e-12));

    barrier.batch_norm_data = minima::labelled(20, 5);
    CHECK(barrier.line(net).points[1].loss != estimated.points[1].loss);
  }
}

TEST_CASE("Barrier: statistics are estimated from data as they are scored, preprocessed") {
  Sequential net = with_norm();
  randomize(*net, 1);
  const Snapshot first(net);
  randomize(*net, 2);
  const Source data = minima::labelled(20);
  const Batch all = regimen::materialize(data);
  const Source shifted = Batch{.data = all.data - 3, .target = all.target};
  const auto shift = [](const Batch& batch, const regimen::Key&) {
    Batch result = batch;
    result.data = batch.data + 3;
    return result;
  };
  Barrier barrier{.data = data, .to = first, .points = 3, .batch_norm = regimen::Reestimation{}};
  const LossLine plain = barrier.line(net);
  barrier.data = shifted;
  barrier.how.preprocess = {shift};
  CHECK(barrier.line(net).points[1].loss == Approx(plain.points[1].loss).epsilon(1e-9));
}

TEST_CASE("Barrier: rescaling the ReLU units of one end changes it") {
  Sequential net = small_mlp();
  randomize(*net, 1);
  const Snapshot to(net);
  const Source data = minima::labelled();
  CHECK(Barrier{.data = data, .to = to}(net).at("barrier") == Approx(0).margin(1e-12));
  minima::rescale(net, at::tensor({0.1, 3.0, 20.0}, at::kDouble));
  const std::vector<regimen::LinePoint> points = Barrier{.data = data, .to = to}.line(net).points;
  CHECK(points.front().loss == Approx(points.back().loss).epsilon(1e-9));
  CHECK(std::abs(points[12].loss - points.front().loss) > 1e-4);
}

TEST_CASE("Barrier: the batch size changes nothing, nor does an unequal last batch") {
  Sequential net = small_mlp();
  randomize(*net, 1);
  const Snapshot to(net);
  randomize(*net, 2);
  const auto of = [&](int batch) {
    return Barrier{.data = minima::labelled(10), .how = {.batch = batch}, .to = to}(net).at("over_mean");
  };
  CHECK(of(1) == Approx(of(10)).epsilon(1e-9));
  CHECK(of(7) == Approx(of(10)).epsilon(1e-9));
}

TEST_CASE("Barrier: every awkward network is unchanged, also after an exception") {
  const std::vector<awkward::Network> others = awkward::all_ten(2);
  std::size_t number = 0;
  for (const awkward::Network& net : awkward::all_ten(1)) {
    CAPTURE(net.name);
    const Snapshot to(others[number++].model);
    const awkward::State before(net);
    Barrier barrier{.data = net.batch, .how = {.batch = 4}, .to = to, .points = 3};
    const regimen::Numbers numbers = barrier(net.model);
    CHECK(std::isfinite(numbers.at("over_mean")));
    CHECK(barrier(net.model) == numbers);
    CHECK(before.difference(awkward::State(net), {.write = true}) == "");
    barrier.batch_norm = regimen::Reestimation{.batch = 9};
    CHECK(barrier(net.model).size() == 4);
    CHECK(before.difference(awkward::State(net), {.write = true}) == "");
    net.fail_at(2);
    CHECK_THROWS((void)barrier(net.model));
    net.fail_at(0);
    CHECK(before.difference(awkward::State(net), {.write = true}) == "");
  }
}

TEST_CASE("Barrier: errors name the field") {
  Sequential net = small_mlp();
  Sequential wider = small_mlp(2, 4);
  const Snapshot own(net);
  const Snapshot other(wider);
  const Source data = minima::labelled();
  check_error([&] { (void)Barrier{.to = own}(net); }, {"Barrier takes data"});
  check_error([&] { (void)Barrier{.data = data, .to = other}(net); }, {"Barrier.to", "0.weight"});
  check_error([&] { (void)Barrier{.data = data, .from = other, .to = own}(net); }, {"Barrier.from", "0.weight"});
  check_error([&] { (void)Barrier{.data = data, .to = own, .points = 1}(net); }, {"Barrier.points", "at least 2"});
}

TEST_CASE("Barrier: it is a measure of four numbers of a scoring") {
  Sequential net = small_mlp();
  randomize(*net, 8);
  const regimen::AnyMeasure measure = Barrier{.data = minima::labelled(), .to = Snapshot(net)};
  CHECK(measure.numbers("line", net).at("line_barrier") == Approx(0).margin(1e-12));
  CHECK(regimen::manifest(Barrier{.to = Snapshot(net)}).find(R"("points": 25)") != std::string::npos);
}

}  // namespace barrier_test
