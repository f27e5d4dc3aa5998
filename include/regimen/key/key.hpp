#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/where.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <utility>
#include <vector>

#include "regimen/key/detail/key_tensors.hpp"
#include "regimen/key/detail/key_words.hpp"
#include "regimen/key/detail/threefry.hpp"
#include "regimen/key/moment.hpp"
#include "regimen/schedule/bounds.hpp"

namespace regimen::inline v0 {

/// A source of random numbers that is a function of (seed, sample, moment), where a generator is a stream that other
/// code can advance.
///
/// The draws for sample i depend only on the seed, the sample's id and the folds: not on the batch around it, its order
/// or its size, the device, the thread or earlier draws. Two draws of one key use the same words: fold the key with a
/// different salt for each use. Integers and uniforms are the same bits on every device; normals agree up to rounding,
/// 1e-6.
///     const regimen::Key key(seed, batch.id);
///     const auto u = key.fold(1).uniform({28, 28});   // [N, 28, 28] in [0, 1)
class Key {
 public:
  /// ids [N] int64; the draws are on their device. `now` is the moment that `now()` returns, for scheduled fractions.
  Key(std::uint64_t seed, at::Tensor ids, Moment now = {}) : Key(detail::KeyWords(seed), std::move(ids), now) {}

  /// A key for another use, with draws independent of this one's.
  [[nodiscard]] Key fold(std::uint64_t salt) const { return Key(words_.fold(salt), ids_, now_); }

  /// A key for this epoch: a transform that draws from it draws anew in every epoch.
  [[nodiscard]] Key each_epoch() const {
    return Key(words_.each_epoch(now_.clock.epoch, /*keep_chain=*/now_.slots != nullptr), ids_, now_);
  }

  /// A key for this step, for draws that do not belong to samples, such as noise of the gradients.
  [[nodiscard]] Key each_step() const {
    return Key(words_.each_step(now_.clock.step, /*keep_chain=*/now_.slots != nullptr), ids_, now_);
  }

  /// This key for other samples.
  [[nodiscard]] Key for_ids(at::Tensor ids) const { return Key(words_, std::move(ids), now_); }
  [[deprecated("it is called for_ids")]] Key of(at::Tensor ids) const { return for_ids(std::move(ids)); }

  /// This key for a transform that acts on these data (`Moment::data`), which must outlive the key.
  [[nodiscard]] Key on(const Source& data) const { return Key(words_, ids_, now_.on(data)); }

  /// This key for a transform in a list, where `source` gives the data as the transforms before it left them
  /// (`Moment::so_far`). The source must outlive the key.
  [[nodiscard]] Key so_far(const Source& source) const {
    Moment now = now_;
    now.so_far = &source;
    return Key(words_, ids_, now);
  }

  [[nodiscard]] const at::Tensor& ids() const { return ids_; }
  [[nodiscard]] std::int64_t size() const { return ids_.size(0); }
  [[nodiscard]] const Moment& now() const { return now_; }

  /// Random words, [N, n] int64: all 64 bits are random.
  [[nodiscard]] at::Tensor bits(std::int64_t n) const {
    if (!on_host()) {
      return on_device().draw(ids_, n, 2);
    }
    const std::int64_t blocks = (n + 1) / 2;
    at::Tensor out = at::empty({size(), n}, at::kLong);
    auto* const to = out.data_ptr<std::int64_t>();
    for_each_block(blocks, [=](std::int64_t i, std::int64_t block, std::uint64_t first, std::uint64_t second) {
      std::int64_t* const row = to + i * n + 2 * block;
      row[0] = static_cast<std::int64_t>(first);
      if (2 * block + 1 < n) {
        row[1] = static_cast<std::int64_t>(second);
      }
    });
    return out;
  }

  /// Uniform numbers, [N, shape...] float in [0, 1), multiples of 2^-24. One block of 128 bits gives four.
  [[nodiscard]] at::Tensor uniform(at::IntArrayRef shape = {}) const {
    const auto [sizes, in_a_sample] = sizes_of(shape);
    const std::int64_t n = in_a_sample;  // clang 14 lets no lambda capture a structured binding
    if (!on_host()) {
      return (on_device().draw(ids_, n, 4).to(at::kFloat) * unit).reshape(sizes);
    }
    const std::int64_t blocks = (n + 3) / 4;
    at::Tensor out = at::empty({size(), n}, at::kFloat);
    auto* const to = out.data_ptr<float>();
    for_each_block(blocks, [=](std::int64_t i, std::int64_t block, std::uint64_t first, std::uint64_t second) {
      const std::uint32_t halves[4] = {low(first), high(first), low(second), high(second)};
      float* const row = to + i * n + 4 * block;
      const std::int64_t room = std::min<std::int64_t>(4, n - 4 * block);
      for (std::int64_t k = 0; k < room; ++k) {
        row[k] = to_unit(halves[k]);
      }
    });
    return out.view(sizes);
  }

