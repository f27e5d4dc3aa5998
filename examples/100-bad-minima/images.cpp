#include "images.hpp"

#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include <regimen/regimen.hpp>

#include "data.hpp"
#include "files.hpp"
#include "jobs.hpp"
#include "pace.hpp"
#include "pictures.hpp"
#include "plan.hpp"
#include "report.hpp"
#include "side_by_side.hpp"
#include "time_left.hpp"
#include "unit.hpp"

namespace rg = regimen;

namespace {

void add_tiles(std::vector<Tile>& tiles, int row, const rg::Batch& batch, const rg::Batch& originals,
               const Images& images) {
  for (std::int64_t i = 0; i < batch.size(); ++i) {
    // Of large ones every second pixel, every third, ...: a zeroed pixel is either shown as it is, or not at all.
    const std::int64_t step = (batch.data.size(2) + 31) / 32;
    const torch::Tensor image = batch.data[i]
                                    .to(torch::kInt)
                                    .expand({3, -1, -1})
                                    .slice(1, 0, torch::nullopt, step)
                                    .slice(2, 0, torch::nullopt, step)
                                    .contiguous();
    const auto pixel = image.accessor<int, 3>();
    const auto label = batch.target[i].item<std::int64_t>();
    Tile tile{.row = row,
              .column = static_cast<int>(i),
              .height = static_cast<int>(image.size(1)),
              .width = static_cast<int>(image.size(2)),
              .label = images.names[static_cast<std::size_t>(label)],
              .wrong = label != originals.target[i].item<std::int64_t>()};
    for (int y = 0; y < tile.height; ++y) {
      for (int x = 0; x < tile.width; ++x) {
        const auto byte = [&](int channel) { return static_cast<std::uint8_t>(pixel[channel][y][x]); };
        tile.pixels.push_back({byte(0), byte(1), byte(2)});
      }
    }
    tiles.push_back(std::move(tile));
  }
}

/// Some images of the first confusion set under the undamaged ones.
void show_tiles(const Images& images, const Settings& settings) {
  constexpr int columns = 8;
  const int copies = settings.recipe.copies.front();
  const rg::Source train = training_images(images, settings, settings.first_seed);
  const rg::Source confusion = confusion_set(train, images, settings, copies, settings.first_seed);
  const rg::Batch originals = to(train.get(torch::arange(columns)), torch::kCPU);
  std::vector<Tile> tiles;
  add_tiles(tiles, 0, originals, originals, images);
  for (int copy = 0; copy < std::min(copies, 4); ++copy) {
    const torch::Tensor places = torch::arange(columns) + copy * *train.size();
    add_tiles(tiles, copy + 1, to(confusion.get(places), torch::kCPU), originals, images);
  }
  draw_tiles(tiles, settings);
}

/// Tables, pictures and the manifest of all that is at its end.
void show_results(const Settings& settings) {
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
}

torch::Device device_of(const Settings& settings) {
  return settings.device == "cuda" ? torch::kCUDA : torch::kCPU;
}

Paces paces_here(const Settings& settings, const Task& task, const Images& images) {
  const Paces paces = settings.workers > 1 ? measure_side_by_side(settings, task) : measure_paces(settings, images);
  for (const auto& [model, pace] : paces) {
    std::printf("%s: %.0f images/s in training, %.0f in scoring%s\n", model.c_str(), pace.training, pace.scoring,
                settings.workers > 1 ? ", each worker" : "");
  }
  return paces;
}

/// What the experiment will take, before it begins.
void tell_expected_time(const Settings& settings, const Images& images, const Paces& paces) {
  const std::vector<Unit> units = units_of(settings);
  double longest = 0;
  for (const Unit& unit : units) {
    longest = std::max(longest, seconds_of(unit, settings, images, paces));
  }
  const std::string order =
      settings.workers == 1 ? "one after another" : std::to_string(settings.workers) + " at a time";
  std::printf("%zu units that need nothing of each other, the longest of %s: %s %s %s here.\n", units.size(),
              duration(longest).c_str(), order.c_str(), settings.recipe.until_fit ? "about" : "at most",
              duration(seconds_of(units, settings, images, paces)).c_str());
  std::fflush(stdout);
}

/// What of the experiment fits the budget, of which some seconds have passed.
Cut cut_to_budget(const Settings& settings, const Task& task, double passed, const Images& images, const Paces& paces) {
  // Where phases end by themselves, when is not known; and machines that are shared change their speed.
  const double share = settings.recipe.until_fit ? 0.8 : 0.93;
  const Fitted fitted = fit_to(share * task.budget - passed, settings, images, paces);
  if (!fitted.fits && task.must_fit) {
    const Settings smallest = applied(fitted.cut, settings);
    throw rg::Error("--budget: " + duration(task.budget) + " are too short: the smallest experiment takes " +
                    duration(seconds_of(units_of(smallest), smallest, images, paces)) + " here");
  }
  return fitted.cut;
}

void tell_cut(const Cut& cut, const Settings& whole, double budget) {
  const std::string smaller = in_words(cut, whole);
  const std::string time = budget > 0 ? duration(budget) : "a budget";
  if (smaller.empty()) {
    std::printf("The whole experiment fits into %s.\n", time.c_str());
  } else {
    std::printf("To fit into %s: %s.\n", time.c_str(), smaller.c_str());
  }
}

/// The unit of this name, or all of them.
std::vector<Unit> chosen_units(const Settings& settings, const std::string& name) {
  std::vector<Unit> chosen;
  for (const Unit& unit : units_of(settings)) {
    if (name.empty() || unit.name() == name) {
      chosen.push_back(unit);
    }
  }
  if (chosen.empty()) {
    throw rg::Error("--unit must be one of those that --list prints, but is \"" + name + "\"");
  }
  return chosen;
}

void train_one_after_another(const std::vector<Unit>& units, const std::vector<Chain>& chains, bool in_seconds,
                             const Settings& settings, const Task& task, const Images& images) {
  // One worker's chain is all of it.
  Chain all;
  for (const Chain& chain : chains) {
    all.insert(all.end(), chain.begin(), chain.end());
  }
  Trainings trainings(settings, task, images, TimeLeft({all}, 1, in_seconds));
  for (const Unit& unit : units) {
    if (!trainings.train(unit)) {
      std::printf("%s: another process works on it\n", unit.name().c_str());
    }
  }
}

/// The longest first: a short one at the end keeps the other workers waiting least.
void sort_by_length(std::vector<Unit>& units, const Settings& settings, const Images& images, const Paces& paces) {
  std::stable_sort(units.begin(), units.end(), [&](const Unit& a, const Unit& b) {
    return seconds_of(a, settings, images, paces) > seconds_of(b, settings, images, paces);
  });
}

void train(const Settings& settings, const Task& task, const Images& images, const Paces& paces) {
  std::vector<Unit> units = chosen_units(settings, task.unit);
  if (settings.workers > 1) {
    sort_by_length(units, settings, images, paces);
  }
  std::vector<Chain> chains;
  for (const Unit& unit : units) {
    chains.push_back(expected_jobs(unit, settings, images, paces));
  }
  if (settings.workers > 1) {
    train_side_by_side(units, chains, !paces.empty(), settings, task);
  } else {
    train_one_after_another(units, chains, !paces.empty(), settings, task, images);
  }
}

}  // namespace

