#pragma once
// A regime drawn at random: a network, optimizers, one to three phases with all that they may hold, and what is scored.

#include "support/training.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <utility>

namespace training {

/// Draws from one generator, the same with every compiler: the standard fixes its numbers, but not what the standard's
/// distributions make of them. Each draw is a statement of its own, since the order of arguments is not fixed either.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : generator_(seed) {}

  /// In [low, high].
  std::int64_t integer(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(seed() % static_cast<std::uint64_t>(high - low + 1));
  }

  /// In [low, high).
  double number(double low, double high) {
    return low + (high - low) * static_cast<double>(seed() >> 11) / static_cast<double>(std::uint64_t{1} << 53);
  }

  bool chance(double probability) { return number(0, 1) < probability; }

  template <class T>
  T one_of(const std::vector<T>& choices) {
    return choices[static_cast<std::size_t>(integer(0, static_cast<std::int64_t>(choices.size()) - 1))];
  }

  std::uint64_t seed() { return generator_(); }

 private:
  std::mt19937_64 generator_;
};

/// A stream without end, with other samples in every epoch.
struct Endless {
  std::vector<std::int64_t> shape;
  std::int64_t classes = 2;
  std::int64_t words = 0;  ///< how many there are; 0: the data are numbers
  std::uint64_t seed = 0;

  rg::Cursor operator()(const rg::Order& order) const {
    const std::int64_t begin = 1000 * order.now.clock.epoch + order.first * order.batch;
    return [*this, n = order.batch, id = begin]() mutable -> rg::Batch {
      const at::Tensor ids = torch::arange(id, id + n, torch::kLong);
      id += n;
      const rg::Key key(seed, ids);
      const at::Tensor share = key.fold(1).uniform(shape);
      return {.data = words > 0 ? (share * words).to(torch::kLong) : share * 2 - 1,
              .target = key.fold(2).below(classes),
              .id = ids};
    };
  }
};

/// Shows what passes through it to regularizers.
struct Tapped : torch::nn::Module {
  torch::Tensor forward(const torch::Tensor& x) { return rg::tap(x); }
};

/// The mean of the vectors of words: [N, T] int64 -> [N, features].
struct MeanWord : torch::nn::Module {
  explicit MeanWord(const torch::nn::EmbeddingOptions& options)
      : words(register_module("words", torch::nn::Embedding(options))) {}
  torch::Tensor forward(const torch::Tensor& text) { return words(text).mean(1); }

  torch::nn::Embedding words;
};

/// Words to a word, by the same table in and out: [N, T] int64 -> [N, words].
struct TiedWords : torch::nn::Module {
  explicit TiedWords(const torch::nn::EmbeddingOptions& options)
      : words(register_module("words", torch::nn::Embedding(options))),
        last(register_parameter("last", words->weight)),
        shift(register_parameter("shift", torch::zeros({options.num_embeddings()}))) {}
  torch::Tensor forward(const torch::Tensor& text) { return torch::linear(words(text).mean(1).tanh(), last, shift); }

  torch::nn::Embedding words;
  torch::Tensor last;
  torch::Tensor shift;
};

/// A network that lists each tensor once, under its first name, as Python does.
struct ListedOnce {
  torch::nn::Sequential net;

  torch::Tensor forward(const torch::Tensor& x) { return net->forward(x); }
  [[nodiscard]] std::vector<at::Tensor> parameters() const { return rg::Model(net).parameters(); }
  [[nodiscard]] std::vector<at::Tensor> buffers() const { return net->buffers(); }
  [[nodiscard]] std::vector<rg::Named> named_parameters() const {
    return first_names(rg::Model(net).named_parameters());
  }
  [[nodiscard]] std::vector<rg::Named> named_buffers() const { return first_names(rg::Model(net).named_buffers()); }
  auto named_modules(const std::string& prefix, bool include_self) { return net->named_modules(prefix, include_self); }
  void train(bool on) { net->train(on); }
  [[nodiscard]] bool is_training() const { return net->is_training(); }

 private:
  static std::vector<rg::Named> first_names(std::vector<rg::Named> all) {
    for (rg::Named& named : all) {
      named.aliases.clear();
    }
    return all;
  }
};

/// The mean squared distance from the label's unit vector, with a notion of right of its own.
struct SquaredDistance {
  at::Tensor operator()(const at::Tensor& output, const at::Tensor& target) const {
    return (output - torch::one_hot(target, output.size(1))).square().mean();
  }
  at::Tensor correct(const at::Tensor& output, const at::Tensor& target) const { return output.argmax(1) == target; }
};

/// All three hooks in one.
struct Everywhere {
  rg::Knob strength = 0.01;

  [[nodiscard]] at::Tensor penalty(const rg::Pass& pass) const {
    at::Tensor sum = pass.output.square().mean();
    for (const at::Tensor& tapped : pass.taps) {
      sum = sum + tapped.abs().mean();
    }
    return sum * pass.now.tensor(strength);
  }

