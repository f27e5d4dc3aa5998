#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/linalg_eig.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <tuple>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/equilibrium/concept.hpp"
#include "regimen/equilibrium/detail/as_vectors.hpp"
#include "regimen/key/key.hpp"
#include "regimen/key/salts.hpp"

namespace regimen::inline v0 {

/// How exactly `spectral_radius` looks.
struct RadiusOptions {
  double tolerance = 0.01;  ///< residual of the eigenvalue relative to its size, in (0, 1)
  Integer products = 30;    ///< with the transposed Jacobian at most, at least 1; each keeps a batch of doubles
  std::uint64_t seed = 0;   ///< random seed of the first vectors

  void check() const {
    detail::require(tolerance > 0 && tolerance < 1, "RadiusOptions.tolerance", "in (0, 1)", tolerance);
    detail::require(products >= 1, "RadiusOptions.products", "at least 1", products);
  }
};

/// The largest absolute eigenvalue of a map's Jacobian, of each sample.
struct SpectralRadius {
  at::Tensor value{};         ///< [N] double; NaN where the Jacobian is not finite
  at::Tensor residual{};      ///< [N] double: |J' w - value w| for the eigenvector w of length 1
  at::Tensor converged{};     ///< [N] bool: whether it is within the tolerance
  std::int64_t products = 0;  ///< with the transposed Jacobian

  /// [N] bool: whether the fixed point attracts. False also where the search has not converged, and where the residual
  /// leaves room for a radius of 1; of a Jacobian that is far from normal the true radius may lie still farther away.
  [[nodiscard]] at::Tensor stable() const { return (value + residual).lt(1) & converged; }
};

namespace detail {

/// Arnoldi's iteration on the transposed Jacobian, of all samples at once.
class RadiusSearch {
 public:
  RadiusSearch(const SelfMap& map, const at::Tensor& x, const RadiusOptions& how) : how_(how) {
    const at::AutoGradMode with_gradients(true);
    x_ = x.detach().clone().requires_grad_();
    y_ = applied(map, x_, "spectral_radius");
    if (!y_.requires_grad()) {
      throw Error(
          "spectral_radius: the map's result has no graph: make it differentiable by its argument, without "
          "NoGradGuard or InferenceMode, or ask for no check of stability");
    }
    const at::Tensor rows = at::arange(x.size(0), at::TensorOptions().dtype(at::kLong).device(x.device()));
    const at::Tensor drawn = Key(how.seed, rows).fold(salt::radius).normal({x.numel() / x.size(0)}).to(at::kDouble);
    size_ = std::min<std::int64_t>(how.products, drawn.size(1));
    basis_ = at::zeros({x.size(0), size_ + 1, drawn.size(1)}, drawn.options());
    basis_.select(1, 0).copy_(drawn / drawn.norm(2, 1, /*keepdim=*/true));
    hessenberg_ = at::zeros({x.size(0), size_ + 1, size_}, drawn.options());
  }

  [[nodiscard]] SpectralRadius run() {
    const at::NoGradGuard no_grad;
    SpectralRadius found;
    at::Tensor told_before;
    for (std::int64_t k = 0; k < size_; ++k) {
      extend(k);
      if (k < 4 || k % 3 == 0 || k + 1 == size_) {
        found = look(k + 1);
        // On while it might be on either side of 1, and until two looks agree: the eigenvector of a smaller eigenvalue
        // may be found first, and its residual grows again when the larger one shows.
        const at::Tensor told = (found.converged & (found.value - 1).abs().gt(found.residual)) | found.value.isnan();
        const bool again = told_before.defined() && (told & told_before).all().item<bool>();
        told_before = told;
        if (again) {
          break;
        }
      }
    }
    return found;
  }

