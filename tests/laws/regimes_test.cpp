// The laws of the design on regimes drawn at random, bit for bit.
//
// REGIMEN_REGIMES says how many, 60 by default; REGIMEN_FIRST_REGIME where their seeds begin, 1 by default. The regime
// that a failure names is run alone by REGIMEN_FIRST_REGIME=<seed> REGIMEN_REGIMES=1.

#include "support/training.hpp"

#include "laws/random_regime.hpp"

#include <cstring>
#include <optional>
#include <set>
#include <stdexcept>
#include <stop_token>

namespace regimes_test {

namespace {

using namespace training;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? otherwise : std::stoull(text);
}

/// Calls check(seed) with the seed of each regime, and a draw of its own for what the check does to it.
template <class Check>
void for_each_regime(Check&& check) {
  const std::uint64_t first = number_from("REGIMEN_FIRST_REGIME", 1);
  const std::uint64_t count = number_from("REGIMEN_REGIMES", 60);
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    CAPTURE(seed);
    Draw draw(~seed);
    check(seed, draw);
  }
}

/// Bit for bit, also where a run that diverged has left NaN, which torch::equal finds different from itself.
bool identical(const at::Tensor& a, const at::Tensor& b) {
  if (!a.defined() || !b.defined()) {
    return a.defined() == b.defined();
  }
  const at::Tensor x = a.contiguous();
  const at::Tensor y = b.contiguous();
  return x.sizes() == y.sizes() && x.dtype() == y.dtype() && std::memcmp(x.data_ptr(), y.data_ptr(), x.nbytes()) == 0;
}

bool identical(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const at::Tensor& x, const at::Tensor& y) { return identical(x, y); });
}

/// What `run` puts back.
struct Surroundings {
  std::vector<double> rates;
  std::vector<bool> modes;
  std::vector<bool> trained;
  at::Tensor generator = generator_state();
  bool gradients = torch::GradMode::is_enabled();

  explicit Surroundings(const RandomRegime& regime) {
    for (const auto& optimizer : regime.optimizers) {
      for (const auto& group : optimizer->param_groups()) {
        rates.push_back(group.options().get_lr());
      }
    }
    for (const auto& part : regime.net->modules()) {
      modes.push_back(part->is_training());
    }
    for (const at::Tensor& parameter : regime.net->parameters()) {
      trained.push_back(parameter.requires_grad());
    }
  }

  friend bool operator==(const Surroundings& a, const Surroundings& b) {
    return a.rates == b.rates && a.modes == b.modes && a.trained == b.trained &&
           torch::equal(a.generator, b.generator) && a.gradients == b.gradients;
  }
};

/// Does at every event something that is no observer's business, as long as it does not write weights.
struct Meddler {
  RandomRegime& regime;
  Draw& draw;

  template <class Event>
  void operator()(const Event& event) {
    if constexpr (std::is_same_v<Event, rg::RunBegin>) {
      static_cast<void>(event.manifest());
    }
    if constexpr (std::is_same_v<Event, rg::Boundary>) {
      static_cast<void>(event.state());
    }
    switch (draw.integer(0, 5)) {
      case 0:
        regime.net->eval();
        break;
      case 1: {
        regime.net->eval();
        const at::Tensor output = regime.net->forward(regime.input());
        if (output.requires_grad()) {
          output.sum().backward();  // and leaves the gradients
        }
        break;
      }
      case 2:
        static_cast<void>(torch::rand({draw.integer(1, 5)}));
        break;
      case 3:
        torch::manual_seed(draw.seed());
        break;
      case 4: {
        const rg::Phase& phase = regime.phases.front();
        const rg::Evaluation how{.loss = phase.loss, .preprocess = phase.preprocess, .batch = 17};
        static_cast<void>(rg::evaluate(regime.net, phase.data, how));
        break;
      }
      default:
        break;
    }
  }
};

bool all_finite(const std::vector<at::Tensor>& tensors) {
  return std::all_of(tensors.begin(), tensors.end(),
                     [](const at::Tensor& tensor) { return tensor.isfinite().all().item<bool>(); });
}

