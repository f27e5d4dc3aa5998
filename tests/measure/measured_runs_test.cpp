// Measures in a run: criteria that read them, and one that remembers what it saw.

#include "support/training.hpp"

#include <cmath>
#include <string>
#include <vector>

namespace measured_runs_test {

using namespace training;

TEST_CASE("a distance budget ends a phase when the weights have gone far enough") {
  auto net = plain_network();
  torch::optim::SGD sgd(net->parameters(), 0.1);
  rg::Scoring scoring{.every = 2};
  scoring.measures["distance"] = rg::DistanceFrom{rg::Snapshot(net)};
  const rg::Phase phase{.data = points(40, 11),
                        .optimizer = sgd,
                        .epochs = 50,
                        .until = rg::MeasureExceeds{.measure = "distance", .bound = 0.5},
                        .batch = 8};
  const rg::History history = rg::run(net, {phase}, scoring);
  CHECK(history.ended() == rg::Ended::criterion);
  CHECK(history.size() < 50);
  CHECK(history.size() % 2 == 0);  // counted in scorings
  CHECK(history.back().measures.at("distance") > 0.5);
  CHECK(history.epochs[history.size() - 3].measures.at("distance") <= 0.5);
}

TEST_CASE("a criterion on a measure sees every scoring, also where nothing else is scored") {
  auto net = plain_network();
  torch::optim::SGD sgd(net->parameters(), 0.1);
  rg::Scoring scoring{.every = 2, .score_fit = false};
  scoring.measures["distance"] = rg::DistanceFrom{rg::Snapshot(net)};
  const rg::Phase phase{.data = points(40, 11),
                        .optimizer = sgd,
                        .epochs = 50,
                        .until = rg::MeasureExceeds{.measure = "distance", .bound = 0.01, .hold = 3},
                        .batch = 8};
  const rg::History history = rg::run(net, {phase}, scoring);
  CHECK(history.ended() == rg::Ended::criterion);
  CHECK(history.size() == 6);
}

TEST_CASE("changes of predictions: a single output predicts by its sign, as a column and flat") {
  const rg::Batch data{.data = torch::tensor({{1.0F}, {2.0F}, {-3.0F}, {4.0F}}), .target = torch::tensor({1, 1, 0, 1})};
  for (const bool flat : {false, true}) {
    torch::nn::Linear line(1, 1);
    const at::NoGradGuard no_grad;
    line->weight.fill_(1);
    line->bias.fill_(0);
    const rg::Model net(line, [flat](torch::nn::Linear& l, const rg::Batch& batch) {
      return flat ? l->forward(batch.data).squeeze(1) : l->forward(batch.data);
    });
    const rg::PredictionChanges changes(data);
    CHECK(std::isnan(changes(net)));
    line->bias.fill_(-1.5);  // 1 changes sides
    CHECK(changes(net) == 0.25);
    line->weight.fill_(-1);  // now 1 and 2 and 4 are below 0, and -3 is above
    CHECK(changes(net) == 0.75);
  }
}

TEST_CASE("changes of predictions: a share, none at first, shared by copies, kept in a checkpoint") {
  auto net = plain_network();
  const rg::Source data = points(40, 11);
  const rg::PredictionChanges changes(data, {.batch = 7});
  const rg::AnyMeasure copy = changes;
  const auto predicted = [&] {
    const at::NoGradGuard no_grad;
    return net->forward(rg::materialize(data).data).argmax(1);
  };
  const at::Tensor before = predicted();
  CHECK(std::isnan(changes(net)));
  CHECK(copy(net) == 0);
  const at::NoGradGuard no_grad;
  net->parameters().back().add_(torch::tensor({-0.3F, 0.3F, 0.0F}));
  const at::Tensor after = predicted();
  const double expected = before.ne(after).to(torch::kDouble).mean().item<double>();
  CHECK(expected > 0);
  CHECK(expected < 1);

  const Folder folder;
  rg::PredictionChanges saved = changes;
  rg::save_checkpoint(folder / "at.pt", {}, saved);
  CHECK(changes(net) == expected);
  CHECK(changes(net) == 0);
  rg::PredictionChanges loaded(data);
  (void)rg::load_checkpoint(folder / "at.pt", loaded);
  CHECK(loaded(net) == expected);
  loaded.forget();
  rg::save_checkpoint(folder / "empty.pt", {}, loaded);
  (void)rg::load_checkpoint(folder / "empty.pt", saved);
  CHECK(std::isnan(saved(net)));
  CHECK(error_of([] { rg::PredictionChanges none{rg::Source()}; }) ==
        "PredictionChanges takes a source that ends: limit(stream, samples) makes one");
}

}  // namespace measured_runs_test
