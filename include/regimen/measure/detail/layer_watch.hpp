#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/alias_info.h>
#include <ATen/core/function_schema.h>
#include <ATen/core/ivalue.h>
#include <ATen/record_function.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "regimen/base/config.hpp"
#include "regimen/measure/detail/operations.hpp"
#include "regimen/measure/detail/weight_trail.hpp"
#include "regimen/model/listening.hpp"

namespace regimen::inline v0::detail {

/// A linear map or a BatchNorm in eval mode as LibTorch was asked to compute it. Tensors are kept, so no other tensor
/// gets their address.
struct HeardCall {
  enum class Kind { matrix, convolution, normalization };
  Kind kind = Kind::matrix;
  at::Tensor input{};
  at::Tensor weight{};  ///< matrix [out, in]; kernel; gamma, or undefined
  at::Tensor variance{};
  double epsilon = 0;
  std::vector<std::int64_t> stride{}, padding{}, dilation{}, output_padding{};
  bool transposed = false;
  std::int64_t groups = 1;
  bool is_product = false;               ///< a product of `input` and `weight`, of which either may be the weight
  std::optional<Sources> input_from{};   ///< nullopt: from the sample
  std::optional<Sources> weight_from{};  ///< nullopt: from the sample
  at::Tensor output{};
  std::int64_t version = 0;  ///< of the output when it was computed; an operation in place raises it
};

/// How often a tensor was written to; 0 for one of inference mode, which does not count.
inline std::int64_t version_of(const at::Tensor& tensor) {
  return tensor.defined() && !tensor.is_inference() ? tensor._version() : 0;
}

/// Lists the linear maps (convolutions of all kinds, linear, and products of two tensors) and BatchNorms that run in
/// this thread during the watch's lifetime, in order. All kinds of models end in these operations, TorchScript's
/// included. Of operations within each other the outermost counts.
class LayerWatch {
 public:
  /// The model's parameters, its buffers, and the tensors that it is given.
  LayerWatch(const std::vector<Named>& parameters, const std::vector<Named>& buffers,
             const std::vector<at::Tensor>& sample)
      : trail_(parameters, buffers, sample), outer_(std::exchange(innermost(), this)) {}
  ~LayerWatch() { innermost() = outer_; }
  LayerWatch(const LayerWatch&) = delete;
  LayerWatch& operator=(const LayerWatch&) = delete;

  /// The calls that have ended.
  [[nodiscard]] const std::vector<HeardCall>& calls() const { return calls_; }

  /// The model's tensors, parameters first.
  [[nodiscard]] const std::vector<Named>& tensors() const { return trail_.tensors(); }

  /// Parameters of two or more dimensions that met the sample in an operation that is none of these, nor one that adds
  /// them, as biases are added, or picks rows of them, as an embedding does. Dimensions of length 1 count in products
  /// only.
  [[nodiscard]] const Sources& unheard() const { return unheard_; }

  /// Parameters of two or more dimensions that met the sample in any operation.
  [[nodiscard]] Sources met() const {
    Sources all;
    for (const Sources& each : met_) {
      all.insert(each.begin(), each.end());
    }
    return all;
  }

  /// The name of a kernel that ran, into which TorchScript has fused several operations; empty if none did. What it did
  /// was not heard. A range that a user's code has named so is taken for one.
  [[nodiscard]] const std::string& fused() const { return fused_; }

  /// Those that did so in another way than being put beside it.
  [[nodiscard]] const Sources& met_closely() const { return met_closely_; }

 private:
  /// What is remembered of an operation from its begin to its end.
  struct Open : at::ObserverContext {
    std::optional<HeardCall> call{};
    std::vector<at::Tensor> inputs{};
    std::vector<at::Tensor> written{};     ///< inputs that it writes to
    std::optional<std::size_t> returns{};  ///< how many values it returns, where known
    std::optional<Sources> from{};         ///< of the outputs
    Sources all{};                         ///< all parameters in it
    Sources unheard{};                     ///< parameters that meet the sample, in a way that its parts may tell
    std::size_t met_before = 0;            ///< operations in which parameters had met the sample when it began
    bool hides_its_parts = false;
  };