/// The weights after the last step up to which all of them and all losses were finite; none before the first.
struct LastFinite {
  const RandomRegime& regime;
  std::vector<at::Tensor> kept{};
  bool is_over = false;

  void operator()(const rg::Step& step) {
    is_over = is_over || !all_finite({step.loss}) || !all_finite(regime.net->parameters());
    if (!is_over) {
      kept = weights(regime.net);
    }
  }
};

/// Counts steps, epochs and ends of phases, and asks for a stop at one of them.
struct StopAt {
  std::int64_t left = 0;
  std::stop_source stop{};
  std::int64_t heard = 0;

  void operator()(const rg::Step&) { count(); }
  void operator()(const rg::Epoch&) { count(); }
  void operator()(const rg::PhaseEnd&) { count(); }

 private:
  void count() {
    ++heard;
    if (heard == left) {
      stop.request_stop();
    }
  }
};

/// The batches of one epoch, joined.
rg::Batch read_all(const rg::Source& source, const rg::Order& order) {
  std::vector<rg::Batch> parts;
  const rg::Cursor next = source.read(order);
  for (rg::Batch batch = next(); batch.size() > 0; batch = next()) {
    parts.push_back(batch);
  }
  if (parts.empty()) {
    return {};
  }
  const auto joined = [&](auto field) {
    std::vector<at::Tensor> tensors;
    for (const rg::Batch& part : parts) {
      tensors.push_back(field(part));
    }
    return tensors.front().defined() ? torch::cat(tensors) : at::Tensor();
  };
  rg::Batch all{.data = joined([](const rg::Batch& b) { return b.data; }),
                .target = joined([](const rg::Batch& b) { return b.target; }),
                .id = joined([](const rg::Batch& b) { return b.id; }),
                .origin = joined([](const rg::Batch& b) { return b.origin; })};
  for (const auto& [name, tensor] : parts.front().extra) {
    all.extra[name] = joined([&, key = name](const rg::Batch& b) { return b.extra.at(key); });
  }
  return all;
}

/// The same samples, their data up to `tolerance`.
bool same_samples(const rg::Batch& a, const rg::Batch& b, double tolerance) {
  const bool same_data = tolerance == 0 ? identical(a.data, b.data)
                                        : a.data.sizes() == b.data.sizes() && a.data.dtype() == b.data.dtype() &&
                                              torch::allclose(a.data, b.data, tolerance, tolerance);
  return same_data && identical(a.target, b.target) && identical(a.id, b.id) && identical(a.origin, b.origin) &&
         std::equal(a.extra.begin(), a.extra.end(), b.extra.begin(), b.extra.end(),
                    [](const auto& x, const auto& y) { return x.first == y.first && identical(x.second, y.second); });
}

/// Gradients that are NaN end a run, though every loss be finite.
void check_nan(const RandomRegime& regime, const rg::History& history) {
  for (std::size_t i = 0; i < history.outcomes.size(); ++i) {
    const auto from = regime.nan_from(i);
    const auto epochs = static_cast<std::int64_t>(history.of_phase(static_cast<int>(i)).size());
    if (from && epochs > *from) {
      CHECK(history.outcomes[i].ended == rg::Ended::diverged);
      CHECK(epochs == *from + 1);
      CHECK_FALSE(all_finite(regime.net->parameters()));
    }
  }
}

/// No phase is longer than it may be, and each ended as its record says.
void check_bounds(const RandomRegime& regime, const rg::History& history) {
  const bool diverged = history.ended() == rg::Ended::diverged;
  CHECK((diverged ? !history.outcomes.empty() : history.outcomes.size() == regime.phases.size()));
  REQUIRE(history.outcomes.size() <= regime.phases.size());
  for (std::size_t i = 0; i < history.outcomes.size(); ++i) {
    const rg::Outcome& outcome = history.outcomes[i];
    const auto bound = static_cast<std::size_t>(regime.phases[i].epochs);
    const std::size_t epochs = history.of_phase(static_cast<int>(i)).size();
    CHECK(epochs >= 1);
    CHECK(epochs <= bound);
    CHECK((outcome.ended != rg::Ended::epochs || epochs == bound));
    CHECK((outcome.ended != rg::Ended::criterion || epochs < bound));
    CHECK(outcome.clock.epoch == static_cast<int>(epochs));
    CHECK(outcome.clock.phase == static_cast<int>(i));
  }
}

}  // namespace

