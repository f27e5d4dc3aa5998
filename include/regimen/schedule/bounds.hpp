#pragma once
// No LibTorch.

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "regimen/base/error.hpp"
#include "regimen/schedule/concept.hpp"

namespace regimen::inline v0 {

/// A range for a knob, and the name of the knob in errors: "L2.strength must be at least 0 and finite, but is -1".
struct Bounds {
  std::string_view field;
  double low;
  double high;
  std::string_view bound;  ///< the range in words

  void check(double value) const { detail::require(value >= low && value <= high, field, bound, value); }
  /// Checks a constant. A schedule passes here: it is checked whenever it is read.
  void check(const Knob& knob) const {
    if (knob.constant()) {
      check(knob({}));
    }
  }

  static constexpr Bounds share(std::string_view field) { return {field, 0, 1, "in [0, 1]"}; }
  static constexpr Bounds open_share(std::string_view field) {
    return {field, std::numeric_limits<double>::denorm_min(), 1 - std::numeric_limits<double>::epsilon() / 2,
            "in (0, 1)"};
  }
  static constexpr Bounds not_negative(std::string_view field) {
    return {field, 0, std::numeric_limits<double>::max(), "at least 0 and finite"};
  }
  static constexpr Bounds positive(std::string_view field) {
    return {field, std::numeric_limits<double>::denorm_min(), std::numeric_limits<double>::infinity(), "above 0"};
  }

  /// This range under another name for errors.
  [[nodiscard]] constexpr Bounds named(std::string_view name) const { return {name, low, high, bound}; }
};

namespace detail {

struct InShare {
  static constexpr Bounds bounds = Bounds::share("a knob");
};
struct InOpenShare {
  static constexpr Bounds bounds = Bounds::open_share("a knob");
};
struct AtLeastZero {
  static constexpr Bounds bounds = Bounds::not_negative("a knob");
};
struct AboveZero {
  static constexpr Bounds bounds = Bounds::positive("a knob");
};

/// A field's name as a template argument.
template <std::size_t N>
struct FieldName {
  char letters[N];

  constexpr FieldName(const char (&text)[N]) : letters{} {  // NOLINT: a text is a name
    for (std::size_t i = 0; i < N; ++i) {
      letters[i] = text[i];
    }
  }
  [[nodiscard]] constexpr std::string_view text() const { return {letters, N - 1}; }
};

}  // namespace detail

/// A knob with a range. A number out of the range is an Error as soon as the plain struct that holds the knob becomes
/// part of a phase; a schedule out of it is an Error at the step where it leaves the range, also in recorded steps.
/// Such a struct needs no `check()`; `pass.now.tensor(strength)` reads the knob with its check. A class with a
/// constructor, whose fields cannot be listed, must give the knob a name and call its `check()`.
///
/// Errors call the knob by `Name`, or, if that is empty, by the struct's type and the field's name.
///     struct Centered {
///       regimen::NotNegative<"Centered.strength"> strength = 0.01;
///       at::Tensor penalty(const regimen::Pass& pass) const { return ... * pass.now.tensor(strength); }
///     };
template <class Range, detail::FieldName Name = "">
class Bounded : public Knob {
 public:
  using Knob::Knob;
  Bounded(Knob knob) : Knob(std::move(knob)) {}  // NOLINT: a knob may be bounded

  [[nodiscard]] Bounds bounds() const {
    if constexpr (Name.text().empty()) {
      return name_.empty() ? Range::bounds : Range::bounds.named(name_);
    } else {
      return Range::bounds.named(Name.text());
    }
  }

  /// Throws Error if the knob is a number out of the range.
  void check() const { bounds().check(static_cast<const Knob&>(*this)); }

  /// Sets the name for errors; has no effect if the type has a `Name`.
  void set_name(const std::string& name) { name_ = name; }

 private:
  std::string name_;
};

/// A knob in [0, 1]: a probability, a share of the samples.
template <detail::FieldName Name = "">
using Share = Bounded<detail::InShare, Name>;

/// A knob in (0, 1): a momentum.
template <detail::FieldName Name = "">
using OpenShare = Bounded<detail::InOpenShare, Name>;

/// A knob that is at least 0 and finite: a strength, a standard deviation.
template <detail::FieldName Name = "">
using NotNegative = Bounded<detail::AtLeastZero, Name>;

/// A knob above 0, or infinite: an upper bound that may be switched off.
template <detail::FieldName Name = "">
using Positive = Bounded<detail::AboveZero, Name>;

}  // namespace regimen::inline v0
