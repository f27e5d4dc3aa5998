#include "images.hpp"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include <regimen/experiment/conduct.hpp>
#include <regimen/regimen.hpp>

#include "budget.hpp"
#include "collect.hpp"
#include "kit/image_experiment.hpp"
#include "pictures.hpp"
#include "plan.hpp"
#include "report.hpp"
#include "results_folder.hpp"
#include "tiles.hpp"
#include "unit.hpp"

namespace ex = regimen::experiment;
namespace rg = regimen;

namespace {

class OnImages : public kit::ImageExperiment {
 public:
  OnImages(const Settings& whole, const Task& task)
      : ImageExperiment({.data = {.name = whole.data, .root = whole.root, .side = whole.recipe.side},
                         .machine = {.device = whole.device, .precision = whole.precision},
                         .networks = whole.models,
                         .width = whole.recipe.width,
                         .batch = whole.recipe.batch,
                         .stop = task.stop}),
        whole_(whole),
        settings_(whole),
        task_(task) {}

  [[nodiscard]] ex::FolderContents contents() const override { return contents_of(whole_); }

  [[nodiscard]] ex::Plan plan(const ex::Paces& paces) const override {
    return expected_units(settings_, counts(), paces);
  }

  [[nodiscard]] bool is_finished(const std::string& job) const override {
    return finished_history(job, settings_).has_value();
  }

  void train(const std::string& name, ex::Jobs& jobs) override {
    const std::vector<Unit> units = units_of(settings_);
    const auto unit = std::find_if(units.begin(), units.end(), [&](const Unit& each) { return each.name() == name; });
    Trainings(settings_, images(), jobs).train(*unit);
  }

  void begin() override { show_tiles(images(), settings_); }

  void keep_to(const std::string& plan) override {
    cut_ = cut_of(plan, whole_);
    settings_ = applied(*cut_, whole_);
  }

  Sized fit(double passed, const ex::Paces& paces) override {
    const Fitted fitted = fit_to_budget(task_, passed, whole_, counts(), paces);
    return {text_of(fitted.cut), sentence_of(fitted, whole_, counts(), task_.budget)};
  }

  [[nodiscard]] std::string planned_before() const override {
    return cut_ ? ::planned_before(*cut_, whole_, counts()) : "";
  }

  /// Tables, pictures and the manifest of all that is at its end.
  bool show_results() override {
    const Results results = collect(settings_);
    if (results.units < results.units_planned) {
      std::printf("\n%d of %d units are complete; the rest: --resume, or --unit NAME for one of --list.\n",
                  results.units, results.units_planned);
    }
    const std::vector<Group> groups = groups_of(results, settings_);
    write_tables(results, groups, settings_);
    ex::write_manifest(settings_.out, rg::manifest(settings_), results.jobs);
    for (const Group& group : groups) {
      const std::string suffix = groups.size() == 1 ? "" : "-" + group.model + "-R" + std::to_string(group.copies);
      draw_curves(results, group, "curves" + suffix, settings_);
      draw_holes(group, "holes" + suffix, settings_);
    }
    const std::string text = report(groups, settings_);
    ex::write_file(settings_.out + "/table.txt", text);
    std::printf("%s\n", text.c_str());
    std::printf("Every number: %s/results.csv, summary.csv, epochs.csv, manifest.json\n", settings_.out.c_str());
    finish_pictures(settings_);
    return results.units == results.units_planned;
  }

 private:
  const Settings& whole_;
  Settings settings_;  ///< with the cut applied
  const Task& task_;
  std::optional<Cut> cut_{};
};

}  // namespace

void run_images(const Settings& settings, const Task& task) {
  OnImages experiment(settings, task);
  ex::conduct(experiment, task,
              {.workers = settings.workers,
               .threads = settings.threads,
               .prefix = settings.models.size() == 1 ? settings.models.front() + "-" : "",
               .ends_by_itself = settings.recipe.until_fit,
               .always_estimates = settings.paper});
}
