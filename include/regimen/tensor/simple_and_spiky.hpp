#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <utility>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0 {

/// A linear function of features x as the sum of two: the *simple* part, which looks at the first k features alone, and
/// the *spiky* part, which looks at the others. Features are ordered by falling variance, as in `GaussianFeatures` with
/// a `spiked_spectrum`.
///
/// In a minimum norm interpolator the tail acts on the head as a ridge: with X_tail X_tail' close to gamma I, where
/// gamma is the sum of the tail's variances, the simple part is close to ridge regression on the head with the penalty
/// gamma, and the spiky part makes up the rest at the training points, noise included, and is small elsewhere
/// (Bartlett, Montanari and Rakhlin 2021, section 4).
///     const regimen::SimpleAndSpiky f(regimen::minimum_norm_solution(X, y), /*head=*/5);
///     const at::Tensor smooth = f.simple(test), spikes = f.spiky(test);      // [n] each; their sum predicts
class SimpleAndSpiky {
 public:
  /// w [p] floating, `head` in [1, p): the number of features of the simple part. Throws Error for others.
  SimpleAndSpiky(at::Tensor w, Integer head) : w_(std::move(w)), head_(head) {
    if (!w_.defined() || w_.dim() != 1 || !w_.is_floating_point()) {
      throw Error("SimpleAndSpiky takes w of [p], floating, not " + detail::described(w_));
    }
    detail::require(head_ >= 1 && head_ < w_.size(0), "SimpleAndSpiky: head",
                    "in [1, " + detail::text(w_.size(0)) + ")", head_);
  }

  /// The parts' values at the rows of x [n, p] -> [n], in the type of w. Throw Error for other shapes.
  [[nodiscard]] at::Tensor simple(const at::Tensor& x) const { return part(x, 0, head_); }
  [[nodiscard]] at::Tensor spiky(const at::Tensor& x) const { return part(x, head_, w_.size(0) - head_); }

  /// Their sum, x . w.
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const { return simple(x) + spiky(x); }

  /// The parts' own weights, [head] and [p - head].
  [[nodiscard]] at::Tensor simple_weights() const { return w_.narrow(0, 0, head_); }
  [[nodiscard]] at::Tensor spiky_weights() const { return w_.narrow(0, head_, w_.size(0) - head_); }

 private:
  [[nodiscard]] at::Tensor part(const at::Tensor& x, std::int64_t begin, std::int64_t length) const {
    if (!x.defined() || x.dim() != 2 || x.size(1) != w_.size(0) || !x.is_floating_point()) {
      throw Error("SimpleAndSpiky takes x of [n, " + detail::text(w_.size(0)) + "], floating, not " +
                  detail::described(x));
    }
    return x.to(w_.device(), w_.scalar_type()).narrow(1, begin, length).matmul(w_.narrow(0, begin, length));
  }

  at::Tensor w_;
  std::int64_t head_;
};

}  // namespace regimen::inline v0
