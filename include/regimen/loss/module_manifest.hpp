#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <type_traits>

#include "regimen/base/fields.hpp"
#include "regimen/base/json.hpp"
#include "regimen/loss/module.hpp"
#include "regimen/model/modules.hpp"
#include "regimen/tensor/checksum.hpp"

/// The manifest of a loss module of torch::nn. LibTorch's options cannot be listed, so their names are written out
/// here.
namespace regimen::inline v0::detail {

template <class Value>
std::string option_text(const Value& value) {
  if constexpr (std::is_same_v<Value, bool> || std::is_integral_v<Value>) {
    return text(value);
  } else if constexpr (std::is_floating_point_v<Value>) {
    return json::number(value);
  } else if constexpr (std::is_same_v<Value, at::Tensor>) {
    return value.defined() ? manifest_of_tensor(value) : "null";
  } else if constexpr (requires { value.has_value() ? *value : *value; }) {
    return value.has_value() ? option_text(*value) : "null";
  } else {
    return json::quoted(name_of_type<Value>());
  }
}

/// The text that a module prints, and its options, as JSON.
template <class M>
std::string manifest_of_loss_module(const M& module) {
  json::Object object;
  object.add("type", json::quoted(structure_of(module)));
  object.add("reduction", text(reduction_of(module)));
  const auto add = [&](const std::string& name, const auto& get) {
    if constexpr (requires { get(module.options); }) {
      object.add(name, option_text(get(module.options)));
    }
  };
  add("ignore_index",
      [](const auto& o) -> std::remove_cvref_t<decltype(o.ignore_index())> { return o.ignore_index(); });
  add("label_smoothing",
      [](const auto& o) -> std::remove_cvref_t<decltype(o.label_smoothing())> { return o.label_smoothing(); });
  add("beta", [](const auto& o) -> std::remove_cvref_t<decltype(o.beta())> { return o.beta(); });
  add("delta", [](const auto& o) -> std::remove_cvref_t<decltype(o.delta())> { return o.delta(); });
  add("log_input", [](const auto& o) -> std::remove_cvref_t<decltype(o.log_input())> { return o.log_input(); });
  add("full", [](const auto& o) -> std::remove_cvref_t<decltype(o.full())> { return o.full(); });
  add("eps", [](const auto& o) -> std::remove_cvref_t<decltype(o.eps())> { return o.eps(); });
  add("log_target", [](const auto& o) -> std::remove_cvref_t<decltype(o.log_target())> { return o.log_target(); });
  add("margin", [](const auto& o) -> std::remove_cvref_t<decltype(o.margin())> { return o.margin(); });
  add("p", [](const auto& o) -> std::remove_cvref_t<decltype(o.p())> { return o.p(); });
  add("swap", [](const auto& o) -> std::remove_cvref_t<decltype(o.swap())> { return o.swap(); });
  add("blank", [](const auto& o) -> std::remove_cvref_t<decltype(o.blank())> { return o.blank(); });
  add("zero_infinity",
      [](const auto& o) -> std::remove_cvref_t<decltype(o.zero_infinity())> { return o.zero_infinity(); });
  // Some modules keep a weight option as a buffer instead.
  if constexpr (requires { module.weight.defined(); }) {
    object.add("weight", option_text(module.weight));
  } else {
    add("weight", [](const auto& o) -> std::remove_cvref_t<decltype(o.weight())> { return o.weight(); });
  }
  if constexpr (requires { module.pos_weight.defined(); }) {
    object.add("pos_weight", option_text(module.pos_weight));
  }
  return object.text();
}

}  // namespace regimen::inline v0::detail
