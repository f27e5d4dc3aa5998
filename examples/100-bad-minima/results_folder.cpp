#include "results_folder.hpp"

#include "settings_text.hpp"

regimen::experiment::FolderContents contents_of(const Settings& settings) {
  return {
      .path = settings.out,
      .defaults = text_of(Settings{}),
      .settings = [settings](const std::string& plan) { return text_of(applied(cut_of(plan, settings), settings)); },
      .results = {"pictures", "results.csv", "summary.csv", "epochs.csv", "toy.csv", "table.txt"}};
}

Cut cut_of(const std::string& plan, const Settings& settings) {
  return plan.empty() ? Cut{.seeds = settings.seeds, .images = settings.recipe.images} : cut_from(plan);
}
