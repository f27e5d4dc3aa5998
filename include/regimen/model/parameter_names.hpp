#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/model/model.hpp"
#include "regimen/tensor/named.hpp"

namespace regimen::inline v0::detail {

/// Parameters of a pass with all names that they have in its model. Throws Error, in the name of `who`, if there is no
/// model or a parameter is not of it.
inline std::vector<Named> with_names(const DistinctTensors& parameters, const Model* model, std::string_view who) {
  if (model == nullptr) {
    throw Error(std::string(who) + " knows parameters by their names: set Pass.model");
  }
  std::map<const void*, Named> names;
  for (const Named& named : model->named_parameters()) {
    names.emplace(named.tensor.unsafeGetTensorImpl(), named);
  }
  std::vector<Named> result;
  for (const at::Tensor& parameter : parameters) {
    const auto found = names.find(parameter.unsafeGetTensorImpl());
    if (found == names.end()) {
      throw Error(std::string(who) + ": Pass.parameters holds a tensor that is no parameter of Pass.model");
    }
    result.push_back(found->second);
  }
  return result;
}

}  // namespace regimen::inline v0::detail
