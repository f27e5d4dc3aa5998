// A network that was exported from Python is trained here, and goes back.

#include "support/training.hpp"

#include "support/python.hpp"

#include <torch/csrc/jit/passes/tensorexpr_fuser.h>
#include <regimen/adapt.hpp>

namespace torchscript_test {

namespace {

using namespace training;

rg::Batch images(std::int64_t n) {
  torch::manual_seed(1);
  return {.data = torch::randn({n, 1, 6, 6}), .target = torch::randint(4, {n}, torch::kLong)};
}

torch::optim::SGD optimizer_of(rg::Script& net) {
  return torch::optim::SGD(net.parameters(), torch::optim::SGDOptions(0.1).momentum(0.9).weight_decay(5e-4));
}

/// A scripted network made without Python: TorchScript's own language.
rg::Script linear() {
  torch::jit::Module module("Linear");
  torch::manual_seed(2);
  module.register_parameter("weight", torch::randn({2, 3}).requires_grad_(), false);
  module.register_buffer("count", torch::zeros({}));
  module.register_attribute("training", c10::BoolType::get(), true);
  module.define(R"(
    def forward(self, x):
        if self.training:
            self.count.add_(1)
        return x.matmul(self.weight)
  )");
  return rg::Script(module);
}

/// A scripted network with dropout, and with an argument that has a default.
rg::Script dropping() {
  torch::jit::Module module("Dropping");
  torch::manual_seed(3);
  module.register_parameter("first", (0.1 * torch::randn({36, 8})).requires_grad_(), false);
  module.register_parameter("last", (0.1 * torch::randn({8, 4})).requires_grad_(), false);
  module.register_attribute("training", c10::BoolType::get(), true);
  module.define(R"(
    def forward(self, x, scale: float = 1.0):
        hidden = torch.dropout(torch.tanh(x.flatten(1).matmul(self.first)) * scale, 0.3, self.training)
        return torch.sigmoid(hidden).matmul(self.last)
  )");
  return rg::Script(module);
}

}  // namespace

TEST_CASE("a network exported from Python is trained here with Python's losses, and goes back") {
  const std::optional<std::string> python = python_with_torch();
  if (!python) {
    return;
  }
  const Folder folder;
  REQUIRE(run_python(*python, "adapt/script.py", {"export", folder / "net.pt"}));
  rg::Script net = rg::load_script(folder / "net.pt");
  auto sgd = optimizer_of(net);
  const rg::Batch train = images(72);
  std::vector<double> losses;
  std::vector<at::Tensor> batches;
  const rg::Phase phase{.data = train, .optimizer = sgd, .epochs = 4, .batch = 16, .seed = 6};
  const rg::History history = rg::run(net, {phase}, {.test = train}, [&](const rg::Step& step) {
    losses.push_back(step.loss.item<double>());
    batches.push_back(step.pass.batch.data.clone());
    batches.push_back(step.pass.batch.target.clone());
  });
  write_tensors(folder / "in.pt", batches);
  REQUIRE(run_python(*python, "adapt/script.py", {"train", folder / "net.pt", folder / "in.pt", folder / "losses"}));
  const std::vector<double> expected = numbers_in(folder / "losses");
  REQUIRE(losses.size() == 20);
  REQUIRE(expected.size() == 20);
  for (std::size_t i = 0; i < losses.size(); ++i) {
    CAPTURE(i);
    CHECK(losses[i] == Approx(expected[i]).epsilon(1e-5));
  }
  CHECK(std::abs(losses.back() - losses.front()) > 1e-3);
  CHECK(history.back().test.scored());

  net.module().save(folder / "trained.pt");
  write_tensors(folder / "data.pt", {train.data});
  REQUIRE(run_python(*python, "adapt/script.py", {"tell", folder / "trained.pt", folder / "data.pt", folder / "out"}));
  const std::vector<double> told = numbers_in(folder / "out");
  net.eval();
  const at::Tensor here = net.forward(train.data).detach().to(torch::kDouble).flatten();
  REQUIRE(static_cast<std::int64_t>(told.size()) == here.numel());
  for (std::int64_t i = 0; i < here.numel(); i += 17) {
    CHECK(here[i].item<double>() == Approx(told[static_cast<std::size_t>(i)]).margin(1e-5));
  }
}

TEST_CASE("a script has names, modes, snapshots and checkpoints like any other model") {
  const Folder folder;
  rg::Script net = linear();
  const rg::Model model(net);
  REQUIRE(model.named_parameters().size() == 1);
  CHECK(model.named_parameters()[0].name == "weight");
  CHECK(model.named_buffers()[0].name == "count");
  const rg::Snapshot before(model);
  torch::optim::SGD sgd(net.parameters(), 0.1);
  const rg::Batch train{.data = torch::randn({12, 2}), .target = torch::randint(3, {12}, torch::kLong)};
  net.eval();
  rg::run(net, {{.data = train, .optimizer = sgd, .epochs = 2, .batch = 4}}, {});
  CHECK_FALSE(net.is_training());                                  // put back
  CHECK(model.named_buffers()[0].tensor.item<double>() == 3 * 2);  // in train mode for the steps, in eval for scoring
  const auto trained = weights(model);
  rg::save_checkpoint(folder / "run.pt", {}, net, sgd);

  before.restore();
  CHECK_FALSE(same(weights(model), trained));
  static_cast<void>(rg::load_checkpoint(folder / "run.pt", net, sgd));
  CHECK(same(weights(model), trained));
}

TEST_CASE("a script whose output is a tuple needs to be told what to pick") {
  torch::jit::Module module("Two");
  module.register_parameter("weight", torch::ones({2, 3}).requires_grad_(), false);
  module.define(R"(
    def forward(self, x, scale):
        y = x.matmul(self.weight)
        return y * scale, y
  )");
  rg::Script net(module);
  const auto pick = [](rg::Script& script, const rg::Batch& batch) {
    return script.module().forward({batch.data, batch.extra.at("scale")}).toTuple()->elements()[0].toTensor();
  };
  const rg::Batch batch{.data = torch::ones({4, 2}),
                        .target = torch::zeros({4}, torch::kLong),
                        .extra = {{"scale", torch::full({4, 1}, 3.0)}}};
  CHECK(rg::Model(net, pick).forward(batch).equal(torch::full({4, 3}, 6.0)));
  CHECK(rg::evaluate(rg::Model(net, pick), batch).samples == 4);

  torch::jit::Module one("One");
  one.register_parameter("weight", torch::ones({2, 3}).requires_grad_(), false);
  one.define("def forward(self, x):\n    return x.matmul(self.weight), x\n");
  rg::Script tuple(one);
  CHECK(contains(error_of([&] { static_cast<void>(rg::evaluate(tuple, batch)); }), "must be a tensor, but is Tuple"));
}

TEST_CASE("load_script: a script that was saved is the same network, and trains") {
  const Folder folder;
  linear().module().save(folder / "net.pt");
  rg::Script net = rg::load_script(folder / "net.pt", at::kCPU);
  const at::Tensor x = torch::randn({5, 2});
  rg::Script expected = linear();
  CHECK(net.forward(x).equal(expected.forward(x)));
  torch::optim::SGD sgd(net.parameters(), 0.1);
  const rg::Batch train{.data = torch::randn({12, 2}), .target = torch::randint(3, {12}, torch::kLong)};
  rg::run(net, {{.data = train, .optimizer = sgd, .epochs = 1}}, {});
  CHECK_FALSE(net.forward(x).equal(expected.forward(x)));
}

TEST_CASE("load_script: what is no TorchScript file says what it is and how to make one") {
  const Folder folder;
  const auto refusal = [&](const std::string& name) {
    return error_of([&] { static_cast<void>(rg::load_script(folder / name)); });
  };
  CHECK(contains(refusal("absent.pt"), folder / "absent.pt"));
  CHECK(contains(refusal("absent.pt"), "is no file that can be read"));
  std::filesystem::create_directory(folder / "sub");
  CHECK(contains(refusal("sub"), "is a folder"));

  const std::string cure = "torch.jit.script(net).save(path)";
  write_tensors(folder / "state_dict.pt", {torch::ones({2, 3})});  // as torch.save does
  CHECK(contains(refusal("state_dict.pt"), "is no TorchScript file: torch.save wrote it"));
  CHECK(contains(refusal("state_dict.pt"), cure));
  std::ofstream(folder / "old.pt", std::ios::binary) << "\x80\x02]q.";  // before 1.6
  CHECK(contains(refusal("old.pt"), "is no TorchScript file: torch.save wrote it"));

  torch::nn::Linear linear(2, 3);
  torch::save(linear, folder / "weights.pt");
  CHECK(contains(refusal("weights.pt"), "has no forward: torch::save and save_checkpoint write weights"));
  torch::optim::SGD sgd(linear->parameters(), 0.1);
  rg::save_checkpoint(folder / "run.pt", {}, linear, sgd);
  CHECK(contains(refusal("run.pt"), cure));

  std::ofstream(folder / "text.pt") << "weights";
  CHECK(contains(refusal("text.pt"), "cannot be loaded as TorchScript: "));
  CHECK(contains(refusal("text.pt"), cure));
  CHECK_FALSE(contains(refusal("text.pt"), "\n"));
  std::ofstream(folder / "empty.pt") << "";
  CHECK(contains(refusal("empty.pt"), "cannot be loaded as TorchScript: "));
}

TEST_CASE("a frozen script can be evaluated; run says why it has nothing to train") {
  rg::Script net = linear();
  net.eval();
  const Folder folder;
  torch::jit::freeze(net.module()).save(folder / "frozen.pt");
  rg::Script frozen = rg::load_script(folder / "frozen.pt");
  const rg::Batch batch{.data = torch::randn({12, 2}), .target = torch::randint(3, {12}, torch::kLong)};
  CHECK(rg::evaluate(frozen, batch).loss == Approx(rg::evaluate(net, batch).loss));
  torch::optim::SGD of_frozen(frozen.parameters(), 0.1);
  torch::optim::SGD of_another(net.parameters(), 0.1);
  for (auto* const sgd : {&of_frozen, &of_another}) {
    const std::string message =
        error_of([&] { rg::run(frozen, {{.data = batch, .optimizer = *sgd, .epochs = 1}}, {}); });
    CHECK(contains(message, "run: the model has no parameters to train"));
    CHECK(contains(message, "torch.jit.freeze"));
    CHECK(contains(message, "without freezing"));
  }
  for (const at::Tensor& parameter : net.parameters()) {
    at::Tensor(parameter).set_requires_grad(false);
  }
  CHECK(contains(error_of([&] { rg::run(net, {{.data = batch, .optimizer = of_another, .epochs = 1}}, {}); }),
                 "no parameter of the model requires a gradient"));
}

TEST_CASE("a script tells its parts, with modes that can be set and put back one by one") {
  // head(body.norm(x)): two parts inside each other and one beside them.
  const auto part = [](const char* name) {
    torch::jit::Module module(name);
    module.register_attribute("training", c10::BoolType::get(), true);
    return module;
  };
  torch::jit::Module whole = part("Whole");
  torch::jit::Module body = part("Body");
  body.register_module("norm", part("Norm"));
  whole.register_module("body", body);
  whole.register_module("head", part("Head"));
  rg::Script net(whole);
  const auto modes = [&] {
    std::map<std::string, bool> all;
    for (const auto& [name, module] : net.named_modules()) {
      all[name] = module.is_training();
    }
    return all;
  };
  using Modes = std::map<std::string, bool>;
  CHECK((modes() == Modes{{"", true}, {"body", true}, {"body.norm", true}, {"head", true}}));
  auto parts = net.named_modules();
  CHECK(parts.front().first.empty());
  for (auto& [name, module] : parts) {
    if (name == "body") {
      module.train(false);
    }
  }
  const Modes wanted{{"", true}, {"body", false}, {"body.norm", false}, {"head", true}};
  CHECK((modes() == wanted));
  net.eval();
  CHECK((modes() == Modes{{"", false}, {"body", false}, {"body.norm", false}, {"head", false}}));
  // In this order, for a mode reaches all the way down.
  for (const auto& [name, module] : parts) {
    module.train(wanted.at(name));
  }
  CHECK((modes() == wanted));
}

TEST_CASE("a script whose layers are listened to trains in the same bits as one that is left alone") {
  // Debian 13's LibTorch takes minutes to compile a kernel of these layers.
  const bool fuses = torch::jit::tensorExprFuserEnabled();
  torch::jit::setTensorExprFuserEnabled(false);
  const auto trained = [](const std::map<std::string, rg::AnyMeasure>& measures) {
    rg::Script net = dropping();
    torch::optim::SGD sgd = optimizer_of(net);
    const rg::Source data = rg::InMemory(images(24));
    const rg::Phase phase{.data = data, .optimizer = sgd, .epochs = 4, .batch = 6};
    const rg::History history = rg::run(net, phase, {.measures = measures});
    if (!measures.empty()) {
      CHECK(std::isfinite(history.back().measures.at("norms")));
    }
    return net.parameters();
  };
  const std::vector<at::Tensor> alone = trained({});
  const std::vector<at::Tensor> watched = trained({{"norms", rg::LogSpectralProduct{}}});
  REQUIRE(alone.size() == 2);
  torch::jit::setTensorExprFuserEnabled(fuses);
  CHECK(alone[0].equal(watched[0]));
  CHECK(alone[1].equal(watched[1]));
}

TEST_CASE("a script with dropout resumes to the bit where LibTorch runs it as it is written") {
  const Folder folder;
  const std::string path = folder / "script.pt";
  torch::jit::setGraphExecutorOptimize(false);
  const rg::Source data = rg::InMemory(images(24));
  rg::Script whole = dropping(), half = dropping(), resumed = dropping();
  torch::optim::SGD whole_sgd = optimizer_of(whole), half_sgd = optimizer_of(half), resumed_sgd = optimizer_of(resumed);
  const auto phase = [&](torch::optim::SGD& sgd, int epochs) {
    return rg::Phase{.data = data, .optimizer = sgd, .epochs = epochs, .batch = 6};
  };
  rg::run(whole, phase(whole_sgd, 4));
  rg::run(half, phase(half_sgd, 2), {}, rg::Checkpoint(path, {}, half, half_sgd));
  rg::RunOptions options;
  options.from = rg::load_checkpoint(path, resumed, resumed_sgd);
  rg::run(resumed, phase(resumed_sgd, 4), {}, options);
  torch::jit::setGraphExecutorOptimize(true);
  CHECK(whole.parameters()[0].equal(resumed.parameters()[0]));
  CHECK(whole.parameters()[1].equal(resumed.parameters()[1]));
}

TEST_CASE("a script is listened to whatever executor LibTorch runs it with") {
  rg::Script net = linear();
  const auto names = [&] {
    std::string all;
    for (const rg::LayerMap& map : rg::layer_maps(net, {2})) {
      all += map.name;
    }
    return all;
  };
  const bool profiling = torch::jit::getProfilingMode();
  const bool executor = torch::jit::getExecutorMode();
  torch::jit::getProfilingMode() = false;
  CHECK(names() == "weight");
  torch::jit::getExecutorMode() = false;
  CHECK(names() == "weight");
  torch::jit::getExecutorMode() = executor;
  torch::jit::getProfilingMode() = profiling;
  CHECK(names() == "weight");
}

TEST_CASE("TorchScript: a manifest has no addresses, which differ from process to process", "[torchscript]") {
  CHECK(regimen::detail::without_addresses("norm = <__torch__.Norm object at 0x5630b486db30>\n last at 0x1f") ==
        "norm = <__torch__.Norm object>\n last");
  CHECK(regimen::detail::without_addresses("at 0 x").size() == 6);
}

}  // namespace torchscript_test
