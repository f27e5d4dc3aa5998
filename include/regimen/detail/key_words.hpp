#pragma once
// No LibTorch.

#include <cstdint>
#include <vector>

#include "regimen/detail/threefry.hpp"

namespace regimen::inline v0::detail {

/// The two words of a key, folded from a seed: for one moment, and, where a step is recorded, as a function of the
/// epoch, so that a replay can be given those of its own.
class KeyWords {
 public:
  explicit KeyWords(std::uint64_t seed) : now_{seed, 0} {}

  /// For another use.
  [[nodiscard]] KeyWords fold(std::uint64_t salt) const {
    KeyWords result = *this;
    result.now_ = threefry(now_, {salt, fold_mark});
    if (varies()) {
      result.folds_.push_back({false, salt});
    }
    return result;
  }

  /// For this epoch. `keep_chain`: so that `at` can tell the words of others.
  [[nodiscard]] KeyWords each_epoch(int epoch, bool keep_chain) const {
    KeyWords result = *this;
    result.now_ = in_epoch(now_, epoch);
    if (keep_chain && !varies()) {
      result.base_ = now_;
    }
    if (keep_chain) {
      result.folds_.push_back({true, 0});
    }
    return result;
  }

  [[nodiscard]] Block now() const { return now_; }

  /// Whether they are a function of the epoch, as far as is known here.
  [[nodiscard]] bool varies() const { return !folds_.empty(); }

  /// In another epoch. For words that vary.
  [[nodiscard]] Block at(int epoch) const {
    Block words = base_;
    for (const Fold& fold : folds_) {
      words = fold.by_epoch ? in_epoch(words, epoch) : threefry(words, {fold.salt, fold_mark});
    }
    return words;
  }

 private:
  // Counters that folds use, out of reach of the block numbers that draws use.
  static constexpr std::uint64_t fold_mark = std::uint64_t{1} << 62;
  static constexpr std::uint64_t epoch_mark = std::uint64_t{1} << 63;

  struct Fold {
    bool by_epoch;
    std::uint64_t salt;
  };

  static Block in_epoch(Block words, int epoch) {
    return threefry(words, {static_cast<std::uint64_t>(epoch), epoch_mark});
  }

  Block now_;
  Block base_{};
  std::vector<Fold> folds_;  ///< from base_ on
};

}  // namespace regimen::inline v0::detail
