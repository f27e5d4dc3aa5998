#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "regimen/damage/labelled_ids.hpp"
#include "regimen/key/order.hpp"
#include "regimen/key/salts.hpp"
#include "regimen/source/columns.hpp"
#include "regimen/source/source.hpp"
#include "regimen/tensor/described.hpp"
#include "regimen/transform/labels/checks.hpp"
#include "regimen/transform/labels/matrix.hpp"

/// Views of a source with other labels, where each label depends on all samples: permuted, balanced, in exact numbers,
/// or from a list. They store the labels, [N] int64.
namespace regimen::inline v0 {

namespace detail {

struct Relabelled {
  Source of;
  at::Tensor labels{};  ///< [size] int64 in the order of the source, on its device
  std::string type{};
  std::string how{};   ///< JSON: members of the manifest that tell how the labels were made
  bool drawn = false;  ///< true if the labels were drawn at random: then they are one more random layer

  [[nodiscard]] std::int64_t size() const { return *of.size(); }
  [[nodiscard]] SourceTraits traits() const {
    SourceTraits traits = of.traits();
    traits.random_layers += drawn ? 1 : 0;
    return traits;
  }
  [[nodiscard]] Batch get(const at::Tensor& index, const Moment& now) const {
    const Batch batch = of.get(index, now);
    const at::Device& where = batch.target.defined() ? batch.target.device() : batch.data.device();
    return with_target(batch, labels.index_select(0, index).to(where));
  }

  [[nodiscard]] std::string manifest() const {
    return "{\"type\": " + json::quoted(type) + ", \"of\": " + of.manifest() + ", " + how + "}";
  }
};

inline std::string said_by_seed(std::uint64_t seed) {
  return "\"seed\": " + text(seed);
}

/// The counts of n samples shared out by probabilities: whole numbers that sum to n, each less than 1 away from n times
/// its probability. The counts with the largest remainders are rounded up; of equal remainders the first.
inline std::vector<std::int64_t> largest_remainder(std::int64_t n, const std::vector<double>& shares) {
  std::vector<std::int64_t> counts;
  // In whole billionths, so that remainders that are equal up to rounding are equal and sort consistently. A comparison
  // with a tolerance of 1e-9 would not be transitive.
  std::vector<std::int64_t> remainders;
  std::int64_t left = n;
  for (const double share : shares) {
    const double exact = share * static_cast<double>(n);
    counts.push_back(static_cast<std::int64_t>(exact + 1e-9));  // 0.29 * 100 is 28.999999999999996, and means 29
    const double remainder = exact - static_cast<double>(counts.back());
    remainders.push_back(share > 0 ? std::llround(remainder * 1e9) : std::numeric_limits<std::int64_t>::min());
    left -= counts.back();
  }
  std::vector<std::size_t> order(shares.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return remainders[a] > remainders[b]; });
  for (std::size_t k = 0; left > 0; ++k, --left) {
    ++counts[order[k % order.size()]];
  }
  return counts;
}

}  // namespace detail

/// A source with other labels, one for each sample in its order: labels of annotators from a file, or the original ones
/// (`label_noise(...).original`). labels [size] int64, at least 0. Throws Error unless the source is indexed and the
/// labels are of this kind.
///     const auto by_people = regimen::relabelled(train, labels_of_annotators);
[[nodiscard]] inline Source relabelled(const Source& source, const at::Tensor& labels) {
  if (!source.indexed()) {
    throw Error("relabelled takes an indexed source, not a stream");
  }
  const std::int64_t n = *source.size();
  if (!labels.defined() || labels.dim() != 1 || labels.scalar_type() != at::kLong || labels.size(0) != n) {
    throw Error("relabelled: labels must be [" + detail::text(n) + "] int64, one a sample, not " +
                detail::described(labels));
  }
  if (n > 0) {
    const auto least = labels.min().item<std::int64_t>();
    detail::require(least >= 0, "relabelled: labels", "at least 0", least);
  }
  const std::string sum = "\"labels_crc32\": " + detail::json::quoted(detail::crc32_of(labels));
  return detail::Relabelled{source, labels.to(source.device()), "Relabelled", sum};
}

