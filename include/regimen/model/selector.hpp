#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <concepts>
#include <functional>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/fields.hpp"
#include "regimen/base/manifest.hpp"
#include "regimen/record/hooks.hpp"
#include "regimen/tensor/named.hpp"

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

/// All parameters.
struct AllParameters {
  bool operator()(const at::Tensor& /*parameter*/) const { return true; }
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

  /// Whether the selector looks at names.
  [[nodiscard]] bool by_name() const { return by_name_ != nullptr; }

  /// Whether a parameter is selected, by any of its names.
  [[nodiscard]] bool selects(const Named& named) const {
    if (by_tensor_) {
      return by_tensor_(named.tensor);
    }
    return by_name_(named) || std::any_of(named.aliases.begin(), named.aliases.end(), [&](const std::string& alias) {
             return by_name_(Named{.name = alias, .tensor = named.tensor});
           });
  }

  /// The selected ones of these parameters, in their order. Throws Error, in the name of `who`, if none is selected,
  /// which must be a mistake.
  [[nodiscard]] std::vector<Named> among(const std::vector<Named>& parameters, const std::string& who) const {
    std::vector<Named> selected;
    std::copy_if(parameters.begin(), parameters.end(), std::back_inserter(selected),
                 [this](const Named& named) { return selects(named); });
    if (selected.empty()) {
      throw Error(who + ": " + manifest_ + " selects none of the parameters that are trained");
    }
    return selected;
  }

  [[nodiscard]] const std::string& manifest() const { return manifest_; }

 private:
  std::function<bool(const at::Tensor&)> by_tensor_;
  std::function<bool(const Named&)> by_name_;
  std::string manifest_;
};

}  // namespace regimen::inline v0
