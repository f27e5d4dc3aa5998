#include "pictures.hpp"

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <unistd.h>

#include "groups.hpp"
#include "numbers/testing.hpp"

namespace rg = regimen;

namespace pictures_test {

/// Settings with a folder of their own, which goes when they go.
struct Folder {
  Folder() {
    settings.out = std::filesystem::temp_directory_path() / ("regimen-pictures-" + std::to_string(::getpid()));
  }
  ~Folder() { std::filesystem::remove_all(settings.out); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  /// The picture's file; "" if there is none.
  [[nodiscard]] std::string picture(const std::string& name) const {
    std::ifstream file(settings.out + "/pictures/" + name + ".svg");
    return {std::istreambuf_iterator<char>(file), {}};
  }

  Settings settings;
};

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++n;
  }
  return n;
}

rg::History history(int epochs) {
  rg::History result;
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    rg::Epoch& each = result.epochs.emplace_back();
    each.clock.epoch = epoch;
    each.fit = {.accuracy = 0.5, .loss = 1, .samples = 10};
    if (epoch % 2 == 0) {
      each.test = {.accuracy = 0.4, .loss = 1, .samples = 10};
    }
  }
  return result;
}

Group group(std::size_t sets) {
  Group result{.model = "pooled", .copies = 2, .seeds = {1, 2}};
  for (std::size_t i = 0; i < sets; ++i) {
    result.comparisons.push_back({.regularizers = i == 0 ? "vanilla" : "set " + std::to_string(i),
                                  .random = {.mean = 80, .half_width = 1, .n = 2},
                                  .adversarial = {.mean = 75, .half_width = 1, .n = 2},
                                  .hole = {.mean = 5, .half_width = 1.5, .n = 2}});
  }
  return result;
}

TEST_CASE("pictures: holes have a point for each start and a bar for each set") {
  const Folder folder;
  draw_holes(group(2), "holes", folder.settings);
  const std::string svg = folder.picture("holes");
  CHECK(count(svg, "<circle") == 3);  // two, and the legend's
  CHECK(count(svg, "<rect") == 3);    // two bars on the ground
  CHECK(count(svg, "test accuracy lost (points)") == 1);
  CHECK(count(svg, "Bars: 95 % intervals, n = 2 seeds.") >= 1);
}

TEST_CASE("pictures: no hole without fitted random labels, and no set that diverged") {
  const Folder folder;
  Group unfitted = group(2);
  unfitted.enough_fit = 0.99;
  unfitted.memorized_fit = 0.5;
  unfitted.comparisons[1].random_diverged = {2};
  draw_holes(unfitted, "holes", folder.settings);
  CHECK(count(folder.picture("holes"), "<circle") == 2);
  CHECK(count(folder.picture("holes"), "lost") == 0);
  unfitted.comparisons[0].adversarial_diverged = {1};
  draw_holes(unfitted, "none", folder.settings);
  CHECK(folder.picture("none").empty());
}

TEST_CASE("pictures: curves count each phase's epochs from 0, with a gap between phases") {
  const Folder folder;
  Results results;
  results.memorized.push_back({"pooled", 1, 2, history(24)});
  for (const int copies : {0, 2}) {
    for (const char* const set : {"vanilla", "all three"}) {
      results.arms.push_back({"pooled", 1, copies, set, history(36)});
    }
  }
  draw_curves(results, group(1), "curves", folder.settings);
  const std::string svg = folder.picture("curves");
  CHECK(count(svg, ">24|0<") == 2);
  CHECK(count(svg, ">36<") == 4);
  CHECK(count(svg, ">random labels<") == 2);
  // Fit and test of two panels with one phase and two with two, and the legend's; clean was never scored.
  CHECK(count(svg, "<polyline") == 2 * (2 + 4) + 2);
  results.arms.pop_back();
  draw_curves(results, group(1), "missing", folder.settings);
  CHECK(folder.picture("missing").empty());
}

}  // namespace pictures_test
