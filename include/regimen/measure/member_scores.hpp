#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/evaluate/evaluation.hpp"
#include "regimen/evaluate/walk.hpp"
#include "regimen/loss/concept.hpp"
#include "regimen/loss/cross_entropy.hpp"
#include "regimen/loss/member_samples.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/record/history.hpp"
#include "regimen/source/source.hpp"

namespace regimen::inline v0 {

/// The scores of each network of an ensemble in one module (`networks::StackedLinear`), as a measure for
/// `Scoring::measures`: its numbers are "samples", and for member i, from 0, "<i>_accuracy" and "<i>_loss", each as
/// `evaluate` would give it for the member alone. Settings that `how` leaves at their defaults are the phase's, but the
/// loss is this measure's own. Throws Error for another number of members than the outputs have.
///     scoring.measures = {{"test", regimen::MemberScores{.data = test, .members = 5}}};
struct MemberScores {
  Source data;
  Integer members = 1;
  AnyLoss loss = CrossEntropy{};  ///< of each member
  bool own_targets = false;       ///< whether the data have targets for each member, [N, members, ...] (`stacked`)
  Evaluation how{};

  void check() const {
    detail::require(members >= 1, "MemberScores.members", "at least 1", members);
    if (how.loss.is_given()) {
      throw Error("MemberScores.how.loss is not read: the loss of each member is MemberScores.loss");
    }
  }

  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> all{"samples"};
    for (std::int64_t i = 0; i < members; ++i) {
      all.push_back(detail::text(i) + "_accuracy");
      all.push_back(detail::text(i) + "_loss");
    }
    return all;
  }

  Numbers operator()(const Probe& probe) const {
    const at::NoGradGuard no_grad;
    const at::TensorOptions doubles = at::TensorOptions().device(probe.model.device()).dtype(at::kDouble);
    const at::Tensor none = at::zeros({members}, doubles);
    Sums sums{.loss = none.clone(), .count = none.clone(), .right = none.clone(), .judged = none.clone()};
    const Evaluation filled = detail::filled_in(how, probe.how);
    detail::walk(probe.model, data, filled, "MemberScores",
                 [&](const Batch& batch) { add(sums, filled.execute.forward(probe.model, batch), batch); });
    return numbers(sums);
  }

 private:
  /// Sums of each member, [members] double.
  struct Sums {
    at::Tensor loss;
    at::Tensor count;
    at::Tensor right;
    at::Tensor judged;
    std::int64_t samples = 0;
    bool has_accuracy = true;
  };

  void add(Sums& sums, const at::Tensor& output, const Batch& batch) const {
    const MemberSamples all(output, batch.target, own_targets);
    detail::require(all.members() == members, "MemberScores.members",
                    "that of the network's outputs, " + detail::text(all.members()), members);
    sums.samples += batch.size();
    const MemberSamples::Sums losses = all.sums(loss);
    sums.loss += losses.loss;
    sums.count += losses.count;
    const at::Tensor correct = all.correct(loss);
    if (!correct.defined()) {
      sums.has_accuracy = false;
      return;
    }
    const at::Tensor right = correct.to(at::kDouble);  // NaN for entries that are not judged
    sums.right += right.nansum({0, 2});
    sums.judged += right.isnan().logical_not().sum(at::IntArrayRef{0, 2});
  }

  [[nodiscard]] Numbers numbers(const Sums& sums) const {
    const at::Tensor losses = (sums.loss / sums.count).cpu();
    const at::Tensor accuracies = sums.has_accuracy ? (sums.right / sums.judged).cpu() : at::full_like(losses, unknown);
    Numbers all{{"samples", static_cast<double>(sums.samples)}};
    for (std::int64_t i = 0; i < members; ++i) {
      all[detail::text(i) + "_accuracy"] = accuracies[i].item<double>();
      all[detail::text(i) + "_loss"] = losses[i].item<double>();
    }
    return all;
  }
};

