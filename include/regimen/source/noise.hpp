#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "regimen/detail/batch_parts.hpp"
#include "regimen/proportion.hpp"
#include "regimen/record.hpp"
#include "regimen/source.hpp"

namespace regimen::inline v0 {

/// What became of the labels of a source, sample by sample, in its order; all on the CPU (see `label_noise`).
struct LabelNoise {
  at::Tensor id{};        ///< [N] int64
  at::Tensor original{};  ///< [N] int64, the label of the clean sample that it came from
  at::Tensor label{};     ///< [N] int64, as it is now
  at::Tensor touched{};   ///< [N] bool, whether the two differ
  at::Tensor counts{};    ///< [classes, classes] int64: of the samples of class i, how many are called j

  /// The share of the labels that differ: known exactly, of these data. The interval is for the probability behind it,
  /// where labels were changed independently of each other (`frozen` without an exact share); Wilson's.
  [[nodiscard]] Proportion rate(double level = 0.95) const {
    return wilson_interval(touched.sum().item<std::int64_t>(), touched.size(0), level);
  }

  /// The same for one entry of the matrix: P(label = to | original = from).
  [[nodiscard]] Proportion rate(std::int64_t from, std::int64_t to, double level = 0.95) const {
    return wilson_interval(counts[from][to].item<std::int64_t>(), counts[from].sum().item<std::int64_t>(), level);
  }

