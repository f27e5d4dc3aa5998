#pragma once

#include <ATen/core/List.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>
#include <ATen/ops/empty.h>
#include <torch/serialize/archive.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/record/history.hpp"

/// Lists in LibTorch's archives: numbers as tensors, so that every bit is kept.
namespace regimen::inline v0::detail {

/// The values as a tensor, [values.size()] on the CPU.
template <class T>
at::Tensor tensor_of(const std::vector<T>& values) {
  const auto type = std::is_same_v<T, double> ? at::kDouble : at::kLong;
  at::Tensor tensor = at::empty({static_cast<std::int64_t>(values.size())}, type);
  std::copy(values.begin(), values.end(), tensor.data_ptr<T>());
  return tensor;
}

template <class T>
std::vector<T> vector_of(torch::serialize::InputArchive& archive, const std::string& key) {
  at::Tensor tensor;
  archive.read(key, tensor, /*is_buffer=*/true);
  tensor = tensor.contiguous();
  return {tensor.data_ptr<T>(), tensor.data_ptr<T>() + tensor.numel()};
}

inline std::vector<std::string> strings_of(torch::serialize::InputArchive& archive, const std::string& key) {
  c10::IValue value;
  archive.read(key, value);
  std::vector<std::string> strings;
  for (const c10::IValue& entry : value.toListRef()) {
    strings.push_back(entry.toStringRef());
  }
  return strings;
}

inline c10::IValue list_of(const std::vector<std::string>& strings) {
  c10::List<std::string> list;
  for (const std::string& text : strings) {
    list.push_back(text);
  }
  return list;
}

inline int int_of(std::int64_t number) {
  const bool fits = number >= std::numeric_limits<int>::min() && number <= std::numeric_limits<int>::max();
  require(fits, "checkpoint: a clock's phase", "an int", number);
  return static_cast<int>(number);
}

inline Ended ended_of(std::int64_t number) {
  constexpr auto last = static_cast<std::int64_t>(Ended::diverged);
  require(number >= 0 && number <= last, "checkpoint: how a phase ended", "in [0, " + text(last) + "]", number);
  return static_cast<Ended>(number);
}

}  // namespace regimen::inline v0::detail
