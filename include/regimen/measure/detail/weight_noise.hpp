#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "regimen/curvature/loss_surface.hpp"
#include "regimen/key/key.hpp"
#include "regimen/key/salts.hpp"

/// Random vectors in the space of a network's weights, for measures of sharpness.
namespace regimen::inline v0::detail {

/// A vector [size()] double, parameter by parameter from of(key, sizes), [1, sizes...]. It is a function of (seed,
/// draw, place of the parameter among the selected ones): all networks of one architecture that are compared get one
/// noise.
template <class Of>
at::Tensor weight_vector(const LossSurface& surface, std::uint64_t seed, std::int64_t draw, const Of& of) {
  std::vector<at::Tensor> parts;
  for (std::size_t i = 0; i < surface.parameters().size(); ++i) {
    const at::Tensor place =
        at::full({1}, static_cast<std::int64_t>(i), at::TensorOptions().device(surface.device()).dtype(at::kLong));
    const Key key = Key(seed, place).fold(salt::weights).fold(static_cast<std::uint64_t>(draw));
    parts.push_back(of(key, surface.parameters()[i].sizes()).select(0, 0));
  }
  return surface.flat(parts);
}

/// Standard normal numbers, [size()] double.
inline at::Tensor normal_weights(const LossSurface& surface, std::uint64_t seed, std::int64_t draw) {
  return weight_vector(surface, seed, draw, [](const Key& key, at::IntArrayRef sizes) { return key.normal(sizes); });
}

/// Numbers that are uniform in [-1, 1), [size()] double.
inline at::Tensor uniform_weights(const LossSurface& surface, std::uint64_t seed, std::int64_t draw) {
  return weight_vector(surface, seed, draw,
                       [](const Key& key, at::IntArrayRef sizes) { return 2 * key.uniform(sizes) - 1; });
}

}  // namespace regimen::inline v0::detail
