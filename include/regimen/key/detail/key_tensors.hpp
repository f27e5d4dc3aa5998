#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/scalar_tensor.h>

#include <cstdint>

#include "regimen/base/cuda.hpp"
#include "regimen/key/detail/key_words.hpp"
#include "regimen/key/detail/threefry.hpp"
#include "regimen/key/detail/threefry_kernel.hpp"
#include "regimen/key/moment.hpp"

#if REGIMEN_WITH_CUDA
#include <ATen/cuda/jiterator.h>

#endif

/// The draws of a key for ids on another device than the CPU: the same bits as the CPU's loops.
namespace regimen::inline v0::detail {

/// The words of a key, as numbers or in a slot on the device.
class TensorWords {
 public:
  TensorWords(const KeyWords& words, const Moment& now) : numbers_(words.now()) {
    if (now.slots != nullptr && words.varies()) {
      slot_ = now.slots->words(now, now.of_epoch, [words](const Moment& at) { return words.at(at.clock); });
    }
  }

  /// Draws as [N, n] int64. draws = 2: each block of two words gives two 64-bit words; draws = 4: it gives the upper 24
  /// bits of each half word.
  [[nodiscard]] at::Tensor draw(const at::Tensor& ids, std::int64_t n, std::int64_t draws) const {
#if REGIMEN_WITH_CUDA
    if (ids.is_cuda()) {
      return by_one_kernel(ids, n, draws);
    }
#endif
    return by_operations(ids, n, draws);
  }

  /// The result of `draw` by LibTorch's own operations, on any device.
  [[nodiscard]] at::Tensor by_operations(const at::Tensor& ids, std::int64_t n, std::int64_t draws) const {
    const std::int64_t blocks = (n + draws - 1) / draws;
    at::Tensor first = ids.unsqueeze(1).repeat({1, blocks});
    at::Tensor second = at::arange(blocks, ids.options()).unsqueeze(0).repeat({ids.size(0), 1});
    threefry_mix(first, second, word(0), word(1), word(2), [](at::Tensor& words, int by) {
      // LibTorch shifts int64 arithmetically, so the copies of the sign bit are masked away.
      const std::int64_t kept = (std::int64_t{1} << by) - 1;
      words = words.bitwise_left_shift(by).bitwise_or(words.bitwise_right_shift(64 - by).bitwise_and(kept));
    });
    const at::Tensor words = side_by_side(first, second);
    const at::Tensor all = draws == 2 ? words : side_by_side(low_half(words), high_half(words)).bitwise_right_shift(8);
    return all.flatten(1).narrow(1, 0, n);
  }

  static at::Tensor low_half(const at::Tensor& words) { return words.bitwise_and(low_mask); }
  static at::Tensor high_half(const at::Tensor& words) { return words.bitwise_right_shift(32).bitwise_and(low_mask); }

 private:
  static constexpr std::int64_t low_mask = 0xFFFFFFFF;

  static at::Tensor side_by_side(const at::Tensor& left, const at::Tensor& right) {
    return at::cat({left.unsqueeze(-1), right.unsqueeze(-1)}, -1);
  }

  [[nodiscard]] std::int64_t number(int i) const {
    const std::uint64_t third = threefry_parity ^ numbers_.first ^ numbers_.second;
    return static_cast<std::int64_t>(i == 0 ? numbers_.first : i == 1 ? numbers_.second : third);
  }

  /// Word i, 0-d int64: in the device's slot, or on the CPU, where LibTorch treats a 0-d tensor as a number.
  [[nodiscard]] at::Tensor word(int i) const {
    return slot_.defined() ? slot_.select(0, i) : at::scalar_tensor(number(i), at::kLong);
  }

#if REGIMEN_WITH_CUDA
  [[nodiscard]] at::Tensor by_one_kernel(const at::Tensor& ids, std::int64_t n, std::int64_t draws) const {
    c10::SmallVector<at::Tensor> tensors = {ids.unsqueeze(1), at::arange(n, ids.options()).unsqueeze(0)};
    c10::SmallVector<at::Scalar> numbers;
    for (int i = 0; i < 3; ++i) {
      if (slot_.defined()) {
        tensors.push_back(word(i));
      } else {
        numbers.emplace_back(number(i));
      }
    }
    numbers.emplace_back(draws);
    return at::cuda::CompileAndLaunchKernel(threefry_kernel_text, threefry_kernel_name, 1, tensors, numbers,
                                            /*return_by_ref=*/false)[0];
  }
#endif

  Block numbers_;
  at::Tensor slot_;  ///< [3]; undefined if the words do not vary
};

}  // namespace regimen::inline v0::detail