  static LayerWatch*& innermost() {
    thread_local LayerWatch* watch = nullptr;
    return watch;
  }

  static at::Tensor tensor_in(const c10::IValue& value) { return value.isTensor() ? value.toTensor() : at::Tensor(); }

  static HeardCall convolution(const Values& inputs) {
    HeardCall call{.kind = HeardCall::Kind::convolution, .input = tensor_in(inputs[0]), .weight = tensor_in(inputs[1])};
    call.stride = inputs[3].toIntVector();
    call.padding = inputs[4].toIntVector();
    call.dilation = inputs[5].toIntVector();
    call.transposed = inputs[6].toBool();
    call.output_padding = inputs[7].toIntVector();
    call.groups = inputs[8].toInt();
    return call;
  }

  /// A product a b: a map of a, with the matrix b', or of b, with the matrix a.
  static HeardCall product(const c10::IValue& a, const c10::IValue& b) {
    return {.input = tensor_in(a), .weight = tensor_in(b), .is_product = true};
  }

  /// Nullopt for a product with a factor: the map would not be that of the weight alone.
  static std::optional<HeardCall> call_of(std::string_view name, const Values& inputs) {
    if (name == "aten::convolution" || name == "aten::_convolution") {
      return convolution(inputs);
    }
    if (name == "aten::linear") {
      return HeardCall{.input = tensor_in(inputs[0]), .weight = tensor_in(inputs[1])};
    }
    if (name == "aten::addmm" || name == "aten::addmv" || name == "aten::baddbmm") {
      const bool plain = inputs.size() < 5 || inputs[4].toScalar().equal(1);
      return plain ? std::optional<HeardCall>(product(inputs[1], inputs[2])) : std::nullopt;
    }
    if (name == "aten::batch_norm" && !inputs[5].toBool()) {
      return HeardCall{.kind = HeardCall::Kind::normalization,
                       .input = tensor_in(inputs[0]),
                       .weight = tensor_in(inputs[1]),
                       .variance = tensor_in(inputs[4]),
                       .epsilon = inputs[7].toDouble(),
                       .version = version_of(tensor_in(inputs[0]))};
    }
    const bool is_norm = name == "aten::batch_norm" || name == "aten::instance_norm";
    return is_norm ? HeardCall{} : product(inputs[0], inputs[1]);
  }

