#pragma once
// No LibTorch.

#include <concepts>
#include <type_traits>

#include "regimen/stop/concept.hpp"

namespace regimen::inline v0 {

/// Either. `a || b` writes it where one of them is of this library; of two of your own or lambdas, `Stop(a) || b`, a
/// lambda being a `Stop` too.
struct AnyOf {
  Stop first;
  Stop second;

  bool operator()(const History& history) const { return first(history) || second(history); }
};

/// Both. `a && b` writes it.
struct AllOf {
  Stop first;
  Stop second;

  bool operator()(const History& history) const { return first(history) && second(history); }
};

/// The opposite. `!a` writes it.
struct Not {
  Stop criterion;

  bool operator()(const History& history) const { return !criterion(history); }
};

namespace detail {

/// The criteria of this library and a `Stop` made from any other; a lambda on its own keeps its operators to itself.
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
