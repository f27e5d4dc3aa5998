#pragma once

#include <ATen/core/Tensor.h>

#include <concepts>
#include <functional>

#include "regimen/base/config.hpp"

namespace regimen::inline v0 {

/// A map T whose fixed points x = T(x) are looked for: x [N, ...] -> the same shape, type and device, where each of the
/// N samples is a problem of its own, so that a sample's result depends on no other sample. It must not change its
/// argument in place. Where its Jacobian is needed (gradients, stability) it is differentiated by autograd.
using SelfMap = std::function<at::Tensor(const at::Tensor&)>;

/// A function of x that is minimized by its proximal operator: g in g + strength * h.
///
///     at::Tensor value(const at::Tensor& x) const                         g of each sample, [N] for x [N, ...]
///     at::Tensor prox(const at::Tensor& z, const at::Tensor& tau) const   argmin_x tau g(x) + |x - z|^2 / 2, in the
///                                                                         shape of z; tau 0-d or [N]
template <class G>
concept Proximable = requires(const G& g, const at::Tensor& x, const at::Tensor& tau) {
  { g.value(x) } -> std::convertible_to<at::Tensor>;
  { g.prox(x, tau) } -> std::convertible_to<at::Tensor>;
};

/// A data term g(x) = |A x - y|^2 / 2 with a linear A: `MaskTerm`, `BlurTerm`, `MatrixTerm`, or one of your own.
///
///     at::Tensor apply(const at::Tensor& x) const     A x, in the shape of y
///     at::Tensor adjoint(const at::Tensor& r) const   A' r, in the shape of x
///     at::Tensor slope(const at::Tensor& x) const     the gradient A'(A x - y)
template <class G>
concept DataTerm = Proximable<G> && requires(const G& g, const at::Tensor& x) {
  { g.apply(x) } -> std::convertible_to<at::Tensor>;
  { g.adjoint(x) } -> std::convertible_to<at::Tensor>;
  { g.slope(x) } -> std::convertible_to<at::Tensor>;
};

/// A function of x with a gradient: h in g + strength * h. `LearnedPotential` is one.
///
///     at::Tensor value(const at::Tensor& x) const   h of each sample, [N] for x [N, ...]
///     at::Tensor slope(const at::Tensor& x) const   its gradient by x, in the shape of x; it may need autograd inside
template <class H>
concept Smooth = requires(const H& h, const at::Tensor& x) {
  { h.value(x) } -> std::convertible_to<at::Tensor>;
  { h.slope(x) } -> std::convertible_to<at::Tensor>;
};

}  // namespace regimen::inline v0
