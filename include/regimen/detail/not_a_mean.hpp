#pragma once

#include <ATen/core/Tensor.h>

#include <cmath>
#include <cstdint>
#include <exception>
#include <string>

#include "regimen/loss.hpp"

namespace regimen::inline v0::detail {

/// What is wrong with a loss that does not say what it is a mean over and is no mean over the samples: seen by the loss
/// of a batch and those of its halves. Empty if it is one, or the halves cannot be told.
inline std::string not_a_mean(const AnyLoss& loss, const at::Tensor& output, const at::Tensor& target) {
  const std::int64_t n = output.dim() > 0 ? output.size(0) : 0;
  if (n < 2 || !target.defined() || target.dim() == 0 || target.size(0) != n) {
    return "";
  }
  const auto part = [&](std::int64_t begin, std::int64_t length) {
    return loss(output.narrow(0, begin, length), target.narrow(0, begin, length)).item<double>();
  };
  try {
    const std::int64_t half = n / 2;
    const double whole = part(0, n);
    const double first = part(0, half);
    const double second = part(half, n - half);
    const double mean =
        (first * static_cast<double>(half) + second * static_cast<double>(n - half)) / static_cast<double>(n);
    const auto near = [&](double value) { return std::abs(whole - value) <= 1e-3 * std::abs(whole) + 1e-6; };
    if (!std::isfinite(whole) || near(mean)) {
      return "";
    }
    const std::string values = "of a batch of " + text(n) + " it is " + text(whole) + ", of its halves " + text(first) +
                               " and " + text(second);
    if (near(first + second)) {
      return "is a sum over the samples, no mean, so scores depend on the batch: " + values +
             ". Wrap it in regimen::SummedLoss";
    }
    return "is no mean over the samples, so scores and accumulated gradients depend on how the data are batched: " +
           values + ". Say what its mean is over by a count(output, target), as regimen::CrossEntropy does";
  } catch (const std::exception&) {  // a loss that cannot be had of a part of a batch
    return "";
  }
}

}  // namespace regimen::inline v0::detail
