#pragma once
// No LibTorch.

#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "regimen/base/fields.hpp"
#include "regimen/base/manifest.hpp"
#include "regimen/record/history.hpp"

namespace regimen::inline v0::detail {

/// What has parts to look into: a list, or a plain struct with fields. What writes its own manifest has none.
template <class T>
concept HasParts = is_vector<T> || (Plain<T> && !HasManifest<T>);

/// Calls look(part) for each of them.
template <HasParts T, class Look>
void for_each_part(const T& value, Look&& look) {
  if constexpr (is_vector<T>) {
    for (const auto& element : value) {
      look(element);
    }
  } else {
    const auto fields = fields_of(value);
    const auto look_at_each = [&]<std::size_t... I>(std::index_sequence<I...>) { (look(get_field<I>(fields)), ...); };
    look_at_each(std::make_index_sequence<fields.size>{});
  }
}

/// The metrics that a primitive reads: those among its fields and among its fields' fields, unless a `metrics()` of its
/// own has the last word. What writes its own manifest has no fields to look at. `run` refuses a phase that reads a
/// metric which is never scored.
template <class T>
std::vector<Metric> metrics_of(const T& value) {
  std::vector<Metric> found;
  if constexpr (requires { std::vector<Metric>(value.metrics()); }) {
    return value.metrics();
  } else if constexpr (std::is_same_v<T, Metric>) {
    return {value};
  } else if constexpr (HasParts<T>) {
    for_each_part(value, [&found](const auto& part) {
      const std::vector<Metric> more = metrics_of(part);
      found.insert(found.end(), more.begin(), more.end());
    });
  } else if constexpr (requires { Metric(value.metric); }) {
    return {value.metric};
  }
  return found;
}

/// The metrics that a source reads. A view that writes its own manifest reads those of the source below it and those of
/// its transform.
template <class S>
std::vector<Metric> metrics_of_source(const S& source) {
  std::vector<Metric> found = metrics_of(source);
  const auto add = [&found](const std::vector<Metric>& more) { found.insert(found.end(), more.begin(), more.end()); };
  if constexpr (!HasParts<S>) {
    if constexpr (requires { source.of.metrics(); }) {
      add(source.of.metrics());
    }
    if constexpr (requires { source.transform.metrics(); }) {
      add(source.transform.metrics());
    }
  }
  return found;
}

/// The same of measures by their names: whoever reads one says so in a `measures()` of its own.
template <class T>
std::vector<std::string> measures_of(const T& value) {
  std::vector<std::string> found;
  if constexpr (requires { std::vector<std::string>(value.measures()); }) {
    return value.measures();
  } else if constexpr (HasParts<T>) {
    for_each_part(value, [&found](const auto& part) {
      const std::vector<std::string> more = measures_of(part);
      found.insert(found.end(), more.begin(), more.end());
    });
  }
  return found;
}

}  // namespace regimen::inline v0::detail
