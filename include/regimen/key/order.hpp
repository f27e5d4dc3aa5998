#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>

#include <cstdint>

#include "regimen/key/key.hpp"
#include "regimen/key/moment.hpp"
#include "regimen/key/salts.hpp"

namespace regimen::inline v0::detail {

/// [ids.size(0)] int64: the places of the ids in an order that is a function of the key alone.
inline at::Tensor ranked(const Key& key) {
  return key.bits(1).view({key.size()}).argsort();
}

/// [n] int64: 0 to n - 1 in an order that depends on (seed, epoch) alone.
inline at::Tensor shuffled(std::int64_t n, std::uint64_t seed, const Moment& now) {
  return ranked(Key(seed, at::arange(n, at::kLong), now).fold(salt::order).each_epoch());
}

}  // namespace regimen::inline v0::detail
