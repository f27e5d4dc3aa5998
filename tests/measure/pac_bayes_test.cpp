// How much noise on the weights the accuracy tolerates.

#include "support/minima.hpp"
#include "support/small_networks.hpp"

#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include <regimen/regimen.hpp>
#include "support/awkward.hpp"
#include "support/coverage.hpp"
#include "support/tensors.hpp"

namespace pac_bayes_test {

namespace {

using regimen::Batch;
using regimen::PacBayes;
using regimen::PacBayesEstimate;
using regimen::Snapshot;
using regimen::Source;
using torch::nn::Sequential;

/// As many samples as units, each of which one unit alone sees; all are of class 1, so unit i is right if w_i > 0.
Source one_each(std::int64_t units) {
  return Batch{.data = at::eye(units, at::kDouble), .target = at::ones({units}, at::kDouble)};
}

PacBayes of_units(std::int64_t units) {
  return {.data = one_each(units), .how = {.loss = regimen::BinaryCrossEntropy{}}};
}

double normal_below(double x) {
  return std::erfc(-x / std::sqrt(2.0)) / 2;
}

/// The sigma at which the mean of Phi(margin / sigma) is 1 - drop.
double exact_sigma(const std::vector<double>& margins, double drop = 0.1) {
  double low = 1e-6;
  double high = 1e3;
  for (int i = 0; i < 200; ++i) {
    const double sigma = std::sqrt(low * high);
    double mean = 0;
    for (const double margin : margins) {
      mean += normal_below(margin / sigma) / static_cast<double>(margins.size());
    }
    (mean >= 1 - drop ? low : high) = sigma;
  }
  return low;
}

std::vector<double> repeated(std::vector<double> values, std::size_t n) {
  std::vector<double> all;
  for (std::size_t i = 0; i < n; ++i) {
    all.push_back(values[i % values.size()]);
  }
  return all;
}

bool holds(const PacBayesEstimate& found, double truth) {
  return found.low <= truth && truth <= found.high;
}

}  // namespace

TEST_CASE("PacBayes: units of margin 1 tolerate 1 / Phi^-1(.9), one or many") {
  const double exact = exact_sigma({1});
  CHECK(exact == Approx(0.7803041).epsilon(1e-7));
  auto one = minima::linear({1});
  PacBayes measure = of_units(1);
  measure.draws = 200;
  CHECK(holds(measure.estimate(one), exact));
  auto many = minima::linear(std::vector<double>(300, 1.0));
  const PacBayesEstimate found = of_units(300).estimate(many);
  CHECK(holds(found, exact));
  CHECK(found.high / found.low < 1.15);
  CHECK(found.accuracy == 1);
  CHECK(found.flatness == Approx(1 / found.sigma / found.sigma));
}

TEST_CASE("PacBayes: units of margins .5 and 2 tolerate .5931510") {
  const double exact = exact_sigma({0.5, 2});
  CHECK(exact == Approx(0.5931510).epsilon(1e-6));
  auto net = minima::linear(repeated({0.5, 2}, 300));
  const PacBayesEstimate found = of_units(300).estimate(net);
  CHECK(holds(found, exact));
  CHECK(found.high / found.low < 1.2);
}

TEST_CASE("PacBayes: in proportion to the weights, all units tolerate 1 / Phi^-1(.9)") {
  auto net = minima::linear(repeated({0.5, 2, 7}, 300));
  PacBayes measure = of_units(300);
  measure.magnitude_aware = true;
  const PacBayesEstimate found = measure.estimate(net);
  CHECK(holds(found, exact_sigma({1})));
  CHECK(found.high / found.low < 1.15);
}

TEST_CASE("PacBayes: the drop is from the accuracy without noise") {
  // A third of the units is always wrong: 2/3 Phi(1 / s) + 1/3 (1 - Phi(1 / s)) = 2/3 - .1, so Phi(1 / s) = .7.
  auto net = minima::linear(repeated({1, 1, -1}, 300));
  const PacBayesEstimate found = of_units(300).estimate(net);
  CHECK(found.accuracy == Approx(2.0 / 3));
  CHECK(holds(found, 1 / 0.5244005127));
  PacBayes measure = of_units(300);
  measure.drop = 0.2;
  auto right = minima::linear(std::vector<double>(300, 1.0));
  CHECK(holds(measure.estimate(right), 1 / 0.8416212336));
}

TEST_CASE("PacBayes: the mean accuracy over its noises crosses the goal at sigma") {
  auto net = minima::linear(repeated({0.5, 2, 1}, 30));
  PacBayes measure = of_units(30);
  measure.seed = 3;
  const double sigma = measure.estimate(net).sigma;
  const regimen::LossSurface surface(net, one_each(30), measure.how);
  const auto accuracy_at = [&](double size) {
    double sum = 0;
    for (std::int64_t draw = 0; draw < 16; ++draw) {
      const auto moved = surface.displaced(regimen::detail::normal_weights(surface, 3, draw) * size);
      sum += regimen::evaluate(net, one_each(30), measure.how).accuracy;
    }
    return sum / 16;
  };
  CHECK(accuracy_at(sigma / 1.11) >= 0.9);
  CHECK(accuracy_at(sigma * 1.11) < 0.9);
}

TEST_CASE("PacBayes: 95 % intervals hold the right value in 95 % of the cases") {
  const std::vector<double> margins = repeated({0.5, 2, 1, 0.7, 3}, 40);
  const double exact = exact_sigma(margins);
  auto net = minima::linear(margins);
  coverage::check_share([&](std::uint64_t seed) {
    PacBayes measure = of_units(40);
    measure.seed = seed;
    return holds(measure.estimate(net), exact);
  });
}

TEST_CASE("PacBayes: intervals hold the right value where the accuracy nears that of guessing") {
  const std::vector<double> margins = repeated({0.5, 2, 1, 0.7, 3}, 100);
  const double exact = exact_sigma(margins, 0.4);
  auto net = minima::linear(margins);
  coverage::check_share(
      [&](std::uint64_t seed) {
        PacBayes measure = of_units(100);
        measure.drop = 0.4;
        measure.seed = seed;
        return holds(measure.estimate(net), exact);
      },
      30, 0.93);
}

TEST_CASE("PacBayes: bounds of known weights") {
  CHECK(regimen::pac_bayes_bound(1, exact_sigma({1}), 100) == Approx(15.2638353).epsilon(1e-8));
  // d = (3, 4, 0), sigma = .5: the mean of squares is 25 / 3.
  const double whole = 1e-6 + 1.25 * 25 / 3;
  const double sum = std::log(whole / (1e-6 + 2.25)) + std::log(whole / (1e-6 + 4)) + std::log(whole / 1e-6);
  CHECK(regimen::magnitude_pac_bayes_bound(at::tensor({3.0, 4.0, 0.0}, at::kDouble), 0.5, 100) ==
        Approx(sum / 4 + std::log(200) + 10).epsilon(1e-12));
}

TEST_CASE("PacBayes: its bounds are from 0 and from the start, of the selected weights") {
  auto net = minima::linear(repeated({0.5, 2, 1}, 30));
  const Snapshot start(net);
  {
    const at::NoGradGuard no_grad;
    net->weight.add_(0.25);
  }
  for (const bool magnitude_aware : {false, true}) {
    PacBayes measure = of_units(30);
    measure.start = start;
    measure.magnitude_aware = magnitude_aware;
    const PacBayesEstimate found = measure.estimate(net);
    const at::Tensor w = net->weight.detach().flatten();
    const at::Tensor moved = at::full({30}, 0.25, at::kDouble);
    const auto expected = [&](const at::Tensor& d) {
      return magnitude_aware ? regimen::magnitude_pac_bayes_bound(d, found.sigma, 30)
                             : regimen::pac_bayes_bound(d.square().sum().item<double>(), found.sigma, 30);
    };
    CHECK(found.from_origin == Approx(expected(w)).epsilon(1e-12));
    CHECK(found.from_start == Approx(expected(moved)).epsilon(1e-9));
    const regimen::Numbers numbers = measure(net);
    CHECK(numbers.at("from_start") == found.from_start);
    CHECK(numbers.size() == measure.names().size());
  }
  CHECK(of_units(30)(net).count("from_start") == 0);
}

TEST_CASE("PacBayes: rescaling of ReLU units and of the logits changes the plain sigma alone") {
  Sequential net = small_mlp();
  randomize(*net, 5);
  const Batch all = regimen::materialize(minima::labelled(50));
  const Source data = Batch{.data = all.data, .target = net->forward(all.data).argmax(1)};
  const auto sigma = [&](bool magnitude_aware) {
    return PacBayes{.data = data, .magnitude_aware = magnitude_aware}.estimate(net).sigma;
  };
  const double plain = sigma(false);
  const double aware = sigma(true);
  minima::rescale(net, at::tensor({0.25, 4.0, 16.0}, at::kDouble));
  CHECK(sigma(true) == Approx(aware).epsilon(1e-9));
  CHECK(std::abs(sigma(false) / plain - 1) > 0.05);
  minima::scale_logits(net, 8);
  CHECK(sigma(true) == Approx(aware).epsilon(1e-9));
}

TEST_CASE("PacBayes: the batch size changes nothing, and neither does a second call") {
  auto net = minima::linear(repeated({0.5, 2, 1}, 30));
  const double all = of_units(30).estimate(net).sigma;
  CHECK(of_units(30).estimate(net).sigma == all);
  for (const int batch : {1, 7}) {
    PacBayes measure = of_units(30);
    measure.draws = 4;
    const double once = measure.estimate(net).sigma;
    measure.how.batch = batch;
    CHECK(measure.estimate(net).sigma == Approx(once).epsilon(1e-9));
  }
  PacBayes other = of_units(30);
  other.seed = 1;
  CHECK(other.estimate(net).sigma != all);
}

TEST_CASE("PacBayes: an accuracy that no noise lowers tolerates all") {
  auto net = minima::linear(repeated({-1}, 10));  // nothing is right, and cannot become worse
  PacBayes measure = of_units(10);
  measure.start = Snapshot(net);
  const PacBayesEstimate found = measure.estimate(net);
  CHECK(std::isinf(found.sigma));
  CHECK(found.flatness == 0);
  CHECK(std::isnan(found.from_origin));
  auto of_nan = minima::linear({std::nan("")});
  CHECK(std::isnan(of_units(1).estimate(of_nan).sigma));
}

TEST_CASE("PacBayes: all draws are taken at one sigma, and the others are told from few") {
  auto net = minima::linear(std::vector<double>(300, 1.0));
  PacBayes measure = of_units(300);
  const PacBayesEstimate few = measure.estimate(net);
  CHECK(few.passes <= 16 + 20);
  measure.draws = 64;
  const PacBayesEstimate more = measure.estimate(net);
  CHECK(more.passes <= 64 + 20);
  CHECK(more.sigma == Approx(few.sigma).epsilon(0.1));
}

TEST_CASE("PacBayes: a cliff and a plateau are found by bisection") {
  // All samples see one weight: all are right or none is. P(right) = Phi(1 / sigma), so sigma is as for one unit.
  auto one = minima::linear({1});
  const Source equal = Batch{.data = at::ones({50, 1}, at::kDouble), .target = at::ones({50}, at::kDouble)};
  const PacBayes cliff{.data = equal, .how = {.loss = regimen::BinaryCrossEntropy{}}, .draws = 100};
  const PacBayesEstimate of_one = cliff.estimate(one);
  CHECK(holds(of_one, exact_sigma({1})));
  CHECK(of_one.passes > 4 * 100);
  // A seventh of the units stands on the edge, so noise of any size costs 7 %; the others fall from far larger noises
  // on.
  const std::vector<double> margins = repeated({1e-4, 10, 10, 10, 10, 10, 10}, 280);
  auto net = minima::linear(margins);
  PacBayes plateau = of_units(280);
  CHECK(holds(plateau.estimate(net), exact_sigma(margins)));
  plateau.drop = 0.05;
  const double edge = exact_sigma(margins, 0.05);
  CHECK(edge < 1e-3);
  CHECK(holds(plateau.estimate(net), edge));
}

TEST_CASE("PacBayes: frozen and unselected parameters get no noise, tied ones one") {
  auto net = minima::linear(repeated({0.5, 2, 1}, 30));
  const double sigma = of_units(30).estimate(net).sigma;
  net->register_parameter("unused", at::ones({2}, at::kDouble));
  net->register_parameter("tied", net->weight);
  PacBayes measure = of_units(30);
  measure.parameters = regimen::Layers{{"tied"}};
  CHECK(measure.estimate(net).sigma == Approx(sigma).epsilon(1e-9));
  measure.parameters = regimen::Layers{{"unused"}};
  CHECK(std::isinf(measure.estimate(net).sigma));
  net->weight.set_requires_grad(false);
  measure.parameters = regimen::AllParameters{};
  CHECK(std::isinf(measure.estimate(net).sigma));
}

TEST_CASE("PacBayes: every awkward network is unchanged, also after an exception") {
  for (const awkward::Network& net : awkward::all_ten()) {
    CAPTURE(net.name);
    const awkward::State before(net);
    const PacBayes measure{.data = net.batch, .how = {.batch = 4}, .draws = 3};
    if (net.name == "buffers alone") {
      check_error([&] { (void)measure(net.model); }, {"selects none"});
      continue;
    }
    (void)measure(net.model);
    CHECK(before.difference(awkward::State(net), {.write = true}) == "");
    net.fail_at(7);
    if (net.name != "unused") {  // whose NaN ends it before the first pass
      CHECK_THROWS((void)measure(net.model));
    }
    net.fail_at(0);
    CHECK(before.difference(awkward::State(net), {.write = true}) == "");
  }
}

TEST_CASE("PacBayes: errors name the field") {
  auto net = minima::linear({1});
  check_error([&] { (void)PacBayes{}(net); }, {"PacBayes takes data"});
  const auto with = [&](auto change) {
    PacBayes measure = of_units(1);
    change(measure);
    return error_of([&] { (void)measure(net); });
  };
  CHECK(with([](auto& m) { m.drop = 0; }).find("PacBayes.drop") != std::string::npos);
  CHECK(with([](auto& m) { m.draws = 2; }).find("PacBayes.draws") != std::string::npos);
  CHECK(with([](auto& m) { m.tolerance = 0; }).find("PacBayes.tolerance") != std::string::npos);
  CHECK(with([](auto& m) { m.level = 1; }).find("PacBayes.level") != std::string::npos);
  CHECK(with([](auto& m) { m.how.loss = minima::OutputItself{}; }).find("an accuracy") != std::string::npos);
  auto wider = minima::linear({1, 2});
  CHECK(with([&](auto& m) { m.start = Snapshot(wider); }).find("PacBayes.start") != std::string::npos);
}

TEST_CASE("PacBayes: a BatchNorm without gain and shift is no obstacle, nor a bias of 0") {
  Sequential net(torch::nn::Linear(2, 4), torch::nn::BatchNorm1d(torch::nn::BatchNorm1dOptions(4).affine(false)),
                 torch::nn::ReLU(), torch::nn::Linear(4, 2));
  net->to(at::kDouble);
  randomize(*net, 3);
  {
    const at::NoGradGuard no_grad;
    net->parameters()[1].zero_();
  }
  const Kept kept(*net);
  CHECK(PacBayes{.data = minima::labelled(), .draws = 3}.estimate(net).sigma > 0);
  kept.check();
}

TEST_CASE("PacBayes: it is a measure of several numbers of a scoring") {
  auto net = minima::linear(std::vector<double>(30, 1.0));
  PacBayes measure = of_units(30);
  measure.start = Snapshot(net);
  const regimen::AnyMeasure any = measure;
  CHECK(any.names("pb").size() == 6);
  CHECK(any.numbers("pb", net).at("pb_sigma") == measure.estimate(net).sigma);
  CHECK(regimen::manifest(measure).find(R"("magnitude_aware": false)") != std::string::npos);
}

}  // namespace pac_bayes_test
