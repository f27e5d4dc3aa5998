#include <string>
#include <vector>

#include <regimen/observe/log.hpp>

#include "files.hpp"
#include "format.hpp"
#include "report.hpp"

namespace rg = regimen;

namespace {

/// Two cells: the mean, and half the interval, empty if there is none.
std::string interval_cells(const rg::Interval& value) {
  return value.n < 2 ? format(",%.4f,", value.mean) : format(",%.4f,%.4f", value.mean, value.half_width);
}

std::string name_of(const Arm& arm) {
  return format("%s,%llu,%s,%d,%s", arm.model.c_str(), static_cast<unsigned long long>(arm.seed),
                arm.from_random() ? "random" : "adversarial", arm.copies, arm.regularizers.c_str());
}

/// Every arm and seed at its end.
std::string arms_table(const Results& results) {
  std::string text =
      "model,seed,start,copies,regularizers,epochs,steps,ended,fit_accuracy,clean_accuracy,test_accuracy,start_"
      "cosine\n";
  for (const Arm& arm : results.arms) {
    const rg::Epoch& last = arm.history.back();
    text +=
        name_of(arm) + "," + std::to_string(last.clock.epoch) + "," + std::to_string(last.clock.step) + "," +
        name_of(arm.history.ended()) +
        format(",%.4f,%.4f,%.4f,%.4f\n", last.fit.accuracy, last.clean.accuracy, arm.test.accuracy, start_cosine(last));
  }
  return text;
}

/// Every epoch of every training.
std::string epochs_table(const Results& results) {
  const rg::CsvLog lines("");
  std::string text = "model,seed,start,copies,regularizers," + lines.header();
  const auto add = [&](const std::string& who, const rg::History& history) {
    for (const rg::Epoch& epoch : history) {
      text += who + "," + lines.line(epoch) + "\n";
    }
  };
  for (const Memorized& memorized : results.memorized) {
    add(format("%s,%llu,random,%d,memorize", memorized.model.c_str(), static_cast<unsigned long long>(memorized.seed),
               memorized.copies),
        memorized.history);
  }
  for (const Arm& arm : results.arms) {
    add(name_of(arm), arm.history);
  }
  return text;
}

/// The rows of the tables that are printed. A cell is empty where an arm diverged, or no hole is reported.
std::string summary_table(const std::vector<Group>& groups) {
  std::string text =
      "model,copies,regularizers,seeds,random_test,random_half_width,adversarial_test,adversarial_half_width,"
      "hole,hole_half_width,random_least_fit,adversarial_least_fit,random_start_cosine,adversarial_start_cosine\n";
  for (const Group& group : groups) {
    for (const Comparison& c : group.comparisons) {
      text += group.model + "," + std::to_string(group.copies) + "," + c.regularizers + "," +
              std::to_string(c.random.n) + (c.random_diverged.empty() ? interval_cells(c.random) : ",,") +
              (c.adversarial_diverged.empty() ? interval_cells(c.adversarial) : ",,") +
              (group.all_fitted() && !c.diverged() ? interval_cells(c.hole) : ",,") +
              format(",%.4f,%.4f,%.4f,%.4f\n", c.random_fit, c.adversarial_fit, c.random_cosine, c.adversarial_cosine);
    }
  }
  return text;
}

}  // namespace

void write_tables(const Results& results, const std::vector<Group>& groups, const Settings& settings) {
  write_file(settings.out + "/results.csv", arms_table(results));
  write_file(settings.out + "/epochs.csv", epochs_table(results));
  write_file(settings.out + "/summary.csv", summary_table(groups));
}
