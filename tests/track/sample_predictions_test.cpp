// Predictions a sample, of a network that has seen it and of one that has not, and what cleanlab makes of them.

#include "support/training.hpp"

#include "support/python.hpp"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <set>
#include <vector>

namespace sample_predictions_test {

namespace {

using namespace training;

/// A network whose logits are its data.
struct Echo : torch::nn::Module {
  at::Tensor weight = register_parameter("weight", torch::zeros({1}));
  at::Tensor forward(const at::Tensor& x) { return x + 0 * weight; }
};

/// Four samples with logits of three classes, in no order of their ids.
rg::Batch four() {
  return {.data = torch::tensor({0.0, 0.0, 0.0, 1.0, 0.0, 2.0, -1.0, 3.0, 0.5, 200.0, 0.0, -200.0}).view({4, 3}),
          .target = torch::tensor({2, 0, 1, 2}),
          .id = torch::tensor({7, 3, 9, 1})};
}

torch::nn::Sequential trained_on(const rg::Source& data) {
  auto net = plain_network();
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.2).momentum(0.9));
  rg::run(net, {{.data = data, .optimizer = sgd, .epochs = 30, .batch = 32, .seed = 1}}, {});
  return net;
}

}  // namespace

TEST_CASE("sample_predictions: the softmax, and -log of the given label's share") {
  Echo net;
  const rg::SamplePredictions said = rg::sample_predictions(net, four(), {.batch = 3});
  const at::Tensor logits = four().data.to(at::kDouble);
  CHECK(said.id.equal(four().id));
  CHECK(said.label.equal(four().target));
  CHECK(torch::allclose(said.probability, logits.softmax(1)));
  CHECK(torch::allclose(said.probability.sum(1), torch::ones({4}, at::kDouble)));
  CHECK(said.loss[0].item<double>() == Approx(std::log(3)));
  CHECK(said.loss[3].item<double>() == Approx(400));  // where the share itself is 0
  CHECK(!said.loss.requires_grad());
}

TEST_CASE("sample_predictions: soft targets have the label of their largest entry") {
  Echo net;
  rg::Batch soft = four();
  soft.target = torch::one_hot(soft.target, 3).to(at::kFloat) * 0.8 + 0.1;
  CHECK(rg::sample_predictions(net, soft).label.equal(four().target));
}

TEST_CASE("held_out_predictions: each sample's network has seen all others of the parts, and not it") {
  const rg::Source data = rg::Batch{.data = torch::arange(11).to(at::kFloat).unsqueeze(1).repeat({1, 3}),
                                    .target = torch::arange(11).remainder(3)};
  struct Told {
    std::shared_ptr<Echo> net;
    std::set<std::int64_t> seen;
  };
  std::vector<Told> trained;
  const auto train = [&](const rg::Source& rest) {
    const at::Tensor ids = rg::materialize(rest).id;
    Told told{std::make_shared<Echo>(), {}};
    for (std::int64_t i = 0; i < ids.size(0); ++i) {
      told.seen.insert(ids[i].item<std::int64_t>());
    }
    trained.push_back(told);
    return told.net;
  };
  const rg::SamplePredictions said = rg::held_out_predictions(data, {.folds = 4, .seed = 3}, train);
  REQUIRE(trained.size() == 4);
  CHECK(said.id.equal(torch::arange(11)));
  CHECK(said.label.equal(torch::arange(11).remainder(3)));
  std::vector<int> held_out(11, 0);
  for (const Told& told : trained) {
    CHECK((told.seen.size() == 8 || told.seen.size() == 9));  // 11 samples less 2 or 3
    for (std::int64_t i = 0; i < 11; ++i) {
      held_out[static_cast<std::size_t>(i)] += told.seen.count(i) == 0 ? 1 : 0;
    }
  }
  CHECK(held_out == std::vector<int>(11, 1));
}

TEST_CASE("held_out_predictions: rows are those of the network that had not seen them, whatever the source's order") {
  const rg::Batch all = points(60, 3);
  std::vector<torch::nn::Sequential> nets;
  std::vector<std::set<std::int64_t>> seen;
  const auto train = [&](const rg::Source& rest) {
    nets.push_back(plain_network(nets.size() + 1));
    const at::Tensor ids = rg::materialize(rest).id;
    seen.emplace_back(ids.data_ptr<std::int64_t>(), ids.data_ptr<std::int64_t>() + ids.numel());
    return nets.back();
  };
  const at::Tensor order = torch::arange(59, -1, -1, torch::kLong);
  const rg::SamplePredictions said = rg::held_out_predictions(rg::subset(all, order), {.folds = 3, .seed = 8}, train);
  CHECK(said.id.equal(order));
  for (std::int64_t row = 0; row < 60; ++row) {
    const auto id = said.id[row].item<std::int64_t>();
    for (std::size_t k = 0; k < 3; ++k) {
      if (seen[k].count(id) == 0) {
        const at::Tensor share = nets[k]->forward(all.data.narrow(0, id, 1)).to(at::kDouble).softmax(1)[0];
        CHECK(torch::allclose(said.probability[row], share.detach(), 1e-5, 1e-6));
      }
    }
  }
  // The deal is a function of the seed.
  const auto first_parts = seen;
  seen.clear();
  static_cast<void>(rg::held_out_predictions(rg::subset(all, order), {.folds = 3, .seed = 8}, train));
  CHECK(seen == first_parts);
  seen.clear();
  static_cast<void>(rg::held_out_predictions(rg::subset(all, order), {.folds = 3, .seed = 9}, train));
  CHECK(seen != first_parts);
}