TEST_CASE("random regimes: all that the library has is drawn") {
  std::string manifests;
  std::set<std::string> drawn;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    RandomRegime regime(seed);
    manifests += regime.manifest();
    drawn.insert(regime.drawn().begin(), regime.drawn().end());
  }
  for (const char* const what :
       {"SGD in groups", "Adam in groups", "AdamW in groups", "RMSprop in groups", "Adagrad in groups",
        "a parameter that is in no group", "sparse gradients", "frozen in eval mode", "named by an alias",
        "a tied layer", "a tied layer with a tied norm"}) {
    CAPTURE(what);
    CHECK(drawn.count(what) == 1);
  }
  for (const char* const part : {"InMemory",
                                 "Repeat",
                                 "Subset",
                                 "LimitedStream",
                                 "PermutedLabels",
                                 "Frozen",
                                 "FrozenStream",
                                 "exact_share",
                                 "Cached",
                                 "Prefetched",
                                 "Endless",
                                 "UniformLabels",
                                 "LabelSmoothing",
                                 "ZeroPixels",
                                 "GaussianNoise",
                                 "RandomCrop",
                                 "HorizontalFlip",
                                 "Chain",
                                 "Normalize",
                                 "lambda",
                                 "CrossEntropy",
                                 "MeanSquaredError",
                                 "BinaryCrossEntropy",
                                 "SquaredDistance",
                                 "L1",
                                 "L2",
                                 "PathNorm",
                                 "ClipGradients",
                                 "MaxNorm",
                                 "SpectralNorm",
                                 "Everywhere",
                                 "RootOfZero",
                                 "MeanWord",
                                 "TiedWords",
                                 "Constant",
                                 "StepDecay",
                                 "Cosine",
                                 "LinearWarmup",
                                 "PlateauDecay",
                                 "Product",
                                 "FitReaches",
                                 "Patience",
                                 "StepLimit",
                                 "AnyOf",
                                 "AllOf",
                                 "Not",
                                 "bf16",
                                 "channels_last",
                                 "l2_norm",
                                 "distance",
                                 "path_norm",
                                 "drawn",
                                 "optim::SGD",
                                 "optim::Adam\"",
                                 "optim::AdamW",
                                 "optim::RMSprop",
                                 "optim::Adagrad",
                                 "LBFGS"}) {
    CAPTURE(part);
    CHECK(contains(manifests, part));
  }
}

TEST_CASE("random regimes: equal seeds give equal runs, within their bounds") {
  std::set<rg::Ended> endings;
  for_each_regime([&](std::uint64_t seed, Draw& draw) {
    RandomRegime first(seed);
    RandomRegime second(seed);
    const std::string manifest = first.manifest();
    CHECK((second.manifest() == manifest));
    CHECK((RandomRegime(seed + 1).manifest() != manifest));

    torch::manual_seed(draw.seed());
    const rg::History history = first.run({});
    torch::manual_seed(draw.seed());
    static_cast<void>(torch::rand({draw.integer(1, 9)}));
    CHECK((second.run({}) == history));
    CHECK(identical(weights(second.net), weights(first.net)));
    CHECK((first.manifest() == second.manifest()));  // of the weights as they are now

    check_bounds(first, history);
    check_nan(first, history);
    for (const rg::Outcome& outcome : history.outcomes) {
      endings.insert(outcome.ended);
    }
  });
  CHECK((number_from("REGIMEN_REGIMES", 60) < 60 || endings.size() == 3));  // all but running and stopped
}

