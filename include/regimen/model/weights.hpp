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

#include "regimen/base/fields.hpp"
#include "regimen/base/json.hpp"
#include "regimen/base/type_name.hpp"
#include "regimen/model/modules.hpp"
#include "regimen/tensor/checksum.hpp"
#include "regimen/tensor/named.hpp"

namespace regimen::inline v0 {

struct Probe;

namespace detail {

/// A `Probe`, the input of measures (measure/concept.hpp), holds a model but is not one.
template <class T>
inline constexpr bool is_probe = std::is_same_v<T, Probe>;

}  // namespace detail

/// Parameters and buffers of a borrowed model: anything with `parameters()` and `buffers()`; no forward is needed.
/// Taken by parts that need only the weights: `Snapshot`, `l2_norm`, averages. Modules are recognized by their members,
/// not by a base class, so this header does not include torch::nn.
///
/// Every tensor is listed once, under its first name (see `Named::aliases`), as by Python's `named_parameters()` and
/// unlike LibTorch's.
class Weights {
 public:
  template <class M>
    requires(!std::derived_from<std::remove_cvref_t<M>, Weights> && !detail::is_probe<std::remove_cvref_t<M>> &&
             !detail::StandIn<std::remove_cvref_t<M>>)
  Weights(M&& model) {  // NOLINT: a module has weights
    using Handle = std::remove_cvref_t<M>;
    static_assert(std::is_lvalue_reference_v<M> || detail::is_handle<Handle>,
                  "a model is borrowed: a temporary module would be gone before it is trained");
    static_assert(
        !detail::is_torchscript<Handle>,
        "a torch::jit::Module is looked at as a regimen::Script: #include <regimen/adapt/torchscript.hpp> and "
        "name one, regimen::Script net(module)");
    static_assert(detail::HasParameters<detail::ModuleOf<Handle>> || detail::is_torchscript<Handle>,
                  "a model must have parameters() and buffers()");
    if constexpr (detail::HasParameters<detail::ModuleOf<Handle>> && !detail::is_torchscript<Handle>) {
      bind(hold(model));
    }
  }

  [[nodiscard]] std::vector<Named> named_parameters() const { return named_(true); }
  [[nodiscard]] std::vector<Named> named_buffers() const { return named_(false); }

  [[nodiscard]] std::vector<at::Tensor> parameters() const {
    std::vector<at::Tensor> tensors;
    for (Named& named : named_(true)) {
      tensors.push_back(std::move(named.tensor));
    }
    return tensors;
  }

  /// Parameters first, then buffers.
  [[nodiscard]] std::vector<Named> named_tensors() const {
    std::vector<Named> all = named_(true);
    for (Named& buffer : named_(false)) {
      all.push_back(std::move(buffer));
    }
    return all;
  }

  /// Device of the parameters; the CPU if there are none.
  [[nodiscard]] at::Device device() const {
    const auto tensors = named_(true);
    return tensors.empty() ? at::Device(at::kCPU) : tensors.front().tensor.device();
  }

  /// The module's type: "torch::nn::SequentialImpl".
  [[nodiscard]] std::string type() const { return type_(); }

  /// The text that the module prints, "torch::nn::Dropout(p=0.5, inplace=false)"; empty if it cannot be printed.
  [[nodiscard]] std::string structure() const { return structure_(); }

  /// The manifest: type, number of parameters, and the CRC-32s of the current numbers of parameters and buffers and of
  /// their names, shapes and types. Waits for the device.
  [[nodiscard]] std::string manifest() const {
    std::vector<at::Tensor> tensors;
    for (const Named& named : named_tensors()) {
      tensors.push_back(named.tensor);
    }
    std::int64_t numbers = 0;
    for (const at::Tensor& parameter : parameters()) {
      numbers += parameter.numel();
    }
    return detail::json::Object()
        .add("type", detail::json::quoted(type()))
        .add("parameters", detail::text(numbers))
        .add("crc32", detail::json::quoted(detail::crc32_of(tensors)))
        .add("kinds_crc32", detail::json::quoted(detail::crc32_of_kinds(named_tensors())))
        .text();
  }

  /// Sets train or eval mode for the model and all its submodules. The submodules in `eval_parts`, and those within
  /// them, are always set to eval mode.
  void train(bool on, const std::vector<std::string>& eval_parts = {}) const {
    train_(on);
    if (on && !eval_parts.empty()) {
      for (const detail::Part& part : parts_()) {
        if (Named{part.name, {}}.matches(eval_parts)) {
          part.train(false);
        }
      }
    }
  }

  /// A function that restores the current mode of every submodule.
  [[nodiscard]] std::function<void()> keep_modes() const {
    std::vector<std::function<void()>> each;
    for (const detail::Part& part : parts_()) {
      each.push_back([train = part.train, on = part.is_training()] { train(on); });
    }
    return [each] {
      for (const auto& restore : each) {  // parents first, as they also set their children, which then get their own
                                          // mode
        restore();
      }
    };
  }

  /// The submodules that have modes, parents before their children; the model itself has the name "".
  [[nodiscard]] std::vector<detail::Part> parts() const { return parts_(); }

 protected:
  Weights() = default;

  /// A function that returns the model: a copy of a handle, or a pointer to a plain module.
  template <class M>
  static auto hold(M& model) {
    using Handle = std::remove_cvref_t<M>;
    if constexpr (detail::is_handle<Handle>) {
      return [kept = std::make_shared<Handle>(model)]() -> Handle& { return *kept; };
    } else {
      return [pointer = &model]() -> M& { return *pointer; };
    }
  }

  template <class Held>
  void bind(const Held& held) {
    const auto module = [held]() -> auto& { return detail::module_of(held()); };
    static_assert(!detail::HidesItsMode<std::remove_reference_t<decltype(module())>>,
                  "a model with train(bool) must have bool is_training() too: its mode is put back after scoring");
    named_ = [module](bool parameters) { return detail::named_tensors(module(), parameters); };
    type_ = [module] { return detail::name_of_object(typeid(module())); };
    structure_ = [module] { return detail::structure_of(module()); };
    train_ = [module](bool on) {
      if constexpr (requires { module().train(on); }) {
        module().train(on);
      }
    };
    parts_ = [module] { return detail::parts_of(module); };
  }

 private:
  std::function<std::vector<Named>(bool)> named_;
  std::function<std::string()> type_;
  std::function<std::string()> structure_;
  std::function<void(bool)> train_;
  std::function<std::vector<detail::Part>()> parts_;
};

}  // namespace regimen::inline v0
