#pragma once
// No LibTorch.

#include <concepts>
#include <string>

#include "regimen/base/config.hpp"

namespace at {
class Tensor;
}  // namespace at

namespace regimen::inline v0 {

/// A group of processes that train one network together.
///
/// rank()                 this process's number in [0, size())
/// size()                 the number of processes
/// all_gather(all, mine)  fills row r of `all` with the `mine` of process r, on every process. `all` is [size, ...],
///                        contiguous, of the shape, type and device of `mine` beside its first dimension. All
///                        processes call it in the same order with equal shapes. Throws if another process is gone.
///
/// Optional:
/// exchange(out, in)      fills row r of `out` with row `rank()` of the `in` of process r; both [size, n], contiguous.
///                        With it a sum costs as much traffic for eight processes as for two.
/// fail(message)          tells the other processes why this one ends, so that their next call throws with the message.
///
/// `Alone` is one, `connect` of adapt/c10d.hpp makes one of several processes.
template <class G>
concept ProcessGroup = std::copy_constructible<G> && requires(G& group, at::Tensor& all, const at::Tensor& mine) {
  { group.rank() } -> std::convertible_to<int>;
  { group.size() } -> std::convertible_to<int>;
  group.all_gather(all, mine);
};

}  // namespace regimen::inline v0
