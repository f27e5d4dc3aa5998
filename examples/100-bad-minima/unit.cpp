#include "unit.hpp"

#include <algorithm>
#include <cstdio>

#include "networks.hpp"

namespace rg = regimen;

namespace {

// Epochs that the quick recipe's memorizing and vanilla phases have been seen to need: for the time left, nothing hangs
// on them.
constexpr int seen_memorize_epochs = 22;
constexpr int seen_vanilla_epochs = 16;

double images_of(const Settings& settings, const Images& images) {
  const double all = static_cast<double>(*images.train.size());
  return settings.recipe.images > 0 ? static_cast<double>(settings.recipe.images) : all;
}

double memorize_work(const Unit& unit, const Settings& settings, double images) {
  const int epochs = settings.paper ? settings.recipe.memorize_epochs : seen_memorize_epochs;
  return images * unit.copies * std::min(epochs, settings.recipe.memorize_epochs);
}

double arm_work(const Regularizers& set, const Settings& settings, double images) {
  const int vanilla = settings.recipe.until_fit ? std::min(seen_vanilla_epochs, settings.recipe.vanilla_epochs)
                                                : settings.recipe.vanilla_epochs;
  return images * (set.none() ? vanilla : settings.recipe.escape_epochs);
}

double work_of(const std::vector<Unit>& units, const Settings& settings, double images) {
  double sum = 0;
  for (const Unit& unit : units) {
    sum += memorize_work(unit, settings, images);
    for (const Regularizers& set : sets_of(settings)) {
      sum += arm_work(set, settings, images);
    }
  }
  return sum;
}

int count_of(const std::vector<Unit>& units, const Settings& settings) {
  std::size_t sum = 0;
  for (const Unit& unit : units) {
    sum += jobs_of(unit, settings).size();
  }
  return static_cast<int>(sum);
}

}  // namespace

rg::Execution execution_of(const Settings& settings) {
  rg::Execution execute{.precision = settings.precision == "bf16" ? rg::Precision::bf16 : rg::Precision::fp32,
                        .memory_format = rg::MemoryFormat::channels_last};
  if (settings.device == "cuda") {
    execute.device = "cuda";
    execute.fused = true;
    execute.graph = true;
    execute.autotune = true;
  }
  return execute;
}

rg::Source training_images(const Images& images, const Settings& settings, std::uint64_t seed) {
  const bool all = settings.recipe.images == 0 || settings.recipe.images >= *images.train.size();
  return rg::cached(all ? images.train : rg::sample(images.train, settings.recipe.images, seed));
}

rg::Source confusion_set(const rg::Source& train, const Images& images, const Settings& settings, int copies,
                         std::uint64_t seed) {
  const auto damage =
      rg::chain(rg::ZeroPixels{.fraction = settings.recipe.zeroed}, rg::UniformLabels{.classes = images.classes()});
  const rg::Source confusion = rg::frozen(rg::repeat(train, copies), damage, seed);
  // A GPU has the memory, and to damage each image anew at every epoch would cost it more than to read it.
  return settings.device == "cuda" ? rg::cached(confusion) : confusion;
}

std::vector<std::string> jobs_of(const Unit& unit, const Settings& settings) {
  std::vector<std::string> names;
  if (unit.copies > 0) {
    names.push_back(unit.job("memorize"));
  }
  for (const Regularizers& set : sets_of(settings)) {
    names.push_back(unit.job(set.name()));
  }
  return names;
}

Trainings::Trainings(const Settings& settings, const Task& task, const Images& images, const std::vector<Unit>& units)
    : settings_(settings),
      task_(task),
      images_(images),
      execute_(execution_of(settings)),
      jobs_(settings, task, count_of(units, settings), work_of(units, settings, images_of(settings, images))) {}