  /// Uniform whole numbers, [N] int64 in [0, n), for n in [1, 2^31]. Probabilities differ by a relative n / 2^32 at
  /// most.
  [[nodiscard]] at::Tensor below(std::int64_t n) const {
    detail::require(n >= 1 && n <= (std::int64_t{1} << 31), "Key.below: n", "in [1, 2^31]", n);
    if (!on_host()) {
      return below_on_device(n);
    }
    at::Tensor out = at::empty({size()}, at::kLong);
    auto* const to = out.data_ptr<std::int64_t>();
    for_each_block(1, [=](std::int64_t i, std::int64_t, std::uint64_t, std::uint64_t second) {
      to[i] = to_below(n, high(second));
    });
    return out;
  }

  /// Booleans, [N], true with this probability, in [0, 1]: uniform() < probability. The samples drawn with a smaller
  /// probability are therefore among those drawn with a larger one.
  [[nodiscard]] at::Tensor chance(const Knob& probability, const Bounds& bounds = probability_bounds) const {
    return uniform() < now_.tensor(probability, bounds);
  }
  template <detail::FieldName Name>
  [[nodiscard]] at::Tensor chance(const Share<Name>& probability) const {
    return chance(probability, probability.bounds());
  }

  /// The values, each replaced with this probability by a draw from [0, n), or, if `by_another`, from the n - 1 other
  /// values. values [N] int64 in [0, n), n in [2, 2^31] -> [N] int64. `chance(probability)` tells which are replaced.
  /// Values out of range are an Error on the CPU; on other devices they are not checked, which would mean waiting for
  /// the device.
  [[nodiscard]] at::Tensor replaced(const at::Tensor& values, std::int64_t n, const Knob& probability, bool by_another,
                                    const Bounds& bounds = probability_bounds) const {
    detail::require(n >= 2 && n <= (std::int64_t{1} << 31), "Key.replaced: n", "in [2, 2^31]", n);
    const std::int64_t choices = by_another ? n - 1 : n;
    if (!on_host()) {
      const at::Tensor drawn = by_another ? (values + 1 + below(choices)).remainder(n) : below(choices);
      return at::where(chance(probability, bounds), drawn, values);
    }
    const double share = now_(probability, bounds);
    // One pass: three tensors of a million entries, for chance, draw and choice, would cost more than the draws.
    const at::Tensor given = values.contiguous();
    const auto* const from = given.data_ptr<std::int64_t>();
    at::Tensor out = at::empty({size()}, at::kLong);
    auto* const to = out.data_ptr<std::int64_t>();
    // to_unit(half) < share in whole numbers; share is rounded to float, as LibTorch does in comparing a tensor of
    // floats.
    const auto limit = static_cast<std::uint32_t>(std::ceil(static_cast<double>(static_cast<float>(share)) / unit));
    std::uint64_t largest = 0;
    for_each_block(1, [=, &largest](std::int64_t i, std::int64_t, std::uint64_t first, std::uint64_t second) {
      const std::int64_t drawn = to_below(choices, high(second));
      const std::int64_t another = from[i] + 1 + drawn;  // another < 2 n, so one subtraction gives the remainder
      const std::int64_t replacement = by_another ? (another < n ? another : another - n) : drawn;
      // A mask of all ones or all zeros: a branch on random numbers would be mispredicted half the time.
      const std::int64_t replace = -static_cast<std::int64_t>((low(first) >> 8) < limit);
      to[i] = (replacement & replace) | (from[i] & ~replace);
      largest = std::max(largest, static_cast<std::uint64_t>(from[i]));  // a negative value becomes larger than all
                                                                         // others
    });
    detail::require(largest < static_cast<std::uint64_t>(n), "Key.replaced: values", "in [0, " + detail::text(n) + ")",
                    static_cast<std::int64_t>(largest));
    return out;
  }

