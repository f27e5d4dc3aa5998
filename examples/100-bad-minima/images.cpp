#include "images.hpp"

#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include <regimen/experiment/side_by_side.hpp>
#include <regimen/regimen.hpp>

#include "budget.hpp"
#include "check_networks.hpp"
#include "collect.hpp"
#include "data.hpp"
#include "files.hpp"
#include "jobs.hpp"
#include "pace.hpp"
#include "pictures.hpp"
#include "plan.hpp"
#include "report.hpp"
#include "results_folder.hpp"
#include "settings_text.hpp"
#include "tiles.hpp"
#include "unit.hpp"

namespace ex = regimen::experiment;
namespace rg = regimen;

namespace {

/// Tables, pictures and the manifest of all that is at its end.
void show_results(const Settings& settings, const ResultsFolder& folder) {
  const Results results = collect(settings);
  if (results.units < results.units_planned) {
    std::printf("\n%d of %d units are complete; the rest: --resume, or --unit NAME for one of --list.\n", results.units,
                results.units_planned);
  }
  const std::vector<Group> groups = groups_of(results, settings);
  write_tables(results, groups, settings);
  write_manifest(results.jobs, settings);
  for (const Group& group : groups) {
    const std::string suffix = groups.size() == 1 ? "" : "-" + group.model + "-R" + std::to_string(group.copies);
    draw_curves(results, group, "curves" + suffix, settings);
    draw_holes(group, "holes" + suffix, settings);
  }
  const std::string text = report(groups, settings);
  write_file(settings.out + "/table.txt", text);
  std::printf("%s\n", text.c_str());
  std::printf("Every number: %s/results.csv, summary.csv, epochs.csv, manifest.json\n", settings.out.c_str());
  finish_pictures(settings);
  folder.note_complete(results.units == results.units_planned);
}

/// The images, once every network was seen to take them: errors come before anything is written.
Images images_for(const Settings& settings, const Task& task) {
  const torch::Device device = settings.device == "cuda" ? torch::kCUDA : torch::kCPU;
  Images images = load_images(settings, device);
  check_networks(settings, images.classes(), images.channels(), images.test.data.size(2));
  ex::heed(task.stop);
  return images;
}

Paces paces_here(const Settings& settings, const Task& task, const Images& images) {
  const Paces paces = settings.workers > 1 ? ex::measure_side_by_side(settings.workers, settings.threads, task)
                                           : measure_paces(settings, task, images);
  for (const auto& [model, pace] : paces) {
    std::printf("%s: %.0f images/s in training, %.0f in scoring%s\n", model.c_str(), pace.training, pace.scoring,
                settings.workers > 1 ? ", each worker" : "");
  }
  return paces;
}

/// Says what the experiment will take, or what is left of a resumed one, before it begins.
void tell_expected_time(const Settings& settings, const Task& task, const ImageCounts& counts, const Paces& paces) {
  std::vector<Chain> units;
  double longest = 0;
  for (const Unit& unit : units_of(settings)) {
    const Chain jobs = expected_jobs(unit, settings, counts, paces);
    units.push_back(task.resume ? unfinished(jobs, unit, settings) : jobs);
    longest = std::max(longest, seconds_of(units.back()));
  }
  const std::size_t all = units.size();
  units.erase(std::remove_if(units.begin(), units.end(), [](const Chain& jobs) { return jobs.empty(); }), units.end());
  if (units.empty()) {
    return;
  }
  const std::string left = task.resume ? " of " + std::to_string(all) + " are left," : "";
  const std::string order =
      settings.workers == 1 ? "one after another" : std::to_string(settings.workers) + " at a time";
  std::printf("%zu units%s that need nothing of each other, the longest of %s: %s %s %s here.\n", units.size(),
              left.c_str(), ex::duration(longest).c_str(), order.c_str(),
              settings.recipe.until_fit ? "about" : "at most",
              ex::duration(seconds_of(units, settings.workers)).c_str());
  std::fflush(stdout);
}

void train_one_after_another(const ex::Plan& plan, bool in_seconds, const Settings& settings, const Task& task,
                             const Images& images) {
  // One worker's chain is all of it.
  Chain all;
  for (const Chain& chain : ex::chains_of(plan)) {
    all.insert(all.end(), chain.begin(), chain.end());
  }
  Trainings trainings(settings, task, images, TimeLeft({all}, 1, in_seconds));
  for (const Unit& unit : units_of(settings)) {
    if ((task.unit.empty() || unit.name() == task.unit) && !trainings.train(unit)) {
      if (!task.unit.empty()) {
        throw rg::Error("another process works on " + unit.name() + ": wait for it, or train another unit");
      }
      std::printf("%s: another process works on it\n", unit.name().c_str());
    }
  }
}

void train(const Settings& settings, const Task& task, const Images& images, const Paces& paces) {
  const ex::Plan plan = ex::chosen(expected_units(settings, images.counts(), paces), task.unit);
  if (settings.workers > 1) {
    const auto is_finished = [&](const std::string& job) { return job_is_finished(job, settings); };
    ex::do_side_by_side(ex::longest_first(plan),
                        {.workers = settings.workers,
                         .threads = settings.threads,
                         .in_seconds = !paces.empty(),
                         .prefix = settings.models.size() == 1 ? settings.models.front() + "-" : "",
                         .is_finished = is_finished},
                        task);
  } else {
    train_one_after_another(plan, !paces.empty(), settings, task, images);
  }
}

/// The settings with the folder's plan applied, if it is gone on with.
Settings planned(const Settings& whole, const std::optional<Cut>& cut) {
  return cut ? applied(*cut, whole) : whole;
}

/// Tables and pictures of what is there.
void collect_units(const Settings& whole, const Task& task) {
  const ResultsFolder folder(whole, task);
  const Settings settings = planned(whole, folder.cut());
  check_same_settings(settings.out + "/settings.json", text_of(settings));
  show_results(settings, folder);
}

void train_unit(const Settings& whole, const Task& task) {
  // Others that want the folder must not wait while images are loaded, which can take minutes.
  (void)ex::chosen(expected_units(planned(whole, planned_cut(whole)), {}, {}), task.unit);
  const Images images = images_for(whole, task);
  ResultsFolder folder(whole, task);
  const std::optional<Cut> cut = folder.cut();
  const Settings settings = planned(whole, cut);
  folder.open(cut);
  train(settings, task, images, {});
}

/// Makes the experiment fit a budget of which some time has passed since `began`, and says so.
Cut cut_to_budget(const Settings& whole, const Task& task, std::chrono::steady_clock::time_point began,
                  const Images& images, const Paces& paces) {
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - began;
  const Fitted fitted = fit_to_budget(task, passed.count(), whole, images.counts(), paces);
  std::printf("%s\n", sentence_of(fitted, whole, images.counts(), task.budget).c_str());
  return fitted.cut;
}

void train_all(const Settings& whole, const Task& task) {
  const auto began = std::chrono::steady_clock::now();
  ResultsFolder folder(whole, task);
  std::optional<Cut> cut = folder.cut();
  if (cut) {
    check_same_settings(whole.out + "/settings.json", text_of(planned(whole, cut)));
  }
  const Images images = images_for(whole, task);
  if (cut && !planned_before(*cut, whole, images.counts()).empty()) {
    std::printf("%s\n", planned_before(*cut, whole, images.counts()).c_str());
  }
  Settings settings = planned(whole, cut);
  Paces paces;
  // --quiet has no use for an estimate; a budget and the paper's recipe, of which a network takes hours, need one.
  if (settings.paper || task.budget > 0 || !task.quiet) {
    paces = paces_here(settings, task, images);
    if (task.budget > 0 && !cut) {
      cut = cut_to_budget(whole, task, began, images, paces);
      settings = planned(whole, cut);
    }
    tell_expected_time(settings, task, images.counts(), paces);
  }
  folder.open(cut);
  show_tiles(images, settings);
  train(settings, task, images, paces);
  show_results(settings, folder);
}

}  // namespace

void list_units(const Settings& settings) {
  for (const Unit& unit : units_of(planned(settings, planned_cut(settings)))) {
    std::printf("%s\n", unit.name().c_str());
  }
}

void measure_pace(const Settings& settings, const Task& task) {
  ex::tell_paces(measure_paces(settings, task, images_for(settings, task)));
}

void run_images(const Settings& settings, const Task& task) {
  if (task.collect) {
    collect_units(settings, task);
  } else if (!task.unit.empty()) {
    train_unit(settings, task);
  } else {
    train_all(settings, task);
  }
}
