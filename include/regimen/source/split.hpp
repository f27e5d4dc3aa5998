#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/base/json.hpp"
#include "regimen/base/manifest.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/batch/tensors.hpp"
#include "regimen/key/key.hpp"
#include "regimen/key/order.hpp"
#include "regimen/key/salts.hpp"
#include "regimen/source/columns.hpp"
#include "regimen/source/source.hpp"
#include "regimen/source/views.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0 {

/// The size of the part that `split` holds out: either a share or a number of samples.
struct Holdout {
  double share = 0;       ///< share of the samples, in (0, 1); rounded to a whole number of them
  Integer samples = 0;    ///< number of samples, at least 1
  bool by_class = false;  ///< hold out the same share of each class, up to rounding (largest remainder)
};

/// Two parts of a data set with no common sample, each in the order of the data.
struct TrainAndValidation {
  Source train{};
  Source validation{};
};

namespace detail {

/// The number of held-out samples of each class: n_c * samples / n, rounded down, plus 1 for the classes with the
/// largest remainders (of equal remainders, the smaller labels).
inline std::map<std::int64_t, std::int64_t> held_out_of_classes(const at::Tensor& label, std::int64_t samples) {
  const std::int64_t n = label.size(0);
  const auto* const y = label.data_ptr<std::int64_t>();
  std::map<std::int64_t, std::int64_t> quota;
  for (std::int64_t i = 0; i < n; ++i) {
    ++quota[y[i]];
  }
  std::vector<std::pair<std::int64_t, std::int64_t>> remainders;  // with their labels
  std::int64_t left = samples;
  for (auto& [c, count] : quota) {
    const std::int64_t exact = count * samples;
    remainders.emplace_back(exact % n, c);
    count = exact / n;
    left -= count;
  }
  std::stable_sort(remainders.begin(), remainders.end(),
                   [](auto& one, auto& other) { return one.first > other.first; });
  for (std::int64_t k = 0; k < left; ++k) {
    ++quota[remainders[static_cast<std::size_t>(k)].second];
  }
  return quota;
}

/// Throws Error if two samples have one source id: one might be trained on and the other held out.
inline void require_no_copies(const at::Tensor& source_id) {
  const at::Tensor sorted = std::get<0>(source_id.sort());
  const auto* const id = sorted.data_ptr<std::int64_t>();
  for (std::int64_t i = 1; i < sorted.size(0); ++i) {
    if (id[i] == id[i - 1]) {
      throw Error("split takes data without copies, which might come to lie on both sides, but two samples came from " +
                  text(id[i]) + ": split first, repeat then");
    }
  }
}

/// The number of samples to hold out of n.
inline std::int64_t held_out(const Holdout& holdout, std::int64_t n) {
  const bool by_share = holdout.share != 0;
  if (by_share == (holdout.samples != 0)) {
    throw Error("split: set either Holdout.share or Holdout.samples");
  }
  require(!by_share || (holdout.share > 0 && holdout.share < 1), "Holdout.share", "in (0, 1)", holdout.share);
  const std::int64_t samples =
      by_share ? std::llround(holdout.share * static_cast<double>(n)) : std::int64_t{holdout.samples};
  require(samples >= 1 && samples < n, "split: the number of samples held out of " + text(n),
          "at least 1, and leave one to train on", samples);
  return samples;
}

}  // namespace detail

/// Splits a source into held-out data for decisions and the rest for training.
///
/// The choice of held-out samples depends on the seed and the samples' ids, not on their order: a larger share holds
/// out the same samples and more (by class up to rounding), and sorting the data changes nothing. Reads the source
/// once. Split the clean data and damage the training part, so that validation labels are true.
/// Throws Error unless the source is indexed, each part gets a sample and no sample is a copy of another; also, with
/// `by_class`, unless targets are [N] int64.
///     const auto [train, validation] = regimen::split(all, {.share = 0.1, .by_class = true}, /*seed=*/7);
[[nodiscard]] inline TrainAndValidation split(const Source& source, const Holdout& holdout, std::uint64_t seed) {
  detail::require_indexed(source, "split");
  const std::int64_t n = *source.size();
  const std::int64_t samples = detail::held_out(holdout, n);
  const std::vector<at::Tensor> columns = detail::read_columns(source, {}, [&](const Batch& batch) {
    if (holdout.by_class && !detail::is_labels(batch.target)) {
      throw Error("split by class takes targets of [N] int64, not " + detail::described(batch.target));
    }
    return holdout.by_class ? std::vector<at::Tensor>{batch.source_id(), batch.target}
                            : std::vector<at::Tensor>{batch.source_id()};
  });
  detail::require_no_copies(columns[0]);
  const at::Tensor order = detail::ranked(Key(seed, columns[0]).fold(detail::salt::split)).contiguous();
  const auto* const place = order.data_ptr<std::int64_t>();
  const at::Tensor label = holdout.by_class ? columns[1].contiguous() : at::zeros({n}, at::kLong);
  const auto* const y = label.data_ptr<std::int64_t>();
  std::map<std::int64_t, std::int64_t> left = detail::held_out_of_classes(label, samples);
  at::Tensor mask = at::zeros({n}, at::kBool);
  auto* const chosen = mask.data_ptr<bool>();
  for (std::int64_t i = 0; i < n; ++i) {
    chosen[place[i]] = left[y[place[i]]]-- > 0;
  }
  const auto side = [&](const at::Tensor& of_side, const char* name) {
    const std::string how = detail::json::Object()
                                .add("side", detail::json::quoted(name))
                                .add("holdout", regimen::manifest(holdout))
                                .add("seed", detail::text(seed))
                                .text();
    return Source(detail::Subset{source, of_side.nonzero().flatten().to(source.device()), how});
  };
  return {.train = side(mask.logical_not(), "train"), .validation = side(mask, "validation")};
}

}  // namespace regimen::inline v0
