#pragma once

#include <ATen/Context.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <fstream>
#include <string>

#include "regimen/base/error.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/model/model.hpp"
#include "regimen/tensor/autocast.hpp"

namespace regimen::inline v0 {

/// The numbers in which the network computes. Parameters, gradients and the loss stay float.
enum class Precision {
  fp32,  ///< the model's own type; TF32 in CUDA convolutions is LibTorch's setting, on by default
  tf32,  ///< TF32 (10 bits of mantissa) for float products and convolutions on NVIDIA GPUs since Ampere; elsewhere fp32
  bf16,  ///< autocast: products and convolutions in bfloat16, the rest as LibTorch decides
  fp16,  ///< autocast in half precision; small gradients need a `LossScaler`, which `run` provides. Not with LBFGS
};

[[nodiscard]] inline std::string name_of(Precision precision) {
  switch (precision) {
    case Precision::tf32:
      return "tf32";
    case Precision::bf16:
      return "bf16";
    case Precision::fp16:
      return "fp16";
    default:
      return "fp32";
  }
}

/// The order of images and 4-d weights in memory.
enum class MemoryFormat {
  contiguous,     ///< [N, C, H, W]
  channels_last,  ///< [N, H, W, C] in memory, same shape: convolutions 20 to 40 % faster on most processors
};

[[nodiscard]] inline std::string name_of(MemoryFormat format) {
  return format == MemoryFormat::contiguous ? "contiguous" : "channels_last";
}

namespace detail {

/// Sets LibTorch's process-wide switches, TF32 and cuDNN's autotuning, for the guard's lifetime.
class Switches {
 public:
  Switches(bool tf32, bool autotune)
      : products_(at::globalContext().allowTF32CuBLAS()),
        convolutions_(at::globalContext().allowTF32CuDNN()),
        autotune_(at::globalContext().benchmarkCuDNN()) {
    if (tf32) {
      at::globalContext().setAllowTF32CuBLAS(true);
      at::globalContext().setAllowTF32CuDNN(true);
    }
    if (autotune) {
      at::globalContext().setBenchmarkCuDNN(true);
    }
  }

  ~Switches() {
    at::globalContext().setBenchmarkCuDNN(autotune_);
    at::globalContext().setAllowTF32CuDNN(convolutions_);
    at::globalContext().setAllowTF32CuBLAS(products_);
  }

  Switches(const Switches&) = delete;
  Switches& operator=(const Switches&) = delete;

 private:
  bool products_;
  bool convolutions_;
  bool autotune_;
};

/// Switches TF32 off for the guard's lifetime: it has 10 bits of mantissa, and derivatives of it hardly any.
class WithoutTf32 {
 public:
  WithoutTf32() {
    at::globalContext().setAllowTF32CuBLAS(false);
    at::globalContext().setAllowTF32CuDNN(false);
  }

 private:
  Switches before_{/*tf32=*/false, /*autotune=*/false};  // restores them
};

}  // namespace detail

/// Settings of the computation of a network: device, precision, memory format, recorded steps. Results stay the same up
/// to rounding. Opt-in: the default changes nothing.
///
/// A field of `Phase`, also usable in a loop of your own:
///     const regimen::Execution fast{.precision = regimen::Precision::bf16,
///                                   .memory_format = regimen::MemoryFormat::channels_last,
///                                   .device = "cuda"};
///     fast.prepare(net);                            // once: moves the model, lays 4-d weights out
///     const auto switches = fast.switches();        // TF32 and cuDNN's autotuning, while it lives
///     const auto out = fast.forward(net, batch);    // [N, ...] float
struct Execution {
  Precision precision = Precision::fp32;
  MemoryFormat memory_format = MemoryFormat::contiguous;
  std::string device{};   ///< "cpu", "cuda", "cuda:1"; empty: the model's device
  bool fused = false;     ///< steps by `fused_step`; needs an optimizer that is `Fusible`
  bool graph = false;     ///< recorded steps (`Captured`) where possible
  bool autotune = false;  ///< cuDNN tries its algorithms on the first batch of each shape and keeps the fastest

  friend bool operator==(const Execution&, const Execution&) = default;

  /// Throws Error if the device does not exist or does not support the precision.
  void check(const Weights& model) const {
    const at::Device target = device_for(model);
    if (target.is_cuda() && !at::globalContext().hasCUDA()) {
      throw Error("Execution.device must be \"cpu\": this LibTorch finds no GPU, but device is \"" + device + "\"");
    }
    if (precision == Precision::fp16 && target.is_cpu() && !detail::autocast_by_device) {
      throw Error("Execution.precision must be bf16 or fp32 on a CPU before LibTorch 2.4, but is fp16");
    }
  }

  /// The device on which the model will be computed. Throws Error for text that names no device.
  [[nodiscard]] at::Device device_for(const Weights& model) const {
    if (device.empty()) {
      return model.device();
    }
    try {
      return at::Device(device);
    } catch (const c10::Error&) {
      throw Error("Execution.device must be \"cpu\", \"cuda\" or \"cuda:1\", but is \"" + device + "\"");
    }
  }

  /// Moves the model to the device and sets the memory format of its 4-d parameters. Values do not change, and the
  /// tensors that an optimizer holds stay valid. Call it before the first step, so that the optimizer's state follows.
  /// `run` does it at the start of a phase and leaves the model so. Throws Error as `check` does.
  void prepare(const Weights& model) const {
    check(model);
    const at::Device target = device_for(model);
    const at::NoGradGuard no_grad;
    for (const Named& named : model.named_tensors()) {
      at::Tensor tensor = named.tensor;
      if (tensor.device() != target) {
        tensor.mutable_grad() = at::Tensor();
        tensor.set_data(tensor.to(target));
      }
    }
    if (memory_format == MemoryFormat::channels_last) {
      for (at::Tensor& parameter : model.parameters()) {
        if (parameter.dim() == 4) {
          parameter.set_data(parameter.contiguous(at::MemoryFormat::ChannelsLast));
        }
      }
    }
  }

  /// A guard that sets LibTorch's process-wide switches: use it around forward and backward passes.
  [[nodiscard]] detail::Switches switches() const { return {precision == Precision::tf32, autotune}; }

  /// Output of the model for a batch, in float if it was computed by autocast.
  [[nodiscard]] at::Tensor forward(const Model& model, Batch batch) const {
    if (memory_format == MemoryFormat::channels_last && batch.data.dim() == 4) {
      batch.data = batch.data.contiguous(at::MemoryFormat::ChannelsLast);
    }
    if (precision == Precision::fp32 || precision == Precision::tf32) {
      return model.forward(batch);
    }
    const at::ScalarType type = precision == Precision::bf16 ? at::kBFloat16 : at::kHalf;
    const detail::Autocast autocast(batch.data.device().type(), true, type);
    return model.forward(batch).to(at::kFloat);
  }
};

/// Whether this CPU multiplies bf16 in hardware (AMX or AVX-512), so that bf16 is faster than fp32.
[[nodiscard]] inline bool cpu_has_bf16() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.rfind("flags", 0) == 0) {
      return line.find("amx_bf16") != std::string::npos || line.find("avx512_bf16") != std::string::npos;
    }
  }
  return false;
}

}  // namespace regimen::inline v0
