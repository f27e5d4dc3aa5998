// What a loss is a mean over: in accumulated steps, in scores, and where nothing counts at all.

#include "support/training.hpp"

#include <cmath>

namespace counted_test {

namespace {

using namespace training;

/// 24 samples of 4 numbers in 3 classes; labels of 255 are to be ignored, all of some batches of four.
rg::Batch partly_labelled() {
  torch::manual_seed(4);
  at::Tensor label = torch::randint(0, 3, {24}, at::kLong);
  for (const std::int64_t ignored : {0, 1, 2, 3, 4, 9, 11, 16, 17, 18, 19, 20, 21, 22, 23}) {
    label[ignored] = 255;
  }
  return {.data = torch::randn({24, 4}), .target = label};
}

torch::nn::Sequential small_network(at::ScalarType type = at::kFloat) {
  torch::manual_seed(1);
  torch::nn::Sequential net(torch::nn::Linear(4, 6), torch::nn::Tanh(), torch::nn::Linear(6, 3));
  net->to(type);
  return net;
}

/// The weights after three epochs whose every step sees 8 samples, as batches of so many.
std::vector<at::Tensor> trained(const rg::Batch& data, const rg::AnyLoss& loss, std::int64_t batch,
                                const std::vector<rg::AnyRegularizer>& regularize, at::ScalarType type = at::kFloat) {
  torch::nn::Sequential net = small_network(type);
  torch::optim::SGD sgd(net->parameters(), 0.5);
  rg::Batch typed = data;
  typed.data = data.data.to(type);
  rg::run(net,
          {{.data = typed,
            .optimizer = sgd,
            .epochs = 3,
            .batch = batch,
            .loss = loss,
            .regularize = regularize,
            .accumulate = static_cast<int>(8 / batch),
            .shuffle = false}},
          {});
  return weights(net);
}

}  // namespace

TEST_CASE("counted: accumulated batches are as one batch, whatever of it counts, and whatever is added to the loss") {
  const rg::Batch data = partly_labelled();  // nothing counts in the third step
  const std::vector<rg::AnyLoss> losses{
      rg::CrossEntropy{.ignore_index = 255}, rg::CrossEntropy{.class_weights = {0, 1, 5}, .ignore_index = 255},
      torch::nn::CrossEntropyLoss(torch::nn::CrossEntropyLossOptions().ignore_index(255))};
  const std::vector<std::vector<rg::AnyRegularizer>> penalties{
      {}, {rg::L2{0.1}}, {rg::ConfidencePenalty{0.3}, rg::L1{0.01}}, {rg::JacobianNorm{.strength = 0.05}}};
  for (const rg::AnyLoss& loss : losses) {
    CAPTURE(loss.manifest());
    for (std::size_t i = 0; i < penalties.size(); ++i) {
      CAPTURE(i);
      for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
        if (loss.manifest().find("torch::nn") != std::string::npos && type == at::kDouble) {
          continue;
        }
        const auto whole = trained(data, loss, 8, penalties[i], type);
        for (const std::int64_t batch : {1, 2, 4}) {
          CAPTURE(batch);
          if (i == 3 && batch == 1) {
            continue;  // its projections are drawn for the batch
          }
          CHECK(difference(trained(data, loss, batch, penalties[i], type), whole) < 1e-5);
        }
      }
    }
  }
}

TEST_CASE("counted: a step in which nothing counts leaves the weights alone, and the run goes on") {
  rg::Batch nothing = partly_labelled();
  nothing.target = at::cat({torch::randint(0, 3, {8}, at::kLong), at::full({16}, 255, at::kLong)});
  rg::Batch only = nothing;
  only.data = nothing.data.narrow(0, 0, 8);
  only.target = nothing.target.narrow(0, 0, 8);
  const std::vector<rg::AnyLoss> losses{
      rg::CrossEntropy{.ignore_index = 255},
      torch::nn::CrossEntropyLoss(torch::nn::CrossEntropyLossOptions().ignore_index(255))};
  for (const rg::AnyLoss& loss : losses) {
    for (const std::int64_t batch : {2, 4, 8}) {
      CAPTURE(batch);
      CHECK(same(trained(nothing, loss, batch, {}), trained(only, loss, batch, {})));
    }
  }
  // Neither does a class whose weight is 0.
  rg::Batch weightless = only;
  weightless.target = at::cat({at::zeros({8}, at::kLong), torch::randint(1, 3, {8}, at::kLong)});
  weightless.data = nothing.data.narrow(0, 0, 16);
  rg::Batch rest = weightless;
  rest.data = weightless.data.narrow(0, 8, 8);
  rest.target = weightless.target.narrow(0, 8, 8);
  const rg::CrossEntropy without_first{.class_weights = {0, 1, 2}};
  CHECK(same(trained(weightless, without_first, 2, {}), trained(rest, without_first, 2, {})));
}