namespace detail {

/// The scores of an epoch by the names that a `MemberScores` of them must have.
inline constexpr std::pair<const char*, Score Epoch::*> scores_of_sets[] = {
    {"fit", &Epoch::fit}, {"clean", &Epoch::clean}, {"test", &Epoch::test}, {"validation", &Epoch::validation}};

inline constexpr const char* cure_for_member_scores =
    "Scoring::measures needs a MemberScores called fit, clean, test or validation";

/// What the `MemberScores` of this name say of a member in an epoch; an empty score if they say nothing.
inline Score score_of_member(const Epoch& epoch, const std::string& name, std::int64_t member) {
  const std::string number = name + "_" + text(member);
  if (!epoch.measures.contains(number + "_loss")) {
    return {};
  }
  return {.accuracy = value_of(epoch, number + "_accuracy"),
          .loss = value_of(epoch, number + "_loss"),
          .samples = static_cast<std::int64_t>(value_of(epoch, name + "_samples"))};
}

/// Whether the loss of "fit" is finite, or, where that was not scored, those of all other scores.
inline bool is_finite(const Epoch& epoch) {
  if (epoch.fit.scored()) {
    return std::isfinite(epoch.fit.loss);
  }
  return std::all_of(std::begin(scores_of_sets), std::end(scores_of_sets), [&](const auto& set) {
    const Score& score = epoch.*set.second;
    return !score.scored() || std::isfinite(score.loss);
  });
}

/// Throws Error unless some of a run's measures, by the names of their numbers, are the scores of members, and all of
/// those are of exactly so many.
inline void require_member_scores(const std::vector<std::string>& measures, std::size_t members) {
  bool any = false;
  for (const auto& set : scores_of_sets) {
    const std::string name = set.first;
    const auto has = [&](std::size_t member) {
      return std::find(measures.begin(), measures.end(), name + "_" + text(member) + "_loss") != measures.end();
    };
    std::size_t count = 0;
    while (has(count)) {
      ++count;
    }
    any = any || count > 0;
    require(count == 0 || count == members, "MemberScores.members of \"" + name + "\"",
            "the number of members, " + text(members), count);
  }
  if (!any) {
    throw Error(std::string(cure_for_member_scores) + ", for the results of each member");
  }
}

}  // namespace detail

/// The history of one network of an ensemble, as if it had been trained alone: its scores are those of the
/// `MemberScores` that are called "fit", "clean", "test" and "validation". The loss of training batches is not known by
/// member, and other measures are left out. A member has diverged if the last score of "fit" has a loss that is not
/// finite, or, without "fit", that of any other; unlike one that diverges alone it has all epochs. If the training of
/// all diverged, so has each: `FiniteGradients` prevents that. Seconds are those of all. Throws Error if epochs were
/// scored, but this member in none.
///     const regimen::History third = regimen::history_of_member(regimen::run(five, phase, scoring), 2);
[[nodiscard]] inline History history_of_member(const History& all, std::int64_t member) {
  History own;
  own.outcomes = all.outcomes;
  bool any = false;
  bool scored = false;
  bool finite = true;
  for (const Epoch& epoch : all) {
    Epoch mine{
        .clock = epoch.clock, .phase = epoch.phase, .learning_rate = epoch.learning_rate, .seconds = epoch.seconds};
    for (const auto& [name, score] : detail::scores_of_sets) {
      mine.*score = detail::score_of_member(epoch, name, member);
    }
    any = any || epoch.scored();
    if (mine.scored()) {
      scored = true;
      finite = detail::is_finite(mine);
    }
    own.epochs.push_back(std::move(mine));
  }
  if (any && !scored) {
    throw Error("history_of_member: no epoch has a score of member " + detail::text(member) + "; " +
                detail::cure_for_member_scores);
  }
  if (!finite && !own.outcomes.empty()) {
    own.outcomes.back().ended = Ended::diverged;
  }
  return own;
}

}  // namespace regimen::inline v0
