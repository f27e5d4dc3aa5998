#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <regimen/experiment.hpp>
#include <regimen/report.hpp>

#include "kit/claims.hpp"
#include "kit/pictures.hpp"
#include "pictures.hpp"
#include "table.hpp"

/// Writes tables and pictures, prints the tables, and says what came out. Returns the statements.
inline kit::Claims show_results(const ex::Results& results, const MembershipSettings& s) {
  kit::Claims claims;
  std::string text;
  const auto add = [&](const Table& table, const std::string& name) {
    text += "\n" + rg::report::terminal(table, {.width = 150});
    ex::write_file(s.out + "/" + name + ".csv", rg::report::csv(table));
  };
  const Linear linear(results, s.linear);
  if (!linear.law.empty()) {
    add(law_table(linear.law, claims), "law");
  }
  if (!linear.latent.empty()) {
    add(features_table(linear, claims), "features");
  }
  if (!linear.ridge.empty()) {
    add(ridge_table(linear.ridge, claims), "ridge");
  }
  draw_linear(linear, s.out);
  const std::vector<ArmResults> arms = finished_arms(results, s);
  if (!arms.empty()) {
    add(networks_table(arms), "networks");
    add(differences_table(arms), "differences");
    claim_networks(arms, claims);
    draw_networks(arms, s.out);
  }
  const auto diverged =
      std::count_if(results.begin(), results.end(), [](const auto& result) { return result.diverged(); });
  if (diverged > 0) {
    claims.add(false, kit::format("%td trainings diverged: tables 4 and 5 are without their seeds", diverged));
  }
  kit::show_text(text + "\nDoes it come out?\n" + claims.text() + sentence_of(arms), s.out, "results.csv");
  return claims;
}
