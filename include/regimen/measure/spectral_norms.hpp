#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_svdvals.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/evaluate/evaluation.hpp"
#include "regimen/key/key.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/measure/layer_map.hpp"
#include "regimen/measure/layer_maps.hpp"
#include "regimen/measure/singular_value.hpp"
#include "regimen/record/history.hpp"
#include "regimen/source/source.hpp"

namespace regimen::inline v0 {

namespace detail {

/// The operator of a map on one sample, and its transpose.
class LayerOperator {
 public:
  explicit LayerOperator(const LayerMap& map) : map_(map), weight_(map.folded()) {
    if (map.kind == LayerMap::Kind::convolution) {
      weight_ = weight_.contiguous();
      const auto dimensions = static_cast<std::size_t>(weight_.dim() - 2);
      std::vector<std::int64_t> sizes(map.input.end() - static_cast<std::ptrdiff_t>(dimensions), map.input.end());
      lengths_ = sizes;
      for (std::size_t i = 0; i < dimensions; ++i) {
        const std::int64_t covered = map.dilation[i] * (weight_.size(static_cast<std::int64_t>(i) + 2) - 1) + 1;
        // Columns at the end that a stride steps over.
        left_over_.push_back((sizes[i] + 2 * map.padding[i] - covered) % map.stride[i]);
      }
    }
  }

  /// [in] -> [out] of a matrix, [1, C, ...] -> [1, C', ...] of a convolution.
  [[nodiscard]] at::Tensor apply(const at::Tensor& x) const {
    return map_.kind == LayerMap::Kind::matrix ? weight_.mv(x) : convolved(x, map_.transposed, map_.output_padding);
  }

  [[nodiscard]] at::Tensor back(const at::Tensor& y) const {
    if (map_.kind == LayerMap::Kind::matrix) {
      return weight_.t().mv(y);
    }
    if (!map_.transposed) {
      return convolved(y, /*transposed=*/true, left_over_);
    }
    // An output padding beyond the stride gives the convolution more places than the map has inputs.
    at::Tensor x = convolved(y, /*transposed=*/false, std::vector<std::int64_t>(lengths_.size(), 0));
    for (std::size_t i = 0; i < lengths_.size(); ++i) {
      x = x.narrow(static_cast<std::int64_t>(i) + 2, 0, lengths_[i]);
    }
    return x;
  }

  /// A random vector for the start, normal numbers.
  [[nodiscard]] at::Tensor start(std::uint64_t seed) const {
    const Key key(seed, at::full({1}, 0, weight_.options().dtype(at::kLong)));
    if (map_.kind == LayerMap::Kind::matrix) {
      return key.normal({weight_.size(1)}).select(0, 0).to(at::kDouble);
    }
    return key.normal(map_.input).to(at::kDouble);
  }

 private:
  [[nodiscard]] at::Tensor convolved(const at::Tensor& x, bool transposed,
                                     const std::vector<std::int64_t>& output_padding) const {
    return at::convolution(x, weight_, {}, map_.stride, map_.padding, map_.dilation, transposed, output_padding,
                           map_.groups);
  }

