#pragma once

#include <ATen/core/Tensor.h>

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "regimen/batch.hpp"
#include "regimen/detail/checksum.hpp"
#include "regimen/detail/fields.hpp"
#include "regimen/detail/json.hpp"
#include "regimen/detail/type_name.hpp"

namespace torch::jit {
struct Module;
}  // namespace torch::jit

namespace regimen::inline v0 {

/// A tensor of a model and its name, "layer1.weight".
struct Named {
  std::string name;
  at::Tensor tensor;
};

namespace detail {

/// LibTorch's AnyModule: no operator->, but a pointer inside.
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

/// Holders and pointers are copied and keep the module alive; a plain module is borrowed.
template <class M>
inline constexpr bool is_handle = std::is_pointer_v<M> || HoldsPointer<M> || requires(M& model) { model.operator->(); };

/// A TorchScript module as LibTorch has it, or a pointer to one.
template <class M>
inline constexpr bool is_torchscript = std::is_base_of_v<torch::jit::Module, ModuleOf<M>>;

template <class M>
concept HasParameters = requires(M& model) {
  model.parameters();
  model.buffers();
};

template <class M>
concept HasForward = requires(M& model, const at::Tensor& x) {
  { model.forward(x) } -> std::convertible_to<at::Tensor>;
};

/// Calls a model on one tensor: itself, if it can be called (an AnyModule's pointer cannot), or the module behind it.
template <class M>
at::Tensor forward_of(M& model, const at::Tensor& x) {
  if constexpr (HasForward<M>) {
    return model.forward(x);
  } else {
    return module_of(model).forward(x);
  }
}

template <class M>
concept CanForward = HasForward<M> || HasForward<ModuleOf<M>>;

template <class M>
std::vector<Named> named_tensors(M& module, bool parameters) {
  std::vector<Named> result;
  if constexpr (requires { std::vector<Named>(module.named_parameters()); }) {
    return parameters ? module.named_parameters() : module.named_buffers();
  } else if constexpr (requires { module.named_parameters().begin()->key(); }) {
    const auto items = parameters ? module.named_parameters() : module.named_buffers();
    for (const auto& item : items) {
      result.push_back({item.key(), item.value()});
    }
  } else {
    const auto tensors = parameters ? module.parameters() : module.buffers();
    for (const at::Tensor& tensor : tensors) {
      result.push_back({(parameters ? "parameter" : "buffer") + std::to_string(result.size()), tensor});
    }
  }
  return result;
}

}  // namespace detail

/// A model, borrowed: anything with `parameters()`, `buffers()` and a `forward` of one tensor (a ModuleHolder, a smart
/// or raw pointer, a Sequential, an AnyModule, a module of your own), or such a thing together with how to call it on a
/// batch: with several inputs, or where it gives a tuple. A TorchScript module: see adapt/torchscript.hpp.
///
/// `run`, `evaluate`, `Snapshot` and the measures take one; all that it knows of LibTorch's modules is duck-typed, so
/// this header costs their users nothing and does not ask for inheritance.
///     regimen::Model(net, [](auto& n, const regimen::Batch& b) { return n->forward(b.data, b.extra.at("mask")); })
class Model {
 public:
  template <class M>
    requires(!std::same_as<std::remove_cvref_t<M>, Model> && !detail::StandIn<std::remove_cvref_t<M>>)
  Model(M&& model) {  // NOLINT: a module is a model
    using Handle = std::remove_cvref_t<M>;
    static_assert(std::is_lvalue_reference_v<M> || detail::is_handle<Handle>,
                  "a model is borrowed: a temporary module would be gone before it is trained");
    static_assert(!detail::is_torchscript<Handle>,
                  "a torch::jit::Module is trained as a regimen::Script: #include <regimen/adapt/torchscript.hpp> and "
                  "name one, regimen::Script net(module)");
    static_assert(detail::HasParameters<detail::ModuleOf<Handle>>, "a model must have parameters() and buffers()");
    static_assert(detail::CanForward<Handle> || detail::is_torchscript<Handle>,
                  "a model must have: at::Tensor forward(at::Tensor); otherwise say how to call it: "
                  "regimen::Model(model, [](auto& model, const regimen::Batch& batch) { return ...; })");
    if constexpr (detail::CanForward<Handle>) {
      bind(model,
           [](Handle& handle, const Batch& batch) -> at::Tensor { return detail::forward_of(handle, batch.data); });
    }
  }

