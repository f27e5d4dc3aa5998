#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/scalar_tensor.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "regimen/key/slots.hpp"
#include "regimen/schedule/bounds.hpp"
#include "regimen/schedule/concept.hpp"

namespace regimen::inline v0 {

class Source;
struct Moment;

namespace detail {

/// The value of a knob as a number, even while a step is recorded: for functions that fill a slot. Elsewhere the
/// recording would keep this value forever.
inline double value_at(const Moment& now, const Knob& knob);

/// That value, checked. Throws Error where a schedule has left the bounds.
inline double value_within(const Bounds& bounds, const Moment& now, const Knob& knob) {
  const double value = value_at(now, knob);
  bounds.check(value);
  return value;
}

}  // namespace detail

/// The moment at which a part of a regime acts: a clock with the scores so far, which turns knobs into numbers.
///
/// Every value that may change during a phase is read through it. `tensor` is for arithmetic on the device: in a
/// recorded step it gives a slot, which is refilled before each replay. The call operator gives a number on the host,
/// which a recording would keep forever: reading a schedule so makes the step run eagerly.
struct Moment {
  Clock clock{};
  const History* history = nullptr;  ///< of the phase so far; null in a loop that keeps none
  detail::Slots* slots = nullptr;    ///< slots of the step that is to be recorded (`Captured`), else null
  bool of_epoch = false;             ///< true if this is the moment of the epoch's begin
  std::int64_t batches_a_step = 1;   ///< `Phase::accumulate`
  const Source* data = nullptr;      ///< the data being read, from which an empty `Mixup::partners` draws; null in a
                                     ///< loop of your own that does not set it
  const Source* so_far = nullptr;    ///< the data as the transforms before this one in a list left them; null for the
                                     ///< first one

  /// The moment of the epoch's begin. An epoch reads its data as of that moment, damage that follows a schedule
  /// included; so do the rest of an epoch after a resume and the scoring of the training data. A loop of your own whose
  /// schedules count steps must set `Clock::batch` as well as `Clock::step`.
  [[nodiscard]] Moment epoch_began() const {
    Moment began = *this;
    began.of_epoch = true;
    const std::int64_t steps = (clock.batch + batches_a_step - 1) / batches_a_step;
    began.clock.step = std::max<std::int64_t>(clock.step - steps, 0);
    began.clock.batch = 0;
    return began;
  }

  /// This moment for parts that act on these data.
  [[nodiscard]] Moment on(const Source& source) const {
    Moment now = *this;
    now.data = &source;
    now.so_far = nullptr;
    return now;
  }

  [[nodiscard]] double operator()(const Knob& knob) const {
    if (slots != nullptr && !knob.constant()) {
      slots->refuse("it reads " + knob.manifest() + " on the host");
    }
    return detail::value_at(*this, knob);
  }

  /// The value of a knob, checked. Throws Error if a schedule has left the bounds.
  [[nodiscard]] double operator()(const Knob& knob, const Bounds& bounds) const {
    const double value = (*this)(knob);
    bounds.check(value);
    return value;
  }

  /// The value of a knob with a range, checked against it.
  template <class Range, detail::FieldName Name>
  [[nodiscard]] double operator()(const Bounded<Range, Name>& knob) const {
    return (*this)(knob, knob.bounds());
  }

  /// The value of a knob as a tensor, 0-d double; multiplies tensors of any floating type on any device without
  /// changing their type.
  [[nodiscard]] at::Tensor tensor(const Knob& knob) const {
    if (slots != nullptr && !knob.constant()) {
      return slots->number(*this, of_epoch, [knob](const Moment& now) { return detail::value_at(now, knob); });
    }
    return at::scalar_tensor(detail::value_at(*this, knob), at::kDouble);
  }
  /// That tensor, checked. Throws Error where a schedule has left the bounds.
  [[nodiscard]] at::Tensor tensor(const Knob& knob, const Bounds& bounds) const {
    if (slots != nullptr && !knob.constant()) {
      // The bounds' field may be a view of a name that this knob holds, and the slot may outlive the knob: so it copies
      // the name.
      return slots->number(*this, of_epoch, [knob, bounds, name = std::string(bounds.field)](const Moment& now) {
        return detail::value_within(bounds.named(name), now, knob);
      });
    }
    return at::scalar_tensor(detail::value_within(bounds, *this, knob), at::kDouble);
  }
  template <class Range, detail::FieldName Name>
  [[nodiscard]] at::Tensor tensor(const Bounded<Range, Name>& knob) const {
    return tensor(knob, knob.bounds());
  }
};

inline double detail::value_at(const Moment& now, const Knob& knob) {
  static const History none;
  return knob(now.clock, now.history != nullptr ? *now.history : none);
}

/// Former name of `Moment`.
using Now [[deprecated("it is called regimen::Moment")]] = Moment;

}  // namespace regimen::inline v0
