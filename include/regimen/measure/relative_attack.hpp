#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/logaddexp.h>
#include <ATen/ops/searchsorted.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>
#include <limits>
#include <tuple>

#include "regimen/base/error.hpp"
#include "regimen/measure/reference_signals.hpp"

namespace regimen::inline v0 {

/// The relative membership inference attack, RMIA (Zarifzadeh, Liu and Shokri 2024): the share of population samples z
/// that a sample x dominates, P_z(r(x) / r(z) >= gamma) with r(x) = p(y | x) of the attacked network over p(x), a mean
/// of that of reference networks. A score of each sample, [n] double in [0, 1], larger for members: `membership_roc`
/// judges it.
///
/// Offline p(x) = ((1 + a) p_out(x) + 1 - a) / 2, where p_out is the mean over the references that were not trained on
/// x; online p(x) = (p_in(x) + p_out(x)) / 2, each a mean over its own references, so masks may be of any balance. Of
/// population samples, which no network was trained on, it is the offline form. The paper's a depends on the data; tune
/// it by attacking a reference network.
///
/// Where many samples dominate all of the population, their scores are equal, so that no threshold is between them at
/// low false positive rates: take a larger population or gamma, or online a = 1, with which p(z) is a plain mean.
///
/// All signals are `MembershipSignal::loss`, log p(y | x): probabilities below 1e-308 keep their order. The n x Z
/// ratios are counted by a sort, in O((n + Z) log Z) time and O(n + Z) memory. NaN for samples without a reference
/// network of a kind, and for signals of NaN. Costs one forward pass over the samples and the population for each
/// reference network, made before; no randomness here. Throws Error for other shapes, for settings out of their range,
/// and for signals of references and population that are not finite.
///     const regimen::RelativeAttack attack{.a = 0.3};
///     const at::Tensor score = attack(log_p, {of_references, masks}, log_p_of_population, references_of_population);
struct RelativeAttack {
  bool online = false;
  double a = 0.3;    ///< of p_in = a p_out + 1 - a offline, in [0, 1]; 0: p_in = 1, 1: p_in = p_out
  double gamma = 1;  ///< ratio from which x dominates z, above 0

  void check() const {
    detail::require(a >= 0 && a <= 1, "RelativeAttack.a", "in [0, 1]", a);
    detail::require(gamma > 0 && std::isfinite(gamma), "RelativeAttack.gamma", "above 0 and finite", gamma);
  }

  /// signal [n], with reference signals and masks [R, n]; population [Z], with reference signals [R', Z].
  [[nodiscard]] at::Tensor operator()(const at::Tensor& signal, const ReferenceSignals& references,
                                      const at::Tensor& population, const at::Tensor& population_references) const {
    check();
    references.check("RelativeAttack");
    detail::require_signals(signal, references.signal, "RelativeAttack");
    if (!population_references.defined()) {
      throw Error("RelativeAttack takes reference signals of the population, not undefined");
    }
    const at::Tensor none = at::zeros_like(population_references, at::kBool);
    ReferenceSignals{population_references, none}.check("RelativeAttack's population");
    detail::require_signals(population, population_references, "RelativeAttack's population");
    if (!population.isfinite().all().item<bool>()) {
      throw Error("RelativeAttack takes signals of the population that are finite");
    }
    const at::Device device = signal.device();
    const auto to_here = [&](const at::Tensor& tensor) { return tensor.detach().to(device, at::kDouble); };
    const at::Tensor known = to_here(references.signal);
    const at::Tensor member = references.member.to(device);
    const at::Tensor out = log_mean(known, member.logical_not());
    const at::Tensor of_x = online ? at::logaddexp(log_mean(known, member), out) - std::log(2.0) : offline(out);
    const at::Tensor of_z = offline(log_mean(to_here(population_references), none.to(device).logical_not()));
    const at::Tensor x = to_here(signal) - of_x;
    const at::Tensor z = std::get<0>((to_here(population) - of_z).sort());
    const at::Tensor dominated = at::searchsorted(z, x - std::log(gamma), /*out_int32=*/false, /*right=*/true);
    return dominated.to(at::kDouble).div(static_cast<double>(z.numel())).masked_fill(x.isnan(), std::nan(""));
  }

 private:
  /// log of the mean probability over the references that a mask picks; NaN where it picks none.
  static at::Tensor log_mean(const at::Tensor& log_p, const at::Tensor& mask) {
    const at::Tensor picked = log_p.masked_fill(mask.logical_not(), -std::numeric_limits<double>::infinity());
    return picked.logsumexp(0) - mask.to(at::kDouble).sum(0).log();
  }

  [[nodiscard]] at::Tensor offline(const at::Tensor& log_out) const {
    const at::Tensor scaled = log_out + std::log((1 + a) / 2);
    return a == 1 ? scaled : at::logaddexp(scaled, at::full_like(scaled, std::log((1 - a) / 2)));
  }
};

}  // namespace regimen::inline v0