/// A source with its labels randomly permuted among its samples: random labels with the class frequencies of the
/// source. Which sample gets which label depends on the seed and the ids, not on the source's order. Throws Error
/// unless the source is indexed and its targets are [N] int64.
[[nodiscard]] inline Source permuted_labels(const Source& source, std::uint64_t seed) {
  const auto [id, label] = detail::labelled_ids(source, "permuted_labels");
  const at::Tensor order =
      detail::ranked(detail::apart_from_below(Key(seed, id), source).fold(detail::salt::permutation));
  at::Tensor dealt = at::empty({label.size(0)}, at::kLong);
  dealt.index_copy_(0, order, label.index_select(0, id.argsort()));
  return detail::Relabelled{source, dealt.to(source.device()), "PermutedLabels", detail::said_by_seed(seed), true};
}

/// A source with random labels, all classes equally often: N / classes of N samples each, and one more for the first N
/// % classes classes. Which sample gets which label depends on the seed and the ids, not on the samples' own labels.
/// Throws Error unless classes >= 2 and the source is indexed with targets of [N] int64.
[[nodiscard]] inline Source balanced_labels(const Source& source, std::int64_t classes, std::uint64_t seed) {
  detail::require(classes >= 2, "balanced_labels: classes", "at least 2", classes);
  const at::Tensor id = detail::labelled_ids(source, "balanced_labels").id;
  const at::Tensor order = detail::ranked(detail::apart_from_below(Key(seed, id), source).fold(detail::salt::balance));
  at::Tensor labels = at::empty({order.size(0)}, at::kLong);
  labels.index_copy_(0, order, at::arange(order.size(0), at::kLong).remainder(classes));
  const std::string how = "\"classes\": " + detail::text(classes) + ", " + detail::said_by_seed(seed);
  return detail::Relabelled{source, labels.to(source.device()), "BalancedLabels", how, true};
}

/// A source with label noise in exact numbers: of the n samples of class i, n * rows[i][j] get label j, rounded by the
/// largest remainder, so that each number is less than 1 away and their sum is n. Which samples these are is drawn from
/// the seed. A frozen `NoiseMatrix` instead draws for each sample independently, and has these shares on average.
/// Throws Error unless the source is indexed, its labels are in [0, rows.size()), and the matrix's fraction is a
/// number.
///     const auto noisy = regimen::exact_labels(train, regimen::matrix_of(regimen::PairFlip{10, 0.45}), /*seed=*/7);
[[nodiscard]] inline Source exact_labels(const Source& source, const NoiseMatrix& noise, std::uint64_t seed) {
  if (!noise.fraction.constant()) {
    throw Error("exact_labels deals labels out once: NoiseMatrix.fraction must be a number, not a schedule");
  }
  const NoiseMatrix whole = matrix_of(noise);
  const auto classes = static_cast<std::int64_t>(whole.rows.size());
  const auto [id, label] = detail::labelled_ids(source, "exact_labels");
  const std::int64_t n = label.size(0);
  const auto* const truth = label.data_ptr<std::int64_t>();
  std::vector<std::int64_t> samples(static_cast<std::size_t>(classes), 0);
  for (std::int64_t i = 0; i < n; ++i) {
    detail::require(truth[i] >= 0 && truth[i] < classes, "exact_labels: a label",
                    "in [0, " + detail::text(classes) + ")", truth[i]);
    ++samples[static_cast<std::size_t>(truth[i])];
  }
  // For each class, the labels that are still to be given out, in order.
  std::vector<std::vector<std::int64_t>> counts;
  for (std::size_t c = 0; c < samples.size(); ++c) {
    counts.push_back(detail::largest_remainder(samples[c], whole.rows.elements()[c]));
  }
  std::vector<std::size_t> next(samples.size(), 0);
  const Key key = detail::apart_from_below(Key(seed, id), source).fold(detail::salt::exact);
  const at::Tensor order = detail::ranked(key).contiguous();
  const auto* const place = order.data_ptr<std::int64_t>();
  at::Tensor dealt = at::empty({n}, at::kLong);
  auto* const to = dealt.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < n; ++i) {
    const auto c = static_cast<std::size_t>(truth[place[i]]);
    while (counts[c][next[c]] == 0) {
      ++next[c];
    }
    --counts[c][next[c]];
    to[place[i]] = static_cast<std::int64_t>(next[c]);
  }
  const std::string how = "\"noise\": " + regimen::manifest(noise) + ", " + detail::said_by_seed(seed);
  return detail::Relabelled{source, dealt.to(source.device()), "ExactLabels", how, true};
}

}  // namespace regimen::inline v0
