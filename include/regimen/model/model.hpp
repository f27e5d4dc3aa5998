#pragma once

#include <ATen/core/Tensor.h>

#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>

#include "regimen/batch/batch.hpp"
#include "regimen/model/weights.hpp"

namespace regimen::inline v0 {

namespace detail {

template <class M>
concept HasForward = requires(M& model, const at::Tensor& x) {
  { model.forward(x) } -> std::convertible_to<at::Tensor>;
};

/// Calls a model on one tensor: the object itself if it can be called, else the module behind it (an AnyModule's
/// pointer cannot be called).
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

}  // namespace detail

/// A borrowed model: anything with `parameters()`, `buffers()` and a `forward` of one tensor (a ModuleHolder, a smart
/// or raw pointer, a Sequential, an AnyModule, a module of your own). Other models, with several inputs or a tuple as
/// output, are given together with a function that calls them on a batch. For a TorchScript module see
/// adapt/torchscript.hpp.
///
/// `run`, `evaluate` and the measures take a `Model`; parts that need only the weights take its base, `Weights`.
///     regimen::Model(net, [](auto& n, const regimen::Batch& b) { return n->forward(b.data, b.extra.at("mask")); })
class Model : public Weights {
 public:
  template <class M>
    requires(!std::derived_from<std::remove_cvref_t<M>, Weights> && !detail::is_probe<std::remove_cvref_t<M>> &&
             !detail::StandIn<std::remove_cvref_t<M>>)
  Model(M&& model) {  // NOLINT: a module is a model
    using Handle = std::remove_cvref_t<M>;
    static_assert(!detail::is_torchscript<Handle>,
                  "a torch::jit::Module is trained as a regimen::Script: #include <regimen/adapt/torchscript.hpp> and "
                  "name one, regimen::Script net(module)");
    static_assert(detail::CanForward<Handle> || detail::is_torchscript<Handle>,
                  "a model must have: at::Tensor forward(at::Tensor); otherwise say how to call it: "
                  "regimen::Model(model, [](auto& model, const regimen::Batch& batch) { return ...; })");
    if constexpr (detail::CanForward<Handle> && !detail::is_torchscript<Handle>) {
      bind_model<M>(model, [](Handle& handle, const Batch& batch) -> at::Tensor {
        return detail::forward_of(handle, batch.data);
      });
    }
  }

  template <class M, class How>
  Model(M&& model, How how) {
    using Handle = std::remove_cvref_t<M>;
    static_assert(std::is_invocable_r_v<at::Tensor, How&, Handle&, const Batch&>,
                  "how to call a model must be callable as: at::Tensor how(model&, const regimen::Batch&)");
    bind_model<M>(model, std::move(how));
  }

  /// Output of the network for a batch.
  [[nodiscard]] at::Tensor forward(const Batch& batch) const { return forward_(batch); }

 private:
  template <class M, class Lvalue, class How>
  void bind_model(Lvalue& model, How how) {
    using Handle = std::remove_cvref_t<M>;
    static_assert(std::is_lvalue_reference_v<M> || detail::is_handle<Handle>,
                  "a model is borrowed: a temporary module would be gone before it is trained");
    static_assert(detail::is_handle<Handle> || !std::is_const_v<std::remove_reference_t<M>>,
                  "a model must not be const: scoring changes its modes and puts them back");
    static_assert(detail::HasParameters<detail::ModuleOf<Handle>>, "a model must have parameters() and buffers()");
    const auto held = hold(model);
    bind(held);
    forward_ = [held, how = std::move(how)](const Batch& batch) mutable -> at::Tensor { return how(held(), batch); };
  }

  std::function<at::Tensor(const Batch&)> forward_;
};

}  // namespace regimen::inline v0
