#pragma once
// No LibTorch.

#include <string>
#include <vector>

#include <regimen/report/curves.hpp>

#include "kit/comparison.hpp"
#include "kit/pictures.hpp"
#include "settings.hpp"
#include "table.hpp"

/// The name of a set of regularizers in a picture, where "all three" would not be understood without the table.
inline std::string title_of(const std::string& regularizers) {
  if (regularizers == "vanilla") {
    return "vanilla SGD";
  }
  return regularizers == "all three" ? "augmentation + l2 + momentum" : regularizers;
}

/// Fit, clean and test accuracy over the epochs of the first seed, from both starts, vanilla and with all three.
/// Without panels where that seed is not complete.
inline regimen::report::Picture curves_picture(const Group& group, const Settings& settings) {
  const ex::Factors first{{"seed", std::to_string(settings.first_seed)}};
  const ex::Result* const memorized = group.memorized.results.find(first);
  regimen::report::Picture picture{.description = "Accuracy over the epochs, from both starts.", .columns = 2};
  for (const bool adversarial : {false, true}) {
    for (const kit::Comparison* const row : {&group.rows.front(), &group.rows.back()}) {
      const ex::Result* const arm = (adversarial ? row->b : row->a).results.find(first);
      if (memorized == nullptr || arm == nullptr) {
        return {};
      }
      std::vector<regimen::report::Stage> stages;
      if (adversarial) {
        stages.push_back({"random labels", memorized->history});
      }
      stages.push_back({"true labels", arm->history});
      picture.panels.push_back(regimen::report::curves(
          stages, {{.metric = regimen::Metric::fit_accuracy},
                   {.metric = regimen::Metric::clean_accuracy, .name = "true labels of the training images"},
                   {.metric = regimen::Metric::test_accuracy, .name = "test images"}}));
      regimen::report::Panel& panel = picture.panels.back();
      panel.title = adversarial ? "from random labels" : "from random weights";
      panel.subtitle = title_of(row->name);
    }
  }
  kit::letter(picture);
  kit::share_y(picture);
  return picture;
}

/// Test accuracy from both starts and, if the random labels were fitted, the holes, with intervals. Without panels
/// where no arm is left.
inline regimen::report::Picture holes_picture(Group group) {
  for (kit::Comparison& row : group.rows) {
    row.name = group.rows.size() > 3 ? row.name : title_of(row.name);
  }
  return kit::picture_of(group, "from random weights", "from random labels");
}
