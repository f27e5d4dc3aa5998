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

/// In what numbers the network computes. Parameters, gradients and the loss stay float.
enum class Precision {
  fp32,  ///< as the model is; whether convolutions on CUDA take TF32 stays LibTorch's setting, which is yes
  tf32,  ///< products and convolutions of floats with 10 bits of mantissa, on NVIDIA GPUs since Ampere; elsewhere fp32
  bf16,  ///< autocast: products and convolutions in bfloat16, the rest as LibTorch decides
  fp16,  ///< autocast in half precision; small gradients need a `LossScaler`, which `run` brings along. Not with LBFGS
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

/// How images and 4-d weights lie in memory.
enum class MemoryFormat {
  contiguous,     ///< [N, C, H, W]
  channels_last,  ///< [N, H, W, C] behind the same shape: 20 to 40 % faster convolutions on most processors
};

[[nodiscard]] inline std::string name_of(MemoryFormat format) {
  return format == MemoryFormat::contiguous ? "contiguous" : "channels_last";
}

namespace detail {

/// What LibTorch knows as switches of the whole process, held while this lives: TF32, and cuDNN's trial of its
/// algorithms.
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

}  // namespace detail

/// How a network is computed; what is computed stays the same up to rounding. Opt-in: the default touches nothing.
///
/// A field of `Phase`, and as well a value for a loop of your own:
///     const regimen::Execution fast{.precision = regimen::Precision::bf16,
///                                   .memory_format = regimen::MemoryFormat::channels_last,
///                                   .device = "cuda"};
///     fast.prepare(net);                            // once: moves the model, lays 4-d weights out
///     const auto switches = fast.switches();        // TF32 and cuDNN's autotuning, while it lives
///     const auto out = fast.forward(net, batch);    // [N, ...] float
struct Execution {
  Precision precision = Precision::fp32;
  MemoryFormat memory_format = MemoryFormat::contiguous;
  std::string device{};   ///< "cpu", "cuda", "cuda:1"; empty: where the model is
  bool fused = false;     ///< the optimizer's step by `fused_step`; asks for one that it knows
  bool graph = false;     ///< each step by replaying a recording of it (`Captured`), where that can be had
  bool autotune = false;  ///< cuDNN tries its algorithms on the first batch of each shape and keeps the fastest

  friend bool operator==(const Execution&, const Execution&) = default;

  /// Throws Error for a device that is not there, or does not compute in the precision that is asked for.
  void check(const Weights& model) const {
    const at::Device target = device_for(model);
    if (target.is_cuda() && !at::globalContext().hasCUDA()) {
      throw Error("Execution.device must be \"cpu\": this LibTorch finds no GPU, but device is \"" + device + "\"");
    }
    if (precision == Precision::fp16 && target.is_cpu() && !detail::autocast_by_device) {
      throw Error("Execution.precision must be bf16 or fp32 on a CPU before LibTorch 2.4, but is fp16");
    }
  }

  /// Where the model will be computed. Throws Error for text that names no device.
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

  /// Moves the model to the device and lays its 4-d parameters out as asked; their values stay, and so do the tensors
  /// that an optimizer holds. Before the first step, so that the optimizer's state follows. `run` does it at the start
  /// of a phase and leaves them so. Throws Error whenever `check` does.
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

  /// Holds what LibTorch has as switches of the whole process: around forward and backward passes.
  [[nodiscard]] detail::Switches switches() const { return {precision == Precision::tf32, autotune}; }

  /// The model's output for the batch, in float whatever it was computed in.
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

/// Whether this processor multiplies bf16 in hardware (AMX or AVX-512), so that bf16 is faster than fp32.
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
