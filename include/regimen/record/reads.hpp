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

/// What a part reads: metrics of the scores, and measures by their names.
struct Reads {
  std::vector<Metric> metrics{};
  std::vector<std::string> measures{};

  void add(const std::vector<Metric>& more) { metrics.insert(metrics.end(), more.begin(), more.end()); }
  void add(const std::vector<std::string>& more) { measures.insert(measures.end(), more.begin(), more.end()); }
};

/// Adds what a part reads: the results of its `metrics()` and `measures()` where it has them, else what its fields
/// read. A type that writes its own manifest has no fields here, but its member `metric` counts.
template <bool metrics, bool measures, class T>
void add_reads(const T& value, Reads& reads) {
  constexpr bool says_metrics = metrics && requires { std::vector<Metric>(value.metrics()); };
  constexpr bool says_measures = measures && requires { std::vector<std::string>(value.measures()); };
  if constexpr (says_metrics) {
    reads.add(std::vector<Metric>(value.metrics()));
  }
  if constexpr (says_measures) {
    reads.add(std::vector<std::string>(value.measures()));
  }
  constexpr bool more_metrics = metrics && !says_metrics;
  constexpr bool more_measures = measures && !says_measures;
  if constexpr (more_metrics && std::is_same_v<T, Metric>) {
    reads.metrics.push_back(value);
  } else if constexpr ((more_metrics || more_measures) && HasParts<T>) {
    for_each_part(value, [&reads](const auto& part) { add_reads<more_metrics, more_measures>(part, reads); });
  } else if constexpr (more_metrics && requires { Metric(value.metric); }) {
    reads.metrics.push_back(value.metric);
  }
}

/// What a part reads. `run` refuses a phase that reads a metric that is never scored, or a measure that is never taken.
template <class T>
Reads reads_of(const T& value) {
  Reads reads;
  add_reads</*metrics=*/true, /*measures=*/true>(value, reads);
  return reads;
}

/// The metrics that a part reads.
template <class T>
std::vector<Metric> metrics_of(const T& value) {
  Reads reads;
  add_reads</*metrics=*/true, /*measures=*/false>(value, reads);
  return reads.metrics;
}

}  // namespace regimen::inline v0::detail
