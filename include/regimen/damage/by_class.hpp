#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/damage/labelled_ids.hpp"
#include "regimen/key/moment.hpp"
#include "regimen/source/source.hpp"
#include "regimen/source/views.hpp"

namespace regimen::inline v0 {
namespace detail {

/// The samples that are marked in a mask, [n] bool.
inline Source marked(const Source& source, const at::Tensor& mask) {
  return subset(source, mask.nonzero().flatten());
}

}  // namespace detail

/// Splits a source by class: one source for each class, possibly empty. Reads the source once. Damage that follows a
/// schedule is that of `now`, also when a part is read later (`as_of`). Throws Error unless the source is indexed, its
/// targets are [N] int64 in [0, classes), and classes >= 1.
///     const auto parts = regimen::by_class(test, /*classes=*/10);
[[nodiscard]] inline std::vector<Source> by_class(const Source& source, std::int64_t classes, const Moment& now = {}) {
  detail::require(classes >= 1, "by_class: classes", "at least 1", classes);
  const at::Tensor labels = detail::labelled_ids(source, "by_class", now).label;
  const auto least = labels.min().item<std::int64_t>();
  const auto largest = labels.max().item<std::int64_t>();
  const std::string bound = "in [0, " + detail::text(classes) + ")";
  detail::require(least >= 0, "by_class: a label", bound, least);
  detail::require(largest < classes, "by_class: a label", bound, largest);
  const Source still = as_of(source, now);
  std::vector<Source> parts;
  for (std::int64_t c = 0; c < classes; ++c) {
    parts.push_back(detail::marked(still, labels == c));
  }
  return parts;
}

}  // namespace regimen::inline v0