  void gradient(const rg::Pass& pass) const {
    const torch::NoGradGuard no_grad;
    for (const at::Tensor& parameter : pass.parameters) {
      if (parameter.grad().defined()) {
        parameter.grad().mul_(1 - pass.now(strength));
      }
    }
  }

  void weights(const rg::Pass& pass) const {
    const torch::NoGradGuard no_grad;
    for (const at::Tensor& parameter : pass.parameters) {
      at::Tensor changed = parameter;
      changed.mul_(1 - 0.1 * pass.now(strength));
    }
  }
};

/// The root of a zero, whose value is 0 and whose slope is NaN, from an epoch on.
struct RootOfZero {
  std::int64_t from_epoch = 0;

  [[nodiscard]] at::Tensor penalty(const rg::Pass& pass) const {
    const bool acts = pass.now.clock.epoch >= from_epoch && !pass.parameters.empty();
    return acts ? (pass.parameters.front() * 0).abs().sum().sqrt() : torch::zeros({});
  }
};

/// LibTorch cannot save an LBFGS until its history is full: the room for what it is going to compute, `al`, is made of
/// undefined tensors until then ("Cannot access storage of UndefinedTensorImpl"). `save_checkpoint` sees to that where
/// it is given an LBFGS; here it is given torch::optim::Optimizer&.
struct SavableLBFGS : torch::optim::LBFGS {
  using LBFGS::LBFGS;

  void save(torch::serialize::OutputArchive& archive) const override {
    for (const auto& entry : state_) {
      auto& state = static_cast<torch::optim::LBFGSParamState&>(*entry.second);
      if (state.al()) {
        for (at::Tensor& each : *state.al()) {
          each = each.defined() ? each : torch::zeros({});
        }
      }
    }
    LBFGS::save(archive);
  }
};

/// How a regime's network lists its tensors, and the regime names them.
enum class Lists {
  as_made,  ///< a tensor that has two names twice; either may be the one that is used
  once,     ///< under its first name
};

/// A regime, with objects of its own each time that it is made; of one seed, always the same. It trains within some
/// milliseconds: 20 to 60 samples of 2 to 8 features, images of 6 x 6 or 3 to 6 words, up to 4 epochs a phase.
class RandomRegime {
 public:
  explicit RandomRegime(std::uint64_t seed, Lists lists = Lists::as_made) : draw_(seed), lists_(lists) {
    may_read_scores_ = draw_.chance(0.5);
    draw_samples();
    draw_network();
    for (int i = 0; i < 3; ++i) {
      draw_optimizer();
    }
    draw_splits();
    const std::int64_t count = draw_.integer(1, 3);
    for (std::int64_t i = 0; i < count; ++i) {
      phases.push_back(draw_phase(i));
    }
    if (scoring.clean.defined() && first_has_labels_ && draw_.chance(0.3)) {
      scoring.clean = phases[0].data;  // one and the same: scored once for both
    }
  }
  RandomRegime(const RandomRegime&) = delete;
  RandomRegime& operator=(const RandomRegime&) = delete;

  torch::nn::Sequential net;
  std::vector<std::unique_ptr<torch::optim::Optimizer>> optimizers;  ///< three, some of which no phase uses
  std::vector<rg::Phase> phases;
  rg::Scoring scoring;

  template <class... Observers>
  rg::History run(const rg::RunOptions& options, Observers&&... observers) {
    return lists_ == Lists::once ? rg::run(once_, phases, scoring, options, observers...)
                                 : rg::run(net, phases, scoring, options, observers...);
  }

  [[nodiscard]] std::string manifest() { return rg::manifest(net, phases, scoring); }

  /// What no manifest says by a word of its own: "Adam in groups", "sparse gradients".
  [[nodiscard]] const std::set<std::string>& drawn() const { return drawn_; }

  /// Whether a tensor has two names.
  [[nodiscard]] bool is_tied() const { return net->parameters().size() > rg::Model(net).parameters().size(); }

  /// The epoch in which a phase's gradients become NaN, if it gets there.
  [[nodiscard]] std::optional<std::int64_t> nan_from(std::size_t phase) const { return nan_from_.at(phase); }

  /// Whether a criterion or a schedule reads a score.
  [[nodiscard]] bool reads_scores() const { return reads_scores_; }

  /// Whether a phase begins with an optimizer's state as it is.
  [[nodiscard]] bool carries_state() const {
    return std::any_of(phases.begin(), phases.end(),
                       [](const rg::Phase& phase) { return phase.carry_optimizer_state; });
  }

