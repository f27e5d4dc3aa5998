// Models of every kind, and tasks of every kind: each is scored rightly, or only by its loss.

#include "support/training.hpp"

#include <cmath>

namespace tasks_test {

namespace {

using namespace training;

struct PlainNet : torch::nn::Module {
  PlainNet() {
    torch::manual_seed(1);
    first = register_module("first", torch::nn::Linear(2, 12));
    last = register_module("last", torch::nn::Linear(12, 3));
  }
  torch::Tensor forward(torch::Tensor x) { return last(torch::tanh(first(x))); }
  torch::nn::Linear first{nullptr};
  torch::nn::Linear last{nullptr};
};

struct HeldNetImpl : PlainNet {};
TORCH_MODULE(HeldNet);

/// No module at all: two tensors and a function.
struct ByHand {
  torch::Tensor weight = torch::full({2, 3}, 0.1).requires_grad_();
  torch::Tensor bias = torch::zeros({3}).requires_grad_();
  [[nodiscard]] std::vector<torch::Tensor> parameters() const { return {weight, bias}; }
  [[nodiscard]] std::vector<torch::Tensor> buffers() const { return {}; }
  [[nodiscard]] torch::Tensor forward(const torch::Tensor& x) const { return x.matmul(weight) + bias; }
};

template <class Net, class Parameters>
rg::History train(Net&& net, const Parameters& parameters) {
  torch::optim::SGD sgd(parameters, torch::optim::SGDOptions(0.5));
  const rg::Phase phase{.data = points(90, 11), .optimizer = sgd, .epochs = 12, .batch = 16};
  return rg::run(net, {phase}, {.test = points(60, 12)});
}

/// Trains on a source with a loss, and scores the same source at the end.
rg::Score score_of_task(const rg::Model& model, const std::vector<at::Tensor>& parameters, const rg::Source& data,
                        const rg::AnyLoss& loss) {
  torch::optim::Adam adam(parameters, torch::optim::AdamOptions(0.02));
  const rg::Phase phase{.data = data, .optimizer = adam, .epochs = 40, .batch = 16, .loss = loss};
  const rg::History history = rg::run(model, {phase}, {.every = 40});
  CHECK(history.back().fit.loss < history.epochs.front().train_loss);
  return history.back().fit;
}

}  // namespace

TEST_CASE("a plain module, a holder, pointers and an AnyModule are one and the same network") {
  PlainNet plain;
  const rg::History expected = train(plain, plain.parameters());
  CHECK(expected.back().test.accuracy > 0.7);
  HeldNet held;
  CHECK(train(held, held->parameters()) == expected);
  const auto shared = std::make_shared<PlainNet>();
  CHECK(train(shared, shared->parameters()) == expected);
  const auto unique = std::make_unique<PlainNet>();
  CHECK(train(unique.get(), unique->parameters()) == expected);
  torch::nn::AnyModule any{HeldNet()};
  CHECK(train(any, any.ptr()->parameters()) == expected);
  const rg::Model model(any);
  CHECK(model.named_parameters()[0].name == "first.weight");
  CHECK(contains(model.type(), "HeldNetImpl"));
}

TEST_CASE("a model need not be a module: tensors and a function will do") {
  ByHand net;
  const rg::History history = train(net, net.parameters());
  CHECK(history.back().fit.loss < history.epochs.front().train_loss);
}

TEST_CASE("a Sequential and a snapshot of it") {
  auto net = plain_network();
  const rg::Snapshot before(net);
  const auto was = weights(net);
  train(net, net->parameters());
  CHECK_FALSE(same(weights(net), was));
  before.restore();
  CHECK(same(weights(net), was));
}

TEST_CASE("several inputs come in the batch's extra, and of several outputs one is picked") {
  struct Siamese : torch::nn::Module {
    Siamese() { embed = register_module("embed", torch::nn::Linear(2, 8)); }
    std::tuple<torch::Tensor, torch::Tensor> forward(const torch::Tensor& a, const torch::Tensor& b) {
      const auto distance = (embed(a) - embed(b)).square().sum(1);
      return {torch::stack({distance, torch::ones_like(distance)}, 1), distance};
    }
    torch::nn::Linear embed{nullptr};
  };
  torch::manual_seed(1);
  Siamese net;
  const auto a = torch::randn({64, 2});
  const auto b = torch::randn({64, 2});
  const rg::Batch pairs{
      .data = a, .target = (a.select(1, 0) * b.select(1, 0) > 0).to(torch::kLong), .extra = {{"b", b}}};
  const rg::Model model(
      net, [](Siamese& n, const rg::Batch& batch) { return std::get<0>(n.forward(batch.data, batch.extra.at("b"))); });
  const rg::Score score = score_of_task(model, net.parameters(), pairs, rg::CrossEntropy{});
  CHECK(score.accuracy > 0.7);
}

TEST_CASE("binary: one logit a sample is right on its side of zero") {
  auto net = torch::nn::Sequential(torch::nn::Linear(2, 1));
  torch::manual_seed(1);
  const auto x = torch::randn({80, 2});
  const auto right = (x.select(1, 0) > 0);
  for (const at::Tensor& target : {right.to(torch::kLong), right.to(torch::kFloat)}) {
    const rg::Score score =
        score_of_task(net, net->parameters(), rg::Batch{.data = x, .target = target}, rg::BinaryCrossEntropy{});
    CHECK(score.accuracy > 0.9);
    CHECK(score.accuracy <= 1);
  }
}

TEST_CASE("multi-label: scored by its loss alone, or by what its loss calls right") {
  auto net = torch::nn::Sequential(torch::nn::Linear(2, 3));
  torch::manual_seed(1);
  const auto x = torch::randn({80, 2});
  const auto labels = torch::stack({x.select(1, 0) > 0, x.select(1, 1) > 0, x.sum(1) > 0}, 1).to(torch::kFloat);
  const rg::Batch data{.data = x, .target = labels};
  CHECK(std::isnan(score_of_task(net, net->parameters(), data, rg::BinaryCrossEntropy{}).accuracy));

  struct ExactMatch : rg::BinaryCrossEntropy {
    [[nodiscard]] at::Tensor correct(const at::Tensor& output, const at::Tensor& target) const {
      return ((output > 0) == (target > 0.5)).all(1);
    }
  };
  const rg::Score score = score_of_task(net, net->parameters(), data, ExactMatch{});
  CHECK(score.accuracy > 0.7);
  struct EachLabel : rg::BinaryCrossEntropy {
    [[nodiscard]] at::Tensor correct(const at::Tensor& output, const at::Tensor& target) const {
      return (output > 0) == (target > 0.5);
    }
  };
  const double each = ((net->forward(x) > 0) == (labels > 0.5)).to(torch::kDouble).mean().item<double>();
  CHECK(rg::evaluate(net, data, {.loss = EachLabel{}, .batch = 32}).accuracy == Approx(each));
  struct Spread : rg::BinaryCrossEntropy {  // [N, 1] against [N]
    [[nodiscard]] at::Tensor correct(const at::Tensor& output, const at::Tensor& target) const {
      return (output.narrow(1, 0, 1) > 0) == (target.select(1, 0) > 0.5);
    }
  };
  CHECK(contains(error_of([&] { static_cast<void>(rg::evaluate(net, data, {.loss = Spread{}})); }),
                 "judges more than there is: it is [80, 80]"));
}

TEST_CASE("regression: scored by its loss alone; targets of another shape are refused, not spread") {
  auto net = torch::nn::Sequential(torch::nn::Linear(2, 1));
  torch::manual_seed(1);
  const auto x = torch::randn({80, 2});
  const auto y = x.select(1, 0) * 2 - x.select(1, 1);
  for (const at::Tensor& target : {y, y.unsqueeze(1), y.to(torch::kDouble)}) {
    const rg::Score score =
        score_of_task(net, net->parameters(), rg::Batch{.data = x, .target = target}, rg::MeanSquaredError{});
    CHECK(std::isnan(score.accuracy));
    CHECK(score.loss < 0.5);
  }
  const rg::Batch wide{.data = x, .target = torch::stack({y, y}, 1)};
  CHECK(contains(error_of([&] { static_cast<void>(rg::evaluate(net, wide, {.loss = rg::MeanSquaredError{}})); }),
                 "MeanSquaredError takes targets of the output's shape, [80, 1] float, not [80, 2] float"));
}

TEST_CASE("soft targets: scored by their loss alone") {
  auto net = plain_network();
  const rg::Source soft = rg::frozen(points(60, 11), rg::LabelSmoothing{.classes = 3}, 1);
  CHECK(std::isnan(score_of_task(net, net->parameters(), soft, rg::CrossEntropy{}).accuracy));
}

TEST_CASE("a sequence and its mask: what the mask hides changes nothing") {
  struct Tagger : torch::nn::Module {
    Tagger() {
      embed = register_module("embed", torch::nn::Embedding(10, 6));
      head = register_module("head", torch::nn::Linear(6, 2));
    }
    torch::nn::Embedding embed{nullptr};
    torch::nn::Linear head{nullptr};
  };
  torch::manual_seed(1);
  Tagger net;
  const rg::Model model(net, [](Tagger& n, const rg::Batch& batch) {
    const auto mask = batch.extra.at("mask").unsqueeze(-1);
    return n.head((n.embed(batch.data) * mask).sum(1) / mask.sum(1));
  });
  const auto tokens = torch::randint(10, {60, 7}, torch::kLong);
  const auto length = torch::randint(1, 8, {60, 1}, torch::kLong);
  const auto mask = (torch::arange(7).unsqueeze(0) < length).to(torch::kFloat);
  const auto target = ((tokens * mask).sum(1) / mask.sum(1) > 4.5).to(torch::kLong);
  const rg::Batch data{.data = tokens, .target = target, .extra = {{"mask", mask}}};
  const rg::Score score = score_of_task(model, net.parameters(), data, rg::CrossEntropy{});
  CHECK(score.accuracy > 0.8);
  rg::Batch other = data;
  other.data = torch::where(mask > 0, tokens, torch::zeros_like(tokens));
  CHECK(rg::evaluate(model, other).loss == Approx(score.loss).epsilon(1e-5));
}

TEST_CASE("any loss callable trains: a lambda around LibTorch's own") {
  auto net = plain_network();
  const auto loss = [](const at::Tensor& output, const at::Tensor& target) {
    return torch::smooth_l1_loss(output, target);
  };
  const rg::Source one_hot = rg::frozen(points(60, 11), rg::LabelSmoothing{.classes = 3, .amount = 0}, 1);
  CHECK(std::isnan(score_of_task(net, net->parameters(), one_hot, loss).accuracy));
}

}  // namespace tasks_test
