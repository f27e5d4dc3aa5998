#pragma once
// No LibTorch.

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <regimen/experiment/budget.hpp>
#include <regimen/experiment/folder.hpp>
#include <regimen/experiment/task.hpp>

#include "image_settings.hpp"

namespace kit {

/// An experiment made smaller, to fit a time.
struct Cut {
  int seeds = 0;
  std::int64_t images = 0;  ///< that each network is trained on; 0: all
  double epochs = 1;        ///< the share of its epochs that each phase keeps, in (0, 1]
};

/// The sizes of a whole experiment that a cut can make smaller: pointers into its settings. A program has a function
/// `kit::Sizes sizes_of(Settings&)` in the namespace of its settings, which `whole_of` and `applied` find.
struct Sizes {
  int* seeds = nullptr;
  std::int64_t* images = nullptr;  ///< that each network is trained on; 0: all
  int batch = 64;                  ///< images a step
  bool ends_by_itself = false;     ///< phases end by a criterion: a cut takes images, then seeds; else epochs
  std::vector<std::pair<std::string, int*>> epochs{};  ///< the lengths that are shortened then, with their names
  std::int64_t enough_images = 0;                      ///< fewer gave intervals that were too wide
  int enough_seeds = 0;                                ///< fewer gave intervals that were too wide
};

/// The sizes of a whole experiment as numbers, with the size of its data.
struct Whole {
  int seeds = 0;
  std::int64_t images = 0;     ///< that each network is to be trained on; 0: all
  std::int64_t available = 0;  ///< images of the training set; 0: not loaded yet
  int batch = 64;
  bool ends_by_itself = false;
  std::vector<std::pair<std::string, int>> epochs{};
  std::int64_t enough_images = 0;
  int enough_seeds = 0;
};

Whole whole_of(const Sizes& sizes, std::int64_t available);

/// Writes a cut into the settings that the pointers lead into.
void apply(const Cut& cut, const Sizes& sizes);

/// The whole experiment of these settings.
template <class Settings>
Whole whole_of(Settings settings, const ImageCounts& counts) {
  return whole_of(sizes_of(settings), counts.train);
}

/// The settings with a cut applied.
template <class Settings>
Settings applied(const Cut& cut, Settings settings) {
  apply(cut, sizes_of(settings));
  return settings;
}

using Fitted = regimen::experiment::Fitted<Cut>;

/// Seconds that the experiment takes with a cut.
using Estimate = std::function<double(const Cut&)>;

/// The largest experiment that fits the time, in seconds: with fewer images, down to half, then fewer seeds, down to
/// three; if phases have fixed numbers of epochs, all are shortened by one factor instead.
Fitted fit_to(double seconds, const Whole& whole, const Estimate& estimate);

/// The largest experiment that fits the task's budget, of which `passed` seconds are over; a part of the budget is kept
/// in reserve. Throws regimen::Error if the task says that it must fit and the smallest does not.
Fitted fit_to_budget(const regimen::experiment::Task& task, double passed, const Whole& whole,
                     const Estimate& estimate);

/// A number of epochs with a cut: a whole one, at least 1.
int shortened(int epochs, const Cut& cut);

/// The numbers that a cut changes: "3 seeds instead of 5"; empty if it changes none.
std::string in_words(const Cut& cut, const Whole& whole);

/// A sentence for the terminal: how a budget has changed the experiment.
std::string sentence_of(const Fitted& fitted, const Whole& whole, double budget);

/// The cut that a resumed run keeps to, in a sentence for the terminal; empty if nothing was cut.
std::string planned_before(const Cut& cut, const Whole& whole);

/// The cut as the results folder's file "plan" holds it, so that a resumed run keeps to it.
std::string text_of(const Cut& cut);

/// The cut in the text of such a file; of an empty text the whole experiment. Throws regimen::Error for any other text.
Cut cut_of(const std::string& text, const Whole& whole);

/// The results folder, `settings.out`, of a program with settings as `text_of_settings` takes them. `results`: the
/// names of files that it writes besides those of `regimen::experiment::conduct`.
template <class Settings>
regimen::experiment::FolderContents contents_of(const Settings& settings, std::vector<std::string> results) {
  results.emplace_back("report.html");
  return {.path = settings.out,
          .defaults = text_of_settings(Settings{}),
          .settings =
              [settings](const std::string& cut) {
                return text_of_settings(applied(cut_of(cut, whole_of(settings, ImageCounts{})), settings));
              },
          .results = std::move(results)};
}

}  // namespace kit
