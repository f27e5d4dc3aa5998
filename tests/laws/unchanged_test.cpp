// Whatever promises to read and change nothing, or to put back what it moves, on ten awkward networks: every bit before
// is every bit afterwards, also when something throws in the middle.

#include "support/training.hpp"

#include "support/awkward.hpp"

#include <map>
#include <optional>
#include <set>

namespace unchanged_test {

namespace {

using namespace training;
using awkward::May;
using awkward::Network;
using awkward::State;

/// Throws at one of the calls to come.
struct Countdown {
  std::shared_ptr<std::int64_t> left = std::make_shared<std::int64_t>(0);

  void pass() const {
    if (*left > 0 && --*left == 0) {
      throw std::runtime_error("broken");
    }
  }
};

struct CountingLoss {
  Countdown countdown;

  at::Tensor operator()(const at::Tensor& output, const at::Tensor& target) const {
    countdown.pass();
    return rg::CrossEntropy{}(output, target);
  }
  [[nodiscard]] std::string manifest() const { return "\"CountingLoss\""; }
};

struct CountingSource {
  Countdown countdown;
  rg::Source of;

  [[nodiscard]] std::int64_t size() const { return *of.size(); }
  [[nodiscard]] rg::Batch get(const at::Tensor& index, const rg::Moment& now) const {
    countdown.pass();
    return of.get(index, now);
  }
  [[nodiscard]] std::string manifest() const { return "\"CountingSource\""; }
};

/// A network, and all that a call may be given with it. Making it changes the network: it is shown a batch, and every
/// second parameter has a gradient then, the others none.
struct Stage {
  explicit Stage(const Network& network) : net(network), model(net.model) {
    how.preprocess = {[countdown = transform](const rg::Batch& batch, const rg::Key&) {
      countdown.pass();
      return batch;
    }};
    how.loss = CountingLoss{loss};
    how.batch = 4;
    pass.batch = net.batch;
    pass.model = &model;
    std::vector<at::Tensor> trained;
    for (at::Tensor parameter : model.parameters()) {
      if (parameter.requires_grad()) {
        const bool has_gradient = trained.size() % 2 == 0;
        parameter.mutable_grad() = has_gradient ? torch::randn_like(parameter.detach()) : at::Tensor();
        trained.push_back(parameter);
      }
    }
    pass.parameters = trained;
    pass.output = model.forward(net.batch);
    pass.taps = {pass.output};
    pass.recompute_gradients = [this] {
      for (at::Tensor parameter : pass.parameters) {
        parameter.mutable_grad() = at::Tensor();
      }
      how.loss(model.forward(net.batch), net.batch.target).backward();
    };
  }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  /// One that steps without moving, in data whose last batch has one sample.
  [[nodiscard]] rg::Phase phase(torch::optim::Optimizer& optimizer) const {
    return {.data = data,
            .optimizer = optimizer,
            .epochs = 2,
            .lr_scale = 0,
            .batch = 4,
            .loss = how.loss,
            .preprocess = how.preprocess,
            .drop_last = true};
  }

  [[nodiscard]] std::vector<std::int64_t> sample_shape() const { return net.batch.data.sizes().slice(1).vec(); }

