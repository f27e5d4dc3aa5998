#pragma once

#include <string>
#include <vector>

#include <regimen/experiment.hpp>
#include <regimen/report.hpp>

#include "kit/claims.hpp"
#include "kit/closing.hpp"
#include "pictures.hpp"
#include "table.hpp"

/// Writes tables and pictures, prints the tables, and says what came out. Returns the statements.
inline kit::Claims show_results(const ex::Results& results, const MembershipSettings& s) {
  kit::Claims claims;
  kit::Closing closing(s.out, "Who was in the training data?");
  const Linear linear(results, s.linear);
  if (!linear.law.empty()) {
    closing.add(law_table(linear.law, claims), "law");
  }
  if (!linear.latent.empty()) {
    closing.add(features_table(linear, claims), "features");
  }
  if (!linear.ridge.empty()) {
    closing.add(ridge_table(linear.ridge, claims), "ridge");
  }
  draw_linear(linear, closing);
  const std::vector<ArmResults> arms = finished_arms(results, s);
  if (!arms.empty()) {
    closing.add(networks_table(arms), "networks");
    closing.add(differences_table(arms), "differences");
    claim_networks(arms, claims);
    draw_networks(arms, closing);
  }
  kit::claim_none_diverged(results, claims, ": tables 4 and 5 are without their seeds");
  closing.show(claims, sentence_of(arms));
  return claims;
}