TEST_CASE("random regimes: a checkpoint of a run that diverged has the last finite weights") {
  const Folder folder;
  int checked = 0;
  for_each_regime([&](std::uint64_t seed, Draw& /*draw*/) {
    RandomRegime plain(seed);
    if (plain.run({}).ended() != rg::Ended::diverged) {
      return;
    }
    ++checked;
    const std::string path = folder / (std::to_string(seed) + ".pt");
    RandomRegime regime(seed);
    LastFinite last{regime};
    rg::Checkpoint keep(path, {.steps = 1, .seconds = 0}, regime.net);
    static_cast<void>(regime.run({}, last, keep));
    CHECK(std::filesystem::exists(path) == !last.kept.empty());
    if (!last.kept.empty()) {
      RandomRegime loaded(seed);
      static_cast<void>(rg::load_checkpoint(path, loaded.net));
      CHECK(identical(weights(loaded.net), last.kept));
      CHECK(all_finite(loaded.net->parameters()));
    }
  });
  CHECK((number_from("REGIMEN_REGIMES", 60) < 60 || checked > 3));
}

TEST_CASE("random regimes: tied weights train as in a network that lists each tensor once, to the bit") {
  int checked = 0;
  for_each_regime([&](std::uint64_t seed, Draw& /*draw*/) {
    RandomRegime tied(seed);
    if (!tied.is_tied()) {
      return;
    }
    ++checked;
    RandomRegime once(seed, Lists::once);
    const rg::History history = tied.run({});
    CHECK((once.run({}) == history));
    CHECK(identical(weights(once.net), weights(tied.net)));
  });
  CHECK((number_from("REGIMEN_REGIMES", 60) < 60 || checked > 5));
}

TEST_CASE("random regimes: observers change nothing") {
  for_each_regime([](std::uint64_t seed, Draw& draw) {
    RandomRegime plain(seed);
    const rg::History expected = plain.run({});
    RandomRegime watched(seed);
    Meddler meddler{watched, draw};
    CHECK((watched.run({}, meddler) == expected));
    CHECK(identical(weights(watched.net), weights(plain.net)));
  });
}

TEST_CASE("random regimes: what is scored, and when, changes no weight where nothing reads scores") {
  int checked = 0;
  for_each_regime([&](std::uint64_t seed, Draw& draw) {
    RandomRegime plain(seed);
    if (plain.reads_scores()) {
      return;
    }
    ++checked;
    RandomRegime other(seed);
    other.scoring.every = static_cast<int>(draw.integer(1, 5));
    other.scoring.fit_every = static_cast<int>(draw.integer(0, 3));
    other.scoring.score_fit = draw.chance(0.5);
    if (draw.chance(0.3)) {
      other.scoring.test = {};
      other.scoring.measures.clear();
    }
    const rg::History expected = plain.run({});
    const rg::History history = other.run({});
    CHECK(identical(weights(other.net), weights(plain.net)));
    CHECK((history.outcomes == expected.outcomes));
    REQUIRE(history.size() == expected.size());
    for (std::size_t i = 0; i < history.size(); ++i) {
      const rg::Epoch& a = history.epochs[i];
      const rg::Epoch& b = expected.epochs[i];
      CHECK(rg::detail::same(a.train_loss, b.train_loss));
      CHECK(a.learning_rate == b.learning_rate);
      CHECK((!a.fit.scored() || !b.fit.scored() || a.fit == b.fit));
      CHECK((!a.test.scored() || !b.test.scored() || a.test == b.test));
    }
  });
  CHECK((number_from("REGIMEN_REGIMES", 60) < 60 || checked > 10));
}

TEST_CASE("random regimes: stopping anywhere and going on with fresh objects ends in the same bits") {
  const Folder folder;
  for_each_regime([&](std::uint64_t seed, Draw& draw) {
    RandomRegime whole(seed);
    StopAt count;
    const rg::History expected = whole.run({}, count);

    const std::string path = folder / (std::to_string(seed) + ".pt");
    rg::History history;
    const std::int64_t stops = draw.integer(1, 2);
    for (std::int64_t leg = 0; leg <= stops; ++leg) {
      torch::manual_seed(draw.seed());  // another process
      RandomRegime part(seed);
      const auto& things = part.optimizers;
      rg::RunOptions options;
      if (std::filesystem::exists(path)) {  // a run that diverged before its first checkpoint begins anew
        options.from = rg::load_checkpoint(path, part.net, *things[0], *things[1], *things[2]);
      }
      StopAt stop;
      if (leg < stops) {
        stop.left = draw.integer(1, leg == 0 ? count.heard : 20);
      }
      options.stop = stop.stop.get_token();
      const rg::Often often{.steps = draw.integer(0, 3), .seconds = 0};
      rg::Checkpoint keep(path, often, part.net, *things[0], *things[1], *things[2]);
      history = part.run(options, stop, keep);
      if (history.ended() != rg::Ended::stopped) {
        CHECK((history == expected));
        CHECK(identical(weights(part.net), weights(whole.net)));
      }
    }
    CHECK(history.ended() != rg::Ended::stopped);
  });
}

