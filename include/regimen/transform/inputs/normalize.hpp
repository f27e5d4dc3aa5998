#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <vector>

#include "regimen/key/key.hpp"
#include "regimen/transform/inputs/values.hpp"

namespace regimen::inline v0 {

/// (data - mean) / stddev for each channel. Bytes and other integers are first divided by 255, and true is 1, so mean
/// and stddev refer to values in [0, 1]. data [N, C, ...] -> floating. Use it last, after all transforms of raw values.
/// Throws Error unless mean and stddev have one entry, or one per channel, and every stddev is above 0.
///     phase.preprocess = {regimen::Normalize{.mean = {0.2860}, .stddev = {0.3530}}};
struct Normalize {
  std::vector<double> mean;
  std::vector<double> stddev;

  void check() const {
    detail::require(!mean.empty(), "Normalize.mean.size()", "at least 1", mean.size());
    detail::require(stddev.size() == mean.size(), "Normalize.stddev.size()", "that of mean", stddev.size());
    for (const double value : stddev) {
      detail::require(value > 0, "Normalize.stddev", "above 0", value);
    }
  }

  Batch operator()(const Batch& batch, const Key& /*key*/) const {
    const double scale = detail::white_of(batch.data, "Normalize");
    const at::Tensor values = detail::as_floating(batch.data, "Normalize");
    if (mean.size() == 1) {
      return detail::with_data(batch, (values - mean[0] * scale) * (1 / (stddev[0] * scale)));
    }
    const at::Tensor shift = detail::by_channel(mean, values, values.options(), "Normalize.mean") * scale;
    const at::Tensor spread = detail::by_channel(stddev, values, values.options(), "Normalize.stddev") * scale;
    return detail::with_data(batch, (values - shift) / spread);
  }
};

}  // namespace regimen::inline v0
