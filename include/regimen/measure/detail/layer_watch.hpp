#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>
#include <ATen/record_function.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "regimen/base/config.hpp"

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
  bool features_second = true;  ///< whether dimension 1 of the output counts the map's outputs, as for BatchNorm
  bool always = true;           ///< whether it is a layer even if its weight is no tensor of the model
  bool weight_first = false;    ///< x.matmul(weight) may be weight.matmul(x), if only one of the two is of the model
  at::Tensor output{};
  std::int64_t version = 0;  ///< of the output when it was computed; an operation in place raises it
};

/// How often a tensor was written to; 0 for one of inference mode, which does not count.
inline std::int64_t version_of(const at::Tensor& tensor) {
  return tensor.defined() && !tensor.is_inference() ? tensor._version() : 0;
}

/// Lists the linear maps (convolutions of all kinds, linear, addmm, mm, matmul) and BatchNorms that run in this thread
/// during the watch's lifetime, in order. All kinds of models end in these operations, TorchScript's included. Of
/// operations within each other the outermost counts.
class LayerWatch {
 public:
  LayerWatch() : outer_(innermost()) {
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

 private:
  using Inputs = c10::ArrayRef<const c10::IValue>;

  static LayerWatch*& innermost() {
    thread_local LayerWatch* watch = nullptr;
    return watch;
  }

  static bool is_heard(const char* name) {
    // aten::conv2d and its like end in aten::convolution, which has all settings as numbers; traced scripts call
    // aten::_convolution. instance_norm computes the statistics of its input, and calls batch_norm.
    for (const char* const heard : {"aten::convolution", "aten::_convolution", "aten::linear", "aten::addmm",
                                    "aten::matmul", "aten::mm", "aten::batch_norm", "aten::instance_norm"}) {
      if (std::strcmp(name, heard) == 0) {
        return true;
      }
    }
    return false;
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
    return {.input = tensor_in(a), .weight = tensor_in(b), .always = false, .weight_first = true};
  }

  static HeardCall call_of(std::string_view name, const Inputs& inputs) {
    if (name == "aten::convolution" || name == "aten::_convolution") {
      return convolution(inputs);
    }
    if (name == "aten::linear") {
      return {.input = tensor_in(inputs[0]), .weight = tensor_in(inputs[1])};
    }
    if (name == "aten::addmm") {
      return product(inputs[1], inputs[2]);
    }
    if (name == "aten::batch_norm" && !inputs[5].toBool()) {
      return {.kind = HeardCall::Kind::normalization,
              .input = tensor_in(inputs[0]),
              .weight = tensor_in(inputs[1]),
              .variance = tensor_in(inputs[4]),
              .epsilon = inputs[7].toDouble(),
              .version = version_of(tensor_in(inputs[0]))};
    }
    return name == "aten::matmul" || name == "aten::mm" ? product(inputs[0], inputs[1]) : HeardCall{};
  }

  static std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction& operation) {
    if (innermost() == nullptr) {
      return nullptr;  // LibTorch hands callbacks on to threads that it starts, and this watch is of one thread
    }
    LayerWatch& watch = *innermost();
    if (is_heard(operation.name()) && watch.depth_++ == 0) {
      watch.open_ = call_of(operation.name(), inputs_of(operation));
    }
    return nullptr;
  }

  static void end(const at::RecordFunction& operation, at::ObserverContext* /*context*/) {
    if (innermost() == nullptr) {
      return;
    }
    LayerWatch& watch = *innermost();
    if (!is_heard(operation.name()) || --watch.depth_ > 0) {
      return;
    }
    HeardCall call = std::move(watch.open_);
    watch.open_ = {};
    const bool whole = call.input.defined() && (call.weight.defined() || call.variance.defined());
    if (whole && !operation.outputs().empty()) {
      call.output = tensor_in(operation.outputs().front());
      if (call.kind != HeardCall::Kind::normalization) {
        call.version = version_of(call.output);
      }
      watch.calls_.push_back(std::move(call));
    }
  }

  LayerWatch* outer_;
  at::CallbackHandle handle_{};
  int depth_ = 0;
  HeardCall open_{};
  std::vector<HeardCall> calls_;
};

}  // namespace regimen::inline v0::detail
