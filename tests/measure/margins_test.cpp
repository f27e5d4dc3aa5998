#include "support/small_networks.hpp"

#include <cmath>
#include <vector>

#include <regimen/regimen.hpp>
#include "support/tensors.hpp"

namespace margins_test {

namespace {

using regimen::InMemory;
using regimen::MarginPercentile;
using regimen::Source;

/// A network whose logits are its input.
struct Identity : torch::nn::Module {
  at::Tensor forward(const at::Tensor& x) { return x * scale; }
  double scale = 1;
};

/// Four samples with the margins 2, -0.5, 0 and 3.
regimen::Batch four() {
  return {.data = at::tensor({2.0, 0.0, -1.0, 0.5, 1.0, 0.0, 3.0, 3.0, 0.0, 1.0, -2.0, 4.0}, at::kDouble).view({4, 3}),
          .target = longs({0, 0, 1, 2})};
}

}  // namespace

TEST_CASE("margins: the label's logit less the largest other one, with its sign") {
  const regimen::Batch batch = four();
  const at::Tensor expected = at::tensor({2.0, -0.5, 0.0, 3.0}, at::kDouble);
  CHECK(same(regimen::margins(batch.data, batch.target), expected));
  Identity net;
  CHECK(same(regimen::margins(net, InMemory(batch)), expected));
  CHECK(same(regimen::margins(batch.data.to(at::kFloat), at::one_hot(batch.target, 3).to(at::kFloat)), expected));
}

TEST_CASE("margins: a label out of range is an error, and NaN where nothing may wait") {
  const regimen::Batch batch = four();
  for (const std::int64_t label : {-100, -1, 3}) {
    at::Tensor target = batch.target.clone();
    target[1] = label;
    CAPTURE(label);
    const std::string said = "but one is " + std::to_string(label);
    check_error([&] { (void)regimen::margins(batch.data, target); }, {"margins takes labels in [0, 3)", said.c_str()});
    Identity net;
    const Source data = InMemory({.data = batch.data, .target = target});
    check_error([&] { (void)MarginPercentile{.data = data}(net); }, {"margins takes labels in [0, 3)"});
    check_error([&] { (void)regimen::ThresholdAttack{.data = data, .others = data}(net); }, {"labels in [0, 3)"});
    regimen::AreaUnderMargin area(data);
    area.add(longs({0, 1, 2, 3}), batch.data, target);
    const at::Tensor values = area.values();
    CHECK(std::isnan(values[1].item<double>()));
    CHECK(same(values.index_select(0, longs({0, 2, 3})), at::tensor({2.0, 0.0, 3.0}, at::kDouble)));
  }
}

TEST_CASE("margins: percentiles are by nearest rank, the median is that of the library") {
  Identity net;
  const Source data = InMemory(four());
  CHECK(MarginPercentile{.data = data}(net) == -0.5);
  CHECK(MarginPercentile{.data = data, .percent = 25}(net) == -0.5);
  CHECK(MarginPercentile{.data = data, .percent = 25.1}(net) == 0);
  CHECK(MarginPercentile{.data = data, .percent = 50}(net) == 0);
  CHECK(MarginPercentile{.data = data, .percent = 75}(net) == 2);
  CHECK(MarginPercentile{.data = data, .percent = 100}(net) == 3);
  const at::Tensor each = regimen::margins(net, data);
  CHECK(regimen::median({each.data_ptr<double>(), 4}) == 1);
}

TEST_CASE("percentile: rounding does not move the place") {
  for (const std::int64_t n : {10, 30, 70, 1000, 7000}) {
    const at::Tensor numbers = at::arange(1, n + 1, at::kDouble).flip({0});
    for (const std::int64_t percent : {10, 20, 30, 70, 90}) {
      CAPTURE(n, percent);
      CHECK(regimen::percentile(numbers, static_cast<double>(percent)) == static_cast<double>(n * percent / 100));
    }
  }
  CHECK(regimen::percentile(at::tensor({4.0}), 1e-6) == 4);
  CHECK(std::isnan(regimen::percentile(at::tensor({4.0, std::nan("")}), 10)));
}

TEST_CASE("margins: batch sizes, an unequal last batch among them, give one number") {
  torch::nn::Sequential net(torch::nn::Linear(3, 4), torch::nn::BatchNorm1d(4), torch::nn::Dropout());
  net->to(at::kDouble);
  randomize(*net, 1);
  net->train();  // scored in eval mode all the same
  const Kept kept(*net);
  const Source data = InMemory({.data = at::randn({10, 3}, at::kDouble), .target = at::arange(10).remainder(4)});
  const double all = MarginPercentile{.data = data, .percent = 40}(net);
  for (const std::int64_t batch : {1, 7}) {
    CHECK(MarginPercentile{.data = data, .how = {.batch = batch}, .percent = 40}(net) == Approx(all).epsilon(1e-12));
  }
  kept.check();
  regimen::Probe probe(net);
  probe.fit = data;
  CHECK(MarginPercentile{.percent = 40}(probe) == all);
}

TEST_CASE("margins: they grow with the scale of the logits") {
  Identity net;
  net.scale = 3;
  CHECK(MarginPercentile{.data = InMemory(four())}(net) == -1.5);
}

TEST_CASE("margins: missing data, missing labels and wrong settings are errors") {
  Identity net;
  const at::Tensor x = four().data;
  check_error([&] { (void)MarginPercentile{}(net); }, {"MarginPercentile.data"});
  check_error([&] { (void)MarginPercentile{.data = InMemory({.data = x})}(net); }, {"margins", "targets"});
  check_error([&] { (void)MarginPercentile{.data = InMemory({.data = x, .target = longs({0, 0, 1, 3})})}(net); }, {});
  check_error([&] { (void)MarginPercentile{.data = InMemory({.data = x, .target = x.select(1, 0)})}(net); },
              {"[N] int64"});
  check_error([] { MarginPercentile{.percent = 0}.check(); }, {"MarginPercentile.percent", "(0, 100]", "is 0"});
  check_error([] { MarginPercentile{.percent = 100.5}.check(); }, {"is 100.5"});
  check_error([] { (void)regimen::percentile(at::zeros({0}), 10); }, {"at least one"});
}

}  // namespace margins_test
