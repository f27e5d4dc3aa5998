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

/// A type with parts to look into: a vector, or a plain struct that does not write its own manifest.
template <class T>
concept HasParts = is_vector<T> || (Plain<T> && !HasManifest<T>);

/// Calls look(field) for each field of a plain struct.
template <Plain T, class Look>
void for_each_field(const T& value, Look&& look) {
  const auto fields = fields_of(value);
  const auto look_at_each = [&]<std::size_t... I>(std::index_sequence<I...>) { (look(get_field<I>(fields)), ...); };
  look_at_each(std::make_index_sequence<fields.size>{});
}

/// Calls look(part) for each element of a vector or each field of a plain struct.
template <HasParts T, class Look>
void for_each_part(const T& value, Look&& look) {
  if constexpr (is_vector<T>) {
    for (const auto& element : value) {
      look(element);
    }
  } else {
    for_each_field(value, look);
  }
}

/// The metrics that a part reads: the result of its `metrics()` if it has one, else the metrics among its fields and
/// their fields. A type that writes its own manifest has no fields here, but its member `metric` counts. `run` refuses
/// a phase that reads a metric which is never scored.
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

/// Names of the measures that a part reads: the result of its `measures()` if it has one, else those of its fields.
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
