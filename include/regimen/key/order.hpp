#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>

#include <cstdint>

#include "regimen/key/key.hpp"
#include "regimen/key/moment.hpp"
#include "regimen/key/salts.hpp"

namespace regimen::inline v0::detail {

/// A random permutation of the indices of the ids, [ids.size(0)] int64: a function of the key alone.
inline at::Tensor ranked(const Key& key) {
  return key.bits(1).view({key.size()}).argsort();
}

/// A random permutation of 0 to n - 1, [n] int64: a function of (seed, epoch).
inline at::Tensor shuffled(std::int64_t n, std::uint64_t seed, const Moment& now) {
  return ranked(Key(seed, at::arange(n, at::kLong), now).fold(salt::order).each_epoch());
}

}  // namespace regimen::inline v0::detail
