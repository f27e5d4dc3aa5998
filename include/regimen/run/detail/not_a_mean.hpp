#pragma once

#include <ATen/core/Tensor.h>

#include <cmath>
#include <cstdint>
#include <exception>
#include <set>
#include <string>

#include "regimen/loss/concept.hpp"
#include "regimen/loss/summed.hpp"

namespace regimen::inline v0::detail {

/// An error text for a loss without a `count` that is not a mean over the samples; empty if it is one. Compares the
/// loss of a batch with those of its parts. Halves may be alike by chance, as with balanced classes, so the batch is
/// also cut unevenly. Also empty if it cannot be told: for a batch of one sample, and for targets that are not one per
/// sample.
inline std::string not_a_mean(const AnyLoss& loss, const at::Tensor& output, const at::Tensor& target) {
  const std::int64_t n = output.dim() > 0 ? output.size(0) : 0;
  if (n < 2 || (target.defined() && (target.dim() == 0 || target.size(0) != n))) {
    return "";
  }
  const auto part = [&](std::int64_t begin, std::int64_t length) {
    const at::Tensor of = target.defined() ? target.narrow(0, begin, length) : target;
    return loss(output.narrow(0, begin, length), of).item<double>();
  };
  try {
    const double whole = part(0, n);
    if (!std::isfinite(whole)) {
      return "";
    }
    const auto near = [&](double value) { return std::abs(whole - value) <= 1e-3 * std::abs(whole) + 1e-6; };
    for (const std::int64_t cut : std::set<std::int64_t>{n / 2, (n + 2) / 3, 1}) {
      const double first = part(0, cut);
      const double second = part(cut, n - cut);
      const double mean =
          (first * static_cast<double>(cut) + second * static_cast<double>(n - cut)) / static_cast<double>(n);
      if (near(mean)) {
        continue;
      }
      const std::string values = "of a batch of " + text(n) + " it is " + text(whole) + ", of its first " + text(cut) +
                                 " samples " + text(first) + ", of the others " + text(second);
      if (near(first + second)) {
        return "is a sum over the samples, no mean, so scores depend on the batch: " + values +
               ". Wrap it in regimen::SummedLoss";
      }
      return "is no mean over the samples, so scores and accumulated gradients depend on how the data are batched: " +
             values + ". Say what its mean is over by a count(target), as regimen::CrossEntropy does";
    }
  } catch (const std::exception&) {  // the loss does not take parts of a batch
  }
  return "";
}

}  // namespace regimen::inline v0::detail
