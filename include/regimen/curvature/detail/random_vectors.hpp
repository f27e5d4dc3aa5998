#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>

#include <cstdint>

#include "regimen/key/key.hpp"
#include "regimen/key/salts.hpp"

namespace regimen::inline v0::detail {

/// Random signs, [n] double of 1 and -1, as a function of (seed, draw): the same for all operators of one size.
inline at::Tensor random_signs(std::int64_t n, std::uint64_t seed, std::int64_t draw,
                               const at::TensorOptions& options) {
  const at::Tensor id = at::full({1}, draw, options.dtype(at::kLong));
  const at::Tensor words = Key(seed, id).fold(salt::probe).bits((n + 63) / 64).view({-1, 1});
  const at::Tensor place = at::arange(64, options.dtype(at::kLong));
  const at::Tensor bits = words.bitwise_right_shift(place).bitwise_and(1).flatten().narrow(0, 0, n);
  return bits.to(options.dtype().toScalarType()) * 2 - 1;
}

/// Standard normal numbers, [n] double, as a function of (seed, number).
inline at::Tensor random_normals(std::int64_t n, std::uint64_t seed, std::int64_t number,
                                 const at::TensorOptions& options) {
  const at::Tensor id = at::full({1}, number, options.dtype(at::kLong));
  return Key(seed, id).fold(salt::start).normal({n}).select(0, 0).to(options.dtype().toScalarType());
}

}  // namespace regimen::inline v0::detail