  /// Data that the network takes as they are. [3, ...]
  [[nodiscard]] at::Tensor input() const {
    std::vector<std::int64_t> sizes{3};
    sizes.insert(sizes.end(), shape_.begin(), shape_.end());
    return torch::ones(sizes, words_ > 0 ? torch::kLong : torch::kFloat);
  }

 private:
  /// Where labels become distributions.
  enum class Soft { never, in_data, in_augmentation, in_preprocessing };

  // Samples

  void draw_samples() {
    const bool images = draw_.chance(0.35);
    shape_ = images ? std::vector<std::int64_t>{1, 6, 6} : std::vector<std::int64_t>{draw_.integer(2, 8)};
    bytes_ = images && draw_.chance(0.4);
    classes_ = draw_.integer(2, 4);
    if (!images && draw_.chance(0.25)) {
      shape_ = {draw_.integer(3, 6)};
      words_ = draw_.integer(4, 9);
      says_words_ = draw_.chance(0.5);
      classes_ = says_words_ ? words_ : classes_;
    }
    const std::int64_t n = draw_.integer(20, 60);
    own_ids_ = draw_.chance(0.3);
    torch::manual_seed(draw_.seed());
    rule_ = torch::randn({words_ > 0 ? words_ : input().flatten(1).size(1), classes_});
    train_ = samples(n);
    test_ = samples(draw_.integer(10, 30));
    validation_ = samples(draw_.integer(10, 30));
  }

  /// Points whose label is that of the largest of a few linear functions: something to learn.
  rg::Batch samples(std::int64_t n) {
    std::vector<std::int64_t> sizes{n};
    sizes.insert(sizes.end(), shape_.begin(), shape_.end());
    const at::Tensor x = words_ > 0 ? torch::randint(words_, sizes, torch::kLong) : torch::randn(sizes);
    const at::Tensor scores = words_ > 0 ? torch::embedding(rule_, x).sum(1) : x.flatten(1).mm(rule_);
    rg::Batch batch{.data = bytes_ ? (x * 40 + 128).clamp(0, 255).to(torch::kByte) : x, .target = scores.argmax(1)};
    if (own_ids_) {
      batch.id = torch::arange(n) * 7 + 3;
      batch.extra["row"] = torch::arange(n).view({n, 1});
    }
    return batch;
  }

  // Network and optimizers

  void draw_network() {
    torch::manual_seed(draw_.seed());
    const bool images = shape_.size() == 3;
    const std::int64_t inputs = input().flatten(1).size(1);
    if (words_ > 0) {
      draw_words();
    } else if (images && draw_.chance(0.6)) {
      draw_convolutions();
    } else {
      if (images) {
        net->push_back(torch::nn::Flatten());
      }
      if (draw_.chance(0.25)) {
        net->push_back(torch::nn::Linear(inputs, classes_));
      } else {
        draw_hidden_layer(inputs);
      }
    }
    // As somebody who fine-tunes might leave it.
    if (rg::Model(net).parameters().size() > 2 && draw_.chance(0.15)) {
      net->parameters().back().set_requires_grad(false);
    }
    if (draw_.chance(0.3)) {
      draw_.one_of(net->modules(/*include_self=*/false))->eval();
    }
  }

  void draw_words() {
    has_path_norm_ = false;
    sparse_ = draw_.chance(0.5);
    const std::int64_t features = draw_.integer(3, 6);
    const auto options = torch::nn::EmbeddingOptions(words_, features).sparse(sparse_);
    if (says_words_) {
      net->push_back(std::make_shared<TiedWords>(options));
    } else {
      net->push_back(std::make_shared<MeanWord>(options));
      net->push_back(torch::nn::Linear(features, classes_));
    }
  }