  /// [classes, classes] double: the realised noise matrix, counts over their row's sum; NaN in a row without samples.
  [[nodiscard]] at::Tensor matrix() const { return counts.to(at::kDouble) / counts.sum(1, /*keepdim=*/true); }
};

namespace detail {

/// Why two sources cannot be compared, or the noise. `why` stays empty if they can.
struct ComparedLabels {
  LabelNoise noise{};
  std::string why{};
};

inline ComparedLabels compare_labels(const Source& data, const Source& clean) {
  if (!data.defined() || !clean.defined() || !data.size() || !clean.size()) {
    return {.why = "takes two sources that end"};
  }
  std::unordered_map<std::int64_t, std::int64_t> truth;
  const Cursor next_clean = clean.read({.batch = 4096});
  for (Batch batch = next_clean(); batch.size() > 0; batch = next_clean()) {
    if (!is_labels(batch.target)) {
      return {.why = "takes clean targets of [N] int64, not " + described(batch.target)};
    }
    const at::Tensor ids = batch.source_id().cpu().contiguous();
    const at::Tensor labels = batch.target.cpu().contiguous();
    for (std::int64_t i = 0; i < batch.size(); ++i) {
      truth[ids.data_ptr<std::int64_t>()[i]] = labels.data_ptr<std::int64_t>()[i];
    }
  }
  std::vector<at::Tensor> all_ids;
  std::vector<at::Tensor> all_labels;
  std::vector<at::Tensor> all_originals;
  const Cursor next = data.read({.batch = 4096});
  for (Batch batch = next(); batch.size() > 0; batch = next()) {
    if (!is_labels(batch.target)) {
      return {.why = "takes targets of [N] int64, not " + described(batch.target)};
    }
    const at::Tensor ids = batch.source_id().cpu().contiguous();
    at::Tensor originals = at::empty({batch.size()}, at::kLong);
    for (std::int64_t i = 0; i < batch.size(); ++i) {
      const auto found = truth.find(ids.data_ptr<std::int64_t>()[i]);
      if (found == truth.end()) {
        return {.why = "found no clean sample of id " + text(ids.data_ptr<std::int64_t>()[i])};
      }
      originals.data_ptr<std::int64_t>()[i] = found->second;
    }
    all_ids.push_back(batch.id.cpu());
    all_labels.push_back(batch.target.cpu());
    all_originals.push_back(originals);
  }
  if (all_ids.empty()) {
    return {.why = "takes sources with at least one sample"};
  }
  LabelNoise noise{.id = at::cat(all_ids), .original = at::cat(all_originals), .label = at::cat(all_labels)};
  noise.touched = noise.label != noise.original;
  return {.noise = std::move(noise)};
}

}  // namespace detail

/// What became of the labels: which samples were touched, the original labels, the realised matrix, and the realised
/// rate with a confidence interval. Copies (`repeat`) are compared with the sample that they were made from. Reads both
/// sources once. Samples whose label was drawn anew and came out the same are not touched.
/// classes: the size of the matrix; 0 for one more than the largest label.
/// Throws Error for streams without an end, for targets that are not [N] int64, labels outside of [0, classes) and
/// samples that `clean` does not know.
///     const auto noise = regimen::label_noise(noisy, train);
///     const auto wrong = regimen::subset(noisy, noise.touched.nonzero().flatten());
[[nodiscard]] inline LabelNoise label_noise(const Source& data, const Source& clean, std::int64_t classes = 0) {
  detail::require(classes >= 0, "label_noise: classes", "at least 0", classes);
  detail::ComparedLabels compared = detail::compare_labels(data, clean);
  if (!compared.why.empty()) {
    throw Error("label_noise " + compared.why);
  }
  LabelNoise noise = std::move(compared.noise);
  const auto least = std::min(noise.label.min().item<std::int64_t>(), noise.original.min().item<std::int64_t>());
  const auto largest = std::max(noise.label.max().item<std::int64_t>(), noise.original.max().item<std::int64_t>());
  classes = classes == 0 ? largest + 1 : classes;
  detail::require(least >= 0 && largest < classes, "label_noise: a label", "in [0, " + detail::text(classes) + ")",
                  least < 0 ? least : largest);
  const at::Tensor pair = noise.original * classes + noise.label;
  noise.counts = at::bincount(pair, {}, classes * classes).view({classes, classes});
  return noise;
}

/// The share of the samples of `data` whose label differs from that of the clean sample that they came from, in [0, 1];
/// NaN where the two cannot be compared (streams, soft targets, samples unknown to `clean`). Reads both sources once.
///     regimen::realised_noise(regimen::frozen(train, regimen::UniformLabels{.classes = 10}, 7), train);  // about 0.9
[[nodiscard]] inline double realised_noise(const Source& data, const Source& clean) {
  const detail::ComparedLabels compared = detail::compare_labels(data, clean);
  return compared.why.empty() ? compared.noise.rate().share : unknown;
}

/// Which samples of a source differ from the clean ones that they came from; on the CPU (see `touched`).
struct Touched {
  at::Tensor data{};    ///< [N] bool
  at::Tensor target{};  ///< [N] bool
};

/// Which samples of `data` have another input, and which another target, than the clean sample that they came from:
/// the mask of damage of any kind, open sets and outliers among it. Reads `data` once, of `clean` as much, and its ids.
/// Throws Error unless `clean` is indexed and knows every sample, and data and targets are of its shapes and types.
///     const at::Tensor strangers = regimen::touched(with_open_set, train).data;
[[nodiscard]] inline Touched touched(const Source& data, const Source& clean) {
  if (!data.defined() || !data.size() || !clean.indexed()) {
    throw Error("touched takes a source that ends, and an indexed one to compare it with");
  }
  std::unordered_map<std::int64_t, std::int64_t> place_of;
  std::int64_t place = 0;
  const Cursor next_clean = clean.read({.batch = 4096});
  for (Batch batch = next_clean(); batch.size() > 0; batch = next_clean()) {
    const at::Tensor ids = batch.source_id().cpu().contiguous();
    for (std::int64_t i = 0; i < batch.size(); ++i) {
      place_of[ids.data_ptr<std::int64_t>()[i]] = place++;
    }
  }
  const auto differs = [](const at::Tensor& now, const at::Tensor& before, const std::string& what) {
    if (now.sizes() != before.sizes() || now.scalar_type() != before.scalar_type()) {
      throw Error("touched compares " + what + " of one shape and type, not " + detail::described(now) + " and " +
                  detail::described(before));
    }
    return (now.cpu() != before.cpu()).reshape({now.size(0), -1}).any(1);
  };
  std::vector<at::Tensor> inputs;
  std::vector<at::Tensor> targets;
  const Cursor next = data.read({.batch = 1024});
  for (Batch batch = next(); batch.size() > 0; batch = next()) {
    const at::Tensor ids = batch.source_id().cpu().contiguous();
    at::Tensor places = at::empty({batch.size()}, at::kLong);
    for (std::int64_t i = 0; i < batch.size(); ++i) {
      const auto found = place_of.find(ids.data_ptr<std::int64_t>()[i]);
      if (found == place_of.end()) {
        throw Error("touched found no clean sample of id " + detail::text(ids.data_ptr<std::int64_t>()[i]));
      }
      places.data_ptr<std::int64_t>()[i] = found->second;
    }
    const Batch before = clean.get(places);
    inputs.push_back(differs(batch.data, before.data, "data"));
    if (batch.target.defined() && before.target.defined()) {
      targets.push_back(differs(batch.target, before.target, "targets"));
    }
  }
  if (inputs.empty()) {
    throw Error("touched takes a source with at least one sample");
  }
  return {at::cat(inputs), targets.size() == inputs.size() ? at::cat(targets) : at::Tensor()};
}

}  // namespace regimen::inline v0
