#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"

namespace regimen::inline v0 {

namespace detail {

/// A number of a message, with three digits.
inline std::string rounded(double number) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.3g", number);
  return buffer;
}

}  // namespace detail

/// How an iterative solve of N problems went.
struct SolveReport {
  std::string solver{};           ///< "Picard", "Anderson", "ConjugateGradient"; empty: none has run yet
  double tolerance = 0;           ///< what the residuals were to reach
  at::Tensor residual{};          ///< [N] double: the relative residual of each sample's last iterate
  at::Tensor converged{};         ///< [N] bool: whether it is within the tolerance; never where it is NaN or infinite
  at::Tensor radius{};            ///< [N] double: the spectral radius of T's Jacobian there; undefined: not asked for
  at::Tensor stable{};            ///< [N] bool: whether it was found to be below 1; undefined: not asked for
  std::int64_t iterations = 0;    ///< steps that were taken
  std::int64_t evaluations = 0;   ///< of the map, or products with the matrix
  std::vector<double> history{};  ///< the largest residual of the batch at the start and after each step

  /// Whether every sample has converged, and to a stable point where that was asked for.
  [[nodiscard]] bool succeeded() const {
    return converged.defined() && converged.all().item<bool>() && (!stable.defined() || stable.all().item<bool>());
  }

  /// Throws Error with the numbers unless `succeeded()`. `who` begins the message, `cure` ends that of a solve that has
  /// not converged.
  void require_success(const std::string& who, const std::string& cure) const {
    if (succeeded()) {
      return;
    }
    if (!converged.defined()) {
      throw Error(who + " has not run");
    }
    const std::int64_t n = converged.size(0);
    const auto count = [n](const at::Tensor& failed) {
      return detail::text(failed.sum().item<std::int64_t>()) + " of " + detail::text(n) + " samples";
    };
    if (!converged.all().item<bool>()) {
      const at::Tensor open = residual.masked_select(converged.logical_not());
      throw Error(who + " (" + solver + "): " + count(converged.logical_not()) + " have not converged in " +
                  detail::text(iterations) + " iterations: the largest relative residual is " +
                  detail::rounded(open.max().item<double>()) + ", the tolerance " + detail::rounded(tolerance) + ". " +
                  cure);
    }
    const at::Tensor unstable = stable.logical_not();
    throw Error(who + " (" + solver + "): " + count(unstable) +
                " are at an unstable fixed point, or at one that could not be told from it: the spectral radius of the "
                "map's Jacobian is up to " +
                detail::rounded(radius.masked_select(unstable).max().item<double>()) +
                ", and x <- T(x) goes away from there if it is above 1. Make the step in T smaller, or read last()");
  }
};

}  // namespace regimen::inline v0
