#pragma once
// No LibTorch.

#include "regimen/schedule/concept.hpp"

namespace regimen::inline v0 {

/// Both at once: their product, of any two schedules. `a * b` writes it where one of them is of this library and the
/// other a schedule or a number; of two of your own, `Product{a, b}` or `Knob(a) * b`. PyTorch's ChainedScheduler.
struct Product {
  Knob first;
  Knob second;

  double operator()(const Clock& clock, const HistoryView& scores = {}) const {
    return first(clock, scores) * second(clock, scores);
  }
};

namespace detail {

/// The schedules of this library and knobs made from any other; a lambda on its own keeps its operators to itself.
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
