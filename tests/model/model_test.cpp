#include "support/tensors.hpp"

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <regimen/regimen.hpp>

namespace model_test {

namespace {

using regimen::Batch;
using regimen::Model;

struct NetImpl : torch::nn::Module {
  NetImpl() {
    first = register_module("first", torch::nn::Linear(3, 4));
    norm = register_module("norm", torch::nn::BatchNorm1d(4));
    last = register_module("last", torch::nn::Linear(4, 2));
  }
  torch::Tensor forward(torch::Tensor x) { return last(torch::relu(norm(first(x)))); }

  torch::nn::Linear first{nullptr}, last{nullptr};
  torch::nn::BatchNorm1d norm{nullptr};
};
TORCH_MODULE(Net);

/// Two inputs: no forward of one tensor.
struct TwoInputsImpl : torch::nn::Module {
  TwoInputsImpl() { last = register_module("last", torch::nn::Linear(3, 2)); }
  torch::Tensor forward(torch::Tensor x, torch::Tensor mask) { return last(x * mask); }

  torch::nn::Linear last{nullptr};
};
TORCH_MODULE(TwoInputs);

/// Parts within parts.
struct NestedImpl : torch::nn::Module {
  NestedImpl() {
    inner = register_module(
        "inner", torch::nn::Sequential(torch::nn::Linear(3, 4), torch::nn::Dropout(), torch::nn::BatchNorm1d(4)));
    net = register_module("net", Net());
    dropout = register_module("dropout", torch::nn::Dropout());
  }
  torch::Tensor forward(torch::Tensor x) { return dropout(inner->forward(x)) + net(x).sum(); }

  torch::nn::Sequential inner{nullptr};
  Net net{nullptr};
  torch::nn::Dropout dropout{nullptr};
};
TORCH_MODULE(Nested);

/// No module of LibTorch's at all: the duck that a Model asks for, and no more.
struct Scale {
  at::Tensor factor = at::full({2}, 3.0);
  at::Tensor seen = at::zeros({1});

