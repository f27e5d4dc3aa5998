// Averages of the weights that a run passes through: their formulas, when they are taken, and across a resume.

#include "support/training.hpp"

#include <cmath>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace average_test {

using namespace training;

TEST_CASE("ExponentialAverage: follows its formula from the first step's weights on, buffers too or not") {
  for (const bool buffers : {true, false}) {
    for (const bool warm_up : {true, false}) {
      CAPTURE(buffers, warm_up);
      Trained trained({}, 6);
      rg::ExponentialAverage average(trained.net, {.decay = 0.6, .warm_up = warm_up, .buffers = buffers});
      std::vector<at::Tensor> mean;
      int updates = 0;
      trained.run(average, [&](const rg::Step&) {
        const auto now = weights(trained.net);
        const double decay = warm_up ? std::min(0.6, 1 - std::pow(1.0 + updates, -2.0 / 3)) : 0.6;
        for (std::size_t i = 0; i < now.size(); ++i) {
          if (updates == 0) {
            mean.push_back(now[i]);
          } else if (!now[i].is_floating_point() || (!buffers && i >= trained.net->parameters().size())) {
            mean[i] = now[i];
          } else {
            mean[i] = decay * mean[i] + (1 - decay) * now[i];
          }
        }
        ++updates;
      });
      CHECK(average.updates() == 6);
      for (std::size_t i = 0; i < mean.size(); ++i) {
        CHECK(torch::allclose(average.weights().tensors()[i].tensor, mean[i], 1e-5, 1e-6));
      }
    }
  }
}

TEST_CASE("averages: complex weights have means, and those of 16 bits do not stand still") {
  // One step of (w + 2i) a time; both kinds of mean by hand.
  struct Numbers {
    at::Tensor weight;
    at::Tensor forward(const at::Tensor& x) { return x; }
    std::vector<at::Tensor> parameters() { return {weight}; }
    std::vector<at::Tensor> buffers() { return {}; }
  };
  const auto complex = [](double real, double imaginary) { return c10::complex<double>(real, imaginary); };
  Numbers net{at::full({2}, complex(2, 2), at::kComplexDouble)};
  rg::ExponentialAverage exponential(net, {.decay = 0.5});
  rg::StochasticAverage stochastic(net);
  for (const auto& value : {complex(2, 2), complex(4, 0), complex(0, 1)}) {
    net.weight.fill_(value);
    exponential.update();
    stochastic.update();
  }
  const auto is = [](const rg::Snapshot& mean, c10::complex<double> right) {
    return at::allclose(mean.tensors()[0].tensor, at::full({2}, right, at::kComplexDouble));
  };
  CHECK(is(exponential.weights(), complex(1.5, 1)));  // ((2+2i + 4) / 2 + i) / 2
  CHECK(is(stochastic.weights(), complex(2, 1)));

  // From 1 towards 2, a thousandth of the way at a time: 2 - 0.999^n. In bf16 1 + 1/1000 is 1.
  for (const at::ScalarType type : {at::kBFloat16, at::kHalf, at::kFloat}) {
    Numbers low{at::ones({3}, type)};
    rg::ExponentialAverage average(low, {.decay = 0.999});
    average.update();
    low.weight.fill_(2);
    for (int n = 0; n < 1500; ++n) {
      average.update();
    }
    CHECK(average.weights().tensors()[0].tensor.scalar_type() == type);
    CHECK(average.weights().tensors()[0].tensor[0].item<double>() == Approx(2 - std::pow(0.999, 1500)).epsilon(0.01));
    // And goes on from a file as if it had not been stored.
    torch::serialize::OutputArchive out;
    average.save(out);
    std::stringstream file;
    out.save_to(file);
    torch::serialize::InputArchive in;
    in.load_from(file);
    rg::ExponentialAverage again(low, {.decay = 0.999});
    again.load(in);
    for (rg::ExponentialAverage* const each : {&average, &again}) {
      each->update();
    }
    CHECK(again.weights().tensors()[0].tensor.equal(average.weights().tensors()[0].tensor));
  }
}

TEST_CASE("averages: of the named phase only, at the named steps and epochs") {
  auto net = plain_network();
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.1));
  rg::Phase first = phase_with(sgd, {}, 5);
  first.name = "memorize";
  first.batch = 6;  // four steps an epoch
  rg::Phase second = first;
  second.name = "learn";
  rg::ExponentialAverage every(net);
  rg::ExponentialAverage third(net, {.every = 3, .phase = "learn"});
  rg::StochasticAverage epochs(net, {.first = 2, .every = 2, .phase = "learn"});
  std::vector<at::Tensor> sum;
  rg::run(net, {first, second}, {}, every, third, epochs, [&](const rg::Epoch& epoch) {
    if (epoch.phase == "learn" && (epoch.clock.epoch == 2 || epoch.clock.epoch == 4)) {
      const auto now = weights(net);
      for (std::size_t i = 0; i < now.size(); ++i) {
        sum.size() <= i ? sum.push_back(now[i]) : void(sum[i] += now[i]);
      }
    }
  });
  CHECK(every.updates() == 40);
  CHECK(third.updates() == 6);
  CHECK(epochs.updates() == 2);
  for (std::size_t i = 0; i < sum.size(); ++i) {
    CHECK(torch::allclose(epochs.weights().tensors()[i].tensor, sum[i] / 2, 1e-5, 1e-6));
  }
}

