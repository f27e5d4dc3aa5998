#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "regimen/tensor/named.hpp"

namespace torch::jit {
struct Module;
}  // namespace torch::jit

/// Questions that the library asks of any kind of module: LibTorch's, a holder of one, TorchScript's, a plain struct.
/// They are answered by members, not by a base class.
namespace regimen::inline v0::detail {

/// LibTorch's AnyModule: it has no operator->, but a `ptr()`.
template <class M>
concept HoldsPointer = requires(M& model) { model.ptr()->parameters(); };

/// The module behind a holder, a smart or raw pointer, an AnyModule, or a plain reference.
template <class M>
auto& module_of(M& model) {
  if constexpr (requires { model.operator->(); }) {
    return *model.operator->();
  } else if constexpr (std::is_pointer_v<M>) {
    return *model;
  } else if constexpr (HoldsPointer<M>) {
    return *model.ptr();
  } else {
    return model;
  }
}

template <class M>
using ModuleOf = std::remove_reference_t<decltype(module_of(std::declval<M&>()))>;

/// Whether a model is a holder or pointer, which is copied and keeps the module alive. A plain module is borrowed.
template <class M>
inline constexpr bool is_handle = std::is_pointer_v<M> || HoldsPointer<M> || requires(M& model) { model.operator->(); };

/// Whether a model is a TorchScript module (torch::jit::Module) or a pointer to one.
template <class M>
inline constexpr bool is_torchscript = std::is_base_of_v<torch::jit::Module, ModuleOf<M>>;

/// A module whose mode can be set and not be read.
template <class M>
concept HidesItsMode =
    requires(M& module) { module.train(true); } && !requires(M& module) { module.train(module.is_training()); };

template <class M>
concept HasParameters = requires(M& model) {
  model.parameters();
  model.buffers();
};

/// The list without repetitions: each tensor under its first name, with the other names as aliases.
inline std::vector<Named> each_once(const std::vector<Named>& all) {
  std::vector<Named> distinct;
  std::map<const void*, std::size_t> places;
  for (const Named& named : all) {
    if (!named.tensor.defined()) {
      continue;
    }
    const auto [place, is_new] = places.emplace(named.tensor.unsafeGetTensorImpl(), distinct.size());
    if (is_new) {
      distinct.push_back(named);
    } else {
      std::vector<std::string>& aliases = distinct[place->second].aliases;
      aliases.push_back(named.name);
      aliases.insert(aliases.end(), named.aliases.begin(), named.aliases.end());
    }
  }
  return distinct;
}

/// Parameters or buffers of a module, each tensor once.
template <class M>
std::vector<Named> named_tensors(M& module, bool parameters) {
  std::vector<Named> all;
  if constexpr (requires { std::vector<Named>(module.named_parameters()); }) {
    all = parameters ? module.named_parameters() : module.named_buffers();
  } else if constexpr (requires { module.named_parameters().begin()->key(); }) {
    const auto items = parameters ? module.named_parameters() : module.named_buffers();
    for (const auto& item : items) {
      all.push_back({item.key(), item.value()});
    }
  } else {
    const auto tensors = parameters ? module.parameters() : module.buffers();
    for (const at::Tensor& tensor : tensors) {
      all.push_back({(parameters ? "parameter" : "buffer") + std::to_string(all.size()), tensor});
    }
  }
  return each_once(all);
}

/// A submodule with its name and mode; the model itself has the name "". `train` also sets the modes of its submodules.
struct Part {
  std::string name;
  std::function<bool()> is_training;
  std::function<void(bool)> train;
};

/// The submodules that have modes, parents before their children. get_module() returns the module.
template <class GetModule>
std::vector<Part> parts_of(GetModule get_module) {
  std::vector<Part> parts;
  auto& module = get_module();
  if constexpr (requires { module.train(module.is_training()); }) {
    parts.push_back(
        {"", [get_module] { return get_module().is_training(); }, [get_module](bool on) { get_module().train(on); }});
  }
  if constexpr (requires { module.named_modules("", false).begin()->value()->is_training(); }) {
    for (const auto& item : module.named_modules("", /*include_self=*/false)) {
      const auto part = item.value();
      parts.push_back({item.key(), [part] { return part->is_training(); }, [part](bool on) { part->train(on); }});
    }
  } else if constexpr (requires { module.named_modules().front().second.is_training(); }) {
    for (const auto& [name, part] : module.named_modules()) {
      parts.push_back(
          {name, [it = part]() mutable { return it.is_training(); }, [it = part](bool on) mutable { it.train(on); }});
    }
  }
  return parts;
}

/// The text that a module prints: its layers with their options. Empty if it cannot be printed.
template <class M>
std::string structure_of(const M& module) {
  if constexpr (requires { std::string(module.structure()); }) {
    return module.structure();
  } else if constexpr (requires(std::ostringstream& out) { out << module; }) {
    std::ostringstream out;
    out << module;
    return out.str();
  } else {
    return "";
  }
}

}  // namespace regimen::inline v0::detail
