#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "regimen/tensor/doubles.hpp"
#include "regimen/tensor/real.hpp"

namespace regimen::inline v0::detail {

/// A number that changes with nearly any change of a tensor, that of the order of its entries too; and the tensor's
/// norm, which says how much of a change is rounding.
struct Fingerprint {
  double value = 0;
  double norm = 0;

  /// Whether two tensors are equal up to this part of their norm, as far as the fingerprints tell. Infinite and NaN
  /// ones count as equal.
  [[nodiscard]] bool agrees(const Fingerprint& other, double part) const {
    if (!std::isfinite(value) || !std::isfinite(other.value)) {
      return std::isfinite(value) == std::isfinite(other.value);
    }
    return std::abs(value - other.value) <= part * norm;
  }
};

/// The product with sin 1, sin 2, ..., over the dimension of rows and over that of a row's entries, and the norm: [2]
/// double on the tensor's device. Zeros for an undefined tensor.
inline at::Tensor fingerprint_of(const at::Tensor& tensor, const at::TensorOptions& otherwise) {
  if (!tensor.defined() || tensor.numel() == 0) {
    return at::zeros({2}, otherwise.dtype(at::kDouble));
  }
  const at::Tensor real = as_real(tensor.detach());
  const bool as_it_is = real.scalar_type() == at::kFloat || real.scalar_type() == at::kDouble;
  const at::Tensor rows =
      real.reshape({real.dim() == 0 ? 1 : real.size(0), -1}).to(as_it_is ? real.scalar_type() : at::kDouble);
  const auto pattern = [&rows](std::int64_t length) {
    return at::arange(1, length + 1, rows.options().dtype(at::kDouble)).sin();
  };
  const at::Tensor of_rows = rows.mv(pattern(rows.size(1)).to(rows.scalar_type())).to(at::kDouble);
  return at::stack({of_rows.dot(pattern(rows.size(0))), rows.norm().to(at::kDouble)});
}

/// The fingerprints of several tensors of a batch, read from the device at once.
inline std::vector<Fingerprint> fingerprints_of(const std::vector<at::Tensor>& tensors,
                                                const at::TensorOptions& otherwise) {
  std::vector<at::Tensor> parts;
  for (const at::Tensor& tensor : tensors) {
    parts.push_back(fingerprint_of(tensor, otherwise));
  }
  const std::vector<double> numbers = doubles_of(at::stack(parts));
  std::vector<Fingerprint> result;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    result.push_back({numbers[2 * i], numbers[2 * i + 1]});
  }
  return result;
}

}  // namespace regimen::inline v0::detail
