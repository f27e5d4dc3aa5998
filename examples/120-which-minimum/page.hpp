#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <regimen/report.hpp>

#include "kit/page.hpp"
#include "landscape.hpp"
#include "ranking.hpp"
#include "settings.hpp"

/// Which measures see the bad minimum, in a sentence.
inline std::string answer_of(const std::vector<Ranked>& ranking) {
  const auto count = [&](Verdict verdict) {
    return std::count_if(ranking.begin(), ranking.end(),
                         [&](const Ranked& row) { return !row.is_reference && verdict_of(row.vanilla) == verdict; });
  };
  const auto all = count(Verdict::sees) + count(Verdict::silent) + count(Verdict::misleads);
  return kit::format(
      "Of %td measures %td call the worse of two minima of vanilla SGD worse in every pair of one recipe and seed, and "
      "%td in none: to those the bad minimum looks better.",
      all, count(Verdict::sees), count(Verdict::misleads));
}

/// The text with the sign of an interval that terminals may not have.
inline std::string with_sign(std::string text) {
  for (std::size_t at = text.find("+-"); at != std::string::npos; at = text.find("+-", at)) {
    text.replace(at, 2, "\u00b1");
  }
  return text;
}

/// Draws the landscape, and writes report.html: what is lost, which measures see it, and how two minima lie.
inline void show_page(const std::string& hole, const std::vector<Ranked>& ranking, const rg::report::Table& by_tau,
                      const rg::report::Table& by_rate, const WhichSettings& settings) {
  kit::Page page(settings.out, "Which measures see a bad minimum?");
  page.say(answer_of(ranking));
  page.say(with_sign(hole));
  page.say(
      "vanilla is SGD alone; all three adds augmentation, l2 and momentum. From random labels: from weights that have "
      "fitted random labels of the images before they are shown the true ones. Accuracies are means over seeds and "
      "learning rates.");
  const rg::report::Picture taus = taus_picture(ranking);
  if (!taus.panels.empty()) {
    page.section("Agreement with the test error").pictures = {taus};
  }
  const rg::report::Picture landscape = landscape_picture(settings);
  if (!landscape.panels.empty()) {
    ex::write_file(settings.out + "/landscape.svg", rg::report::svg(landscape));
    page.section("Between a good and a bad minimum").pictures = {landscape};
  }
  page.add(by_tau, "All measures");
  page.add(by_rate, "Does the ranking hold at other learning rates?");
  page.write();
}
