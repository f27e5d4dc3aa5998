#pragma once
// What attacks find on networks that were trained alike.

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <regimen/regimen.hpp>

#include "attack_names.hpp"
#include "settings.hpp"

/// What networks say of samples and of a population that none of them was trained on.
struct Answers {
  torch::Tensor member;  ///< [R, n] bool: which samples each network was trained on
  std::vector<rg::Outputs> samples{};
  std::vector<rg::Outputs> population{};

  /// A signal of each network, [R, n].
  [[nodiscard]] static torch::Tensor signal(const std::vector<rg::Outputs>& answers, rg::MembershipSignal which) {
    std::vector<torch::Tensor> rows;
    for (const rg::Outputs& each : answers) {
      rows.push_back(rg::membership_signal(which, each.output, each.target));
    }
    return torch::stack(rows);
  }
};

/// The scores of an attack on each of the networks, [R, n]. As references it takes all others but the one that was
/// trained on the other half, which no adversary has.
inline torch::Tensor scores_of(const std::string& attack, const Answers& answers) {
  using rg::MembershipSignal;
  const auto which = attack == "gap"       ? MembershipSignal::correctness
                     : attack == "entropy" ? MembershipSignal::entropy
                     : attack == "lira"    ? MembershipSignal::margin
                                           : MembershipSignal::loss;
  const torch::Tensor signal = Answers::signal(answers.samples, which);
  if (attack != "lira" && attack != "rmia") {
    return signal;
  }
  const rg::ReferenceSignals all{signal, answers.member};
  rg::ReferenceSignals population{};
  if (attack == "rmia") {
    population.signal = Answers::signal(answers.population, which);
    population.member = torch::zeros_like(population.signal, torch::kBool);
  }
  std::vector<torch::Tensor> scores;
  for (std::int64_t i = 0; i < signal.size(0); ++i) {
    const rg::ReferenceSignals others = all.without({i, i ^ 1});
    scores.push_back(attack == "lira"
                         ? rg::LikelihoodRatioAttack{}(signal[i], others)
                         // a = 1: with less, many samples dominate all of the population, and are equal.
                         : rg::RelativeAttack{.online = true, .a = 1}(signal[i], others, population.signal[i],
                                                                      population.without({i, i ^ 1}).signal));
  }
  return torch::stack(scores);
}

/// Advantage, area and true positive rates of every attack, over all networks at once; NaN if a network diverged.
inline rg::Numbers attack_numbers(const Answers& answers) {
  const auto finite = [](const std::vector<rg::Outputs>& all) {
    return std::all_of(all.begin(), all.end(),
                       [](const rg::Outputs& each) { return each.output.isfinite().all().item<bool>(); });
  };
  const bool known = finite(answers.samples) && finite(answers.population);
  rg::Numbers numbers;
  for (const Attack& attack : attacks()) {
    const rg::Roc curve =
        known ? rg::membership_roc(scores_of(attack.key, answers).flatten(), answers.member.flatten()) : rg::Roc{};
    const auto found_at = [&](double rate) { return known ? curve.true_positive_rate(curve.at(rate)) : rg::unknown; };
    numbers[attack.key + "_advantage"] = known ? curve.advantage() : rg::unknown;
    numbers[attack.key + "_area"] = known ? curve.area() : rg::unknown;
    numbers[attack.key + "_tpr_1"] = found_at(0.01);
    numbers[attack.key + "_tpr_01"] = found_at(0.001);
    for (int i = 0; i < curve_points; ++i) {
      numbers[curve_point(attack.key, i)] = found_at(std::pow(10, -i / 4.0));
    }
  }
  return numbers;
}
