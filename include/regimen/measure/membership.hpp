#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/evaluate/outputs.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/measure/data_for.hpp"
#include "regimen/measure/detail/class_outputs.hpp"
#include "regimen/measure/membership_signals.hpp"
#include "regimen/source/source.hpp"
#include "regimen/statistics/roc.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0 {

/// The curve of a score of samples, larger for members: score [n] floating, member [n] bool, in one order. Samples
/// whose score is NaN, which an attack cannot judge, are left out: `Roc::members` and `Roc::others` say how many are
/// there. Throws Error for other shapes, and unless a member and another sample are left.
///     regimen::membership_roc(attack(signals, references), trained_on).area();
[[nodiscard]] inline Roc membership_roc(const at::Tensor& score, const at::Tensor& member) {
  if (!score.defined() || !member.defined() || score.dim() != 1 || member.scalar_type() != at::kBool ||
      member.sizes() != score.sizes()) {
    throw Error("membership_roc takes a score of [n] and a mask of [n] bool, not " + detail::described(score) +
                " and " + detail::described(member));
  }
  const at::Tensor in = member.to(score.device());
  const at::Tensor judged = score.isnan().logical_not();
  return roc(detail::doubles_of(score.masked_select(judged.logical_and(in))),
             detail::doubles_of(score.masked_select(judged.logical_and(in.logical_not()))));
}

namespace detail {

/// The signals of members and of others for a network.
struct MemberSignals {
  std::vector<double> members;
  std::vector<double> others;

  /// `others` [optional] is the phase's test data by default.
  MemberSignals(const Probe& probe, const std::optional<Source>& data, const std::optional<Source>& held_out,
                const Evaluation& how, MembershipSignal signal, const std::string& who) {
    const Source in = data_for(data, probe, who);
    const Source out = held_out ? *held_out : probe.test;
    if (!out.defined()) {
      throw Error(who + " takes samples that were not trained on: set " + who +
                  ".others, or take it within a run with Scoring::test");
    }
    const Evaluation filled = filled_in(how, probe.how);
    const auto of = [&](const Source& source) {
      const Outputs given = outputs(probe.model, source, filled);
      return doubles_of(membership_signal(signal, given.output, given.target));
    };
    members = of(in);
    others = of(out);
  }

  [[nodiscard]] bool known() const {
    const auto all = [](const std::vector<double>& values) {
      return std::none_of(values.begin(), values.end(), [](double value) { return std::isnan(value); });
    };
    return all(members) && all(others);
  }
};

}  // namespace detail

/// A measure of how well a threshold on one signal of the network tells what it was trained on (Yeom et al. 2018; Song
/// and Mittal 2021): "area" under the ROC curve, "advantage" max(TPR - FPR) of the best threshold, in [0, 1], and
/// "true_positive_rate" at a false positive rate of at most `rate`. Members are the positives. All are NaN if a signal
/// is, as that of an output of NaN; but for correctness, which takes such an output for wrong.
///
/// The members are the phase's data with the labels that they are trained with, the others the test data, unless set
/// otherwise; both need labels of [n] and outputs of [n, C]. The best threshold is chosen on the data that it is judged
/// by: `advantage_interval` and `area_interval` of `membership_signal` say how sure the numbers are. They do not change
/// when ReLU units are rescaled; with the scale of the logits they do, but for correctness. Costs one forward pass over
/// both and a sort. Deterministic.
///     scoring.measures["attack"] = regimen::ThresholdAttack{.signal = regimen::MembershipSignal::loss};
struct ThresholdAttack {
  std::optional<Source> data{};    ///< members; the phase's data by default
  std::optional<Source> others{};  ///< samples that were not trained on; the phase's test data by default
  MembershipSignal signal = MembershipSignal::margin;
  double rate = 0.01;  ///< false positive rate of "true_positive_rate", in [0, 1]
  Evaluation how{};    ///< settings left at their defaults are the phase's; the loss is not used

  void check() const { detail::require(rate >= 0 && rate <= 1, "ThresholdAttack.rate", "in [0, 1]", rate); }

  [[nodiscard]] std::vector<std::string> names() const { return {"area", "advantage", "true_positive_rate"}; }

  Numbers operator()(const Probe& probe) const {
    check();
    const detail::MemberSignals found(probe, data, others, how, signal, "ThresholdAttack");
    if (!found.known()) {
      return {{"area", unknown}, {"advantage", unknown}, {"true_positive_rate", unknown}};
    }
    const Roc curve = roc(found.members, found.others);
    return {{"area", curve.area()},
            {"advantage", curve.advantage()},
            {"true_positive_rate", curve.true_positive_rate(curve.at(rate))}};
  }
};

/// A measure of the advantage TPR - FPR of the gap attack (Yeom et al. 2018), which calls a sample a member if its
/// label is predicted: the accuracy on the members minus that on the others, exactly, so the generalization gap. In
/// [-1, 1]. Otherwise like `ThresholdAttack`; it changes neither when ReLU units are rescaled nor with the scale of the
/// logits.
///     regimen::GapAttack{.data = train, .others = test}(net);
struct GapAttack {
  std::optional<Source> data{};    ///< members; the phase's data by default
  std::optional<Source> others{};  ///< samples that were not trained on; the phase's test data by default
  Evaluation how{};                ///< settings left at their defaults are the phase's; the loss is not used

  double operator()(const Probe& probe) const {
    const detail::MemberSignals found(probe, data, others, how, MembershipSignal::correctness, "GapAttack");
    const auto share = [](const std::vector<double>& correct) {
      double sum = 0;
      for (const double one : correct) {
        sum += one;
      }
      return sum / static_cast<double>(correct.size());
    };
    return share(found.members) - share(found.others);
  }
};

}  // namespace regimen::inline v0
