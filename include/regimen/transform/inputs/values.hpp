#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "regimen/batch/tensors.hpp"
#include "regimen/tensor/described.hpp"

/// Shapes that the transforms of inputs take, and the meaning of 1 for bytes.
namespace regimen::inline v0::detail {

inline void require_images(const Batch& batch, const std::string& who) {
  if (batch.data.dim() != 4) {
    throw Error(who + " takes images of [N, C, H, W], not " + described(batch.data));
  }
}

/// Throws Error for complex data, of which a transform of real numbers would lose a half.
inline void require_real(const at::Tensor& data, const std::string& who) {
  if (data.is_complex()) {
    throw Error(who + " takes real data, not " + described(data) +
                ": give real and imaginary parts as two channels (torch::view_as_real)");
  }
}

/// The white of the data: 1 for floating numbers and bool, 255 for bytes and other integers. The one place where this
/// is decided. Throws Error for complex data.
inline double white_of(const at::Tensor& data, const std::string& who) {
  require_real(data, who);
  return data.is_floating_point() || data.scalar_type() == at::kBool ? 1 : 255;
}

/// The data as floating numbers with their own values; bytes, other integers and bool become float.
inline at::Tensor as_floating(const at::Tensor& data, const std::string& who) {
  require_real(data, who);
  return data.is_floating_point() ? data : data.to(at::kFloat);
}

/// Floating data unchanged; bytes, other integers and bool as float in [0, 1], as `Normalize` reads them.
inline at::Tensor unit_inputs(const at::Tensor& data, const std::string& who) {
  require_real(data, who);
  return data.is_floating_point() ? data : data.to(at::kFloat) / white_of(data, who);
}

/// Numbers in the data's type, clamped to [black, white]; for integers rounded to the nearest, ties to even.
inline at::Tensor as_in(const at::Tensor& data, const at::Tensor& numbers, const std::string& who) {
  const at::Tensor bounded = numbers.clamp(0, white_of(data, who));
  return (data.is_floating_point() ? bounded : bounded.round()).to(data.scalar_type());
}

/// The values as a tensor, [values.size()]; on another device made without a copy from the CPU, which the host would
/// wait for.
inline at::Tensor constants(const std::vector<double>& values, const at::TensorOptions& options) {
  if (options.device().is_cpu()) {  // at::tensor makes no bool or half tensors from doubles
    return at::tensor(values, options.dtype(at::kDouble)).to(options.dtype().toScalarType());
  }
  std::vector<at::Tensor> each;
  for (const double value : values) {
    each.push_back(at::full({1}, value, options));
  }
  return at::cat(each);
}

/// The values, one or one per channel, in a shape that broadcasts to data of [N, C, ...].
inline at::Tensor by_channel(const std::vector<double>& values, const at::Tensor& data,
                             const at::TensorOptions& options, std::string_view field) {
  const std::int64_t channels = data.dim() >= 2 ? data.size(1) : 1;
  const auto given = static_cast<std::int64_t>(values.size());
  require(given == 1 || given == channels, std::string(field) + ".size()",
          "1 or the number of channels, " + text(channels), given);
  std::vector<std::int64_t> shape(static_cast<std::size_t>(data.dim()), 1);
  if (given > 1) {
    shape[1] = given;
  }
  return constants(values, options).view(shape);
}

/// Throws Error unless the tensor's type can hold the value, which LibTorch would truncate or reject in its own words.
inline void require_holds(const at::Tensor& tensor, double value, std::string_view field) {
  if (tensor.is_floating_point()) {
    return;
  }
  const auto require_in = [&](double low, double high) {
    require(value == std::floor(value) && value >= low && value <= high, field,
            "a whole number in [" + text(low) + ", " + text(high) + "] for " + std::string(tensor.dtype().name()),
            value);
  };
  switch (tensor.scalar_type()) {
    case at::kBool:
      return require_in(0, 1);
    case at::kByte:
      return require_in(0, 255);
    case at::kChar:
      return require_in(-128, 127);
    case at::kShort:
      return require_in(-32768, 32767);
    case at::kInt:
      return require_in(-2147483648., 2147483647.);
    default:
      return require_in(-0x1p53, 0x1p53);  // all whole numbers up to 2^53 are doubles
  }
}

/// One value per sample, [N], in a shape that broadcasts to data of [N, ...].
inline at::Tensor by_sample(const at::Tensor& values, const at::Tensor& data) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(data.dim()), 1);
  shape[0] = -1;
  return values.view(shape);
}

}  // namespace regimen::inline v0::detail