TEST_CASE("averages: watch and change nothing, and stand in for the weights only while asked to") {
  Trained plain({}, 4);
  Trained watched({}, 4);
  rg::ExponentialAverage fast(watched.net, {.decay = 0.5});
  rg::StochasticAverage mean(watched.net);
  plain.run();
  watched.run(fast, mean, [&](const rg::Epoch&) { const auto averaged = fast.in_place(); });
  CHECK(same(weights(plain.net), weights(watched.net)));

  const auto own = weights(watched.net);
  const auto attempt = [&] {
    const auto averaged = mean.in_place();
    CHECK_FALSE(same(weights(watched.net), own));
    CHECK(torch::equal(watched.net->parameters()[0].detach(), mean.weights().tensors()[0].tensor));
    throw std::runtime_error("while evaluating");
  };
  CHECK_THROWS_AS(attempt(), std::runtime_error);
  CHECK(same(weights(watched.net), own));
  CHECK(watched.net->parameters()[0].requires_grad());

  auto other = network(99);
  fast.weights().restore(other);
  CHECK(torch::equal(other->parameters()[0].detach(), fast.weights().tensors()[0].tensor));
}

TEST_CASE("averages: go on from a checkpoint in the same bits, and refuse another model's") {
  const Folder folder;
  const auto averages_after = [&](bool in_two) {
    Trained trained({}, 5);
    rg::ExponentialAverage fast(trained.net, {.decay = 0.7, .warm_up = true});
    rg::StochasticAverage mean(trained.net, {.first = 2});
    if (in_two) {
      Trained part({}, 5);
      rg::ExponentialAverage fast_part(part.net, {.decay = 0.7, .warm_up = true});
      rg::StochasticAverage mean_part(part.net, {.first = 2});
      rg::Checkpoint keep(folder / "run.pt", {}, part.net, part.sgd, fast_part, mean_part);
      std::stop_source stop;
      rg::run(part.net, {part.phase}, {}, {.stop = stop.get_token()}, keep, fast_part, mean_part,
              [&](const rg::Step& step) {
                if (step.clock.step == 3) {
                  stop.request_stop();
                }
              });
      const rg::State from = rg::load_checkpoint(folder / "run.pt", trained.net, trained.sgd, fast, mean);
      CHECK(fast.updates() == 3);
      rg::run(trained.net, {trained.phase}, {}, {.from = from}, fast, mean);
    } else {
      trained.run(fast, mean);
    }
    std::vector<at::Tensor> all;
    for (const rg::Snapshot* each : {&fast.weights(), &mean.weights()}) {
      for (const rg::Named& named : each->tensors()) {
        all.push_back(named.tensor);
      }
    }
    CHECK(fast.updates() == 5);
    CHECK(mean.updates() == 4);
    return all;
  };
  CHECK(same(averages_after(false), averages_after(true)));

  auto wider = torch::nn::Sequential(torch::nn::Linear(2, 13));
  rg::ExponentialAverage stranger(wider);
  Trained trained({});
  CHECK(contains(error_of([&] { (void)rg::load_checkpoint(folder / "run.pt", trained.net, trained.sgd, stranger); }),
                 "average of 0.weight"));
}

TEST_CASE("averages: one that was not loaded is an error, before the first step; one that begins later is not") {
  const Folder folder;
  Trained first({}, 5);
  rg::Checkpoint keep(folder / "run.pt", {}, first.net, first.sgd);
  std::stop_source stop;
  rg::run(first.net, {first.phase}, {}, {.stop = stop.get_token()}, keep, [&](const rg::Step& step) {
    if (step.clock.step == 3) {
      stop.request_stop();
    }
  });
  Trained second({}, 5);
  const rg::State from = rg::load_checkpoint(folder / "run.pt", second.net, second.sgd);
  const auto trained = weights(second.net);
  const auto resumed = [&](auto&& average) {
    return error_of([&] { rg::run(second.net, {second.phase}, {}, {.from = from}, average); });
  };
  CHECK(contains(resumed(rg::ExponentialAverage(second.net)), "ExponentialAverage did not see the beginning"));
  CHECK(contains(resumed(rg::StochasticAverage(second.net, {.first = 2})), "StochasticAverage did not see"));
  CHECK(same(weights(second.net), trained));
  rg::ExponentialAverage from_here_on(second.net);
  from_here_on.begin_anew();
  CHECK(resumed(from_here_on).empty());
  CHECK(from_here_on.updates() == 2);
  CHECK(resumed(rg::StochasticAverage(second.net, {.first = 4})).empty());
  CHECK(resumed(rg::ExponentialAverage(second.net, {.phase = "another"})).empty());
}

TEST_CASE("averages: rules are checked, and are in the manifest by themselves") {
  auto net = plain_network();
  using Rule = rg::ExponentialAverage::Rule;
  CHECK(contains(error_of([&] { rg::ExponentialAverage(net, Rule{.decay = 1.5}); }), "ExponentialAverage.decay"));
  CHECK(contains(error_of([&] { rg::ExponentialAverage(net, Rule{.every = 0}); }), "ExponentialAverage.every"));
  CHECK(contains(error_of([&] { rg::StochasticAverage(net, {.first = 0}); }), "StochasticAverage.first"));
  CHECK(contains(error_of([&] { rg::StochasticAverage(net, {.first = 1, .every = 0}); }), "StochasticAverage.every"));
  rg::ExponentialAverage wild(net, {.decay = [](const rg::Clock& clock) { return clock.epoch + 0.5; }});
  CHECK_NOTHROW(wild.update());
  CHECK(contains(error_of([&] { wild.update({.clock = {.epoch = 1}}); }), "is 1.5"));
  CHECK(
      rg::manifest(Rule{.decay = 0.5}) ==
      R"({"type": "ExponentialAverage::Rule", "decay": 0.5, "warm_up": false, "every": 1, "buffers": true, "phase": ""})");
  CHECK(rg::manifest(rg::StochasticAverage::Rule{}) ==
        R"({"type": "StochasticAverage::Rule", "first": 1, "every": 1, "phase": ""})");
}

}  // namespace average_test
