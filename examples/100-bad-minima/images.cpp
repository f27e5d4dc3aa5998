#include "images.hpp"

#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
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

/// What the whole plan will take, before it begins.
void tell_expected_time(const Settings& settings, const Images& images, const Paces& paces) {
  const std::vector<Unit> units = units_of(settings);
  double longest = 0;
  for (const Unit& unit : units) {
    longest = std::max(longest, seconds_of(unit, settings, images, paces));
  }
  std::printf("%zu units that need nothing of each other, the longest of %s: one after another at most %s here.\n",
              units.size(), duration(longest).c_str(), duration(seconds_of(units, settings, images, paces)).c_str());
  std::fflush(stdout);
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

}  // namespace

void list_units(const Settings& settings) {
  for (const Unit& unit : units_of(settings)) {
    std::printf("%s\n", unit.name().c_str());
  }
}

void run_images(Settings settings, const Task& task, const OpenResults& open_results) {
  const auto began = std::chrono::steady_clock::now();
  if (task.collect) {
    show_results(settings);
    return;
  }
  const std::vector<Unit> units = chosen_units(settings, task.unit);
  const bool all = task.unit.empty();
  const Images images = load_images(settings, settings.device == "cuda" ? torch::kCUDA : torch::kCPU);

  // How much a budget shortens the recipe is measured once: a run that goes on must not find another number.
  const std::string budget_file = settings.out + "/budget";
  double factor = task.resume && task.budget > 0 ? std::atof(read_file(budget_file).c_str()) : 0;
  const Recipe whole = settings.recipe;
  if (all && (settings.paper || task.budget > 0) && factor == 0) {
    const Paces paces = measure_paces(settings, images);
    if (task.budget > 0) {
      const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - began;
      factor = budget_factor(settings, task.budget - passed.count(), images, paces);
      settings.recipe = shortened(whole, factor);
    }
    tell_expected_time(settings, images, paces);
  }
  if (task.budget > 0) {
    settings.recipe = shortened(whole, factor);
    std::printf("%s", shortened_by(factor, whole).c_str());
  }
  open_results(settings);
  if (task.budget > 0) {
    write_file(budget_file, rg::detail::text(factor) + "\n");
  }

  if (all) {
    show_tiles(images, settings);
  }
  Trainings trainings(settings, task, images, units);
  for (const Unit& unit : units) {
    if (!trainings.train(unit)) {
      std::printf("%s: another process works on it\n", unit.name().c_str());
    }
  }
  if (all) {
    show_results(settings);
  }
}