bool Trainings::train(const Unit& unit) {
  const std::optional<rg::Lock> mine = rg::Lock::try_take(settings_.out + "/locks/" + unit.name());
  if (!mine) {
    return false;
  }
  const std::vector<std::string> names = jobs_of(unit, settings_);
  const bool done = task_.resume && std::all_of(names.begin(), names.end(), [&](const std::string& name) {
                      return history_of(settings_, name).has_value();
                    });
  const std::vector<Regularizers> sets = sets_of(settings_);
  const double images = images_of(settings_, images_);
  if (done) {
    jobs_.pass(memorize_work(unit, settings_, images));
    for (const Regularizers& set : sets) {
      jobs_.pass(arm_work(set, settings_, images));
    }
    return true;
  }

  const rg::Source train = training_images(images_, settings_, unit.seed);
  torch::manual_seed(unit.seed);
  Net net = make_network(unit.model, images_.classes(), images_.channels());
  execute_.prepare(net);
  if (unit.copies > 0) {
    memorize(unit, train, net);
  }
  const rg::Snapshot start(net);
  for (std::size_t i = 0; i < sets.size(); ++i) {
    start.restore();
    run_arm(unit, static_cast<int>(i), sets[i], train, net);
  }
  return true;
}

/// What all phases share.
rg::Phase Trainings::phase(const std::string& name, const rg::Source& data, torch::optim::SGD& optimizer, int epochs,
                           std::uint64_t seed) const {
  rg::Phase result{.name = name,
                   .data = data,
                   .optimizer = optimizer,
                   .epochs = epochs,
                   .batch = settings_.recipe.batch,
                   .preprocess = {images_.normalize},
                   .execute = execute_,
                   .seed = seed};
  if (!settings_.recipe.decay_at.empty()) {
    result.lr_scale = rg::StepDecay{settings_.recipe.decay_at, 0.1};
  }
  return result;
}

/// Scored often enough for curves, or only at the end: scoring costs time and changes nothing. Fit alone, which the
/// quick recipe's stop criteria read, is scored every second epoch.
rg::Splits Trainings::splits(const rg::Source& train, std::uint64_t seed, int epochs) const {
  const bool curves = settings_.recipe.score_all_seeds || seed == settings_.first_seed;
  return {.clean = train,
          .test = images_.test,
          .every = curves ? settings_.recipe.score_every : std::max(epochs, 1),
          .fit_every = settings_.recipe.until_fit ? 2 : 0,
          // On a CPU small enough for the caches: twice as fast as 500.
          .batch = settings_.device == "cuda" ? 1000 : 100};
}

/// 1. Reach a bad minimum: fit damaged copies of the images under random labels.
void Trainings::memorize(const Unit& unit, const rg::Source& train, Net& net) {
  const rg::Source confusion = confusion_set(train, images_, settings_, unit.copies, unit.seed);
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(settings_.recipe.memorize_rate));
  rg::Phase memorize = phase("memorize", confusion, sgd, settings_.recipe.memorize_epochs, 1000 * unit.seed);
  memorize.until = rg::FitReaches{0.9999};
  jobs_.run(unit.job("memorize"), net, sgd, memorize, splits(train, unit.seed, settings_.recipe.memorize_epochs),
            memorize_work(unit, settings_, images_of(settings_, images_)));
}

/// 2. Train on the true labels, from where the network is, with a set of regularizers.
void Trainings::run_arm(const Unit& unit, int place, const Regularizers& set, const rg::Source& train, Net& net) {
  const Recipe& recipe = settings_.recipe;
  const double rate = set.none() ? recipe.vanilla_rate : recipe.escape_rate;
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(rate)
                                               .momentum(set.momentum ? recipe.momentum : 0)
                                               .weight_decay(set.l2 ? recipe.weight_decay : 0));
  const int epochs = set.none() ? recipe.vanilla_epochs : recipe.escape_epochs;
  // Every arm of every seed has random numbers of its own.
  const std::uint64_t seed = 1000 * unit.seed + static_cast<std::uint64_t>(2 * place + (unit.copies == 0 ? 1 : 2));
  rg::Phase arm = phase(set.name(), train, sgd, epochs, seed);
  rg::Splits scored = splits(train, unit.seed, epochs);
  scored.measures["start_cosine"] = rg::CosineTo{rg::Snapshot(net)};
  if (set.none() && recipe.until_fit) {
    arm.until = rg::FitReaches{1};
  } else {
    scored.fit_every = 0;  // no criterion reads it
  }
  if (!set.none() && recipe.decay_at.empty()) {
    arm.lr_scale = rg::Cosine{.epochs = static_cast<double>(epochs)};
  }
  if (set.augmentation) {
    arm.augment = {rg::RandomCrop{.padding = recipe.padding > 0 ? recipe.padding : images_.padding()},
                   rg::HorizontalFlip{}};
  }
  jobs_.run(unit.job(set.name()), net, sgd, arm, scored, arm_work(set, settings_, images_of(settings_, images_)));
}
