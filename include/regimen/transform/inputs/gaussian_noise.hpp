#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <cmath>
#include <vector>

#include "regimen/key/key.hpp"
#include "regimen/schedule/bounds.hpp"
#include "regimen/transform/inputs/values.hpp"

namespace regimen::inline v0 {

/// Adds normal noise of mean 0 to every entry. data [N, ...] floating -> the same. Bytes and other integers are first
/// divided by 255, as by `Normalize`, and become float; bool becomes float 0 and 1. So stddev refers to values in [0,
/// 1]. Throws Error unless stddev is at least 0 and finite.
struct GaussianNoise {
  NotNegative<"GaussianNoise.stddev"> stddev = 0.1;

  Batch operator()(const Batch& batch, const Key& key) const {
    const at::Tensor values = detail::unit_inputs(batch.data, "GaussianNoise");
    const at::Tensor noise = key.normal(batch.data.sizes().slice(1)) * key.now().tensor(stddev);
    return detail::with_data(batch, values + noise.to(values.scalar_type()));
  }
};

/// Replaces each image by normal noise: every entry becomes mean + stddev * a standard normal number. Targets and
/// further tensors stay, dense ones too.
///
/// With the data set's own mean and deviation these are the "Gaussian" inputs of Zhang et al. 2017 ("Understanding deep
/// learning requires rethinking generalization", section 2.1), which a network still fits if they are frozen. mean and
/// stddev are as for `Normalize`: one entry or one per channel, for values in [0, 1]. data [N, C, ...] floating -> the
/// same; bytes, other integers and bool become float. Nothing is clamped, as that would change mean and deviation.
/// Throws Error unless mean and stddev have one entry, or one per channel, all finite, and every stddev is at least 0.
///     regimen::frozen(train, regimen::GaussianImages{.mean = {0.2860}, .stddev = {0.3530}}, /*seed=*/7)
struct GaussianImages {
  std::vector<double> mean;
  std::vector<double> stddev;

  void check() const {
    detail::require(!mean.empty(), "GaussianImages.mean.size()", "at least 1", mean.size());
    detail::require(stddev.size() == mean.size(), "GaussianImages.stddev.size()", "that of mean", stddev.size());
    for (const double value : mean) {
      detail::require(std::isfinite(value), "GaussianImages.mean", "finite", value);
    }
    for (const double value : stddev) {
      Bounds::not_negative("GaussianImages.stddev").check(value);
    }
  }

  Batch operator()(const Batch& batch, const Key& key) const {
    detail::require_real(batch.data, "GaussianImages");
    const at::ScalarType type = batch.data.is_floating_point() ? batch.data.scalar_type() : at::kFloat;
    const at::TensorOptions options = batch.data.options().dtype(type);
    const at::Tensor noise = key.normal(batch.data.sizes().slice(1)).to(type);
    return detail::with_data(batch, noise * detail::by_channel(stddev, batch.data, options, "GaussianImages.stddev") +
                                        detail::by_channel(mean, batch.data, options, "GaussianImages.mean"));
  }
};

}  // namespace regimen::inline v0
