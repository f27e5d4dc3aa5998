// Jobs that train as the members of one network: their results are those that they have alone.

#include "support/training.hpp"

#include <regimen/experiment/errors.hpp>
#include <regimen/experiment/job.hpp>
#include <regimen/experiment/job_files.hpp>
#include <regimen/experiment/read_results.hpp>
#include <regimen/networks/stacked_linear.hpp>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace run_together_test {

using namespace training;
namespace {

namespace ex = rg::experiment;
using rg::networks::StackedLinear;

constexpr int members = 3;
const std::vector<std::string> names{"a", "b", "c"};

/// Points of the plane whose labels are wrong in part, others for each member; in double precision, so that a
/// difference is a mistake and not rounding.
rg::Batch points_of(std::uint64_t seed) {
  rg::Batch data = points(40, seed);
  data.data = data.data.to(torch::kDouble);
  return data;
}
rg::Source noisy(int member) {
  return rg::frozen(points_of(static_cast<std::uint64_t>(member)),
                    rg::UniformLabels{.classes = 3, .fraction = 0.1 * member}, 7);
}
rg::Source test_of(int member) {
  return points_of(static_cast<std::uint64_t>(member + 10));
}
std::uint64_t seed_of(int member) {
  return static_cast<std::uint64_t>(5 + member);
}

std::vector<torch::nn::Linear> layers_of(int member) {
  torch::manual_seed(static_cast<std::uint64_t>(20 + member));
  std::vector<torch::nn::Linear> layers{torch::nn::Linear(2, 8), torch::nn::Linear(8, 3)};
  for (torch::nn::Linear& layer : layers) {
    layer->to(torch::kDouble);
  }
  return layers;
}

rg::Phase phase_of(torch::optim::SGD& sgd, const rg::Source& data) {
  return {.name = "train", .data = data, .optimizer = sgd, .epochs = 6, .batch = 7};
}

ex::Task quiet(bool resume = false, std::stop_token stop = {}) {
  ex::Task task;
  task.quiet = true;
  task.resume = resume;
  task.stop = std::move(stop);
  return task;
}
ex::TimeLeft three_jobs() {
  return {{{{"a", "kind", 1}, {"b", "kind", 1}, {"c", "kind", 1}}}, 1, true};
}

struct Together {
  explicit Together(double rate = 0.2) {
    std::vector<torch::nn::Linear> first, last;
    std::vector<rg::Source> train, test;
    std::vector<std::uint64_t> seeds;
    for (int i = 0; i < members; ++i) {
      first.push_back(layers_of(i)[0]);
      last.push_back(layers_of(i)[1]);
      train.push_back(noisy(i));
      test.push_back(test_of(i));
      seeds.push_back(seed_of(i));
    }
    const StackedLinear firsts(first), lasts(last);
    net = torch::nn::Sequential(firsts, torch::nn::Tanh(), lasts);
    sgd = std::make_unique<torch::optim::SGD>(net->parameters(), torch::optim::SGDOptions(rate).momentum(0.9));
    rg::Phase phase = phase_of(*sgd, rg::stacked(train, seeds));
    phase.loss = rg::OverOwnTargets{};
    phase.regularize = {rg::FiniteGradients{}};
    job.phases = {phase};
    job.scoring = {
        .every = 2, .score_fit = false, .measures = {{"fit", scores(phase.data)}, {"test", scores(rg::stacked(test))}}};
  }
  static rg::MemberScores scores(const rg::Source& data) {
    return {.data = data, .members = members, .own_targets = true};
  }
  rg::History run(const std::string& folder, ex::Task task = quiet()) {
    return ex::Jobs(folder, std::move(task), three_jobs()).run_together(job, names, net, *sgd);
  }

  torch::nn::Sequential net{nullptr};
  std::unique_ptr<torch::optim::SGD> sgd;
  ex::Job job{.name = "abc"};
};

ex::Result result_of(const std::string& folder, const std::string& name) {
  const auto result = ex::read_result(folder, {.name = name});
  REQUIRE(result);
  return *result;
}

void check_close(const rg::Score& a, const rg::Score& b) {
  CHECK(a.samples == b.samples);
  if (a.scored()) {
    CHECK(a.accuracy == b.accuracy);
    CHECK(a.loss == Approx(b.loss).epsilon(1e-9));
  }
}

}  // namespace

TEST_CASE("jobs together: each has the weights and the history that it has alone") {
  const Folder folder;
  Together all;
  all.run(folder / "out");
  for (int i = 0; i < members; ++i) {
    const auto layers = layers_of(i);
    torch::nn::Sequential net(layers[0], torch::nn::Tanh(), layers[1]);
    torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.2).momentum(0.9));
    rg::Phase phase = phase_of(sgd, noisy(i));
    phase.seed = seed_of(i);
    const rg::History alone = rg::run(net, {phase}, {.test = test_of(i), .every = 2});
    const rg::History together = result_of(folder / "out", names[static_cast<std::size_t>(i)]).history;
    REQUIRE(together.size() == alone.size());
    CHECK((together.outcomes == alone.outcomes));
    for (std::size_t e = 0; e < alone.size(); ++e) {
      CHECK(together.epochs[e].clock == alone.epochs[e].clock);
      CHECK(together.epochs[e].learning_rate == alone.epochs[e].learning_rate);
      check_close(together.epochs[e].fit, alone.epochs[e].fit);
      check_close(together.epochs[e].test, alone.epochs[e].test);
    }
    for (std::size_t p = 0; p < net->parameters().size(); ++p) {
      const at::Tensor own = all.net->parameters()[p][i];
      CHECK((own - net->parameters()[p]).abs().max().item<double>() < 1e-10);
    }
  }
}

