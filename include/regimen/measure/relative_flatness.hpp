#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linalg_qr.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "regimen/curvature/linear_operator.hpp"
#include "regimen/curvature/loss_surface.hpp"
#include "regimen/curvature/trace.hpp"
#include "regimen/evaluate/evaluation.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/measure/curvature_choice.hpp"
#include "regimen/measure/detail/surface_for.hpp"
#include "regimen/model/selector.hpp"
#include "regimen/source/source.hpp"
#include "regimen/statistics/monte_carlo.hpp"
#include "regimen/tensor/named.hpp"

namespace regimen::inline v0 {

namespace detail {

/// Those of the selected parameters that have two or more dimensions.
struct MatricesAmong {
  AnySelector selected;

  bool operator()(const Named& parameter) const { return parameter.tensor.dim() >= 2 && selected.selects(parameter); }
};

/// The operator whose trace is the relative flatness of all of a surface's layers: Z -> L' H (L Z), layer by layer. The
/// layer's matrix is W [r, c] and W W' = L L' with L [r, m], m = min(r, c); Z is [m, c], and H the curvature.
///
/// Its trace is the sum over i and k of v' H v with v the matrix that has column k of L as its column i, which is the
/// sum over rows s and t of (W W')_st tr H_st.
template <LinearOperator A>
class WeightedCurvature {
 public:
  explicit WeightedCurvature(const A& a) : a_(a) {
    for (const at::Tensor& parameter : a.surface().parameters()) {
      const at::Tensor w = parameter.detach().to(at::kDouble).flatten(1);
      // R of W' = Q R gives W W' = R' R, and R' has no more columns than W has rows.
      factors_.push_back(w.size(0) < w.size(1) ? std::get<1>(at::linalg_qr(w.t())).t().contiguous() : w);
      columns_.push_back(w.size(1));
      size_ += factors_.back().size(1) * w.size(1);
    }
  }

  [[nodiscard]] std::int64_t size() const { return size_; }
  [[nodiscard]] at::Device device() const { return a_.device(); }
  [[nodiscard]] at::Tensor apply(const at::Tensor& z) const { return apply_all(z.unsqueeze(1)).select(1, 0); }

  [[nodiscard]] at::Tensor apply_all(const at::Tensor& z) const {
    return times_factors(a_.apply_all(times_factors(z, /*transposed=*/false)), /*transposed=*/true);
  }

 private:
  /// L Z for each layer and each column of Z [size(), k], or L' V for V [the surface's size, k].
  [[nodiscard]] at::Tensor times_factors(const at::Tensor& all, bool transposed) const {
    std::vector<at::Tensor> parts;
    std::int64_t begin = 0;
    for (std::size_t i = 0; i < factors_.size(); ++i) {
      const at::Tensor by = transposed ? factors_[i].t() : factors_[i];
      const std::int64_t length = by.size(1) * columns_[i];
      // The columns of Z are beside the layer's: [m, c k].
      const at::Tensor part = all.narrow(0, begin, length).reshape({by.size(1), -1});
      parts.push_back(by.mm(part).reshape({by.size(0) * columns_[i], all.size(1)}));
      begin += length;
    }
    return at::cat(parts);
  }

  const A& a_;
  std::vector<at::Tensor> factors_;
  std::vector<std::int64_t> columns_;
  std::int64_t size_ = 0;
};

}  // namespace detail

/// A measure: the relative flatness of a layer with weights W [r, c] (rows w_s), the sum over all pairs of rows s, t of
/// <w_s, w_t> tr H_st, where H_st [c, c] is the block of the Hessian of the mean loss at rows s and t (Petzka et al.
/// 2021, definition 3); summed over all selected layers. Kernels are taken as [first dimension, rest]: the rows are
/// units, but in a transposed convolution and in an embedding inputs, which are better left out. Parameters of fewer
/// than two dimensions, biases and gains, are left out. The paper takes one layer: select it by
/// `Layers{{"fc.weight"}}`.
///
/// Unbiased from random signs: with W W' = L L', it is the mean of <L Z, H L Z> over sign matrices Z, for all layers at
/// once. Numbers "value" and "half_width". Costs a product with the Hessian a draw, 2 B and F/4, like its trace. The
/// noise is a function of (seed, draw), the same for all networks of one shape.
///
/// Invariant under rescaling of ReLU layers by a factor each, and of single units for the layer of their incoming
/// weights, but not for that of their outgoing ones. Not invariant under scale of the logits. Throws Error without data
/// and if no parameter of two or more dimensions is selected.
///     scoring.measures["flatness"] = regimen::RelativeFlatness{.data = train};
struct RelativeFlatness {
  std::optional<Source> data{};  ///< the phase's own by default
  Evaluation how{};
  AnySelector parameters = AllParameters{};
  Curvature curvature = Curvature::hessian;  ///< the matrix in place of H
  TraceOptions trace{};

  void check() const { trace.check(); }

  [[nodiscard]] MonteCarloEstimate estimate(const Probe& probe) const {
    check();
    const LossSurface surface =
        detail::surface_for(data, how, detail::MatricesAmong{parameters}, probe, "RelativeFlatness");
    return with_curvature(curvature, surface,
                          [this](const auto& a) { return regimen::trace(detail::WeightedCurvature(a), trace); });
  }

  [[nodiscard]] std::vector<std::string> names() const { return {"value", "half_width"}; }
  Numbers operator()(const Probe& probe) const { return detail::value_and_half_width(estimate(probe)); }
};

}  // namespace regimen::inline v0
