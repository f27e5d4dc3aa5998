#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>
#include <ATen/record_function.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "regimen/base/config.hpp"
#include "regimen/measure/detail/weight_trail.hpp"

namespace regimen::inline v0::detail {

/// The inputs of an operation that begins. `RecordFunction::inputs()` cannot be called: unless NDEBUG is defined it
/// asserts a member that a LibTorch built with NDEBUG never sets. So the list itself is read, which an explicit
/// instantiation may name although it is private.
c10::ArrayRef<const c10::IValue> inputs_of(const at::RecordFunction& operation);

template <auto Member>
struct RecordedInputs {
  friend c10::ArrayRef<const c10::IValue> inputs_of(const at::RecordFunction& operation) { return operation.*Member; }
};
template struct RecordedInputs<&at::RecordFunction::inputs_>;

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
  LayerWatch(const std::vector<Named>& parameters, const std::vector<Named>& buffers)
      : outer_(innermost()), trail_(parameters, buffers) {
    innermost() = this;
    handle_ = at::addThreadLocalCallback(at::RecordFunctionCallback(&begin, &end)
                                             .scopes({at::RecordScope::FUNCTION})
                                             .needsInputs(true)
                                             .needsOutputs(true)
                                             .needsIds(false));
  }
  ~LayerWatch() {
    at::removeCallback(handle_);
    innermost() = outer_;
  }
  LayerWatch(const LayerWatch&) = delete;
  LayerWatch& operator=(const LayerWatch&) = delete;

  /// The calls that have ended.
  [[nodiscard]] const std::vector<HeardCall>& calls() const { return calls_; }

  /// The model's tensors, parameters first.
  [[nodiscard]] const std::vector<Named>& tensors() const { return trail_.tensors(); }

  /// Parameters of two or more dimensions that met the sample in an operation that is none of these, nor one that adds
  /// them, as biases are added, or picks rows of them, as an embedding does.
  [[nodiscard]] const Sources& used_otherwise() const { return used_otherwise_; }

 private:
  using Inputs = c10::ArrayRef<const c10::IValue>;

  /// What is remembered of an operation from its begin to its end.
  struct Open : at::ObserverContext {
    std::optional<HeardCall> call{};
    std::optional<Sources> from{};  ///< of the outputs
    Sources unknown{};              ///< parameters that meet the sample, in a way that its parts may tell
    std::size_t calls_before = 0;   ///< calls that had ended when it began
    bool hides_its_parts = false;
  };

  static LayerWatch*& innermost() {
    thread_local LayerWatch* watch = nullptr;
    return watch;
  }

  static bool is_one_of(const char* name, std::initializer_list<const char*> names) {
    return std::any_of(names.begin(), names.end(), [&](const char* each) { return std::strcmp(name, each) == 0; });
  }

  static bool is_heard(const char* name) {
    // aten::conv2d and its like end in aten::convolution, which has all settings as numbers; traced scripts call
    // aten::_convolution. instance_norm computes the statistics of its input, and calls batch_norm.
    return is_one_of(name, {"aten::convolution", "aten::_convolution", "aten::linear", "aten::addmm", "aten::addmv",
                            "aten::baddbmm", "aten::matmul", "aten::mm", "aten::bmm", "aten::mv", "aten::dot",
                            "aten::batch_norm", "aten::instance_norm"});
  }

  /// Operations that put a parameter beside the sample: a bias, a position or a token that is learned, an embedding.
  /// LayerNorm's own factors are no map, whatever their shape.
  static bool is_beside(const char* name) {
    return is_one_of(name, {"aten::add", "aten::add_", "aten::sub", "aten::sub_", "aten::rsub", "aten::cat",
                            "aten::stack", "aten::where", "aten::copy_", "aten::embedding", "aten::embedding_bag",
                            "aten::_embedding_bag", "aten::_embedding_bag_forward_only", "aten::index_select",
                            "aten::index", "aten::gather", "aten::layer_norm", "aten::native_layer_norm"});
  }

  /// Operations that take the shape or the type of their second tensor only.
  static bool is_like(const char* name) {
    return is_one_of(name, {"aten::to", "aten::type_as", "aten::expand_as", "aten::view_as", "aten::reshape_as"});
  }

  static at::Tensor tensor_in(const c10::IValue& value) { return value.isTensor() ? value.toTensor() : at::Tensor(); }

  static HeardCall convolution(const Inputs& inputs) {
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
  static std::optional<HeardCall> call_of(std::string_view name, const Inputs& inputs) {
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
    if (innermost() == nullptr || innermost()->within_one_ || std::strstr(operation.name(), "::") == nullptr) {
      return nullptr;
    }
    LayerWatch& watch = *innermost();
    const char* const name = operation.name();
    const Inputs inputs = inputs_of(operation);
    auto open = std::make_unique<Open>();
    std::vector<at::Tensor> tensors;
    for (std::size_t i = 0; i < (is_like(name) ? 1 : inputs.size()); ++i) {
      const std::vector<at::Tensor> own = tensors_in(inputs[i]);
      tensors.insert(tensors.end(), own.begin(), own.end());
    }
    Sources all;
    open->from = watch.trail_.sources_of(tensors, all);
    if (is_heard(name)) {
      open->call = call_of(name, inputs);
    }
    if (open->call) {
      open->call->input_from = watch.sources_of(open->call->input);
      open->call->weight_from = watch.sources_of(open->call->weight);
    } else if (!open->from && !is_beside(name)) {
      open->unknown = std::move(all);
      open->calls_before = watch.calls_.size();
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
    for (const c10::IValue& output : operation.outputs()) {
      for (const at::Tensor& tensor : tensors_in(output)) {
        watch.trail_.made(tensor, open.from);
      }
    }
    for (std::size_t i = open.calls_before; i < watch.calls_.size() && !open.unknown.empty(); ++i) {
      for (const auto& from : {watch.calls_[i].weight_from, watch.calls_[i].input_from}) {
        for (const std::string& name : from.value_or(Sources{})) {
          open.unknown.erase(name);
        }
      }
    }
    watch.used_otherwise_.merge(open.unknown);
    const bool whole =
        open.call && open.call->input.defined() && (open.call->weight.defined() || open.call->variance.defined());
    if (whole && !operation.outputs().empty()) {
      HeardCall call = std::move(*open.call);
      call.output = tensor_in(operation.outputs().front());
      if (call.kind != HeardCall::Kind::normalization) {
        call.version = version_of(call.output);
      }
      watch.calls_.push_back(std::move(call));
    }
  }

  [[nodiscard]] std::optional<Sources> sources_of(const at::Tensor& tensor) const {
    return tensor.defined() ? trail_.sources_of(tensor) : std::nullopt;
  }

  LayerWatch* outer_;
  WeightTrail trail_;
  at::CallbackHandle handle_{};
  bool within_one_ = false;  ///< in an operation whose parts are not looked at
  std::vector<HeardCall> calls_{};
  Sources used_otherwise_{};
};

}  // namespace regimen::inline v0::detail
