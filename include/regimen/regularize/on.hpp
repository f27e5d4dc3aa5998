#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <concepts>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "regimen/model/parameter_names.hpp"
#include "regimen/record/hooks.hpp"
#include "regimen/regularize/concept.hpp"
#include "regimen/regularize/pass.hpp"

namespace regimen::inline v0 {

/// A predicate of a parameter, or of a parameter with its name in the model; const:
///
///     bool selector(const at::Tensor& parameter)
///     bool selector(const Named& parameter)
template <class S>
concept Selector = requires(const S& selector, const at::Tensor& parameter) {
  { selector(parameter) } -> std::convertible_to<bool>;
} || requires(const S& selector, const Named& parameter) {
  { selector(parameter) } -> std::convertible_to<bool>;
};

/// Parameters of two or more dimensions: the weights of linear and convolutional layers, and embeddings; not biases,
/// and not the gains and shifts of normalization.
struct Matrices {
  bool operator()(const at::Tensor& parameter) const { return parameter.dim() >= 2; }
};

/// Parameters by name: those in the list, and those of the layers in it ("0" selects "0.weight" and "0.bias"). A tied
/// weight is found by each of its names.
struct Layers {
  std::vector<std::string> names{};

  bool operator()(const Named& parameter) const { return parameter.matches(names); }
};

/// A selector of any type.
class AnySelector {
 public:
  template <class S>
    requires(!std::same_as<S, AnySelector> && !detail::StandIn<S>)
  AnySelector(S selector) : manifest_(regimen::manifest(selector)) {  // NOLINT: a selector is one of any kind
    static_assert(Selector<S>,
                  "a selector must be callable as: bool selector(const at::Tensor& parameter) const, "
                  "or: bool selector(const regimen::Named& parameter) const");
    if constexpr (Selector<S>) {
      detail::check_fields(selector);
      if constexpr (requires(const at::Tensor& parameter) { selector(parameter); }) {
        by_tensor_ = std::move(selector);
      } else {
        by_name_ = std::move(selector);
      }
    }
  }

  /// The selected parameters of the pass, in their order. Throws Error if none is selected, which must be a mistake,
  /// and, for a selector by name, if the pass has no model.
  [[nodiscard]] std::vector<at::Tensor> operator()(const Pass& pass) const {
    std::vector<at::Tensor> selected;
    if (by_tensor_) {
      for (const at::Tensor& parameter : pass.parameters) {
        if (by_tensor_(parameter)) {
          selected.push_back(parameter);
        }
      }
    } else {
      for (const Named& named : detail::with_names(pass.parameters, pass.model, "On")) {
        if (selects(named)) {
          selected.push_back(named.tensor);
        }
      }
    }
    if (selected.empty()) {
      throw Error("On: " + manifest_ + " selects none of the parameters that are trained");
    }
    return selected;
  }

  [[nodiscard]] const std::string& manifest() const { return manifest_; }

 private:
  /// Whether a parameter is selected by any of its names.
  [[nodiscard]] bool selects(const Named& named) const {
    return by_name_(named) || std::any_of(named.aliases.begin(), named.aliases.end(), [&](const std::string& alias) {
             return by_name_(Named{.name = alias, .tensor = named.tensor});
           });
  }

  std::function<bool(const at::Tensor&)> by_tensor_;
  std::function<bool(const Named&)> by_name_;
  std::string manifest_;
};

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
    result.parameters = parameters(pass);
    return result;
  }
};

}  // namespace regimen::inline v0
