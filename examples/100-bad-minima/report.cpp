#include "report.hpp"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

#include <sstream>

#include <regimen/log.hpp>

#include "files.hpp"

namespace rg = regimen;

namespace {

std::string format(const char* pattern, ...) __attribute__((format(printf, 1, 2)));

std::string format(const char* pattern, ...) {
  char line[512];
  va_list arguments;
  va_start(arguments, pattern);
  std::vsnprintf(line, sizeof line, pattern, arguments);
  va_end(arguments);
  return line;
}

const Comparison* find(const std::vector<Comparison>& comparisons, const std::string& regularizers) {
  const auto found = std::find_if(comparisons.begin(), comparisons.end(),
                                  [&](const Comparison& c) { return c.regularizers == regularizers; });
  return found == comparisons.end() ? nullptr : &*found;
}

/// "3.2 +- 1.1": a mean with its 95 % interval, without one for a single seed.
std::string with_interval(const rg::Interval& value) {
  return value.n < 2 ? format("%.2f", value.mean) : format("%.2f +- %.2f", value.mean, value.half_width);
}

/// Two cells: the mean, and half the interval, empty where there is none.
std::string interval_cells(const rg::Interval& value) {
  return value.n < 2 ? format(",%.4f,", value.mean) : format(",%.4f,%.4f", value.mean, value.half_width);
}

Comparison compare_one(const std::vector<Arm>& arms, const std::string& regularizers) {
  Comparison result{.regularizers = regularizers};
  std::vector<double> random;
  std::vector<double> adversarial;
  for (const Arm& arm : arms) {
    if (arm.regularizers != regularizers || arm.history.empty()) {
      continue;
    }
    const bool from_random = arm.start == "random";
    const rg::Epoch& last = arm.history.back();
    (from_random ? random : adversarial).push_back(100 * last.test.accuracy);
    double& fit = from_random ? result.random_fit : result.adversarial_fit;
    fit = std::min(fit, last.fit.accuracy);
    (from_random ? result.random_epochs : result.adversarial_epochs) += last.clock.epoch;
  }
  result.random = rg::mean_interval(random);
  result.adversarial = rg::mean_interval(adversarial);
  result.random_epochs /= std::max<double>(1, static_cast<double>(random.size()));
  result.adversarial_epochs /= std::max<double>(1, static_cast<double>(adversarial.size()));
  if (random.size() == adversarial.size()) {
    result.hole = rg::paired_difference(random, adversarial);
  }
  return result;
}

}  // namespace

std::vector<Comparison> compare(const std::vector<Arm>& arms) {
  std::vector<Comparison> result;
  for (const Arm& arm : arms) {
    if (find(result, arm.regularizers) == nullptr) {
      result.push_back(compare_one(arms, arm.regularizers));
    }
  }
  return result;
}

std::string table(const std::vector<Comparison>& comparisons, const Memorized& memorized, const Settings& settings) {
  std::string text = "\n";
  text +=
      format("confusion set: %lld images x %d copies, %.0f %% of the pixels zeroed, random labels: %.2f %% fitted\n\n",
             static_cast<long long>(settings.recipe.images), settings.recipe.copies, 100 * settings.recipe.zeroed,
             100 * memorized.least_fit);
  text += format("%-28s %-17s %-17s %-17s %-17s %s\n", "", "test, random", "test, adversarial", "hole (points)",
                 "training labels", "epochs");
  for (const Comparison& c : comparisons) {
    const std::string hole = memorized.all_fitted ? with_interval(c.hole) : "not reported";
    text += format("%-28s %-17s %-17s %-17s %6.2f %6.2f %%   %.0f %.0f\n", c.regularizers.c_str(),
                   with_interval(c.random).c_str(), with_interval(c.adversarial).c_str(), hole.c_str(),
                   100 * c.random_fit, 100 * c.adversarial_fit, c.random_epochs, c.adversarial_epochs);
  }
  const std::size_t seeds = comparisons.empty() ? 0 : comparisons.front().random.n;
  text +=
      format("\n%zu seed%s. Test accuracy in percent; +- is a Student-t 95 %% interval, the hole's paired by seed.\n",
             seeds, seeds == 1 ? "" : "s");
  text +=
      "Training labels: the least share that any seed fits, random and adversarial start. Vanilla arms run until they\n"
      "fit 100 % of their labels (or their epochs are up), all others the same number of steps.\n";
  return text;
}

