#include "report.hpp"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

#include <optional>
#include <sstream>

#include <regimen/log.hpp>

#include "files.hpp"
#include "jobs.hpp"
#include "plan.hpp"
#include "unit.hpp"

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

/// "3.2 +- 1.1": a mean with its 95 % interval, without one for a single seed.
std::string with_interval(const rg::Interval& value) {
  return value.n < 2 ? format("%.2f", value.mean) : format("%.2f +- %.2f", value.mean, value.half_width);
}

/// Two cells: the mean, and half the interval, empty where there is none.
std::string interval_cells(const rg::Interval& value) {
  return value.n < 2 ? format(",%.4f,", value.mean) : format(",%.4f,%.4f", value.mean, value.half_width);
}

/// The arm of a group with these regularizers and this seed; null if it is not at its end.
const Arm* find_arm(const Results& results, const Arm& wanted) {
  const auto found = std::find_if(results.arms.begin(), results.arms.end(), [&](const Arm& arm) {
    return arm.model == wanted.model && arm.seed == wanted.seed && arm.copies == wanted.copies &&
           arm.regularizers == wanted.regularizers;
  });
  return found == results.arms.end() ? nullptr : &*found;
}

Comparison compare(const Results& results, const Settings& settings, const Group& group,
                   const std::string& regularizers) {
  Comparison result{.regularizers = regularizers};
  std::vector<double> random_test;
  std::vector<double> adversarial_test;
  for (int i = 0; i < settings.seeds; ++i) {
    const std::uint64_t seed = settings.first_seed + static_cast<std::uint64_t>(i);
    const Arm* const random = find_arm(results, {group.model, seed, 0, regularizers});
    const Arm* const adversarial = find_arm(results, {group.model, seed, group.copies, regularizers});
    if (random == nullptr || adversarial == nullptr) {
      continue;
    }
    const rg::Epoch& random_end = random->history.back();
    const rg::Epoch& adversarial_end = adversarial->history.back();
    random_test.push_back(100 * random->test.accuracy);
    adversarial_test.push_back(100 * adversarial->test.accuracy);
    result.random_fit = std::min(result.random_fit, random_end.fit.accuracy);
    result.adversarial_fit = std::min(result.adversarial_fit, adversarial_end.fit.accuracy);
    result.random_epochs += random_end.clock.epoch;
    result.adversarial_epochs += adversarial_end.clock.epoch;
    result.random_cosine += random_end.measures.at("start_cosine");
    result.adversarial_cosine += adversarial_end.measures.at("start_cosine");
  }
  const auto n = std::max<double>(1, static_cast<double>(random_test.size()));
  result.random = rg::mean_interval(random_test);
  result.adversarial = rg::mean_interval(adversarial_test);
  result.hole = rg::paired_difference(random_test, adversarial_test);
  result.random_epochs /= n;
  result.adversarial_epochs /= n;
  result.random_cosine /= n;
  result.adversarial_cosine /= n;
  return result;
}

std::string table(const Group& group, const Settings& settings) {
  const Recipe& recipe = settings.recipe;
  const std::string images =
      recipe.images == 0 ? "all images" : format("%lld images", static_cast<long long>(recipe.images));
  std::string text =
      format("\n%s, confusion set: %s x %d %s, %.0f %% of the pixels zeroed, random labels: %.2f %% fitted\n\n",
             group.model.c_str(), images.c_str(), group.copies, group.copies == 1 ? "copy" : "copies",
             100 * recipe.zeroed, 100 * group.memorized_fit);
  text += format("%-28s %-17s %-17s %-17s %-17s %-11s %s\n", "", "test, random", "test, adversarial", "hole (points)",
                 "training labels", "start left", "epochs");
  for (const Comparison& c : group.comparisons) {
    const std::string hole = group.all_fitted() ? with_interval(c.hole) : "not reported";
    text +=
        format("%-28s %-17s %-17s %-17s %6.2f %6.2f %%   %.2f %.2f   %.0f %.0f\n", c.regularizers.c_str(),
               with_interval(c.random).c_str(), with_interval(c.adversarial).c_str(), hole.c_str(), 100 * c.random_fit,
               100 * c.adversarial_fit, c.random_cosine, c.adversarial_cosine, c.random_epochs, c.adversarial_epochs);
  }
  return text;
}

const Comparison* find(const std::vector<Comparison>& comparisons, const std::string& regularizers) {
  const auto found = std::find_if(comparisons.begin(), comparisons.end(),
                                  [&](const Comparison& c) { return c.regularizers == regularizers; });
  return found == comparisons.end() ? nullptr : &*found;
}

/// The answer in one sentence.
std::string answer(const Group& group) {
  if (!group.all_fitted()) {
    return format(
        "The random labels were not fitted (%.2f %% at least): the starting point is no adversarial one, and no hole "
        "is reported. Give it more epochs (--memorize-epochs).\n",
        100 * group.memorized_fit);
  }
  const Comparison* const vanilla = find(group.comparisons, "vanilla");
  const Comparison* const all = find(group.comparisons, "all three");
  if (vanilla == nullptr || all == nullptr || vanilla->random.n == 0) {
    return "";
  }
  const bool fits = vanilla->random_fit >= 1 && vanilla->adversarial_fit >= 1;
  const rg::Interval& hole = vanilla->hole;
  const std::string interval = hole.n < 2 ? "" : format(" (95 %% interval %.1f to %.1f)", hole.low(), hole.high());
  std::string text = format(
      "From the adversarial start vanilla SGD ends %.1f points%s below the random start on the test set%s; with "
      "augmentation, l2 and momentum the difference is %.1f points, and ",
      hole.mean, interval.c_str(),
      fits ? ", though both fit every training label" : " (but not every arm fits all its labels)", all->hole.mean);
  const double margin = std::min(all->random.mean, all->adversarial.mean) - vanilla->random.mean;
  text += format("both starts end %s vanilla SGD from random (by %.1f points at least).\n",
                 margin > 0 ? "above" : "NOT above", margin);
  return text;
}

}  // namespace