TEST_CASE("counted: scores of a loss module are those of its labels, whatever the batch, also of batches of none") {
  const rg::Batch data = partly_labelled();
  torch::nn::Sequential net = small_network();
  const at::Tensor output = net->forward(data.data);
  const at::Tensor valid = data.target != 255;
  const double right = (output.argmax(1) == data.target).masked_select(valid).to(at::kDouble).mean().item<double>();
  const double mean = at::cross_entropy_loss(output.index({valid}), data.target.index({valid})).item<double>();
  const torch::nn::CrossEntropyLoss loss(torch::nn::CrossEntropyLossOptions().ignore_index(255));
  for (const std::int64_t batch : {1, 4, 24}) {
    CAPTURE(batch);
    const rg::Score score = rg::evaluate(net, data, {.loss = loss, .batch = batch});
    CHECK(score.accuracy == Approx(right));
    CHECK(score.loss == Approx(mean).epsilon(1e-5));
  }
}

TEST_CASE("counted: by a loss that says nothing of it, labels that are no class are not judged, of any integer type") {
  const rg::Batch data = partly_labelled();
  torch::nn::Sequential net = small_network();
  const at::Tensor valid = data.target != 255;
  const double right =
      (net->forward(data.data).argmax(1) == data.target).masked_select(valid).to(at::kDouble).mean().item<double>();
  for (const at::ScalarType type : {at::kLong, at::kInt, at::kByte}) {
    const auto by_hand = [](const at::Tensor& output, const at::Tensor& target) {
      return at::cross_entropy_loss(output, target.to(at::kLong), {}, at::Reduction::Mean, 255);
    };
    const rg::Batch typed{.data = data.data, .target = data.target.to(type)};
    CHECK(rg::evaluate(net, typed, {.loss = by_hand}).accuracy == Approx(right));
  }
}

TEST_CASE("counted: a loss that is no mean over the samples is found by any batch of the first scoring, of any split") {
  struct Case {
    std::string name;
    rg::AnyLoss loss;
    rg::Batch data;
  };
  torch::manual_seed(3);
  const at::Tensor x = torch::randn({24, 4});
  const at::Tensor balanced = torch::arange(24).remainder(2);
  at::Tensor late = torch::randint(0, 3, {24}, at::kLong);
  late[20] = -100;
  const auto weighted = [](const at::Tensor& output, const at::Tensor& target) {
    return at::cross_entropy_loss(output, target, at::tensor({1.F, 9.F, 1.F}));
  };
  const auto padded = [](const at::Tensor& output, const at::Tensor& target) {
    return at::cross_entropy_loss(output, target);  // leaves -100 out
  };
  const auto sum = [](const at::Tensor& output, const at::Tensor& /*target*/) { return output.square().sum(); };
  const auto mean = [](const at::Tensor& output, const at::Tensor& target) {
    return at::cross_entropy_loss(output, target, {}, at::Reduction::None).mean();
  };
  const std::vector<Case> cases{{"weighted, balanced halves", weighted, {.data = x, .target = balanced}},
                                {"one label ignored, in the last batch", padded, {.data = x, .target = late}},
                                {"a sum without targets", sum, {.data = x}},
                                {"a mean", mean, {.data = x, .target = balanced}}};
  for (const Case& each : cases) {
    CAPTURE(each.name);
    for (const bool score_fit : {true, false}) {
      torch::nn::Sequential net = small_network();
      torch::optim::SGD sgd(net->parameters(), 1e-4);
      int notices = 0;
      rg::run(net, {{.data = each.data, .optimizer = sgd, .epochs = 3, .loss = each.loss}},
              {.test = each.data, .score_fit = score_fit, .batch = 8},
              [&](const rg::Notice& notice) { notices += contains(notice.text, "the loss of phase") ? 1 : 0; });
      CHECK(notices == (each.name == "a mean" ? 0 : 1));
    }
  }
}

TEST_CASE("counted: what the optimizer steps beside the network, and what the network counts, must stay finite too") {
  // The root of 0 has no slope: after one step the loss's own parameter is NaN, the loss and the network are not.
  const Folder folder;
  torch::nn::Sequential net = small_network();
  at::Tensor extra = torch::zeros({1}).set_requires_grad(true);
  std::vector<at::Tensor> stepped = net->parameters();
  stepped.push_back(extra);
  torch::optim::SGD sgd(stepped, 0.1);
  const rg::Batch data{.data = torch::randn({8, 4}), .target = torch::arange(8).remainder(3)};
  const auto with_extra = [&](const at::Tensor& output, const at::Tensor& target) {
    return at::cross_entropy_loss(output, target) + extra.square().sqrt().sum();
  };
  const rg::History history =
      rg::run(net, {{.data = data, .optimizer = sgd, .epochs = 1, .batch = 8, .loss = with_extra}}, {});
  CHECK(history.ended() == rg::Ended::diverged);

  // Squares of 1e30 have no place in 32 bits; normalized, the batch is harmless.
  torch::nn::Sequential normed(torch::nn::BatchNorm1d(4), torch::nn::Linear(4, 3));
  torch::optim::SGD other(normed->parameters(), 0.1);
  rg::Batch huge = data;
  huge.data = data.data * 1e30;
  rg::Checkpoint checkpoint(folder / "huge.pt", {.steps = 1}, normed, other);
  const rg::History blown =
      rg::run(normed, {{.data = huge, .optimizer = other, .epochs = 2, .batch = 8}}, {}, checkpoint);
  CHECK(blown.ended() == rg::Ended::diverged);
  CHECK_FALSE(std::filesystem::exists(folder / "huge.pt"));
}

}  // namespace counted_test
