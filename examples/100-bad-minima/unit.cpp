#include "unit.hpp"

#include <string>
#include <vector>

#include "kit/networks.hpp"

namespace ex = regimen::experiment;
namespace rg = regimen;

rg::Source confusion_set(const rg::Source& train, const Images& images, const Settings& settings, int copies,
                         std::uint64_t seed) {
  const auto damage =
      rg::chain(rg::ZeroPixels{.fraction = settings.recipe.zeroed}, rg::UniformLabels{.classes = images.classes()});
  const rg::Source confusion = rg::frozen(rg::repeat(train, copies), damage, seed);
  // A GPU has the memory, and to damage each image anew at every epoch would cost it more than to read it.
  return settings.device == "cuda" ? rg::cached(confusion) : confusion;
}

std::optional<rg::History> finished_history(const std::string& job, const Settings& settings) {
  const ex::JobFiles files{settings.out, job};
  const std::string last = std::string("-") + memorizing;
  const bool memorizes = job.size() > last.size() && job.compare(job.size() - last.size(), last.size(), last) == 0;
  return memorizes ? files.history() : files.scored_history();
}

void Trainings::train(const Unit& unit) {
  const rg::Source train = kit::some_of(images_, settings_.recipe.images, unit.seed);
  torch::manual_seed(unit.seed);
  Net net = kit::make_network(unit.model, images_.classes(), images_.channels(), settings_.recipe.width);
  execute_.prepare(net);
  if (unit.copies > 0) {
    memorize(unit, train, net);
  }
  const std::vector<Regularizers> sets = sets_of(settings_);
  const rg::Snapshot start(net);
  for (std::size_t i = 0; i < sets.size(); ++i) {
    start.restore();
    run_arm(unit, static_cast<int>(i), sets[i], train, net);
  }
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

rg::Evaluation Trainings::evaluation() const {
  return kit::scoring_of(settings_.device, settings_.precision, images_);
}

/// Scored often enough for curves, or only at the end: scoring costs time and changes nothing. Fit alone, which the
/// quick recipe's stop criteria read, is scored every second epoch. The test set is there for the curves, a part of it:
/// all of it is for the end.
rg::Scoring Trainings::scoring(const rg::Source& train, std::uint64_t seed, int epochs) const {
  const bool curves = has_curves(settings_, seed);
  return {.clean = train,
          .test = curves ? rg::limit(images_.test, test_along(settings_, images_.counts())) : rg::Source(),
          .every = curves ? settings_.recipe.score_every : std::max(epochs, 1),
          .fit_every = settings_.recipe.until_fit ? 2 : 0,
          .batch = evaluation().batch};
}

/// 1. Reach a bad minimum: fit damaged copies of the images under random labels.
void Trainings::memorize(const Unit& unit, const rg::Source& train, Net& net) {
  const rg::Source confusion = confusion_set(train, images_, settings_, unit.copies, unit.seed);
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(settings_.recipe.memorize_rate));
  rg::Phase memorize = phase(memorizing, confusion, sgd, settings_.recipe.memorize_epochs, 1000 * unit.seed);
  memorize.until = rg::FitReaches{settings_.recipe.memorize_fit};
  jobs_.run({.name = unit.job(memorizing),
             .phases = {memorize},
             .scoring = scoring(train, unit.seed, settings_.recipe.memorize_epochs)},
            net, sgd);
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
  rg::Scoring scored = scoring(train, unit.seed, epochs);
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
  const std::string job = unit.job(set.name());
  const auto score = [&] {
    ex::write_score(ex::JobFiles{settings_.out, job}.score(), rg::evaluate(net, images_.test, evaluation()));
  };
  jobs_.run({.name = job, .phases = {arm}, .scoring = scored, .at_end = score}, net, sgd);
}
