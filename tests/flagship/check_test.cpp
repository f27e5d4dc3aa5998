#include <regimen/base.hpp>
#include <regimen/experiment/settings_file.hpp>

#include "100-bad-minima/plan.hpp"
#include "kit/workers.hpp"
#include "support/numbers.hpp"

using regimen::experiment::differences;
using regimen::experiment::is_settings_text;

namespace {

Settings settled(const char* device, const char* precision) {
  Settings settings;
  settings.machine.device = device;
  settings.machine.precision = precision;
  settings.seeds = 5;
  return settings;
}

void settle_processors(Settings& s, bool one_process, int here) {
  kit::settle_workers(s.machine.workers, s.machine.threads, static_cast<int>(units_of(s).size()), one_process, s.paper,
                      here);
}

}  // namespace

TEST_CASE("default experiment: it is that with its defaults said aloud, and on any machine") {
  CHECK(is_default(settled("cpu", "fp32")));
  CHECK(is_default(settled("cuda", "bf16")));
  Settings elsewhere = settled("cpu", "fp32");
  elsewhere.out = "elsewhere";
  elsewhere.data.root = "data";
  elsewhere.machine.workers = 7;
  elsewhere.machine.threads = 2;
  elsewhere.first_seed = 10;
  CHECK(is_default(elsewhere));
}

TEST_CASE("default experiment: anything that a result depends on makes another") {
  CHECK_FALSE(is_default(settled("cpu", "bf16")));
  Settings fewer = settled("cpu", "fp32");
  fewer.seeds = 4;
  CHECK_FALSE(is_default(fewer));
  Settings full = settled("cpu", "fp32");
  full.recipe = full_recipe();
  CHECK_FALSE(is_default(full));
  Settings whole_images = settled("cpu", "fp32");
  whole_images.data.side = 0;
  CHECK_FALSE(is_default(whole_images));
  Settings other_data = settled("cpu", "fp32");
  other_data.data.name = "cifar10";
  CHECK_FALSE(is_default(other_data));
}

TEST_CASE("options: no unit twice") {
  Settings twice = settled("cpu", "fp32");
  twice.models = {"pooled", "resnet18", "pooled"};
  CHECK_THROWS_WITH(check_once(twice), "--model must name each network once");
  Settings copies = settled("cpu", "fp32");
  copies.recipe.copies = {2, 1, 2};
  CHECK_THROWS_WITH(check_once(copies), "--copies must have each number once");
  CHECK_NOTHROW(check_once(settled("cpu", "fp32")));
}

TEST_CASE("processors: no more workers than units, given or not") {
  Settings settings = settled("cpu", "fp32");
  settings.seeds = 2;
  settle_processors(settings, false, 64);
  CHECK(settings.machine.workers == 4);
  CHECK(settings.machine.threads == 1);
  settings.machine.workers = 64;
  settle_processors(settings, false, 2);
  CHECK(settings.machine.workers == 4);
  Settings paper = settled("cpu", "fp32");
  paper.paper = true;
  paper.seeds = 1;
  settle_processors(paper, false, 8);
  CHECK(paper.machine.workers == 2);
  CHECK(paper.machine.threads == 4);
}

TEST_CASE("settings: an error about others names those that differ, and no more") {
  Settings there = settled("cpu", "fp32");
  Settings now = there;
  now.recipe.momentum = 0.8;
  now.recipe.copies = {1, 5};
  now.data.name = "cifar10";
  now.out = "elsewhere";
  CHECK(differences(kit::text_of_settings(there), kit::text_of_settings(now)) ==
        "  data.name: \"fashion-mnist\" there, \"cifar10\" now\n  copies: [2] there, [1, 5] now\n"
        "  momentum: 0.9 there, 0.8 now\n");
  CHECK(differences(kit::text_of_settings(there), kit::text_of_settings(there)).empty());
  CHECK(differences("{\"type\": \"Settings\", \"old\": 1}", "{\"type\": \"Settings\", \"recipe\": {\"new\": [1") ==
        "  new: nothing there, [1 now\n  old: 1 there, nothing now\n");
  CHECK(is_settings_text(kit::text_of_settings(there), "Settings"));
  CHECK_FALSE(is_settings_text("{\"editor.fontSize\": 12}", "Settings"));
}