TEST_CASE("held_out_predictions: samples of one group are held out together") {
  const rg::Source copies = rg::repeat(points(10, 3), 3);
  std::vector<at::Tensor> seen;
  const auto train = [&](const rg::Source& rest) {
    seen.push_back(rg::materialize(rest).data.flatten(1));
    return plain_network(1);
  };
  const at::Tensor group = torch::arange(10).repeat({3});
  const at::Tensor all = rg::materialize(copies).data.flatten(1);
  const auto leaks = [&] {  // for how many samples each network, which held them out, has seen a copy of them
    std::int64_t count = 0;
    for (const at::Tensor& rest : seen) {
      count += all.unsqueeze(1).eq(rest.unsqueeze(0)).all(2).any(1).sum().item<std::int64_t>();
    }
    return count - static_cast<std::int64_t>(seen.size() - 1) * 30;
  };
  static_cast<void>(rg::held_out_predictions(copies, {.folds = 5, .seed = 1, .group = group}, train));
  CHECK(leaks() == 0);
  seen.clear();
  static_cast<void>(rg::held_out_predictions(copies, {.folds = 5, .seed = 1}, train));
  CHECK(leaks() > 0);
}

TEST_CASE("predictions by sample: misuse") {
  Echo net;
  rg::Batch bad = four();
  bad.target[1] = 3;
  CHECK(error_of([&] { static_cast<void>(rg::sample_predictions(net, bad)); }) ==
        "sample_predictions takes labels in [0, 3), as the network has so many outputs, but one is 3");
  rg::Batch one = four();
  one.data = one.data.narrow(1, 0, 1);
  CHECK(contains(error_of([&] { static_cast<void>(rg::sample_predictions(net, one)); }), "at least two classes"));
  const auto train = [&](const rg::Source&) { return std::make_shared<Echo>(); };
  CHECK(error_of([&] { static_cast<void>(rg::held_out_predictions(four(), {.folds = 1}, train)); }) ==
        "Folds.folds must be in [2, 4], the number of samples, but is 1");
  CHECK(error_of([&] { static_cast<void>(rg::held_out_predictions(four(), {.folds = 5}, train)); }) ==
        "Folds.folds must be in [2, 4], the number of samples, but is 5");
  const at::Tensor pairs = torch::tensor({0, 0, 1, 1});
  CHECK(error_of([&] { static_cast<void>(rg::held_out_predictions(four(), {.folds = 3, .group = pairs}, train)); }) ==
        "Folds.folds must be in [2, 2], the number of groups, but is 3");
  CHECK(contains(
      error_of([&] { static_cast<void>(rg::held_out_predictions(four(), {.group = torch::zeros({3})}, train)); }),
      "Folds.group must be [4] Long, a number for each sample of the source, but is "));
}

TEST_CASE("write_predictions: cleanlab finds most of the wrong labels in the files, and few others") {
  const std::optional<std::string> python = python_with("cleanlab.filter", "cleanlab", "REGIMEN_REQUIRE_PEERS");
  if (!python) {
    return;
  }
  const Folder folder;
  const rg::Source clean = points(500, 31);
  const rg::Source noisy =
      rg::frozen(clean, rg::UniformLabels{.classes = 3, .exclude_true = true}, 7, rg::exactly(0.2));
  const auto train = [](const rg::Source& rest) { return trained_on(rest); };
  rg::write_predictions(folder / "said", rg::held_out_predictions(noisy, {.folds = 4, .seed = 1}, train));
  REQUIRE(run_python(*python, "../examples/060-suspect-labels/find_label_issues.py", {folder / "said"}));
  const std::string mask = content_of(folder / "said/label_issues.npy");
  REQUIRE(mask.size() > 500);
  const at::Tensor flagged = torch::zeros({500}, torch::kBool);
  for (std::int64_t i = 0; i < 500; ++i) {
    flagged[i] = mask[mask.size() - 500 + static_cast<std::size_t>(i)] != 0;
  }
  const rg::Detection found = rg::detection(flagged, rg::split_by_noise(noisy, clean).mask);
  CHECK(found.corrupted == 100);
  CHECK(found.recall() > 0.75);
  CHECK(found.precision() > 0.75);
}

}  // namespace sample_predictions_test