  const Network& net;
  const rg::Model& model;
  Countdown loss, transform, source;
  rg::Source data = CountingSource{source, net.batch};
  rg::Evaluation how{};
  rg::Pass pass{};
  rg::Snapshot start{model};
  std::string path{};
};

/// Without parameters there is no path norm, no run, and nothing to select.
bool may_be_refused(const Network& net) {
  return net.model.parameters().empty();
}

/// A public function, or several that go together.
struct Call {
  std::string name;
  std::string can_fail;  ///< what it uses: f a forward pass, l the loss, t a transform, s the source
  std::function<void(Stage&)> act;
  May may{};
  std::optional<May> may_if_thrown{};  ///< if that is less
};

/// A penalty, which may change nothing, and its backward pass, which may change gradients alone.
Call penalty(const std::string& name, const std::string& can_fail, const rg::AnyRegularizer& regularizer,
             const May& may = {}) {
  const auto act = [=](Stage& stage) {
    const State before(stage.net);
    const at::Tensor value = regularizer.penalty(stage.pass);
    CHECK(before.difference(State(stage.net), may) == "");
    if (value.requires_grad()) {
      value.backward();
    }
  };
  May with_gradients = may;
  with_gradients.change_gradients = true;
  return {name, can_fail, act, with_gradients, may};
}

Call gradient_hook(const std::string& name, const rg::AnyRegularizer& regularizer) {
  return {name, "", [=](Stage& stage) { regularizer.gradient(stage.pass); }, {.change_gradients = true}};
}

Call sharpness(const std::string& name, const rg::AnyRegularizer& regularizer) {
  return {name,
          "fl",
          [=](Stage& stage) { regularizer.gradient(stage.pass); },
          {.change_gradients = true, .write = true, .draw = true}};
}

rg::Probe probe_of(Stage& stage) {
  rg::Probe probe(stage.model);
  probe.how = stage.how;
  return probe;
}

Call measure(const std::string& name, const std::string& can_fail, std::function<rg::AnyMeasure(Stage&)> make) {
  return {name, can_fail, [=](Stage& stage) { static_cast<void>(make(stage)(probe_of(stage))); }};
}

void add_scoring(std::vector<Call>& all) {
  all.push_back({"evaluate", "flts", [](Stage& s) { static_cast<void>(rg::evaluate(s.model, s.data, s.how)); }});
  all.push_back({"evaluate in bf16, channels_last", "flts", [](Stage& s) {
                   s.how.execute = {.precision = rg::Precision::bf16, .memory_format = rg::MemoryFormat::channels_last};
                   static_cast<void>(rg::evaluate(s.model, s.data, s.how));
                 }});
  all.push_back({"scores by class", "flts",
                 [](Stage& s) { static_cast<void>(rg::scores(s.model, rg::by_class(s.data, 3), s.how)); }});
  all.push_back(measure("AccuracyOn", "flts", [](Stage& s) { return rg::AccuracyOn{s.data}; }));
  all.push_back(measure("LossOn", "flts", [](Stage& s) { return rg::LossOn{s.data}; }));
  all.push_back(measure("PartGap", "flts", [](Stage& s) { return rg::PartGap{s.data, s.net.batch}; }));
  all.push_back(measure("WorstGap", "flts",
                        [](Stage& s) { return rg::WorstGap{rg::by_class(s.data, 3), rg::by_class(s.net.batch, 3)}; }));
  all.push_back(measure("PredictionChanges", "fts", [](Stage& s) { return rg::PredictionChanges(s.data); }));
  all.push_back(
      {"reestimate_batch_norm",
       "fts",
       [](Stage& s) { rg::reestimate_batch_norm(s.model, s.data, {.preprocess = s.how.preprocess, .batch = 3}); },
       {.change_statistics = true, .write = true},
       May{.write = true}});
}

void add_measures(std::vector<Call>& all) {
  all.push_back(measure("l2_norm", "", [](Stage&) { return rg::l2_norm; }));
  all.push_back(measure("DistanceFrom", "", [](Stage& s) { return rg::DistanceFrom{s.start}; }));
  all.push_back(measure("RelativeDistanceFrom", "", [](Stage& s) { return rg::RelativeDistanceFrom{s.start}; }));
  all.push_back(measure("CosineTo", "", [](Stage& s) { return rg::CosineTo{s.start}; }));
  all.push_back(measure("HeadingTo", "", [](Stage& s) { return rg::HeadingTo{.from = s.start, .to = s.start}; }));
  for (const double p : {1.0, 2.0}) {
    all.push_back(measure("path_norm, p = " + std::to_string(p), "f", [p](Stage& s) {
      return [p, shape = s.sample_shape()](const rg::Model& model) { return rg::path_norm(model, shape, p); };
    }));
  }
}

void add_regularizers(std::vector<Call>& all) {
  const May aside{.write = true, .draw = true};  // a pass in train mode, which counts itself in a copy of the buffers
  all.push_back(penalty("L1", "", rg::L1{}));
  all.push_back(penalty("L2", "", rg::L2{}));
  all.push_back(penalty("ElasticNet", "", rg::ElasticNet{}));
  all.push_back(penalty("SpectralNorm", "", rg::SpectralNorm{}));
  all.push_back(penalty("ConfidencePenalty", "", rg::ConfidencePenalty{}));
  all.push_back(penalty("Jumpstart", "", rg::Jumpstart{}));
  all.push_back(penalty("On matrices", "", rg::On{rg::Matrices{}, rg::L2{}}));
  all.push_back(penalty("PathNorm", "f", rg::PathNorm{.p = 1}));
  all.push_back(penalty("JacobianNorm", "f", rg::JacobianNorm{}, aside));
  all.push_back(penalty("JacobianNorm, exactly", "f", rg::JacobianNorm{.projections = 0}, aside));
  all.push_back({"L2SP",
                 "",
                 [](Stage& s) { rg::L2SP{.start = s.start}.penalty(s.pass).backward(); },
                 {.change_gradients = true}});
  all.push_back({"LearnedPotential", "f", [](Stage& s) {
                   // The network is consulted, and no bit of it may change: not its gradients either.
                   const rg::LearnedPotential potential{.network = s.model, .potential = rg::Potential::scalar};
                   s.pass.output = s.net.batch.data.clone().requires_grad_();
                   potential.penalty(s.pass).backward();
                   CHECK(s.pass.output.grad().defined());
                 }});
  all.push_back({"LearnedPotential: value and slope", "f", [](Stage& s) {
                   const rg::LearnedPotential potential{.network = s.model, .potential = rg::Potential::scalar};
                   const rg::detail::ModeGuard modes(s.model);  // they leave that to the caller
                   s.model.train(false);
                   const State before(s.net);
                   static_cast<void>(potential.value(s.net.batch.data));
                   static_cast<void>(potential.slope(s.net.batch.data));
                   CHECK(before.difference(State(s.net), {}) == "");
                 }});
  all.push_back(gradient_hook("ClipGradients", rg::ClipGradients{.max_norm = 0.1}));
  all.push_back(gradient_hook("ClipValues", rg::ClipValues{.bound = 0.1}));
  all.push_back(gradient_hook("FiniteGradients", rg::FiniteGradients{}));
  all.push_back(gradient_hook("AdaptiveClip", rg::AdaptiveClip{}));
  all.push_back(gradient_hook("GradientNoise", rg::GradientNoise{}));
  all.push_back(sharpness("Sam", rg::Sam{}));
  all.push_back(sharpness("Asam", rg::Asam{}));
}

void add_weights(std::vector<Call>& all) {
  all.push_back({"Weights", "", [](Stage& s) {
                   const rg::Weights& weights = s.model;
                   CHECK_FALSE((weights.manifest() + weights.type() + weights.structure()).empty());
                   CHECK(weights.device().is_cpu());
                   CHECK(weights.named_tensors().size() >= weights.parameters().size());
                   weights.keep_modes()();
                 }});
  all.push_back({"keep_modes", "", [](Stage& s) {
                   const auto restore = s.model.keep_modes();
                   s.model.train(true);
                   s.model.train(false);
                   restore();
                 }});
  all.push_back({"Snapshot", "", [](Stage& s) {
                   const rg::Snapshot snapshot(s.model);
                   CHECK(contains(snapshot.manifest(), "crc32"));
                   for (const rg::Named& named : s.model.named_tensors()) {
                     CHECK(awkward::bytes_of(snapshot.find(named)) == awkward::bytes_of(named.tensor));
                   }
                 }});
  all.push_back({"Snapshot.restore of what is there",
                 "",
                 [](Stage& s) {
                   const rg::Snapshot now(s.model);
                   now.restore();
                   now.restore(s.model);
                 },
                 {.write = true}});
  all.push_back({"Execution", "", [](Stage& s) {
                   const rg::Execution execution{.precision = rg::Precision::tf32, .autotune = true};
                   execution.check(s.model);
                   execution.prepare(s.model);
                   const auto switches = execution.switches();
                 }});
  all.push_back({"save_checkpoint", "", [](Stage& s) {
                   if (s.net.save) {
                     s.net.save(s.path);
                   }
                 }});
}

/// Two weight vectors' mean in the network's place, while it is scored.
template <class Average>
Call average(const std::string& name) {
  return {name,
          "flts",
          [](Stage& s) {
            Average mean(s.model);
            mean.update();
            mean.update();
            const rg::Snapshot twice(s.model);
            const auto in_place = mean.in_place();
            static_cast<void>(rg::evaluate(s.model, s.data, s.how));
          },
          {.write = true}};
}

/// Other weights in the network's place, at which it is scored; then its own again.
Call average_elsewhere() {
  return {"ExponentialAverage of other weights",
          "flts",
          [](Stage& s) {
            rg::ExponentialAverage mean(s.model);
            for (const rg::Named& named : mean.weights().tensors()) {
              at::Tensor values = named.tensor;
              values.add_(1);
            }
            const auto in_place = mean.in_place();
            static_cast<void>(rg::evaluate(s.model, s.data, s.how));
          },
          {.write = true}};
}

void add_observers(std::vector<Call>& all) {
  all.push_back(average<rg::ExponentialAverage>("ExponentialAverage"));
  all.push_back(average<rg::StochasticAverage>("StochasticAverage"));
  all.push_back(average_elsewhere());
  all.push_back({"Best", "", [](Stage& s) {
                   rg::Best best(s.model);
                   best.add(0.7);
                   best.add(0.5);
                   CHECK(best.kept());
                 }});
}

/// What a run looks at before its first step: faults of the second phase, a last batch of one sample.
void add_looks(std::vector<Call>& all) {
  all.push_back({"manifest of a run", "s", [](Stage& s) {
                   torch::optim::SGD sgd(s.model.parameters(), 0.1);
                   const rg::ExponentialAverage mean(s.model);
                   static_cast<void>(rg::manifest(s.model, {s.phase(sgd)}, {.clean = s.net.batch}, mean));
                 }});
  all.push_back({"check_run",
                 "fts",
                 [](Stage& s) {
                   torch::optim::SGD sgd(s.model.parameters(), 0.1);
                   rg::Phase phase = s.phase(sgd);
                   phase.drop_last = false;
                   try {
                     rg::detail::check_run(s.model, {phase}, {.test = s.data}, {});
                   } catch (const rg::Error& refusal) {
                     CHECK((may_be_refused(s.net) || contains(refusal.what(), "leaves a last batch of 1")));
                   }
                 },
                 {.write = true}});
  all.push_back({"a run that is refused", "", [](Stage& s) {
                   torch::optim::SGD sgd(s.model.parameters(), 0.1);
                   rg::Phase phase = s.phase(sgd);
                   phase.freeze = {"nobody"};
                   const std::string message = error_of([&] { rg::run(s.model, {s.phase(sgd), phase}, {}); });
                   CHECK((may_be_refused(s.net) || contains(message, "nobody")));
                 }});
}

/// The names of all parts, so that no statistics move.
std::vector<std::string> parts_of(const rg::Model& model) {
  std::vector<std::string> names;
  for (const auto& part : model.parts()) {
    if (!part.name.empty()) {
      names.push_back(part.name);
    }
  }
  return names;
}

/// Of a run that steps along 0, with all that moves something for a while, weights and statistics stay; so do the
/// optimizer's rates, and what is frozen is trained again afterwards.
Call idle_run() {
  return {"run",
          "flts",
          [](Stage& s) {
            torch::optim::SGD sgd(s.model.parameters(), 0.1);
            rg::Phase phase = s.phase(sgd);
            phase.eval = parts_of(s.model);
            phase.regularize = {rg::Sam{}, rg::PathNorm{}, rg::JacobianNorm{}};
            phase.accumulate = 2;
            rg::Phase frozen = s.phase(sgd);
            frozen.eval = phase.eval;
            frozen.lr_scale = 0 * rg::LinearDecay{.epochs = 1};
            for (const rg::Named& named : s.model.named_parameters()) {
              if (s.pass.parameters.size() > 1 && named.tensor.is_same(s.pass.parameters.back())) {
                frozen.freeze = {named.aliases.empty() ? named.name : named.aliases.back()};
              }
            }
            const auto norm = [shape = s.sample_shape()](const rg::Model& model) {
              return rg::path_norm(model, shape);
            };
            rg::Scoring scoring{.test = s.data, .measures = {{"path norm", norm}, {"on test", rg::AccuracyOn{s.data}}}};
            rg::ExponentialAverage mean(s.model);
            const auto rates_are_kept = [&] {
              for (const auto& group : sgd.param_groups()) {
                CHECK(group.options().get_lr() == 0.1);
              }
            };
            try {
              rg::run(s.model, {phase, frozen}, scoring, mean);
            } catch (...) {
              rates_are_kept();
              throw;
            }
            rates_are_kept();
          },
          {.change_gradients = true, .change_buffers = false, .write = true}};
}

std::vector<Call> all_calls() {
  std::vector<Call> all;
  add_scoring(all);
  add_measures(all);
  add_regularizers(all);
  add_weights(all);
  add_observers(all);
  add_looks(all);
  all.push_back(idle_run());
  return all;
}

/// What goes wrong in a call, and at which time.
struct Trouble {
  char where = ' ';
  std::int64_t time = 0;
};

void prepare_trouble(Stage& stage, const Trouble& trouble) {
  *stage.loss.left = trouble.where == 'l' ? trouble.time : 0;
  *stage.transform.left = trouble.where == 't' ? trouble.time : 0;
  *stage.source.left = trouble.where == 's' ? trouble.time : 0;
  stage.net.fail_at(trouble.where == 'f' ? trouble.time : 0);
}

/// Counts its passes in train mode in a buffer of its own, which a run that trains may move.
bool counts_passes(const Network& net) {
  return net.name == "plain struct" || net.name == "buffers alone";
}

/// What a network says in eval mode, and the slopes of that by its weights; all as bytes.
std::vector<std::string> output_and_slopes(const Network& net) {
  const auto restore = net.model.keep_modes();
  net.model.train(false);
  const at::Tensor output = net.model.forward(net.batch);
  restore();
  std::vector<std::string> seen{awkward::bytes_of(output)};
  std::vector<at::Tensor> trained;
  for (const at::Tensor& parameter : net.model.parameters()) {
    if (parameter.requires_grad()) {
      trained.push_back(parameter);
    }
  }
  if (output.requires_grad()) {
    for (const at::Tensor& slope : torch::autograd::grad({output.sum()}, trained, {}, false, false, true)) {
      seen.push_back(slope.defined() ? awkward::bytes_of(slope) : "none");
    }
  }
  return seen;
}

/// What came of a call: "", "broken" for the trouble that was made, or another error.
std::string outcome_of(const Call& call, Stage& stage) {
  try {
    call.act(stage);
  } catch (const std::exception& failure) {
    const std::string message = failure.what();
    return contains(message, "broken") ? "broken" : "error: " + message;
  }
  return "";
}

}  // namespace

TEST_CASE("unchanged: what reads a network leaves every bit as it was, also when something throws") {
  const Folder folder;
  std::map<std::string, std::set<char>> failed;
  for (const Network& net : awkward::all_ten()) {
    CAPTURE(net.name);
    for (const Call& call : all_calls()) {
      CAPTURE(call.name);
      std::vector<Trouble> troubles{Trouble{}};
      for (const char where : call.can_fail) {
        for (const std::int64_t time : {1, 2, 3, 5}) {
          troubles.push_back({where, time});
        }
      }
      for (const Trouble& trouble : troubles) {
        CAPTURE(trouble.where, trouble.time);
        Stage stage(net);
        stage.path = folder / "file";
        torch::manual_seed(5);
        static_cast<void>(torch::randn({3}));  // leaves half a pair of normals in the generator
        const State before(net);
        prepare_trouble(stage, trouble);
        const std::string outcome = outcome_of(call, stage);
        prepare_trouble(stage, {});
        May may = outcome.empty() ? call.may : call.may_if_thrown.value_or(call.may);
        may.change_buffers = may.change_buffers || (call.name == "run" && counts_passes(net));
        CHECK(before.difference(State(net), may) == "");
        CAPTURE(outcome);
        CHECK((trouble.where != ' ' || outcome.empty() || may_be_refused(net)));
        CHECK((outcome.empty() || outcome == "broken" || may_be_refused(net)));
        if (outcome == "broken") {
          failed[call.name].insert(trouble.where);
        }
      }
    }
  }
  for (const Call& call : all_calls()) {
    CAPTURE(call.name);
    const std::set<char>& troubles = failed[call.name];
    CAPTURE(std::string(troubles.begin(), troubles.end()));
    CHECK((troubles == std::set<char>(call.can_fail.begin(), call.can_fail.end())));
  }
}

TEST_CASE("unchanged: autocast around a call keeps no cast that the call has made") {
  // LibTorch keeps what it has cast a weight to until the outermost autocast ends. A cast of other weights, or one that
  // was made without a graph, would stand in for the weights from then on.
  const Folder folder;
  for (const Network& net : awkward::all_ten()) {
    CAPTURE(net.name);
    const rg::detail::Autocast outer(at::kCPU, true);
    for (const Call& call : all_calls()) {
      CAPTURE(call.name);
      Stage stage(net);
      stage.path = folder / "file";
      at::autocast::clear_cache();
      static_cast<void>(outcome_of(call, stage));
      const std::vector<std::string> with_what_is_left = output_and_slopes(net);
      at::autocast::clear_cache();
      CHECK((with_what_is_left == output_and_slopes(net)));
    }
  }
}

TEST_CASE("unchanged: path, Jacobian and spectral norms are in full precision, whatever autocast is around them") {
  for (const Network& net : awkward::all_ten()) {
    if (may_be_refused(net)) {
      continue;
    }
    CAPTURE(net.name);
    Stage stage(net);
    stage.model.train(false);
    const auto look = [&] {
      return std::vector<double>{
          rg::path_norm(net.model, stage.sample_shape()), rg::PathNorm{}.penalty(stage.pass).item<double>(),
          rg::JacobianNorm{}.penalty(stage.pass).item<double>(), rg::SpectralNorm{}.penalty(stage.pass).item<double>()};
    };
    const std::vector<double> expected = look();
    const rg::detail::Autocast outer(at::kCPU, true);
    static_cast<void>(net.model.forward(net.batch));  // casts are there
    CHECK((look() == expected));
  }
}

TEST_CASE("unchanged: a run within autocast trains as a loop does that casts its weights anew at every step") {
  const rg::Batch train = points(40, 3);
  const auto trained = [&](auto train_by) {
    torch::nn::Sequential net = plain_network();
    torch::optim::SGD sgd(net->parameters(), 0.5);
    train_by(net, sgd);
    return weights(net);
  };
  const auto expected = trained([&](torch::nn::Sequential& net, torch::optim::SGD& sgd) {
    for (int step = 0; step < 3; ++step) {
      sgd.zero_grad();
      const rg::detail::Autocast casts(at::kCPU, true);
      torch::cross_entropy_loss(net->forward(train.data), train.target).backward();
      sgd.step();
    }
  });
  const auto ours = trained([&](torch::nn::Sequential& net, torch::optim::SGD& sgd) {
    const rg::detail::Autocast outer(at::kCPU, true);
    rg::run(net, {{.data = train, .optimizer = sgd, .epochs = 3, .batch = 40, .shuffle = false}}, {});
  });
  CHECK(same(ours, expected));
}

TEST_CASE("unchanged: a guard whose constructor throws half-way puts back what it had moved") {
  struct Half {
    at::Tensor weight = torch::randn({3, 3}).requires_grad_();
    at::Tensor mean = torch::zeros({3}), variance = torch::ones({3}).to_sparse();  // which has no powers

    at::Tensor forward(const at::Tensor& x) { return x.matmul(weight); }
    std::vector<at::Tensor> parameters() { return {weight}; }
    std::vector<at::Tensor> buffers() { return {mean, variance}; }
    std::vector<rg::Named> named_parameters() { return {{"weight", weight}}; }
    std::vector<rg::Named> named_buffers() { return {{"norm.running_mean", mean}, {"norm.running_var", variance}}; }
  };
  Half net;
  const std::string bits = awkward::bytes_of(net.weight);
  const void* const memory = net.weight.data_ptr();
  CHECK_THROWS_AS(rg::path_norm(net, {3}), c10::Error);
  CHECK(net.weight.data_ptr() == memory);
  CHECK((awkward::bytes_of(net.weight) == bits));
}

TEST_CASE("unchanged: guards put back last first, so that what is moved twice is where it was") {
  std::string order;
  {
    rg::detail::PutBack put_back;
    for (const char* const each : {"a", "b", "c"}) {
      put_back.add([&order, each] { order += each; });
    }
  }
  CHECK(order == "cba");

  const at::Tensor weight = torch::randn({4});
  const std::string bits = awkward::bytes_of(weight);
  {
    const rg::detail::Moved moved({weight, weight.view({2, 2}), weight},
                                  {torch::ones({4}), torch::ones({2, 2}), torch::ones({4})});
    CHECK_FALSE((awkward::bytes_of(weight) == bits));
  }
  CHECK((awkward::bytes_of(weight) == bits));
}

TEST_CASE("unchanged: taps and runs find their way out when something throws") {
  const at::Tensor x = torch::ones({2});
  const rg::Taps outer;
  try {
    const rg::Taps inner;
    rg::tap(x);
    throw std::runtime_error("broken");
  } catch (const std::runtime_error&) {}
  rg::tap(x);
  CHECK(outer.tensors().size() == 1);

  // An exception leaves a run, and the next one may begin.
  for (const Network& net : awkward::all_ten()) {
    if (may_be_refused(net)) {
      continue;
    }
    CAPTURE(net.name);
    Stage stage(net);
    torch::optim::SGD sgd(net.model.parameters(), 0.1);
    net.fail_at(2);
    CHECK_THROWS(rg::run(net.model, {stage.phase(sgd)}, {}));
    net.fail_at(0);
    CHECK_NOTHROW(rg::run(net.model, {stage.phase(sgd)}, {}));
  }
}

}  // namespace unchanged_test
