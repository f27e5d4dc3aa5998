#pragma once
// No LibTorch.

#include "regimen/schedule/concept.hpp"

namespace regimen::inline v0 {

/// The product of two schedules. `a * b` makes it if one of them is of this library or a `Knob`, and the other a
/// schedule or a number; for two of your own write `Product{a, b}` or `Knob(a) * b`. PyTorch's ChainedScheduler.
struct Product {
  Knob first;
  Knob second;

  double operator()(const Clock& clock, const HistoryView& scores = {}) const {
    return first(clock, scores) * second(clock, scores);
  }
};

namespace detail {

/// A type that operator* takes: a `Knob`, or a schedule that is a plain struct. A lambda has to be made a `Knob` first.
template <class T>
concept Factor = std::derived_from<T, Knob> || (Schedule<T> && std::is_aggregate_v<T>);

}  // namespace detail

template <detail::Factor A, class B>
  requires(detail::Factor<B> || std::is_arithmetic_v<B>)
Product operator*(const A& a, const B& b) {
  return {a, b};
}

template <class A, detail::Factor B>
  requires std::is_arithmetic_v<A>
Product operator*(A a, const B& b) {
  return {a, b};
}

}  // namespace regimen::inline v0
