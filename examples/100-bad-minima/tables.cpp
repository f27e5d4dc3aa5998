#include <string>
#include <vector>

#include <regimen/base/csv_field.hpp>
#include <regimen/observe/log.hpp>
#include <regimen/report/csv.hpp>
#include <regimen/report/table.hpp>
#include <regimen/report/write_file.hpp>

#include "report.hpp"

namespace rg = regimen;

namespace {

rg::report::Column whole(const char* name) {
  return {.name = name, .kind = rg::report::Kind::whole};
}

rg::report::Column number(const char* name) {
  return {.name = name, .kind = rg::report::Kind::number, .csv_digits = 4};
}

const char* start_of(const Arm& arm) {
  return arm.from_random() ? "random" : "adversarial";
}

/// Every arm and seed at its end.
rg::report::Table arms_table(const Results& results) {
  rg::report::Table table({{.name = "model"},
                           whole("seed"),
                           {.name = "start"},
                           whole("copies"),
                           {.name = "regularizers"},
                           whole("epochs"),
                           whole("steps"),
                           {.name = "ended"},
                           number("fit_accuracy"),
                           number("clean_accuracy"),
                           number("test_accuracy"),
                           number("start_cosine")});
  for (const Arm& arm : results.arms) {
    const rg::Epoch& last = arm.history.back();
    table.add({arm.model, arm.seed, start_of(arm), arm.copies, arm.regularizers, last.clock.epoch, last.clock.step,
               name_of(arm.history.ended()), last.fit.accuracy, last.clean.accuracy, arm.test.accuracy,
               start_cosine(last)});
  }
  return table;
}

/// Every epoch of every training.
std::string epochs_table(const Results& results) {
  const rg::CsvLog lines("");
  std::string text = "model,seed,start,copies,regularizers," + lines.header();
  const auto add = [&](const auto& training, const char* start, const std::string& regularizers) {
    const std::string who = rg::detail::csv_field(training.model) + "," + std::to_string(training.seed) + "," + start +
                            "," + std::to_string(training.copies) + "," + rg::detail::csv_field(regularizers);
    for (const rg::Epoch& epoch : training.history) {
      text += who + "," + lines.line(epoch) + "\n";
    }
  };
  for (const Memorized& memorized : results.memorized) {
    add(memorized, "random", "memorize");
  }
  for (const Arm& arm : results.arms) {
    add(arm, start_of(arm), arm.regularizers);
  }
  return text;
}

/// The rows of the tables that are printed. A cell is empty where an arm diverged, or no hole is reported.
rg::report::Table summary_table(const std::vector<Group>& groups) {
  rg::report::Table table({{.name = "model"},
                           whole("copies"),
                           {.name = "regularizers"},
                           whole("seeds"),
                           number("random_test"),
                           number("random_half_width"),
                           number("adversarial_test"),
                           number("adversarial_half_width"),
                           number("hole"),
                           number("hole_half_width"),
                           number("random_least_fit"),
                           number("adversarial_least_fit"),
                           number("random_start_cosine"),
                           number("adversarial_start_cosine")});
  for (const Group& group : groups) {
    for (const Comparison& c : group.comparisons) {
      const rg::Interval none;
      const rg::Interval& random = c.random_diverged.empty() ? c.random : none;
      const rg::Interval& adversarial = c.adversarial_diverged.empty() ? c.adversarial : none;
      const rg::Interval& hole = group.all_fitted() && !c.diverged() ? c.hole : none;
      table.add({group.model, group.copies, c.regularizers, c.random.n, random.mean, random.half_width,
                 adversarial.mean, adversarial.half_width, hole.mean, hole.half_width, c.random_fit, c.adversarial_fit,
                 c.random_cosine, c.adversarial_cosine});
    }
  }
  return table;
}

}  // namespace

void write_tables(const Results& results, const std::vector<Group>& groups, const Settings& settings) {
  rg::report::write_file(settings.out + "/results.csv", rg::report::csv(arms_table(results)));
  rg::report::write_file(settings.out + "/epochs.csv", epochs_table(results));
  rg::report::write_file(settings.out + "/summary.csv", rg::report::csv(summary_table(groups)));
}