  template <class M, class How>
  Model(M&& model, How how) {
    using Handle = std::remove_cvref_t<M>;
    static_assert(std::is_lvalue_reference_v<M> || detail::is_handle<Handle>,
                  "a model is borrowed: a temporary module would be gone before it is trained");
    static_assert(std::is_invocable_r_v<at::Tensor, How&, Handle&, const Batch&>,
                  "how to call a model must be callable as: at::Tensor how(model&, const regimen::Batch&)");
    bind(model, std::move(how));
  }

  /// The network's output for a batch.
  [[nodiscard]] at::Tensor forward(const Batch& batch) const { return forward_(batch); }

  [[nodiscard]] std::vector<Named> named_parameters() const { return named_(true); }
  [[nodiscard]] std::vector<Named> named_buffers() const { return named_(false); }

  [[nodiscard]] std::vector<at::Tensor> parameters() const {
    std::vector<at::Tensor> tensors;
    for (Named& named : named_(true)) {
      tensors.push_back(std::move(named.tensor));
    }
    return tensors;
  }

  /// Where the parameters are; the CPU for a model without any.
  [[nodiscard]] at::Device device() const {
    const auto tensors = parameters();
    return tensors.empty() ? at::Device(at::kCPU) : tensors.front().device();
  }

  /// The module's type: "torch::nn::SequentialImpl".
  [[nodiscard]] std::string type() const { return type_(); }

  /// What a manifest says of a model that a regularizer or a transform consults: its type, its number of parameters,
  /// and the CRC-32 of parameters and buffers as they are now. Waits for the device.
  [[nodiscard]] std::string manifest() const {
    std::vector<at::Tensor> tensors = parameters();
    std::int64_t numbers = 0;
    for (const at::Tensor& parameter : tensors) {
      numbers += parameter.numel();
    }
    for (const Named& buffer : named_buffers()) {
      tensors.push_back(buffer.tensor);
    }
    return detail::json::Object()
        .add("type", detail::json::quoted(type()))
        .add("parameters", detail::text(numbers))
        .add("crc32", detail::json::quoted(detail::crc32_of(tensors)))
        .text();
  }

  /// Train mode or eval mode for the model and all its parts.
  void train(bool on) const { train_(on); }

  /// A function that puts every part back into the mode that it is in now.
  [[nodiscard]] std::function<void()> keep_modes() const { return keep_modes_(); }

 private:
  template <class M, class How>
  void bind(M& model, How how) {
    using Handle = std::remove_cvref_t<M>;
    // A handle is copied; of a plain module a pointer is kept.
    auto kept = [&model] {
      if constexpr (detail::is_handle<Handle>) {
        return [handle = Handle(model)]() mutable -> Handle& { return handle; };
      } else {
        return [pointer = &model]() -> Handle& { return *pointer; };
      }
    }();
    using Kept = decltype(kept);
    const auto shared = std::make_shared<Kept>(std::move(kept));
    forward_ = [shared, how = std::move(how)](const Batch& batch) mutable -> at::Tensor {
      return how((*shared)(), batch);
    };
    named_ = [shared](bool parameters) { return detail::named_tensors(detail::module_of((*shared)()), parameters); };
    type_ = [shared] { return detail::name_of_object(typeid(detail::module_of((*shared)()))); };
    train_ = [shared](bool on) {
      if constexpr (requires { detail::module_of((*shared)()).train(on); }) {
        detail::module_of((*shared)()).train(on);
      }
    };
    keep_modes_ = [shared]() -> std::function<void()> {
      auto& module = detail::module_of((*shared)());
      if constexpr (requires { module.modules().front()->is_training(); }) {
        // Parents come first: train() reaches all the way down, and each child then has its own word.
        std::vector<std::function<void()>> each;
        each.push_back([shared, on = module.is_training()] { detail::module_of((*shared)()).train(on); });
        for (const auto& part : module.modules(/*include_self=*/false)) {
          each.push_back([part, on = part->is_training()] { part->train(on); });
        }
        return [each] {
          for (const auto& restore : each) {
            restore();
          }
        };
      } else if constexpr (requires { module.train(module.is_training()); }) {
        return [shared, on = module.is_training()] { detail::module_of((*shared)()).train(on); };
      } else {
        return [] {};
      }
    };
  }

  std::function<at::Tensor(const Batch&)> forward_;
  std::function<std::vector<Named>(bool)> named_;
  std::function<std::string()> type_;
  std::function<void(bool)> train_;
  std::function<std::function<void()>()> keep_modes_;
};

}  // namespace regimen::inline v0