  const LayerMap& map_;
  at::Tensor weight_;
  std::vector<std::int64_t> lengths_{};    ///< of the input's dimensions in space
  std::vector<std::int64_t> left_over_{};  ///< output padding of the transpose
};

}  // namespace detail

/// The spectral norm of a map: the largest singular value of the operator that it is on one sample, in double, with
/// BatchNorm folded in. Of a convolution that is the operator at its own input size, stride, padding, dilation and
/// groups, which is neither the norm of the kernel as a matrix nor that of the circular convolution. A matrix with a
/// side of at most `exact_up_to` is decomposed; everything else is iterated. A BatchNorm alone: the largest factor.
///
/// Costs a decomposition, or two passes of the layer with one sample, in double, for each step of the iteration: 40 to
/// 350 steps for the convolutions of a ResNet-18, and half as many with a tolerance of 1e-5, by which one of its 20
/// norms came out 3e-4 too small. Throws Error for complex weights and for settings out of their range.
[[nodiscard]] inline SingularValue spectral_norm(const LayerMap& map, const SpectralIteration& how = {}) {
  how.check();
  const at::NoGradGuard no_grad;
  if (map.kind == LayerMap::Kind::scale) {
    return {.value = map.folded().abs().max().item<double>()};
  }
  const bool is_matrix = map.kind == LayerMap::Kind::matrix;
  if (is_matrix && std::min(map.weight.size(0), map.weight.size(1)) <= how.exact_up_to) {
    const at::Tensor matrix = map.folded();
    // LAPACK does not end, or throws, for what is not finite.
    return {.value = matrix.isfinite().all().item<bool>() ? at::linalg_svdvals(matrix).max().item<double>() : unknown};
  }
  const detail::LayerOperator layer(map);
  return largest_singular_value([&](const at::Tensor& x) { return layer.apply(x); },
                                [&](const at::Tensor& y) { return layer.back(y); }, layer.start(how.seed), how);
}

/// The spectral norms of maps, in their order; NaN for one that has not converged after `how.most` steps, as it would
/// be too small: `spectral_norm` has what was reached.
[[nodiscard]] inline std::vector<double> spectral_norms(const std::vector<LayerMap>& maps,
                                                        const SpectralIteration& how = {}) {
  std::vector<double> norms;
  for (const LayerMap& map : maps) {
    const SingularValue norm = spectral_norm(map, how);
    norms.push_back(norm.converged ? norm.value : unknown);
  }
  return norms;
}

/// The spectral norms of the layers of a network, by the name of the weight; of a weight that is several maps, the
/// largest. A weight that is computed has the name "(computed from v)", and further ones from the same v "(computed
/// from v) 2". A BatchNorm is folded into the layer before it (see `layer_maps`).
///
/// sample_shape: the shape of one sample without the batch; if empty, the first sample of the data is used. layers: the
/// names of those to measure; all if empty, which is for use outside of `Scoring::measures`, since names must be known
/// there in advance. NaN for a norm that has not converged after `iteration.most` steps.
///
/// Costs as `spectral_norm` for each layer, and one forward pass of one sample. Deterministic. ReLU rescaling changes
/// it, and so does the scale of the logits, by the last layer. No gradient. Throws Error for a layer that does not run,
/// without shape and data, and, if all layers are asked for, for a parameter that is used in a way
/// that `layer_maps` does not know and whose name is not in `unheard`.
///     regimen::SpectralNorms{.sample_shape = {3, 32, 32}}(net).at("conv1.weight")
struct SpectralNorms {
  std::optional<Source> data{};
  Integers sample_shape{};
  Evaluation how{};
  std::vector<std::string> layers{};
  SpectralIteration iteration{};
  std::vector<std::string> unheard{};  ///< names of parameters, of which uses that are not heard are left out

  void check() const { iteration.check(); }

  [[nodiscard]] std::vector<std::string> names() const { return layers; }

  Numbers operator()(const Probe& probe) const {
    check();
    Numbers norms;
    const Batch sample = detail::sample_for(sample_shape, data, how, probe, "SpectralNorms");
    const std::vector<LayerMap> maps = layers.empty()
                                           ? detail::all_layers(probe.model, sample, "SpectralNorms", unheard)
                                           : detail::heard_layers(probe.model, sample).maps;
    std::map<std::string, int> computed;  // how many of each name
    for (const LayerMap& map : maps) {
      std::string name = map.name;
      if (map.kind != LayerMap::Kind::scale && !map.parameter.tensor.defined() && ++computed[map.name] > 1) {
        name += " " + detail::text(computed[map.name]);
      }
      if (layers.empty() || std::find(layers.begin(), layers.end(), name) != layers.end()) {
        const double norm = spectral_norms({map}, iteration).front();
        const auto [place, is_new] = norms.emplace(name, norm);
        place->second = is_new || norm > place->second || std::isnan(norm) ? norm : place->second;
      }
    }
    for (const std::string& name : layers) {
      if (norms.count(name) == 0) {
        throw Error("SpectralNorms.layers: no layer with the weight " + name + " runs");
      }
    }
    return norms;
  }
};

}  // namespace regimen::inline v0