  at::Tensor forward(const at::Tensor& x) { return x * factor; }
  std::vector<at::Tensor> parameters() { return {factor}; }
  std::vector<at::Tensor> buffers() { return {seen}; }
};

const Batch batch{.data = at::arange(15, at::kFloat).view({5, 3}) / 7};

std::vector<std::string> names(const std::vector<regimen::Named>& all) {
  std::vector<std::string> result;
  for (const regimen::Named& named : all) {
    result.push_back(named.name);
  }
  return result;
}

}  // namespace

TEST_CASE("model: a holder, a shared or raw pointer and a plain reference are the same model") {
  Net net;
  net->eval();
  std::shared_ptr<NetImpl> shared = net.ptr();
  NetImpl* raw = net.get();
  NetImpl& plain = *net;
  const std::unique_ptr<Scale> none;
  const at::Tensor expected = net->forward(batch.data);
  for (const Model& model : {Model(net), Model(shared), Model(raw), Model(plain), Model(Net(net))}) {
    CHECK(model.forward(batch).equal(expected));
    CHECK(names(model.named_parameters()) == std::vector<std::string>{"first.weight", "first.bias", "norm.weight",
                                                                      "norm.bias", "last.weight", "last.bias"});
    CHECK(names(model.named_buffers()) ==
          std::vector<std::string>{"norm.running_mean", "norm.running_var", "norm.num_batches_tracked"});
    REQUIRE(model.parameters().size() == 6);
    CHECK(model.parameters()[0].is_same(net->first->weight));
    CHECK(model.device().is_cpu());
  }
}

TEST_CASE("model: a Sequential is one, by holder and by pointer") {
  torch::nn::Sequential net(torch::nn::Linear(3, 4), torch::nn::ReLU(), torch::nn::Linear(4, 2));
  const at::Tensor expected = net->forward(batch.data);
  for (const Model& model : {Model(net), Model(net.ptr()), Model(*net)}) {
    CHECK(model.forward(batch).equal(expected));
    CHECK(names(model.named_parameters()) == std::vector<std::string>{"0.weight", "0.bias", "2.weight", "2.bias"});
  }
}

TEST_CASE("model: a holder is kept alive, so a temporary one will do") {
  const Model model{Net()};
  CHECK(model.forward(batch).sizes() == at::IntArrayRef({5, 2}));
}

TEST_CASE("model: says how to call it where a forward of one tensor is not enough") {
  TwoInputs net;
  const Batch masked{.data = batch.data, .extra = {{"mask", (batch.data > 1).to(at::kFloat)}}};
  const Model model(net, [](TwoInputs& n, const Batch& b) { return n->forward(b.data, b.extra.at("mask")); });
  CHECK(model.forward(masked).equal(net->forward(batch.data, masked.extra.at("mask"))));
  CHECK(names(model.named_parameters()) == std::vector<std::string>{"last.weight", "last.bias"});

  // Also where the module is only known by its base, and for a plain reference.
  std::shared_ptr<torch::nn::Module> base = net.ptr();
  const Model by_base(base, [](auto& m, const Batch& b) {
    return std::dynamic_pointer_cast<TwoInputsImpl>(m)->forward(b.data, b.extra.at("mask"));
  });
  CHECK(by_base.forward(masked).equal(model.forward(masked)));
  const Model by_reference(*net, [](TwoInputsImpl& n, const Batch& b) { return n.forward(b.data, at::ones({1})); });
  CHECK(by_reference.forward(batch).equal(net->last(batch.data)));
}

TEST_CASE("model: how to call it has the last word where there is a forward too") {
  Net net;
  net->eval();
  const Model model(net, [](auto& n, const Batch& b) { return n->forward(b.data * 2); });
  CHECK(model.forward(batch).equal(net->forward(batch.data * 2)));
}

TEST_CASE("model: it need not be a module of LibTorch's") {
  Scale scale;
  const Model model(scale);
  const Batch pairs{.data = at::ones({4, 2})};
  CHECK(model.forward(pairs).equal(at::full({4, 2}, 3.0)));
  scale.factor.fill_(5);  // borrowed, not copied
  CHECK(model.forward(pairs).equal(at::full({4, 2}, 5.0)));
  CHECK(names(model.named_parameters()) == std::vector<std::string>{"parameter0"});
  CHECK(names(model.named_buffers()) == std::vector<std::string>{"buffer0"});
  CHECK_NOTHROW(model.train(false));  // it has no modes
  CHECK_NOTHROW(model.keep_modes()());
}

TEST_CASE("model: is borrowed: what is done to the module is done to it") {
  Net net;
  const Model model(net);
  const at::NoGradGuard no_grad;
  net->last->weight.zero_();
  net->last->bias.fill_(2);
  CHECK(model.forward(batch).equal(at::full({5, 2}, 2.0)));
  model.train(false);
  CHECK_FALSE(net->norm->is_training());
  model.train(true);
  CHECK(net->norm->is_training());
}

TEST_CASE("model: every part comes back into the mode that it was in, however they differ") {
  Nested net;
  std::set<std::vector<bool>> seen;
  for (int pattern = 0; pattern < 1024; pattern += 23) {
    int bit = 0;
    for (const auto& part : net->modules()) {  // each on its own: Module::train reaches down, so parents first
      part->train((pattern >> bit++ & 1) != 0);
    }
    const std::vector<bool> before = modes(*net);
    seen.insert(before);
    for (const Model& model : {Model(net), Model(*net), Model(net.get())}) {
      const std::function<void()> restore = model.keep_modes();
      model.train(pattern % 2 == 0);
      restore();
      CHECK(modes(*net) == before);
    }
  }
  CHECK(seen.size() > 20);
}

TEST_CASE("model: without parameters it is on the CPU") {
  torch::nn::Sequential net{torch::nn::ReLU(), torch::nn::Flatten()};
  const Model model(net);
  CHECK(model.parameters().empty());
  CHECK(model.device() == at::Device(at::kCPU));
}

}  // namespace model_test
