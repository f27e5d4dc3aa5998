#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/ones.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "regimen/base/error.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0 {

/// What R reference networks, each trained on a part of the samples, say of n samples: for attacks on membership and
/// for label memorization, which take one set of reference runs.
///     const regimen::ReferenceSignals references{.signal = at::stack(margins), .member = at::stack(trained_on)};
struct ReferenceSignals {
  at::Tensor signal;  ///< [R, n] floating, finite: a `membership_signal` of each network
  at::Tensor member;  ///< [R, n] bool: whether the network was trained on the sample. Samples may be in any number

  /// All networks but these, as references for an attack on one of them. Of `reference_halves` leave out both networks
  /// of a pair: the one that was trained on the other half tells of each sample whether it is a member, and is not at
  /// an adversary's hand. Throws Error for a network that is not there, and unless one is left.
  ///     const at::Tensor score = attack(all.signal[i], all.without({i, i ^ 1}));   // i ^ 1: the other of its pair
  [[nodiscard]] ReferenceSignals without(at::IntArrayRef networks) const {
    check("ReferenceSignals.without");
    at::Tensor kept = at::ones({signal.size(0)}, at::kBool);
    for (const std::int64_t network : networks) {
      detail::require(network >= 0 && network < signal.size(0), "ReferenceSignals.without: network",
                      "in [0, " + detail::text(signal.size(0)) + ")", network);
      kept[network] = false;
    }
    if (!kept.any().item<bool>()) {
      throw Error("ReferenceSignals.without: no network is left of " + detail::text(signal.size(0)));
    }
    const at::Tensor index = kept.nonzero().squeeze(1);
    const auto rows = [&](const at::Tensor& of) { return of.index_select(0, index.to(of.device())); };
    return {.signal = rows(signal), .member = rows(member)};
  }

  /// Throws Error, in the name of `who`, for other shapes and types and for signals that are not finite.
  void check(const std::string& who) const {
    if (!signal.defined() || !member.defined() || signal.dim() != 2 || signal.numel() == 0 ||
        !signal.is_floating_point() || member.scalar_type() != at::kBool || member.sizes() != signal.sizes()) {
      throw Error(who + " takes reference signals of [R, n], floating, and a mask of [R, n] bool, not " +
                  detail::described(signal) + " and " + detail::described(member));
    }
    if (!signal.isfinite().all().item<bool>()) {
      throw Error(who + " takes reference signals that are finite: has a reference network diverged?");
    }
  }
};

namespace detail {

/// Means over the reference networks that a mask [R, n] picks, sample by sample.
struct MaskedMoments {
  at::Tensor count;    ///< [n] double
  at::Tensor mean;     ///< [n] double; NaN where nothing is picked
  at::Tensor squares;  ///< [n] double: the sum of squared distances from the mean; exactly 0 for equal values

  MaskedMoments(const at::Tensor& values, const at::Tensor& mask) {
    const at::Tensor x = values.detach().to(at::kDouble);
    const at::Tensor left_out = mask.to(values.device()).logical_not();
    count = left_out.logical_not().to(at::kDouble).sum(0);
    mean = x.masked_fill(left_out, 0).sum(0) / count;
    const double infinity = std::numeric_limits<double>::infinity();
    const at::Tensor equal = x.masked_fill(left_out, infinity).amin(0) >= x.masked_fill(left_out, -infinity).amax(0);
    squares = (x - mean).masked_fill(left_out, 0).square().sum(0).masked_fill(equal, 0);  // whose mean may be rounded
  }

  /// The unbiased variance of each sample, [n]; NaN where fewer than two values are picked.
  [[nodiscard]] at::Tensor variance() const { return squares / (count - 1).masked_fill(count < 2, std::nan("")); }

  /// One unbiased variance within samples, 0-d; NaN if no sample has two values.
  [[nodiscard]] at::Tensor pooled_variance() const { return squares.sum() / (count - 1).clamp_min(0).sum(); }
};

/// Throws Error, in the name of `who`, unless these are signals of the attacked network, [n] floating for n samples.
inline void require_signals(const at::Tensor& signal, const at::Tensor& references, const std::string& who) {
  if (!signal.defined() || signal.dim() != 1 || !signal.is_floating_point() || signal.size(0) != references.size(1)) {
    throw Error(who + " takes signals of [n], floating, for references of " + described(references) + ", not " +
                described(signal));
  }
}

}  // namespace detail

}  // namespace regimen::inline v0
