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

/// What a measure looks at (measure/concept.hpp) holds a model and is none.
template <class T>
inline constexpr bool is_probe = std::is_same_v<T, Probe>;

}  // namespace detail

/// The parameters and buffers of a model, borrowed: of anything with `parameters()` and `buffers()`, whether it has a
/// forward or not. What looks at weights alone takes this: `Snapshot`, `l2_norm`, averages. Modules are known by what
/// they have, not by a base class, so this header costs those who use others nothing.
///
/// Every tensor is listed once, under the first of its names (see `Named::aliases`), as Python's `named_parameters()`
/// does and LibTorch's does not.
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

  /// Where the parameters are; the CPU for a model without any.
  [[nodiscard]] at::Device device() const {
    const auto tensors = named_(true);
    return tensors.empty() ? at::Device(at::kCPU) : tensors.front().tensor.device();
  }

  /// The module's type: "torch::nn::SequentialImpl".
  [[nodiscard]] std::string type() const { return type_(); }

  /// What the module prints of itself, "torch::nn::Dropout(p=0.5, inplace=false)"; empty for one that prints nothing.
  [[nodiscard]] std::string structure() const { return structure_(); }

  /// Type, number of parameters, and two CRC-32s: of the numbers of parameters and buffers as they are now, and of
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

  /// Train mode or eval mode for the model and all its parts, but for the parts in the list (and what is in them),
  /// which are in eval mode.
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

  /// A function that puts every part back into the mode that it is in now.
  [[nodiscard]] std::function<void()> keep_modes() const {
    std::vector<std::function<void()>> each;
    for (const detail::Part& part : parts_()) {
      each.push_back([train = part.train, on = part.is_training()] { train(on); });
    }
    return [each] {
      for (const auto& restore : each) {  // parents first: theirs reaches their children, who then get their own
        restore();
      }
    };
  }

  /// The model's parts that have modes, parents before their children; the model itself has the name "".
  [[nodiscard]] std::vector<detail::Part> parts() const { return parts_(); }

 protected:
  Weights() = default;

  /// A handle is copied; of a plain module a pointer is kept. Gives a function that gives the handle.
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
