#include "results_folder.hpp"

#include "settings_text.hpp"

namespace ex = regimen::experiment;

namespace {

Cut cut_of(const std::string& plan, const Settings& settings) {
  return plan.empty() ? Cut{.seeds = settings.seeds, .images = settings.recipe.images} : cut_from(plan);
}

std::optional<Cut> cut_of(const std::optional<std::string>& plan, const Settings& settings) {
  return plan ? std::optional(cut_of(*plan, settings)) : std::nullopt;
}

ex::FolderContents contents_of(const Settings& settings) {
  return {
      .path = settings.out,
      .settings_type = "Settings",
      .defaults = text_of(Settings{}),
      .settings = [settings](const std::string& plan) { return text_of(applied(cut_of(plan, settings), settings)); },
      .results = {"pictures", "results.csv", "summary.csv", "epochs.csv", "toy.csv", "table.txt"}};
}

}  // namespace

std::optional<Cut> planned_cut(const Settings& settings) {
  return cut_of(ex::ResultsFolder::peek(contents_of(settings)), settings);
}

ResultsFolder::ResultsFolder(const Settings& settings, const Task& task)
    : settings_(settings), folder_(contents_of(settings), task) {}

std::optional<Cut> ResultsFolder::cut() const {
  return cut_of(folder_.plan(), settings_);
}
