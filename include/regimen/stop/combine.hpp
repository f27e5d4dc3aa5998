#pragma once
// No LibTorch.

#include <concepts>
#include <type_traits>

#include "regimen/stop/concept.hpp"

namespace regimen::inline v0 {

/// A criterion that is met if at least one of two is. `a || b` makes it if one of them is of this library or a `Stop`.
/// For two of your own write `Stop(a) || b`; a lambda always has to be made a `Stop`.
struct AnyOf {
  Stop first;
  Stop second;

  bool operator()(const History& history) const { return first(history) || second(history); }
};

/// A criterion that is met if both of two are. `a && b` makes it.
struct AllOf {
  Stop first;
  Stop second;

  bool operator()(const History& history) const { return first(history) && second(history); }
};

/// A criterion that is met if another one is not. `!a` makes it.
struct Not {
  Stop criterion;

  bool operator()(const History& history) const { return !criterion(history); }
};

namespace detail {

/// A type that these operators take: a `Stop`, or a criterion that is a plain struct. A lambda has to be made a `Stop`.
template <class T>
concept Term = std::same_as<T, Stop> || (StopCriterion<T> && std::is_aggregate_v<T>);

}  // namespace detail

template <detail::Term A, detail::Term B>
AnyOf operator||(const A& a, const B& b) {
  return {a, b};
}

template <detail::Term A, detail::Term B>
AllOf operator&&(const A& a, const B& b) {
  return {a, b};
}

template <detail::Term A>
Not operator!(const A& a) {
  return {.criterion = a};  // not {a}, which would copy a Not instead of negating it
}

}  // namespace regimen::inline v0
