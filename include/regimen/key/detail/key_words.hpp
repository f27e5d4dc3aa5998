#pragma once
// No LibTorch.

#include <cstdint>
#include <vector>

#include "regimen/key/detail/threefry.hpp"
#include "regimen/record/clock.hpp"

namespace regimen::inline v0::detail {

/// The two words of a key, folded from a seed. They hold for one moment; if a step is being recorded, they are also a
/// function of the moment, so that each replay gets its own words.
class KeyWords {
 public:
  explicit KeyWords(std::uint64_t seed) : now_{seed, 0} {}

  /// Words for another use.
  [[nodiscard]] KeyWords fold(std::uint64_t salt) const {
    KeyWords result = *this;
    result.now_ = threefry(now_, {salt, fold_mark});
    if (varies()) {
      result.folds_.push_back({By::salt, salt});
    }
    return result;
  }

  /// Words for this epoch. `keep_chain`: store the folds, so that `at` can give the words of other moments.
  [[nodiscard]] KeyWords each_epoch(std::int64_t epoch, bool keep_chain) const {
    return moved_on(in_epoch(now_, epoch), By::epoch, keep_chain);
  }

  /// Words for this step; `keep_chain` as for `each_epoch`.
  [[nodiscard]] KeyWords each_step(std::int64_t step, bool keep_chain) const {
    return moved_on(in_step(now_, step), By::step, keep_chain);
  }

  [[nodiscard]] Block now() const { return now_; }

  /// Whether the words are stored as a function of the moment.
  [[nodiscard]] bool varies() const { return !folds_.empty(); }

  /// The words at another moment; only if `varies()`.
  [[nodiscard]] Block at(const Clock& clock) const {
    Block words = base_;
    for (const Fold& fold : folds_) {
      if (fold.by == By::epoch) {
        words = in_epoch(words, clock.epoch);
      } else if (fold.by == By::step) {
        words = in_step(words, clock.step);
      } else {
        words = threefry(words, {fold.salt, fold_mark});
      }
    }
    return words;
  }

 private:
  // Counters for folds, apart from the block numbers that draws use as counters.
  static constexpr std::uint64_t fold_mark = std::uint64_t{1} << 62;
  static constexpr std::uint64_t epoch_mark = std::uint64_t{1} << 63;
  static constexpr std::uint64_t step_mark = fold_mark | epoch_mark;

  enum class By { salt, epoch, step };

  struct Fold {
    By by;
    std::uint64_t salt;
  };

  static Block in_epoch(Block words, std::int64_t epoch) {
    return threefry(words, {static_cast<std::uint64_t>(epoch), epoch_mark});
  }

  static Block in_step(Block words, std::int64_t step) {
    return threefry(words, {static_cast<std::uint64_t>(step), step_mark});
  }

  [[nodiscard]] KeyWords moved_on(Block now, By by, bool keep_chain) const {
    KeyWords result = *this;
    result.now_ = now;
    if (keep_chain && !varies()) {
      result.base_ = now_;
    }
    if (keep_chain) {
      result.folds_.push_back({by, 0});
    }
    return result;
  }

  Block now_;
  Block base_{};
  std::vector<Fold> folds_;  ///< folds since base_
};

}  // namespace regimen::inline v0::detail