  static std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction& operation) {
    // LibTorch hands callbacks on to threads that it starts, and this watch is of one thread. A name without "::" is
    // that of a range, not of an operation.
    if (innermost() == nullptr || innermost()->within_one_) {
      return nullptr;
    }
    LayerWatch& watch = *innermost();
    const char* const name = operation.name();
    if (std::strstr(name, "::") == nullptr) {
      if (std::strncmp(name, "fused_", 6) == 0) {
        watch.fused_ = name;
      }
      return nullptr;
    }
    Values inputs = inputs_of(operation);
    auto open = std::make_unique<Open>();
    if (const auto schema = operation.operator_schema()) {
      open->returns = schema->returns().size();
      inputs = last(inputs, schema->arguments().size());
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        const c10::AliasInfo* const alias = schema->arguments()[i].alias_info();
        if (alias != nullptr && alias->isWrite()) {
          append(open->written, tensors_in(inputs[i]));
        }
      }
    }
    for (std::size_t i = 0; i < arguments_read(name, inputs.size()); ++i) {
      append(open->inputs, tensors_in(inputs[i]));
    }
    open->from = watch.trail_.sources_of(open->inputs, open->all);
    open->met_before = watch.met_.size();
    if (is_heard(name)) {
      open->call = call_of(name, inputs);
    }
    if (open->call) {
      open->call->input_from = watch.sources_of(open->call->input);
      open->call->weight_from = watch.sources_of(open->call->weight);
    } else if (!open->from && !is_beside(name)) {
      open->unheard = is_heard(name) ? open->all : watch.trail_.without_vectors(open->all);
    }
    // The parts of an operation on constants make one, though they may write into memory that nobody has seen made.
    const bool is_constant = open->from && std::strncmp(name, "aten::", 6) == 0;
    open->hides_its_parts = is_constant || is_heard(name) || is_beside(name);
    watch.within_one_ = open->hides_its_parts;
    return open;
  }

  static void end(const at::RecordFunction& operation, at::ObserverContext* context) {
    if (innermost() == nullptr || context == nullptr) {
      return;
    }
    LayerWatch& watch = *innermost();
    auto& open = static_cast<Open&>(*context);
    if (open.hides_its_parts) {
      watch.within_one_ = false;
    }
    const Values outputs = last(Values(operation.outputs().data(), operation.outputs().size()), open.returns);
    std::vector<at::Tensor> tensors;
    for (const c10::IValue& output : outputs) {
      append(tensors, tensors_in(output));
    }
    for (const at::Tensor& written : open.written) {
      watch.trail_.wrote(written, open.from);
    }
    for (const at::Tensor& tensor : tensors) {
      watch.trail_.made(tensor, open.inputs, open.from);
    }
    if (!open.from && !(open.written.empty() && are_views(tensors, open.inputs))) {
      watch.meet(open, is_beside(operation.name()));
    }
    const bool whole =
        open.call && open.call->input.defined() && (open.call->weight.defined() || open.call->variance.defined());
    if (whole && !outputs.empty()) {
      HeardCall call = std::move(*open.call);
      call.output = tensor_in(outputs.front());
      if (call.kind != HeardCall::Kind::normalization) {
        call.version = version_of(call.output);
      }
      watch.calls_.push_back(std::move(call));
    }
  }

  /// Notes that the parameters of an operation met the sample. Where they did so in its parts, these have told how.
  void meet(Open& open, bool beside) {
    Sources close = beside ? Sources{} : open.all;
    for (std::size_t i = open.met_before; i < met_.size(); ++i) {
      for (const std::string& name : met_[i]) {
        open.unheard.erase(name);
        close.erase(name);
      }
    }
    unheard_.merge(open.unheard);
    met_closely_.merge(close);
    if (!open.all.empty()) {
      met_.push_back(std::move(open.all));
    }
  }

  static void append(std::vector<at::Tensor>& tensors, const std::vector<at::Tensor>& more) {
    tensors.insert(tensors.end(), more.begin(), more.end());
  }

  /// Whether all outputs are views of inputs: then nothing was computed.
  static bool are_views(const std::vector<at::Tensor>& outputs, const std::vector<at::Tensor>& inputs) {
    return std::all_of(outputs.begin(), outputs.end(), [&](const at::Tensor& output) {
      return std::any_of(inputs.begin(), inputs.end(), [&](const at::Tensor& input) {
        return WeightTrail::memory_of(input) == WeightTrail::memory_of(output);
      });
    });
  }

  [[nodiscard]] std::optional<Sources> sources_of(const at::Tensor& tensor) const {
    return tensor.defined() ? trail_.sources_of(tensor) : std::nullopt;
  }

  WeightTrail trail_;
  LayerWatch* outer_;
  bool within_one_ = false;  ///< in an operation whose parts are not looked at
  std::vector<HeardCall> calls_{};
  std::string fused_{};
  Sources unheard_{};
  Sources met_closely_{};
  std::vector<Sources> met_{};  ///< the parameters of each operation in which some met the sample
  // Last: what it calls uses the others.
  Listening listening_{at::RecordFunctionCallback(&begin, &end)
                           .scopes({at::RecordScope::FUNCTION})
                           .needsInputs(true)
                           .needsOutputs(true)
                           .needsIds(false)};
};

}  // namespace regimen::inline v0::detail
