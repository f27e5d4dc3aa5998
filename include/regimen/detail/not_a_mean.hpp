#pragma once

#include <ATen/core/Tensor.h>

#include <cmath>
#include <cstdint>
#include <exception>
#include <string>

#include "regimen/loss.hpp"

namespace regimen::inline v0::detail {

/// What is wrong with a loss that does not say what it is a mean over and is no mean over the samples: seen by the loss
/// of a batch and those of its first `cut` samples and of the others. Empty if nothing is.
inline std::string not_a_mean(const AnyLoss& loss, const at::Tensor& output, const at::Tensor& target,
                              std::int64_t cut) {
  const std::int64_t n = output.size(0);
  const auto part = [&](std::int64_t begin, std::int64_t length) {
    const at::Tensor of = target.defined() ? target.narrow(0, begin, length) : target;
    return loss(output.narrow(0, begin, length), of).item<double>();
  };
  try {
    const double whole = part(0, n);
    const double first = part(0, cut);
    const double second = part(cut, n - cut);
    const double mean =
        (first * static_cast<double>(cut) + second * static_cast<double>(n - cut)) / static_cast<double>(n);
    const auto near = [&](double value) { return std::abs(whole - value) <= 1e-3 * std::abs(whole) + 1e-6; };
    if (!std::isfinite(whole) || near(mean)) {
      return "";
    }
    const std::string values = "of a batch of " + text(n) + " it is " + text(whole) + ", of its first " + text(cut) +
                               " samples " + text(first) + ", of the others " + text(second);
    if (near(first + second)) {
      return "is a sum over the samples, no mean, so scores depend on the batch: " + values +
             ". Wrap it in regimen::SummedLoss";
    }
    return "is no mean over the samples, so scores and accumulated gradients depend on how the data are batched: " +
           values + ". Say what its mean is over by a count(target), as regimen::CrossEntropy does";
  } catch (const std::exception&) {  // a loss that cannot be had of a part of a batch
    return "";
  }
}

/// The same of several ways to cut a batch: its halves may be alike by chance, as two of balanced classes are. Empty
/// too for a batch of one, and for targets that are none of single samples.
inline std::string not_a_mean(const AnyLoss& loss, const at::Tensor& output, const at::Tensor& target) {
  const std::int64_t n = output.dim() > 0 ? output.size(0) : 0;
  if (n < 2 || (target.defined() && (target.dim() == 0 || target.size(0) != n))) {
    return "";
  }
  for (const std::int64_t cut : {n / 2, (n + 2) / 3, std::int64_t{1}}) {
    std::string mistake = not_a_mean(loss, output, target, cut);
    if (!mistake.empty()) {
      return mistake;
    }
  }
  return "";
}

}  // namespace regimen::inline v0::detail
