#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <string>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/batch/tensors.hpp"
#include "regimen/model/weights.hpp"
#include "regimen/tensor/described.hpp"

/// Errors of LibTorch with the circumstances: LibTorch names the failed operation, but not the network's input.
namespace regimen::inline v0::detail {

/// The first line of a LibTorch error.
inline std::string first_line(const c10::Error& failure) {
  const std::string text = failure.what_without_backtrace();
  return text.substr(0, text.find('\n'));
}

/// Calls `act`. A LibTorch error becomes an Error in the name of `who`, with circumstances(LibTorch's text) appended.
template <class Act, class Circumstances>
decltype(auto) with_circumstances(const std::string& who, Act&& act, Circumstances&& circumstances) {
  try {
    return std::forward<Act>(act)();
  } catch (const c10::OutOfMemoryError&) {
    throw;
  } catch (const c10::Error& failure) {
    const std::string said = first_line(failure);
    throw Error(who + ": LibTorch says: " + said + circumstances(said));
  }
}

/// Advice on types, if LibTorch's error is about types and the data have another type than the parameters; else empty.
/// An embedding's indices rightly have another type.
inline std::string cure_of_types(const at::Tensor& data, const at::Tensor& parameter, const std::string& said) {
  const bool of_types = said.find("type") != std::string::npos && said.find("indices") == std::string::npos;
  if (!of_types || !data.defined() || !parameter.is_floating_point() || data.dtype() == parameter.dtype()) {
    return "";
  }
  if (data.scalar_type() == at::kByte && parameter.scalar_type() == at::kFloat) {
    return ": Normalize, in preprocess, makes bytes floating";
  }
  const bool is_float = parameter.scalar_type() == at::kFloat;
  const bool is_double = parameter.scalar_type() == at::kDouble;
  const std::string type = is_float    ? "kFloat"
                           : is_double ? "kDouble"
                                       : std::string("k") + toString(parameter.scalar_type());
  return ": .to(torch::" + type + ") gives the data the type of the parameters";
}

/// The types and shapes of a forward pass's input, with advice if the types are at fault.
inline std::string described_forward(const Batch& batch, const Weights& model, const std::string& said) {
  std::string text = " (the data are " + described(batch.data) + ", the targets " + described(batch.target);
  const std::vector<at::Tensor> parameters = model.parameters();
  if (parameters.empty()) {
    return text + ")";
  }
  text += ", the parameters " + std::string(parameters.front().dtype().name()) + ")";
  if (batch.size() == 1 && said.find("more than 1 value per channel") != std::string::npos) {
    return text + ": BatchNorm takes no batch of a single sample: drop_last leaves one out, or take another batch";
  }
  return text + cure_of_types(batch.data, parameters.front(), said);
}

}  // namespace regimen::inline v0::detail