  void draw_convolutions() {
    convolves_ = true;
    const bool norm = draw_.chance(0.5);
    net->push_back(torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 3, 3).padding(1).bias(!norm)));
    if (norm) {
      net->push_back(torch::nn::BatchNorm2d(3));
    }
    net->push_back(torch::nn::ReLU());
    if (draw_.chance(0.5)) {
      net->push_back(torch::nn::MaxPool2d(2));
    } else {
      net->push_back(torch::nn::AvgPool2d(2));
    }
    net->push_back(torch::nn::Flatten());
    if (draw_.chance(0.3)) {
      net->push_back(torch::nn::Dropout(0.2));
    }
    net->push_back(torch::nn::Linear(3 * 3 * 3, classes_));
  }

  void draw_hidden_layer(std::int64_t inputs) {
    const std::int64_t hidden = draw_.integer(4, 12);
    net->push_back(torch::nn::Linear(inputs, hidden));
    if (draw_.chance(0.4)) {
      norms_rows_ = true;
      net->push_back(torch::nn::BatchNorm1d(hidden));
    }
    if (draw_.chance(0.7)) {
      net->push_back(torch::nn::ReLU());
    } else {
      net->push_back(torch::nn::Tanh());
      has_path_norm_ = false;
    }
    if (draw_.chance(0.3)) {
      net->push_back(std::make_shared<Tapped>());
    }
    if (draw_.chance(0.25)) {
      draw_tied_layers(hidden);
    }
    if (draw_.chance(0.4)) {
      net->push_back(torch::nn::Dropout(0.2));
    }
    net->push_back(torch::nn::Linear(hidden, classes_));
  }

  /// A square layer, at times with a norm, which stands there twice.
  void draw_tied_layers(std::int64_t hidden) {
    const torch::nn::Linear square(hidden, hidden);
    const torch::nn::BatchNorm1d norm(hidden);
    const bool with_norm = draw_.chance(0.4);
    drawn_.insert(with_norm ? "a tied layer with a tied norm" : "a tied layer");
    norms_rows_ = norms_rows_ || with_norm;
    for (int i = 0; i < 2; ++i) {
      net->push_back(square);
      if (with_norm) {
        net->push_back(norm);
      }
      net->push_back(torch::nn::ReLU());
    }
  }

  template <class Optimizer, class Parameters, class Options>
  void add_optimizer(const Parameters& parameters, const Options& options) {
    auto optimizer = std::make_unique<Optimizer>(parameters, options);
    references_.push_back(*optimizer);  // as its own type, which Adagrad needs
    optimizers.push_back(std::move(optimizer));
  }

  void draw_optimizer() {
    const std::vector<at::Tensor> all = rg::Model(net).parameters();
    const double rate = draw_.number(0.005, 0.05);
    const double decay = draw_.chance(0.5) ? 1e-3 : 0;
    const bool flag = draw_.chance(0.5);
    using namespace torch::optim;
    const auto adagrad = AdagradOptions(rate).initial_accumulator_value(flag ? 0.1 : 0.0);
    if (sparse_) {  // those take sparse gradients, without a decay
      drawn_.insert("sparse gradients");
      switch (draw_.integer(0, 4)) {
        case 0:
          return add_optimizer<Adagrad>(all, AdagradOptions(adagrad).lr_decay(decay));
        case 1:
          return add_groups<Adagrad>("Adagrad", adagrad);
        case 2:
          return add_optimizer<SavableLBFGS>(all, lbfgs_options(5 * rate, flag));
        case 3:
          return add_groups<SGD>("SGD", SGDOptions(4 * rate));
        default:
          return add_optimizer<SGD>(all, SGDOptions(draw_.chance(0.2) ? 1e20 : 8 * rate));
      }
    }
    switch (draw_.integer(0, 13)) {
      case 0:
        return add_optimizer<Adam>(all, AdamOptions(rate).weight_decay(decay).amsgrad(flag));
      case 1:
        return add_optimizer<AdamW>(all, AdamWOptions(rate).weight_decay(decay).amsgrad(flag));
      case 2:
        return add_optimizer<RMSprop>(
            all, RMSpropOptions(rate / 5).weight_decay(decay).centered(flag).momentum(flag ? 0.5 : 0.0));
      case 3:
        return add_optimizer<Adagrad>(all, AdagradOptions(adagrad).lr_decay(decay).weight_decay(decay));
      case 4:
        return add_optimizer<SavableLBFGS>(all, lbfgs_options(5 * rate, flag));
      case 5:
        return add_optimizer<SGD>(all, SGDOptions(draw_.chance(0.3) ? 1e20 : 4 * rate));
      case 6:
        return add_groups<SGD>("SGD", SGDOptions(4 * rate).weight_decay(decay).momentum(0.5));
      case 7:
        return add_groups<Adam>("Adam", AdamOptions(rate).betas({0.8, 0.95}).amsgrad(flag));
      case 8:
        return add_groups<AdamW>("AdamW", AdamWOptions(rate).weight_decay(10 * decay));
      case 9:
        return flag ? add_groups<RMSprop>("RMSprop", RMSpropOptions(rate / 5).momentum(0.5).weight_decay(decay))
                    : add_groups<Adagrad>("Adagrad", AdagradOptions(adagrad).weight_decay(decay));
      default:
        return add_optimizer<SGD>(all, SGDOptions(4 * rate).momentum(0.9).nesterov(flag).weight_decay(decay));
    }
  }

  /// Two or three groups of all parameters, or of all but the first, each with a rate of its own; in the last group
  /// there is no decay.
  template <class Optimizer, class Options>
  void add_groups(const std::string& name, const Options& options) {
    drawn_.insert(name + " in groups");
    std::vector<at::Tensor> left = rg::Model(net).parameters();
    if (left.size() > 2 && draw_.chance(0.2)) {
      left.erase(left.begin());
      drawn_.insert("a parameter that is in no group");
    }
    std::vector<torch::optim::OptimizerParamGroup> groups;
    const auto count = static_cast<std::size_t>(draw_.integer(2, 3));
    for (std::size_t g = 0; g < count && !left.empty(); ++g) {
      const bool is_last = g + 1 == count || left.size() == 1;
      const std::size_t size = is_last ? left.size() : (left.size() + 1) / 2;
      Options own = options;
      own.lr(options.lr() * (1 + static_cast<double>(g)) / 2);
      if (is_last && !sparse_) {
        own.weight_decay(0);
      }
      groups.emplace_back(std::vector<at::Tensor>(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(size)),
                          std::make_unique<Options>(own));
      left.erase(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(size));
    }
    add_optimizer<Optimizer>(groups, options);
  }

  static torch::optim::LBFGSOptions lbfgs_options(double rate, bool search) {
    torch::optim::LBFGSOptions options(rate);
    options.max_iter(2);
    if (search) {
      options.line_search_fn("strong_wolfe").history_size(3);
    }
    return options;
  }

  // Numbers and schedules

  /// A metric that the run scores and that has a meaning in the phase that is being drawn.
  rg::Metric metric() {
    reads_scores_ = true;
    return draw_.one_of(readable_);
  }

  /// A number, a schedule or a product, at most `most`; if it must stay above 0, it does.
  rg::Knob knob(double most, bool positive = false) {
    switch (draw_.integer(0, 4)) {
      case 0:
      case 1:
        return most;
      case 2: {
        const rg::Knob first = schedule(positive);
        return first * schedule(positive) * most;
      }
      default:
        return most * schedule(positive);
    }
  }

  /// In [0, 1], or in [0.1, 1].
  rg::Knob schedule(bool positive) {
    const double floor = positive ? 0.1 : draw_.one_of<double>({0, 0.2});
    const double epochs = draw_.number(0.5, 4);
    const auto epoch = static_cast<int>(draw_.integer(1, 3));
    switch (draw_.integer(0, readable_.empty() ? 4 : 6)) {
      case 0:
        return rg::Constant{.value = 0.7};
      case 1:
        return rg::StepDecay{.at = {epoch, epoch + 1}, .factor = 0.4};
      case 2:
        return rg::Cosine{.epochs = epochs, .floor = floor};
      case 3:
        return rg::LinearWarmup{.epochs = epochs, .start = floor};
      case 4:
        return [](const rg::Clock& clock) { return 1.0 / static_cast<double>(1 + clock.step % 3); };
      default: {
        const rg::Metric read = metric();
        return rg::PlateauDecay{.factor = 0.5, .patience = epoch - 1, .metric = read, .by = 0.01, .floor = floor};
      }
    }
  }

  // Transforms and sources

  /// One that keeps labels labels and, if asked to, numbers of their type.
  rg::AnyTransform transform(bool on_labels, bool keep_type) {
    const bool images = shape_.size() == 3;
    switch (draw_.integer(0, 7)) {
      case 0:
      case 1:
        if (on_labels) {
          const rg::Knob share = knob(0.5);
          const bool exclude = draw_.chance(0.5);
          return rg::UniformLabels{.classes = classes_, .fraction = share, .exclude_true = exclude};
        }
        break;
      case 2:
        if (!(bytes_ && keep_type) && words_ == 0) {
          return rg::GaussianNoise{.stddev = knob(0.2)};
        }
        break;
      case 3:
        if (images) {
          return rg::RandomCrop{.padding = 1};
        }
        break;
      case 4:
        if (images) {
          return rg::HorizontalFlip{.probability = knob(0.5)};
        }
        break;
      case 5: {
        const rg::AnyTransform first = transform(on_labels, keep_type);
        const rg::AnyTransform second = transform(on_labels, keep_type);
        return rg::Chain{{first, second}};
      }
      case 6:
        // The features of some samples move on by one.
        return [](const rg::Batch& batch, const rg::Key& key) {
          std::vector<std::int64_t> sizes(static_cast<std::size_t>(batch.data.dim()), 1);
          sizes[0] = -1;
          rg::Batch result = batch;
          result.data = torch::where((key.uniform() < 0.3).view(sizes), batch.data.roll(1, -1), batch.data);
          return result;
        };
      default:
        break;
    }
    const rg::Knob share = knob(0.4);
    const bool exact = draw_.chance(0.5);
    return rg::ZeroPixels{.fraction = share, .exact = exact};
  }

  /// A source made of another one that is indexed. Small ones are not made smaller.
  rg::Source view(const rg::Source& source) {
    const std::int64_t n = *source.size();
    const std::int64_t fewer = n >= 16 ? draw_.integer((n + 1) / 2, n) : n;
    const std::uint64_t seed = draw_.seed();
    switch (draw_.integer(0, 9)) {
      case 0:
        return n <= 40 ? rg::repeat(source, draw_.integer(2, 3)) : source;
      case 1: {
        torch::manual_seed(seed);
        return rg::subset(source, torch::randperm(n).narrow(0, 0, fewer));
      }
      case 2:
        return rg::sample(source, fewer, seed);
      case 3:
        return rg::limit(source, fewer);
      case 4:
        return rg::permuted_labels(source, seed);
      case 5: {
        const rg::AnyTransform damage = transform(true, true);
        return rg::frozen(source, damage, seed, rg::exactly(draw_.number(0, 1)));
      }
      case 6:
        return rg::cached(source);
      case 7:
        return draw_.chance(0.3) ? rg::limit(rg::prefetch(source), fewer) : source;
      default:
        return rg::frozen(source, transform(true, false), seed);
    }
  }

  rg::Source stream() {
    const std::uint64_t seed = draw_.seed();
    const std::int64_t n = draw_.integer(20, 60);
    const rg::Source endless = Endless{.shape = shape_, .classes = classes_, .words = words_, .seed = seed};
    if (draw_.chance(0.5)) {
      return rg::limit(endless, n);
    }
    const rg::AnyTransform damage = transform(true, false);
    return rg::limit(rg::frozen(endless, damage, seed), n);
  }

  rg::Source data(Soft soft) {
    rg::Source source = train_;
    if (draw_.chance(0.15)) {
      source = stream();
    }
    const std::int64_t views = draw_.integer(0, 3);
    for (std::int64_t i = 0; i < views; ++i) {
      if (source.indexed()) {
        source = view(source);
      } else {
        const rg::AnyTransform damage = transform(true, false);
        source = rg::frozen(source, damage, draw_.seed());
      }
    }
    if (soft == Soft::in_data) {
      source = rg::frozen(source, rg::LabelSmoothing{.classes = classes_, .amount = knob(0.3)}, 1);
    }
    return draw_.chance(0.2) ? rg::prefetch(source, draw_.integer(1, 4)) : source;
  }

  // What is scored

  void draw_splits() {
    scoring.every = static_cast<int>(draw_.integer(1, 3));
    scoring.fit_every = static_cast<int>(draw_.integer(0, 2));
    scoring.score_fit = draw_.chance(0.8);
    scoring.batch = draw_.integer(5, 70);
    if (draw_.chance(0.6)) {
      scoring.clean = train_;
    }
    if (draw_.chance(0.7)) {
      scoring.test = test_;
    }
    if (draw_.chance(0.5)) {
      scoring.validation = validation_;
    }
    if (draw_.chance(0.3)) {
      scoring.measures["l2_norm"] = rg::l2_norm;
    }
    if (draw_.chance(0.3)) {
      scoring.measures["distance"] = rg::DistanceFrom{rg::Snapshot(net)};
    }
    if (draw_.chance(0.3)) {
      scoring.measures["drawn"] = [](const rg::Model&) { return torch::rand({}).item<double>(); };
    }
    if (has_path_norm_ && draw_.chance(0.3)) {
      scoring.measures["path_norm"] = [shape = shape_](const rg::Model& model) { return rg::path_norm(model, shape); };
    }
  }

  /// The metrics that this run scores; accuracies where there are labels.
  [[nodiscard]] std::vector<rg::Metric> scored_metrics(Soft soft) const {
    using rg::Metric;
    std::vector<Metric> found;
    if (!may_read_scores_) {
      return found;
    }
    for (const Metric metric : {Metric::fit_loss, Metric::clean_loss, Metric::test_loss, Metric::validation_loss}) {
      if (scoring.scores(metric)) {
        found.push_back(metric);
      }
    }
    for (const Metric metric :
         {Metric::fit_accuracy, Metric::clean_accuracy, Metric::test_accuracy, Metric::validation_accuracy}) {
      const bool is_fit = metric == Metric::fit_accuracy;
      const bool of_labels = soft != Soft::in_preprocessing && !(is_fit && soft == Soft::in_data);
      if (scoring.scores(metric) && of_labels) {
        found.push_back(metric);
      }
    }
    return found;
  }

  // Phases

  rg::Phase draw_phase(std::int64_t place) {
    rg::Phase phase;
    phase.name = "phase " + std::to_string(place);
    const Soft soft = draw_loss(phase);
    first_has_labels_ = place == 0 ? soft != Soft::in_data : first_has_labels_;
    phase.data = data(soft);
    phase.optimizer = draw_.one_of(references_);
    phase.epochs = static_cast<int>(draw_.integer(1, 4));
    if (draw_.chance(0.6)) {
      phase.until = stop(2);
    }
    phase.lr_scale = knob(1);
    if (phase.optimizer.has_momentum() && !sparse_ && draw_.chance(0.3)) {
      phase.momentum = rg::OneCycle{.epochs = draw_.number(0.5, 4), .start = 0.95, .peak = 0.5, .end = 0.9};
      phase.weight_decay_scale = knob(2);
    }
    draw_batches(phase);
    draw_augmentation(phase, soft);
    draw_preprocessing(phase, soft);
    const std::int64_t regularizers = draw_.integer(0, 2);
    for (std::int64_t i = 0; i < regularizers; ++i) {
      phase.regularize.push_back(regularizer());
    }
    nan_from_.emplace_back();
    if (draw_.chance(0.12)) {
      nan_from_.back() = draw_.integer(0, 2);
      phase.regularize.push_back(RootOfZero{.from_epoch = *nan_from_.back()});
    }
    draw_frozen(phase);
    if (convolves_ && draw_.chance(0.2)) {
      phase.execute.memory_format = rg::MemoryFormat::channels_last;
    }
    if (draw_.chance(0.1)) {
      phase.execute.precision = rg::Precision::bf16;
    }
    phase.seed = draw_.seed();
    phase.shuffle = draw_.chance(0.8);
    phase.carry_optimizer_state = draw_.chance(0.25);
    return phase;
  }

  /// The loss, and where labels become the distributions that some losses want.
  Soft draw_loss(rg::Phase& phase) {
    Soft soft = draw_.chance(0.7) ? Soft::never : static_cast<Soft>(draw_.integer(1, 3));
    switch (draw_.integer(0, 7)) {
      case 0:
        phase.loss = rg::MeanSquaredError{};
        soft = Soft::in_preprocessing;
        break;
      case 1:
        phase.loss = rg::BinaryCrossEntropy{};
        soft = Soft::in_preprocessing;
        break;
      case 2:
        phase.loss = SquaredDistance{};
        soft = Soft::never;
        break;
      case 3:
        phase.loss = [](const at::Tensor& output, const at::Tensor& target) {
          return torch::cross_entropy_loss(output, target) + 0.01 * output.square().mean();
        };
        break;
      default:
        phase.loss = rg::CrossEntropy{};
    }
    readable_ = scored_metrics(soft);
    return soft;
  }

  void draw_batches(rg::Phase& phase) {
    const std::int64_t n = *phase.data.size();
    phase.batch = draw_.integer(3, 40);
    phase.drop_last = draw_.chance(0.3) && phase.batch <= n;
    // BatchNorm refuses a batch of one row.
    while (norms_rows_ && !phase.drop_last && n % phase.batch == 1) {
      ++phase.batch;
    }
    phase.accumulate = draw_.chance(0.3) ? static_cast<int>(draw_.integer(2, 3)) : 1;
  }

  void draw_augmentation(rg::Phase& phase, Soft soft) {
    const std::int64_t transforms = draw_.integer(0, 2);
    for (std::int64_t i = 0; i < transforms; ++i) {
      phase.augment.push_back(transform(soft != Soft::in_data, false));
    }
    if (soft == Soft::in_augmentation) {
      phase.augment.push_back(rg::LabelSmoothing{.classes = classes_, .amount = knob(0.3)});
    }
    if (!bytes_ && words_ == 0 && draw_.chance(0.1)) {
      phase.augment.push_back([](const rg::Batch& batch, const rg::Key&) {
        rg::Batch result = batch;
        result.data = batch.data + 0.05 * torch::randn_like(batch.data);  // without its key, from the global generator
        return result;
      });
    }
  }

  void draw_preprocessing(rg::Phase& phase, Soft soft) {
    if (bytes_ || (words_ == 0 && draw_.chance(0.3))) {
      phase.preprocess.push_back(rg::Normalize{.mean = {0.5}, .stddev = {0.25}});
    }
    if (soft == Soft::in_preprocessing) {
      phase.preprocess.push_back(rg::LabelSmoothing{.classes = classes_, .amount = knob(0.3)});
    }
  }

  rg::AnyRegularizer regularizer() {
    switch (draw_.integer(0, 13)) {
      case 0:
        return rg::L1{.strength = knob(1e-3)};
      case 1:
        return rg::L2{.strength = knob(1e-2)};
      case 2:
        return rg::ClipGradients{.max_norm = knob(1, /*positive=*/true)};
      case 3:
        return rg::MaxNorm{.bound = knob(2, /*positive=*/true)};
      case 4:
        return Everywhere{.strength = knob(0.02)};
      case 5:
        if (has_path_norm_) {
          const rg::Knob strength = knob(1e-3);
          return rg::PathNorm{.strength = strength, .p = draw_.one_of<double>({1, 2})};
        }
        break;
      case 6:
        return rg::ClipValues{.bound = knob(0.1, /*positive=*/true)};
      case 7:
        return rg::AdaptiveClip{.factor = knob(0.1, /*positive=*/true),
                                .except_last = static_cast<int>(draw_.integer(0, 2))};
      case 8:
        if (!sparse_) {
          return rg::GradientNoise{.eta = knob(1e-4), .seed = static_cast<std::uint64_t>(draw_.integer(0, 9))};
        }
        break;
      case 9:
        return rg::DecoupledDecay{.decay = knob(1e-2)};
      case 10:
        return rg::Sam{.rho = knob(0.1)};
      case 11:
        return rg::Asam{.rho = knob(0.5)};
      case 12:
        return rg::SpectralNorm{.strength = knob(1e-3)};
      default:
        break;
    }
    return [](const rg::Pass& pass) { return pass.output.abs().mean() * 0.01; };
  }

  /// Freezes a parameter or a module that leaves something to train, or nothing; puts a module into eval mode, a frozen
  /// one mostly, or none.
  void draw_frozen(rg::Phase& phase) {
    const auto modules = net->named_modules("", /*include_self=*/false);
    if (draw_.chance(0.1)) {
      phase.eval = {draw_.one_of(modules.keys())};
    }
    if (!draw_.chance(0.4)) {
      return;
    }
    const std::vector<rg::Named> parameters = rg::Model(net).named_parameters();
    std::string name = draw_.one_of(net->named_parameters().keys());
    const bool whole = draw_.chance(0.5);
    if (whole) {
      name = name.substr(0, name.find('.'));
    }
    const std::vector<at::Tensor> stepped = phase.optimizer.parameters();
    const auto goes_on = [&](const rg::Named& named) {
      const auto same = [&](const at::Tensor& other) { return other.is_same(named.tensor); };
      return named.tensor.requires_grad() && !named.matches({name}) &&
             std::any_of(stepped.begin(), stepped.end(), same);
    };
    if (std::none_of(parameters.begin(), parameters.end(), goes_on)) {
      return;
    }
    phase.freeze = names_of(name);
    if (whole && draw_.chance(0.6)) {
      phase.eval = {name};
      drawn_.insert("frozen in eval mode");
    }
  }

  /// The name, or the first names of what goes by it.
  std::vector<std::string> names_of(const std::string& name) {
    std::vector<std::string> first_names;
    bool is_alias = true;
    for (const rg::Named& named : rg::Model(net).named_parameters()) {
      if (named.matches({name})) {
        first_names.push_back(named.name);
        is_alias = is_alias && !rg::Named{named.name, {}}.matches({name});
      }
    }
    if (is_alias) {
      drawn_.insert("named by an alias");
    }
    return lists_ == Lists::once ? first_names : std::vector<std::string>{name};
  }

  rg::Stop stop(int depth) {
    const auto few = static_cast<int>(draw_.integer(1, 2));
    switch (draw_.integer(depth > 0 ? 0 : 3, readable_.empty() ? 5 : 8)) {
      case 0: {
        const rg::Stop first = stop(depth - 1);
        return first || stop(depth - 1);
      }
      case 1: {
        const rg::Stop first = stop(depth - 1);
        return first && stop(depth - 1);
      }
      case 2:
        return !stop(depth - 1);
      case 3:
        return rg::StepLimit{.steps = draw_.integer(1, 30)};
      case 4:
        return rg::Stop([few](const rg::Epoch& epoch) { return epoch.clock.epoch > few; });
      case 5:
        return rg::Stop([](const rg::History& history) { return history.back().train_loss < 0.4; });
      case 6:
        if (std::count(readable_.begin(), readable_.end(), rg::Metric::fit_accuracy) > 0) {
          reads_scores_ = true;
          return rg::FitReaches{.accuracy = draw_.number(0.5, 0.95), .hold = few};
        }
        [[fallthrough]];
      default: {
        const rg::Metric read = metric();
        return rg::Patience{.scorings = few, .metric = read, .by = draw_.one_of<double>({0, 0.02})};
      }
    }
  }

  Draw draw_;
  Lists lists_;
  ListedOnce once_{net};
  std::set<std::string> drawn_;
  std::vector<std::optional<std::int64_t>> nan_from_;  ///< of each phase
  bool may_read_scores_ = false;
  bool reads_scores_ = false;
  std::vector<rg::Metric> readable_;  ///< of the phase that is being drawn
  std::vector<std::int64_t> shape_;   ///< of one sample
  bool bytes_ = false;                ///< data of 0 to 255
  std::int64_t words_ = 0;            ///< how many words there are; 0: the data are no words
  bool says_words_ = false;           ///< the classes are the words
  bool sparse_ = false;               ///< an embedding's gradients are
  bool own_ids_ = false;
  std::int64_t classes_ = 2;
  at::Tensor rule_;  ///< [features, classes], or [words, classes]
  rg::Source train_;
  rg::Source test_;
  rg::Source validation_;
  bool convolves_ = false;
  bool norms_rows_ = false;  ///< over single features: not of a batch of one
  bool has_path_norm_ = true;
  std::vector<rg::OptimizerRef> references_;
  bool first_has_labels_ = false;  ///< the data of the first phase
};

}  // namespace training