  /// Standard normal numbers, [N, shape...] float (Box and Muller, 1958).
  [[nodiscard]] at::Tensor normal(at::IntArrayRef shape = {}) const {
    const auto [sizes, n] = sizes_of(shape);
    const at::Tensor u = uniform({2, n});
    const at::Tensor radius = (-2 * (1 - u.select(1, 0)).log()).sqrt();
    return (radius * (2 * std::numbers::pi * u.select(1, 1)).cos()).view(sizes);
  }

 private:
  static constexpr float unit = 1.0F / (1 << 24);
  static constexpr auto probability_bounds = Bounds::share("Key: a probability");

  Key(detail::KeyWords words, at::Tensor ids, Moment now) : words_(std::move(words)), ids_(std::move(ids)), now_(now) {
    if (!ids_.defined() || ids_.dim() != 1 || ids_.scalar_type() != at::kLong) {
      throw Error("Key.ids must be [N] int64, one id a sample");
    }
  }

  [[nodiscard]] bool on_host() const { return ids_.device().is_cpu(); }
  [[nodiscard]] detail::TensorWords on_device() const { return {words_, now_}; }

  /// The result of `below` for ids on another device, [N] int64.
  [[nodiscard]] at::Tensor below_on_device(std::int64_t n) const {
    const at::Tensor second = on_device().draw(ids_, 2, 2).select(1, 1);
    return detail::TensorWords::high_half(detail::TensorWords::high_half(second) * n);
  }

  [[nodiscard]] std::pair<std::vector<std::int64_t>, std::int64_t> sizes_of(at::IntArrayRef shape) const {
    std::vector<std::int64_t> sizes{size()};
    std::int64_t n = 1;
    for (const std::int64_t length : shape) {
      sizes.push_back(length);
      n *= length;
    }
    return {sizes, n};
  }

  static std::uint32_t low(std::uint64_t word) { return static_cast<std::uint32_t>(word); }
  static std::uint32_t high(std::uint64_t word) { return static_cast<std::uint32_t>(word >> 32); }
  static float to_unit(std::uint32_t half) { return static_cast<float>(half >> 8) * unit; }
  static std::int64_t to_below(std::int64_t n, std::uint32_t half) {
    return static_cast<std::int64_t>((std::uint64_t{half} * static_cast<std::uint64_t>(n)) >> 32);
  }

  /// Calls f(i, block, first, second) for each sample and each of its first `blocks` blocks, chunk by chunk.
  template <class F>
  void for_each_block(std::int64_t blocks, F&& f) const {
    const at::Tensor ids = ids_.contiguous();
    const auto* const id = reinterpret_cast<const std::uint64_t*>(ids.data_ptr<std::int64_t>());
    const std::int64_t total = size() * blocks;
    const auto advance = [blocks](std::int64_t& sample, std::int64_t& block) {
      if (++block == blocks) {
        block = 0;
        ++sample;
      }
    };
    detail::Chunk chunk;
    std::int64_t sample = 0;
    std::int64_t block = 0;
    for (std::int64_t done = 0; done < total;) {
      const auto used = std::min<std::int64_t>(detail::threefry_chunk, total - done);
      const auto padded = static_cast<std::size_t>(used + 7) / 8 * 8;
      chunk.second.fill(0);
      // One block per sample, the case of labels, needs no counters: it saves a third of the time of a million draws.
      if (blocks == 1) {
        std::copy_n(id + done, used, chunk.first.begin());
      } else {
        std::int64_t i = sample;
        std::int64_t j = block;
        for (std::size_t k = 0; k < static_cast<std::size_t>(used); ++k) {
          chunk.first[k] = id[i];
          chunk.second[k] = static_cast<std::uint64_t>(j);
          advance(i, j);
        }
      }
      std::fill(chunk.first.begin() + used, chunk.first.begin() + static_cast<std::ptrdiff_t>(padded), 0);
      detail::threefry(words_.now(), chunk, padded);
      if (blocks == 1) {
        for (std::int64_t k = 0; k < used; ++k) {
          const auto at_k = static_cast<std::size_t>(k);
          f(done + k, std::int64_t{0}, chunk.first[at_k], chunk.second[at_k]);
        }
      } else {
        for (std::size_t k = 0; k < static_cast<std::size_t>(used); ++k) {
          f(sample, block, chunk.first[k], chunk.second[k]);
          advance(sample, block);
        }
      }
      done += used;
    }
  }

  friend struct KeyTest;  // compares the CPU's draws with the device's

  detail::KeyWords words_;
  at::Tensor ids_;
  Moment now_;
};

}  // namespace regimen::inline v0
