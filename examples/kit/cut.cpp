#include "cut.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <sstream>

#include <regimen/base/error.hpp>

#include "format.hpp"

namespace ex = regimen::experiment;

namespace kit {
namespace {

/// Images that the whole experiment trains on.
std::int64_t images_of(const Whole& whole) {
  return whole.images > 0 ? std::min(whole.images, whole.available) : whole.available;
}

/// Cuts from the whole experiment to the smallest, for phases that end by themselves. Images go first: fewer were seen
/// to leave the effect as it is, but of three seeds the interval is twice as wide as of five.
std::vector<Cut> smaller_and_smaller(const Whole& whole) {
  constexpr int least_percent = 50;
  const std::int64_t images = images_of(whole);
  // Whole batches: the statistics of a last one of a few images would disturb the fit.
  const auto share = [&](int percent) {
    return std::max(images * percent / 100 / whole.batch, std::int64_t{1}) * whole.batch;
  };
  std::vector<Cut> cuts{{.seeds = whole.seeds, .images = whole.images}};
  for (int percent = 90; percent >= least_percent; percent -= 10) {
    if (share(percent) < images) {
      cuts.push_back({.seeds = whole.seeds, .images = share(percent)});
    }
  }
  const std::int64_t least_images = cuts.back().images;
  for (int seeds = whole.seeds - 1; seeds >= 3; --seeds) {
    cuts.push_back({.seeds = seeds, .images = least_images});
  }
  return cuts;
}

std::string doubt(const Cut& cut, const Whole& whole) {
  const bool few = cut.seeds < whole.enough_seeds || (cut.images > 0 && cut.images < whole.enough_images);
  return whole.ends_by_itself && few ? " The intervals may be too wide for an answer." : "";
}

}  // namespace

Fitted fit_to(double seconds, const Whole& whole, const Estimate& estimate) {
  if (whole.ends_by_itself) {
    return ex::first_that_fits(seconds, smaller_and_smaller(whole), estimate);
  }
  const Cut all{.seeds = whole.seeds, .images = whole.images};
  Cut shorter = all;
  shorter.epochs = ex::largest_share([&](double share) {
    return estimate({.seeds = whole.seeds, .images = whole.images, .epochs = share}) <= seconds;
  });
  return ex::first_that_fits(seconds, std::vector<Cut>{all, shorter}, estimate);
}

Fitted fit_to_budget(const ex::Task& task, double passed, const Whole& whole, const Estimate& estimate) {
  const ex::Budget budget{
      .seconds = task.budget, .planned = whole.ends_by_itself ? 0.8 : 0.93, .must_fit = task.must_fit};
  return ex::fit_to_budget(budget, passed, [&](double seconds) { return fit_to(seconds, whole, estimate); });
}

Whole whole_of(const Sizes& sizes, std::int64_t available) {
  Whole whole{.seeds = *sizes.seeds,
              .images = *sizes.images,
              .available = available,
              .batch = sizes.batch,
              .ends_by_itself = sizes.ends_by_itself,
              .enough_images = sizes.enough_images,
              .enough_seeds = sizes.enough_seeds};
  for (const auto& [name, epochs] : sizes.epochs) {
    whole.epochs.emplace_back(name, *epochs);
  }
  return whole;
}

void apply(const Cut& cut, const Sizes& sizes) {
  *sizes.seeds = cut.seeds;
  *sizes.images = cut.images;
  for (const auto& [name, epochs] : sizes.epochs) {
    *epochs = shortened(*epochs, cut);
  }
}

int shortened(int epochs, const Cut& cut) {
  return std::max(1, static_cast<int>(std::lround(cut.epochs * epochs)));
}

std::string in_words(const Cut& cut, const Whole& whole) {
  // Nobody is told of images that are not there.
  const std::int64_t images = whole.available > 0 ? std::min(whole.images, whole.available) : whole.images;
  std::string text;
  if (cut.seeds < whole.seeds) {
    text += ", " + std::to_string(cut.seeds) + " seeds instead of " + std::to_string(whole.seeds);
  }
  if (cut.images != whole.images && cut.images != images) {
    text += ", " + std::to_string(cut.images) + " images instead of " + (images == 0 ? "all" : std::to_string(images));
  }
  if (cut.epochs < 1) {
    text += format(", all phases shortened to %.3f of the recipe", cut.epochs);
    const char* before = ": ";
    for (const auto& [name, epochs] : whole.epochs) {
      text += before + name + " " + std::to_string(shortened(epochs, cut)) +
              (before[0] == ':' ? " epochs instead of " : " instead of ") + std::to_string(epochs);
      before = ", ";
    }
  }
  return text.empty() ? "" : text.substr(2);
}

std::string sentence_of(const Fitted& fitted, const Whole& whole, double budget) {
  return ex::sentence_of(fitted, in_words(fitted.cut, whole), budget, doubt(fitted.cut, whole));
}

std::string planned_before(const Cut& cut, const Whole& whole) {
  const std::string smaller = in_words(cut, whole);
  return smaller.empty() ? "" : "As planned before: " + smaller + "." + doubt(cut, whole);
}

std::string text_of(const Cut& cut) {
  return "seeds " + std::to_string(cut.seeds) + "\nimages " + std::to_string(cut.images) + "\nepochs " +
         regimen::detail::text(cut.epochs) + "\n";
}

Cut cut_of(const std::string& text, const Whole& whole) {
  if (text.empty()) {
    return {.seeds = whole.seeds, .images = whole.images};
  }
  Cut cut;
  std::istringstream words(text);
  std::string name;
  if (!(words >> name >> cut.seeds >> name >> cut.images >> name >> cut.epochs) || cut.seeds < 1 || cut.epochs <= 0) {
    throw regimen::Error("the results folder's file \"plan\" says no plan:\n" + text);
  }
  return cut;
}

}  // namespace kit
