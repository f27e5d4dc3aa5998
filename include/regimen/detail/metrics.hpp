#pragma once
// No LibTorch.

#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "regimen/detail/fields.hpp"
#include "regimen/manifest.hpp"
#include "regimen/record.hpp"

namespace regimen::inline v0::detail {

/// The metrics that a primitive reads: those among its fields and among its fields' fields, unless a `metrics()` of its
/// own has the last word. What writes its own manifest has no fields to look at. `run` refuses a phase that reads a
/// metric which is never scored.
template <class T>
std::vector<Metric> metrics_of(const T& value) {
  std::vector<Metric> found;
  const auto add = [&found](const auto& part) {
    const std::vector<Metric> more = metrics_of(part);
    found.insert(found.end(), more.begin(), more.end());
  };
  if constexpr (requires { std::vector<Metric>(value.metrics()); }) {
    return value.metrics();
  } else if constexpr (std::is_same_v<T, Metric>) {
    return {value};
  } else if constexpr (is_vector<T>) {
    for (const auto& element : value) {
      add(element);
    }
  } else if constexpr (Plain<T> && !requires { std::string(value.manifest()); }) {
    const auto fields = fields_of(value);
    const auto add_each = [&]<std::size_t... I>(std::index_sequence<I...>) { (add(get_field<I>(fields)), ...); };
    add_each(std::make_index_sequence<fields.size>{});
  } else if constexpr (requires { Metric(value.metric); }) {
    return {value.metric};
  }
  return found;
}

/// The same of measures by their names: whoever reads one says so in a `measures()` of its own.
template <class T>
std::vector<std::string> measures_of(const T& value) {
  std::vector<std::string> found;
  const auto add = [&found](const auto& part) {
    const std::vector<std::string> more = measures_of(part);
    found.insert(found.end(), more.begin(), more.end());
  };
  if constexpr (requires { std::vector<std::string>(value.measures()); }) {
    return value.measures();
  } else if constexpr (is_vector<T>) {
    for (const auto& element : value) {
      add(element);
    }
  } else if constexpr (Plain<T> && !requires { std::string(value.manifest()); }) {
    const auto fields = fields_of(value);
    const auto add_each = [&]<std::size_t... I>(std::index_sequence<I...>) { (add(get_field<I>(fields)), ...); };
    add_each(std::make_index_sequence<fields.size>{});
  }
  return found;
}

}  // namespace regimen::inline v0::detail