Results collect(const Settings& settings) {
  Results results;
  for (const Unit& unit : units_of(settings)) {
    bool complete = true;
    const auto add = [&](const std::string& what, const auto& keep) {
      const std::string job = unit.job(what);
      const std::optional<rg::History> history = finished_history(unit, what, settings);
      if (history) {
        keep(job, *history);
        results.jobs.push_back(job);
      }
      complete = complete && history.has_value();
    };
    if (unit.copies > 0) {
      add(memorizing, [&](const std::string&, const rg::History& history) {
        results.memorized.push_back({unit.model, unit.seed, unit.copies, history});
      });
    }
    for (const Regularizers& set : sets_of(settings)) {
      add(set.name(), [&](const std::string& job, const rg::History& history) {
        results.arms.push_back(
            {unit.model, unit.seed, unit.copies, set.name(), history, *read_test_score(test_score_of(settings, job))});
      });
    }
    results.units += complete ? 1 : 0;
    ++results.units_planned;
  }
  return results;
}

std::vector<Group> groups_of(const Results& results, const Settings& settings) {
  std::vector<Group> groups;
  for (const std::string& model : settings.models) {
    for (const int copies : settings.recipe.copies) {
      Group group{.model = model, .copies = copies, .enough_fit = settings.recipe.memorize_fit};
      for (const Memorized& memorized : results.memorized) {
        if (memorized.model == model && memorized.copies == copies) {
          group.memorized_fit = std::min(group.memorized_fit, memorized.history.back().fit.accuracy);
          ++group.seeds;
        }
      }
      for (const Regularizers& set : sets_of(settings)) {
        group.comparisons.push_back(compare(results, settings, group, set.name()));
      }
      if (group.seeds > 0) {
        groups.push_back(group);
      }
    }
  }
  return groups;
}

std::string report(const std::vector<Group>& groups, const Settings& settings) {
  std::string text;
  for (const Group& group : groups) {
    text += table(group, settings);
    const std::string sentence = answer(group);
    text += sentence.empty() ? "" : "\n" + sentence;
  }
  const std::size_t seeds = groups.empty() ? 0 : groups.front().comparisons.front().random.n;
  text +=
      format("\n%zu seed%s. Test accuracy in percent; +- is a Student-t 95 %% interval, the hole's paired by seed.\n",
             seeds, seeds == 1 ? "" : "s");
  text += "Training labels: the least share that any seed fits, random and adversarial start.\n";
  text +=
      "Start left: cosine of the weights at the end and at the start, mean of the seeds: 1 where they have stayed.\n";
  text += settings.recipe.until_fit
              ? "Vanilla arms run until they fit 100 % of their labels (or their epochs are up), all others the same "
                "number of steps.\n"
              : "All arms run the same number of steps.\n";
  return text;
}

void write_tables(const Results& results, const std::vector<Group>& groups, const Settings& settings) {
  std::ostringstream table;
  std::ostringstream epochs;
  const rg::CsvLog lines("");
  table << "model,seed,start,copies,regularizers,epochs,steps,ended,fit_accuracy,clean_accuracy,test_accuracy,start_"
           "cosine\n";
  epochs << "model,seed,start,copies,regularizers," << lines.header();
  const auto add_epochs = [&](const std::string& who, const rg::History& history) {
    for (const rg::Epoch& epoch : history) {
      epochs << who << "," << lines.line(epoch) << "\n";
    }
  };
  for (const Memorized& memorized : results.memorized) {
    add_epochs(format("%s,%llu,random,%d,memorize", memorized.model.c_str(),
                      static_cast<unsigned long long>(memorized.seed), memorized.copies),
               memorized.history);
  }
  for (const Arm& arm : results.arms) {
    const std::string who = format("%s,%llu,%s,%d,%s", arm.model.c_str(), static_cast<unsigned long long>(arm.seed),
                                   arm.from_random() ? "random" : "adversarial", arm.copies, arm.regularizers.c_str());
    const rg::Epoch& last = arm.history.back();
    table << who << "," << last.clock.epoch << "," << last.clock.step << "," << name_of(arm.history.ended())
          << format(",%.4f,%.4f,%.4f,%.4f\n", last.fit.accuracy, last.clean.accuracy, arm.test.accuracy,
                    last.measures.at("start_cosine"));
    add_epochs(who, arm.history);
  }

  std::ostringstream summary;
  summary
      << "model,copies,regularizers,seeds,random_test,random_half_width,adversarial_test,adversarial_half_width,"
         "hole,hole_half_width,random_least_fit,adversarial_least_fit,random_start_cosine,adversarial_start_cosine\n";
  for (const Group& group : groups) {
    for (const Comparison& c : group.comparisons) {
      summary << group.model << "," << group.copies << "," << c.regularizers << "," << c.random.n
              << interval_cells(c.random) << interval_cells(c.adversarial)
              << (group.all_fitted() ? interval_cells(c.hole) : ",,")
              << format(",%.4f,%.4f,%.4f,%.4f\n", c.random_fit, c.adversarial_fit, c.random_cosine,
                        c.adversarial_cosine);
    }
  }
  write_file(settings.out + "/results.csv", table.str());
  write_file(settings.out + "/epochs.csv", epochs.str());
  write_file(settings.out + "/summary.csv", summary.str());
}
