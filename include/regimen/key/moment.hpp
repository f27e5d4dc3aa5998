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

/// The number also where a step is recorded: for a function that fills a slot. Anywhere else it would be frozen there.
double value_at(const Moment& now, const Knob& knob);

}  // namespace detail

/// The moment at which a part of a regime acts: it turns knobs into numbers.
///
/// Whatever may change while a phase runs comes through here and nowhere else. `tensor` is for arithmetic on the
/// device: where a step is recorded once and replayed, it gives a slot that is refilled before each replay. A number
/// is for the host, and would be frozen there: reading one that follows a schedule makes such a step run eagerly.
struct Moment {
  Clock clock{};
  const History* history = nullptr;  ///< of the phase so far; none in a loop that keeps none
  detail::Slots* slots = nullptr;    ///< of a step that is to be recorded (`Captured`)
  bool of_epoch = false;             ///< the moment is that at which the epoch began
  std::int64_t batches_a_step = 1;   ///< `Phase::accumulate`
  const Source* data = nullptr;      ///< those that are read, which an empty `Mixup::partners` draws from; none in a
                                     ///< loop of your own that does not set it
  const Source* so_far = nullptr;    ///< the same as the transforms that come before in a list leave them; none before
                                     ///< a list's first one

  /// The moment at which the epoch began. An epoch reads its data as they were then, damage that follows a schedule
  /// among them: so does what goes on with the epoch after a resume, and the scoring of what was trained on. A loop of
  /// your own that has schedules in steps there must count `Clock::batch` as well as `Clock::step`.
  [[nodiscard]] Moment epoch_began() const {
    Moment began = *this;
    began.of_epoch = true;
    const std::int64_t steps = (clock.batch + batches_a_step - 1) / batches_a_step;
    began.clock.step = std::max<std::int64_t>(clock.step - steps, 0);
    began.clock.batch = 0;
    return began;
  }

  /// This moment, for what acts on these data.
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

  /// The same, checked. Throws Error where a schedule has left the bounds.
  [[nodiscard]] double operator()(const Knob& knob, const Bounds& bounds) const {
    const double value = (*this)(knob);
    bounds.check(value);
    return value;
  }

  /// A knob with a range, checked against it.
  template <class Range, detail::FieldName Name>
  [[nodiscard]] double operator()(const Bounded<Range, Name>& knob) const {
    return (*this)(knob, knob.bounds());
  }

  /// 0-d double; multiplies tensors of any floating type on any device without changing their type.
  [[nodiscard]] at::Tensor tensor(const Knob& knob) const {
    if (slots != nullptr && !knob.constant()) {
      return slots->number(*this, of_epoch, [knob](const Moment& now) { return detail::value_at(now, knob); });
    }
    return at::scalar_tensor(detail::value_at(*this, knob), at::kDouble);
  }
  [[nodiscard]] at::Tensor tensor(const Knob& knob, const Bounds& bounds) const {
    if (slots != nullptr && !knob.constant()) {
      return slots->number(*this, of_epoch, [knob, bounds](const Moment& now) {
        const double value = detail::value_at(now, knob);
        bounds.check(value);
        return value;
      });
    }
    const double value = detail::value_at(*this, knob);
    bounds.check(value);
    return at::scalar_tensor(value, at::kDouble);
  }

  template <class Range, detail::FieldName Name>
  [[nodiscard]] at::Tensor tensor(const Bounded<Range, Name>& knob) const {
    if (slots != nullptr && !knob.constant()) {
      // A copy of the knob, whose name an error needs: the slot may outlive the part that the knob is a field of.
      return slots->number(*this, of_epoch, [knob](const Moment& now) {
        const double value = detail::value_at(now, knob);
        knob.bounds().check(value);
        return value;
      });
    }
    return tensor(knob, knob.bounds());
  }
};

inline double detail::value_at(const Moment& now, const Knob& knob) {
  static const History none;
  return knob(now.clock, now.history != nullptr ? *now.history : none);
}

/// The name of before.
using Now [[deprecated("it is called regimen::Moment")]] = Moment;

}  // namespace regimen::inline v0
