#pragma once

#include <string>
#include <vector>

#include <regimen/report.hpp>

#include "kit/page.hpp"
#include "landscape.hpp"
#include "ranking.hpp"
#include "settings.hpp"

/// Draws the landscape, and writes report.html: what is lost, which measures see it, and how two minima lie.
inline void show_page(const std::string& hole, const std::vector<Ranked>& ranking, const rg::report::Table& by_tau,
                      const rg::report::Table& by_rate, const WhichSettings& settings) {
  kit::Page page(settings.out, "Which measures see a bad minimum?");
  page.say(hole);
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