 private:
  /// One more vector of the basis: J' times the last one, made orthogonal to all, twice.
  void extend(std::int64_t k) {
    const at::Tensor last = basis_.select(1, k).to(y_.scalar_type()).view_as(y_);
    at::Tensor next = torch::autograd::grad({y_}, {x_}, {last}, /*retain_graph=*/true, /*create_graph=*/false,
                                            /*allow_unused=*/true)[0];
    next = as_vectors(next.defined() ? next : at::zeros_like(x_)).to(at::kDouble);
    const at::Tensor before = next.norm(2, 1);
    const at::Tensor so_far = basis_.narrow(1, 0, k + 1);
    for (int pass = 0; pass < 2; ++pass) {
      const at::Tensor parts = so_far.bmm(next.unsqueeze(2)).squeeze(2);
      hessenberg_.select(2, k).narrow(1, 0, k + 1).add_(parts);
      next = next - parts.unsqueeze(1).bmm(so_far).squeeze(1);
    }
    at::Tensor length = next.norm(2, 1);
    const at::Tensor is_new = length.gt(before * 1e-13);  // else the basis holds all that J' leads to
    length = at::where(is_new, length, at::zeros_like(length));
    hessenberg_.select(2, k).select(1, k + 1).copy_(length);
    const at::Tensor unit = next / length.clamp_min(1e-300).unsqueeze(1);
    basis_.select(1, k + 1).copy_(at::where(is_new.unsqueeze(1), unit, at::zeros_like(unit)));
  }

  /// What the first k vectors tell.
  [[nodiscard]] SpectralRadius look(std::int64_t k) const {
    const at::Tensor square = hessenberg_.narrow(1, 0, k).narrow(2, 0, k);
    const at::Tensor is_finite = hessenberg_.isfinite().flatten(1).all(1);
    const at::Tensor matrix = at::where(is_finite.view({-1, 1, 1}), square, at::zeros_like(square));
    const auto [values, vectors] = at::linalg_eig(matrix.cpu());  // small, and not every GPU's library has it
    const at::Tensor sizes = values.abs().to(matrix.device());
    const at::Tensor largest = sizes.argmax(1, /*keepdim=*/true);
    const at::Tensor last = vectors.abs().to(matrix.device()).select(1, k - 1).gather(1, largest).squeeze(1);
    SpectralRadius found{.value = sizes.gather(1, largest).squeeze(1),
                         .residual = hessenberg_.select(1, k).select(1, k - 1) * last,
                         .products = k};
    found.value = at::where(is_finite, found.value, at::full_like(found.value, NAN));
    found.converged = found.residual.le(found.value * how_.tolerance);
    return found;
  }

  RadiusOptions how_;
  at::Tensor x_, y_;
  std::int64_t size_;
  at::Tensor basis_;       // [N, products + 1, n]: orthonormal vectors of each sample
  at::Tensor hessenberg_;  // [N, products + 1, products]: J' in that basis
};

}  // namespace detail

/// The spectral radius of T's Jacobian at x [N, ...], of each sample: below 1 a fixed point attracts x <- T(x), above 1
/// it repels, and the error of an attracted iteration shrinks by that factor a step. By Arnoldi's iteration on the
/// transposed Jacobian, which finds complex eigenvalues too; exact for samples of at most `products` numbers.
///
/// It goes on until the eigenvalue is within the tolerance and on one side of 1, twice in a row, or `products` are
/// spent. Costs one evaluation of T with its graph, and a backward pass through it for each product. Deterministic by
/// the seed, which draws the first vectors: an eigenvector that one of them hardly holds may be missed. Throws Error if
/// T's result has no graph, and for settings out of their range.
///     const regimen::SpectralRadius radius = regimen::spectral_radius(T, point.last());
///     radius.stable();   // [N]
[[nodiscard]] inline SpectralRadius spectral_radius(const SelfMap& map, const at::Tensor& x,
                                                    const RadiusOptions& how = {}) {
  how.check();
  detail::require_samples(x, "spectral_radius");
  return detail::RadiusSearch(map, x, how).run();
}

}  // namespace regimen::inline v0