TEST_CASE("jobs together: a training that was stopped goes on, and all files are those of one that was not") {
  const Folder folder;
  Together whole;
  whole.run(folder / "whole");

  std::stop_source stop;
  Together begun;
  begun.job.scoring.measures["stop"] = [&](const rg::Model&) {
    stop.request_stop();
    return 0.0;
  };
  CHECK_THROWS_AS(begun.run(folder / "parts", quiet(false, stop.get_token())), ex::Interrupted);
  CHECK_FALSE(ex::read_result(folder / "parts", {.name = "a"}));
  Together resumed;
  resumed.run(folder / "parts", quiet(true));
  CHECK(same(weights(resumed.net), weights(whole.net)));
  for (const std::string& name : names) {
    const ex::JobFiles left{folder / "whole", name}, right{folder / "parts", name};
    CHECK(content_of(left.epochs()) == content_of(right.epochs()));
    // The first one's has the training's, which says that it was resumed.
    CHECK((content_of(left.manifest()) == content_of(right.manifest())) == (name != "a"));
    CHECK(contains(content_of(left.manifest()), "\"of\": \"abc\""));
    CHECK((left.history() == right.history()));
  }
  // Once more: it is at its end, and what is lost of its members is written again.
  std::filesystem::remove(ex::JobFiles{folder / "parts", "b"}.checkpoint());
  Together again;
  again.run(folder / "parts", quiet(true));
  CHECK((result_of(folder / "parts", "b").history == result_of(folder / "whole", "b").history));
}

TEST_CASE("jobs together: one that diverges is said to have, and the others are as without it") {
  const Folder folder;
  Together healthy, ill;
  {
    const at::NoGradGuard no_grad;
    ill.net->parameters()[0][1].fill_(std::nan(""));
  }
  healthy.run(folder / "healthy");
  ill.run(folder / "ill");
  CHECK(result_of(folder / "ill", "b").history.ended() == rg::Ended::diverged);
  for (const char* const name : {"a", "c"}) {
    CHECK((result_of(folder / "ill", name).history == result_of(folder / "healthy", name).history));
  }
}

TEST_CASE("jobs together: misuse is an error before anything is trained") {
  const Folder folder;
  Together all;
  ex::Jobs jobs(folder / "out", quiet(), three_jobs());
  const auto error = [&](const std::vector<std::string>& of) {
    return error_of([&] { jobs.run_together(all.job, of, all.net, *all.sgd); });
  };
  CHECK(contains(error({}), "needs at least one job"));
  CHECK(contains(error({"a", "b", "a"}), "no two of one name"));
  CHECK(contains(error({"a", "abc", "c"}), "abc is the training of several jobs"));
  CHECK(contains(error({"a", "b"}), "MemberScores.members of \"fit\" must be the number of members, 2, but is 3"));
  all.job.name = "b";
  CHECK(contains(error({"x", "y", "z"}), "must not have the name of a job of the plan"));
  all.job.name = "abc";
  all.job.score = [] { return rg::Score{}; };
  CHECK(contains(error(names), "Job::score"));
  all.job.score = nullptr;
  all.job.scoring.measures.erase("fit");
  all.job.scoring.measures.erase("test");
  CHECK(contains(error(names), "MemberScores called fit"));
  Together broken;
  rg::Batch bad = points_of(1);
  bad.data[13][0] = std::nan("");
  broken.job.phases[0].data = rg::stacked({noisy(0), bad, noisy(2)});
  CHECK(contains(error_of([&] { broken.run(folder / "out"); }), "NaN or infinite are the data of sample 13"));
  CHECK_FALSE(std::filesystem::exists(folder / "out/checkpoints"));
}

TEST_CASE("jobs together: what is left of an earlier training is no result of one that was begun anew") {
  const Folder folder;
  Together first;
  first.run(folder / "out");
  std::stop_source stop;
  stop.request_stop();
  Together second;
  CHECK_THROWS_AS(second.run(folder / "out", quiet(false, stop.get_token())), ex::Interrupted);
  CHECK_FALSE(ex::read_result(folder / "out", {.name = "a"}));
  // Nor is the end of one that diverged alone.
  rg::save_checkpoint(ex::JobFiles{folder / "out", "a"}.divergence(), rg::State{});
  Together third;
  third.run(folder / "out");
  CHECK(result_of(folder / "out", "a").history.ended() == rg::Ended::epochs);
}

TEST_CASE("jobs together: a network that a function calls") {
  const Folder folder;
  Together plain, called;
  plain.run(folder / "plain");
  const auto how = [](auto& net, const rg::Batch& batch) { return net->forward(batch.data); };
  ex::Jobs(folder / "called", quiet(), three_jobs())
      .run_together(called.job, names, rg::Model(called.net, how), called.net, *called.sgd);
  CHECK((result_of(folder / "called", "c").history == result_of(folder / "plain", "c").history));
}

}  // namespace run_together_test
