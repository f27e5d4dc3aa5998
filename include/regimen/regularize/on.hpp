#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <utility>
#include <vector>

#include "regimen/model/parameter_names.hpp"
#include "regimen/model/selector.hpp"
#include "regimen/regularize/concept.hpp"
#include "regimen/regularize/pass.hpp"

namespace regimen::inline v0 {

/// A regularizer with all its hooks, restricted to some of the parameters. It restricts `Pass::parameters`; a
/// regularizer that works through the model, the output or the taps (PathNorm, Jumpstart) is not changed.
///     regimen::On{regimen::Matrices{}, regimen::L2{.strength = 5e-4}}      // not on biases and normalization
///     regimen::On{regimen::Layers{{"head"}}, regimen::MaxNorm{.bound = 2}}
/// Throws Error if the selector selects nothing, and if a selector by name gets no `Pass::model`.
struct On {
  AnySelector parameters;
  AnyRegularizer regularizer;

  /// The penalty, 0-d; undefined if the regularizer has none.
  [[nodiscard]] at::Tensor penalty(const Pass& pass) const { return regularizer.penalty(narrowed(pass)); }
  void gradient(const Pass& pass) const { regularizer.gradient(narrowed(pass)); }
  void weights(const Pass& pass) const { regularizer.weights(narrowed(pass)); }

 private:
  [[nodiscard]] Pass narrowed(const Pass& pass) const {
    Pass result = pass;
    std::vector<Named> all;
    if (parameters.by_name()) {
      all = detail::with_names(pass.parameters, pass.model, "On");
    } else {
      for (const at::Tensor& parameter : pass.parameters) {
        all.push_back({.name = "", .tensor = parameter});
      }
    }
    std::vector<at::Tensor> selected;
    for (const Named& named : parameters.among(all, "On")) {
      selected.push_back(named.tensor);
    }
    result.parameters = std::move(selected);
    return result;
  }
};

}  // namespace regimen::inline v0