TEST_CASE("random regimes: run leaves everything else as it found it, and a snapshot brings back the rest") {
  for_each_regime([](std::uint64_t seed, Draw& draw) {
    RandomRegime regime(seed);
    const auto before = weights(regime.net);
    const rg::Snapshot start(regime.net);
    torch::manual_seed(draw.seed());
    static_cast<void>(torch::randn({3}));  // leaves half a pair of normals in the generator
    const Surroundings found(regime);
    int events = 0;
    const rg::History history = regime.run({}, [&](const auto&) { ++events; });
    CHECK((Surroundings(regime) == found));
    const auto after = weights(regime.net);

    start.restore();
    CHECK(identical(weights(regime.net), before));
    if (!regime.carries_state()) {
      CHECK((regime.run({}) == history));
      CHECK(identical(weights(regime.net), after));
      CHECK((Surroundings(regime) == found));
    }

    RandomRegime disturbed(seed);
    const Surroundings found_again(disturbed);
    std::int64_t left = draw.integer(1, events);
    const auto fail = [&](const auto&) {
      if (--left == 0) {
        throw std::runtime_error("boom");
      }
    };
    CHECK_THROWS_WITH(disturbed.run({}, fail), "boom");
    CHECK((Surroundings(disturbed) == found_again));
  });
}

TEST_CASE("random regimes: what a source gives depends on neither threads nor batches") {
  const int threads = torch::get_num_threads();
  for_each_regime([&](std::uint64_t seed, Draw& draw) {
    RandomRegime regime(seed);
    const rg::Source& data = regime.phases.front().data;
    // Normal numbers agree to rounding: logarithm and cosine of a number may hang on its place in memory.
    const double tolerance = contains(data.manifest(), "GaussianNoise") ? 1e-5 : 0;
    const rg::Clock clock{.epoch = static_cast<int>(draw.integer(0, 3)), .step = draw.integer(0, 9)};
    rg::Order order{.shuffle = draw.chance(0.5), .seed = draw.seed(), .now = {clock}};

    torch::set_num_threads(1);
    const rg::Batch in_memory = rg::materialize(data);
    order.batch = 4096;
    const rg::Batch expected = read_all(data, order);
    CHECK(expected.size() == *data.size());
    for (const int count : {1, 2}) {
      CAPTURE(count);
      torch::set_num_threads(count);
      CHECK(same_samples(rg::materialize(data), in_memory, tolerance));
      for (const std::int64_t batch : {std::int64_t{1}, std::int64_t{7}, *data.size()}) {
        CAPTURE(batch);
        CHECK(same_samples(read_all(data, {.batch = batch}), in_memory, tolerance));
        order.batch = batch;
        CHECK(same_samples(read_all(data, order), expected, tolerance));
      }
    }

    // Whoever begins later, after a resume, gets the very bits of the rest.
    order.batch = 7;
    const rg::Batch in_sevens = read_all(data, order);
    order.first = draw.integer(0, data.batches(order) - 1);
    const rg::Batch rest = read_all(data, order);
    const std::int64_t skipped = 7 * order.first;
    CHECK(same_samples(rest, rg::slice(in_sevens, skipped, in_sevens.size() - skipped), 0));

    // So many samples at once that LibTorch shares the work among its threads.
    if (data.indexed() && draw.chance(0.2)) {
      const rg::Source large = rg::repeat(data, 200);
      torch::set_num_threads(1);
      const rg::Batch alone = read_all(large, {.batch = *large.size(), .now = {clock}});
      torch::set_num_threads(2);
      CHECK(same_samples(read_all(large, {.batch = *large.size(), .now = {clock}}), alone, tolerance));
    }
    torch::set_num_threads(threads);
  });
}

}  // namespace regimes_test
