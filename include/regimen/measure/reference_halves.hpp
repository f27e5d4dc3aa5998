#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <cstdint>
#include <tuple>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/key/key.hpp"
#include "regimen/key/order.hpp"
#include "regimen/key/salts.hpp"

namespace regimen::inline v0 {

/// The samples that each of some reference networks is to be trained on, [networks, samples] bool: pairs of a random
/// half, networks 0, 2, 4, ..., and the other half. So every sample is in the data of exactly half of the networks, as
/// in Carlini et al. (2022), and each network is trained on half of the samples, rounded down or up.
///
/// An attack on network i takes all others but the other of its pair, i ^ 1, as references
/// (`ReferenceSignals::without`): then every sample is in the data of exactly half of these, too. That one makes an
/// attack look stronger than it is, for of each sample it knows the opposite of what is asked.
///
/// A function of the seed; more networks begin with the same ones. Throws Error unless networks is even and at least 2,
/// and samples at least 2.
///     const at::Tensor member = regimen::reference_halves(16, *train.size(), /*seed=*/1);
///     const regimen::Source first = regimen::subset(train, member[0].nonzero().squeeze(1));
[[nodiscard]] inline at::Tensor reference_halves(Integer networks, Integer samples, std::uint64_t seed) {
  detail::require(networks >= 2 && networks % 2 == 0, "reference_halves: networks", "even and at least 2", networks);
  detail::require(samples >= 2, "reference_halves: samples", "at least 2", samples);
  const Key key = Key(seed, at::arange(samples.value, at::kLong)).fold(detail::salt::halves);
  std::vector<at::Tensor> rows;
  for (std::int64_t pair = 0; pair < networks / 2; ++pair) {
    const at::Tensor order = detail::ranked(key.fold(static_cast<std::uint64_t>(pair)));
    at::Tensor half = at::zeros({samples.value}, at::kBool);
    half.index_fill_(0, order.narrow(0, 0, samples.value / 2), true);
    rows.push_back(half);
    rows.push_back(half.logical_not());
  }
  return at::stack(rows);
}

}  // namespace regimen::inline v0