std::string answer(const std::vector<Comparison>& comparisons, const Memorized& memorized) {
  if (!memorized.all_fitted) {
    return format(
        "The random labels were not fitted (%.2f %% at least): the starting point is no adversarial one, and no hole "
        "is reported. Give it more epochs (--memorize-epochs).\n",
        100 * memorized.least_fit);
  }
  const Comparison* const vanilla = find(comparisons, "vanilla");
  const Comparison* const all = find(comparisons, "all three");
  if (vanilla == nullptr || all == nullptr) {
    return "";
  }
  const bool fits = vanilla->random_fit >= 1 && vanilla->adversarial_fit >= 1;
  std::string text = format(
      "From the adversarial start vanilla SGD ends %.1f points%s below the random start on the test set%s; with "
      "augmentation, l2 and "
      "momentum the difference is %.1f points, and ",
      vanilla->hole.mean,
      vanilla->hole.n < 2 ? ""
                          : format(" (95 %% interval %.1f to %.1f)", vanilla->hole.low(), vanilla->hole.high()).c_str(),
      fits ? ", though both fit every training label" : " (but not every arm fits all its labels)", all->hole.mean);
  const double margin = std::min(all->random.mean, all->adversarial.mean) - vanilla->random.mean;
  text += format("both starts end %s vanilla SGD from random (by %.1f points at least).\n",
                 margin > 0 ? "above" : "NOT above", margin);
  return text;
}

void write_tables(const std::vector<Arm>& arms, const std::vector<Comparison>& comparisons, const Memorized& memorized,
                  const Settings& settings) {
  std::ostringstream results;
  results << "seed,start,regularizers,epochs,steps,ended,fit_accuracy,clean_accuracy,test_accuracy\n";
  std::ostringstream epochs;
  const rg::CsvLog lines("");
  epochs << "seed,start,regularizers," << lines.header();
  const auto add_epochs = [&](std::uint64_t seed, const std::string& arm, const rg::History& history) {
    for (const rg::Epoch& epoch : history) {
      epochs << seed << "," << arm << "," << lines.line(epoch) << "\n";
    }
  };
  std::uint64_t seed = settings.first_seed;
  for (const rg::History& history : memorized.histories) {
    add_epochs(seed++, "random,memorize", history);
  }
  for (const Arm& arm : arms) {
    const std::string name = arm.start + "," + arm.regularizers;
    const rg::Epoch& last = arm.history.back();
    results << arm.seed << "," << name << "," << last.clock.epoch << "," << last.clock.step << ","
            << name_of(arm.history.ended())
            << format(",%.4f,%.4f,%.4f\n", last.fit.accuracy, last.clean.accuracy, last.test.accuracy);
    add_epochs(arm.seed, name, arm.history);
  }

  std::ostringstream summary;
  summary << "regularizers,seeds,random_test,random_half_width,adversarial_test,adversarial_half_width,hole,"
             "hole_half_width,random_least_fit,adversarial_least_fit\n";
  for (const Comparison& c : comparisons) {
    summary << c.regularizers << "," << c.random.n << interval_cells(c.random) << interval_cells(c.adversarial)
            << (memorized.all_fitted ? interval_cells(c.hole) : ",,")
            << format(",%.4f,%.4f\n", c.random_fit, c.adversarial_fit);
  }
  write_file(settings.out + "/results.csv", results.str());
  write_file(settings.out + "/epochs.csv", epochs.str());
  write_file(settings.out + "/summary.csv", summary.str());
}