void list_units(const Settings& settings) {
  for (const Unit& unit : units_of(settings)) {
    std::printf("%s\n", unit.name().c_str());
  }
}

void measure_pace(const Settings& settings) {
  tell_paces(measure_paces(settings, load_images(settings, device_of(settings))));
}

void run_images(Settings settings, const Task& task, ResultsFolder& folder) {
  const auto began = std::chrono::steady_clock::now();
  const Settings whole = settings;
  std::optional<Cut> cut = folder.cut();
  if (cut) {
    settings = applied(*cut, whole);
  }
  if (task.collect) {
    check_same_settings(settings.out + "/settings.json", text_of(settings));
    show_results(settings);
    return;
  }
  (void)chosen_units(settings, task.unit);  // before anything that takes time: does it exist?
  const Images images = load_images(settings, device_of(settings));
  Paces paces;
  if (task.unit.empty() && (settings.paper || task.budget > 0)) {
    paces = paces_here(settings, task, images);
    if (task.budget > 0 && !cut) {
      const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - began;
      cut = cut_to_budget(settings, task, passed.count(), images, paces);
      settings = applied(*cut, whole);
    }
    if (cut) {
      tell_cut(*cut, whole, task.budget);
    }
    tell_expected_time(settings, images, paces);
  }
  folder.open(settings, cut);
  if (task.unit.empty()) {
    show_tiles(images, settings);
  }
  train(settings, task, images, paces);
  if (task.unit.empty()) {
    show_results(settings);
  }
}
