#pragma once
// What attacks find on networks that were trained alike.

#include <torch/torch.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <regimen/regimen.hpp>

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

/// An attack, with its name in results.csv and in tables.
struct Attack {
  std::string key;
  std::string name;
  std::string what;
};

inline std::vector<Attack> attacks() {
  return {{"gap", "gap", "the label is predicted"},
          {"loss", "loss", "a threshold on the loss"},
          {"entropy", "entropy", "a threshold on the entropy, without labels"},
          {"lira", "LiRA", "against reference networks"},
          {"rmia", "RMIA", "against reference networks and a population"}};
}

/// The scores of an attack on each of the networks, [R, n]. Those with reference networks take all others.
inline torch::Tensor scores_of(const std::string& attack, const Answers& answers) {
  using rg::MembershipSignal;
  if (attack == "gap" || attack == "loss" || attack == "entropy") {
    return Answers::signal(answers.samples, attack == "gap"    ? MembershipSignal::correctness
                                            : attack == "loss" ? MembershipSignal::loss
                                                               : MembershipSignal::entropy);
  }
  const bool lira = attack == "lira";
  const auto which = lira ? MembershipSignal::margin : MembershipSignal::loss;
  const rg::ReferenceSignals all{Answers::signal(answers.samples, which), answers.member};
  const torch::Tensor population = lira ? torch::Tensor() : Answers::signal(answers.population, which);
  std::vector<torch::Tensor> scores;
  for (std::int64_t i = 0; i < all.signal.size(0); ++i) {
    const rg::ReferenceSignals others = all.without(i);
    scores.push_back(
        lira ? rg::LikelihoodRatioAttack{}(all.signal[i], others)
             : rg::RelativeAttack{.online = true}(all.signal[i], others, population[i],
                                                  rg::ReferenceSignals{population, population.isnan()}.without(i).signal));
  }
  return torch::stack(scores);
}

/// Advantage, area and true positive rates of every attack, over all networks at once; NaN if a network diverged.
inline rg::Numbers attack_numbers(const Answers& answers) {
  rg::Numbers numbers;
  bool finite = true;
  for (const auto* const each : {&answers.samples, &answers.population}) {
    for (const rg::Outputs& outputs : *each) {
      finite = finite && outputs.output.isfinite().all().item<bool>();
    }
  }
  for (const Attack& attack : attacks()) {
    const rg::Roc curve = finite ? rg::membership_roc(scores_of(attack.key, answers).flatten(), answers.member.flatten())
                                 : rg::Roc{};
    const auto add = [&](const char* what, const std::function<double()>& number) {
      numbers[attack.key + "_" + what] = finite ? number() : rg::unknown;
    };
    add("advantage", [&] { return curve.advantage(); });
    add("area", [&] { return curve.area(); });
    add("tpr_1", [&] { return curve.true_positive_rate(curve.at(0.01)); });
    add("tpr_01", [&] { return curve.true_positive_rate(curve.at(0.001)); });
  }
  return numbers;
}
