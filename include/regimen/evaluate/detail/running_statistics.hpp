#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/model/weights.hpp"

namespace regimen::inline v0::detail {

/// New running statistics of a model's BatchNorm layers, collected call by call.
///
/// Layers are found by the names of their buffers, so any kind of model will do. The names do not tell which layers
/// update their statistics, nor the momentum, the weight of a batch's statistics in an update. A first pass shows which
/// layers write; the momentum is measured by what a call leaves of a known number. The statistics of a layer that does
/// not write stay, as it may be in eval mode and normalize by them.
class RunningStatistics {
 public:
  explicit RunningStatistics(const Weights& model) {
    for (const Named& named : model.named_buffers()) {
      if (ends(named.name, "running_mean") || ends(named.name, "running_var")) {
        layer_of(named.name).statistics.emplace_back(named);
      } else if (ends(named.name, "num_batches_tracked")) {
        layer_of(named.name).count.emplace(named.tensor);
      }
    }
  }

  [[nodiscard]] bool empty() const {
    return std::all_of(layers_.begin(), layers_.end(), [](const Layer& layer) { return layer.statistics.empty(); });
  }

  /// Call before the forward pass on a batch: clears what earlier passes left in the buffers of layers that write.
  void begin_pass() {
    for (Layer& layer : layers_) {
      for (Statistic& each : layer.statistics) {
        layer.writes ? each.restart(nothing) : each.keep();
        each.of_pass = at::Tensor();
        each.first_of_pass = at::Tensor();
        each.calls_of_pass = 0;
      }
      if (layer.count) {
        layer.writes ? layer.count->restart() : layer.count->keep();
        layer.count->of_pass = at::zeros_like(layer.count->buffer);
      }
    }
  }

  /// Call after each call of a layer, and at the end of the pass for layers whose calls are not seen: the buffers that
  /// were written now hold momentum times the batch's statistics. A layer without a momentum uses 1 / count.
  void take_calls() {
    for (Layer& layer : layers_) {
      if (!layer.writes) {
        layer.is_found = layer.is_found || layer.differs();
        continue;
      }
      for (Statistic& each : layer.statistics) {
        each.take_call();
      }
      if (layer.count) {
        layer.count->of_pass += layer.count->buffer;
        layer.count->restart();
      }
    }
  }

  /// Call at the end of the pass. Returns false if the pass has shown that one more layer writes; the pass, in which
  /// this layer's statistics are unknown, does not count and must be repeated. Throws Error for a layer that updates
  /// its statistics several times in a pass without batch_norm.
  [[nodiscard]] bool end_pass() {
    for (const Layer& layer : layers_) {
      require_one_update(layer);
    }
    take_calls();
    bool any_found = false;
    for (Layer& layer : layers_) {
      any_found = any_found || layer.is_found;
      layer.writes = layer.writes || layer.is_found;
      layer.is_found = false;
    }
    if (any_found) {
      return false;
    }
    for (Layer& layer : layers_) {
      for (Statistic& each : layer.statistics) {
        each.count_pass();
      }
      if (layer.count) {
        layer.count->total += layer.count->of_pass;
      }
    }
    return true;
  }

  /// Whether a layer was called for the first time, so that its momentum is not known yet.
  [[nodiscard]] bool is_to_be_measured() const {
    return std::any_of(layers_.begin(), layers_.end(), [](const Layer& layer) {
      return std::any_of(layer.statistics.begin(), layer.statistics.end(),
                         [](const Statistic& s) { return s.calls > 0 && !s.momentum; });
    });
  }

  /// Call before the same batch is shown once more: puts a number larger than its statistics into each buffer.
  void mark() {
    for_each_that_writes([](Statistic& each) {
      const bool is_new = each.calls > 0 && !each.momentum;
      each.mark = is_new ? std::exp2(std::ceil(std::log2(std::max(largest(each.first_of_pass), 1.0)))) : nothing;
      each.restart(each.mark);
    });
    for (Layer& layer : layers_) {
      if (layer.writes && layer.count) {
        layer.count->restart();
      }
    }
  }

  /// Call after each call of a layer in that pass, and at its end: computes the momentum from what is left of the
  /// number.
  void measure_momentum() {
    for_each_that_writes([](Statistic& each) {
      if (each.was_written() && each.mark != nothing && !each.momentum) {
        const at::Tensor left = (each.buffer.to(at::kDouble) - each.first_of_pass) / each.mark;
        each.momentum = rounded(1 - left.mean().item<double>());
      }
      if (each.was_written()) {
        each.restart(nothing);
      }
    });
  }

  /// Writes the means over all calls. A layer that was not called, or has momentum 0, keeps its statistics.
  void finish() {
    for (Layer& layer : layers_) {
      for (Statistic& each : layer.statistics) {
        if (each.calls > 0 && each.momentum.value_or(0) != 0) {
          const at::Tensor mean = each.sum / (*each.momentum * static_cast<double>(each.calls));
          each.buffer.copy_(mean.masked_fill(mean.abs() < 1e5 * nothing, 0));
        }
      }
      if (layer.count) {
        const Count& count = *layer.count;
        count.buffer.copy_(at::where(count.total > 0, count.total, count.buffer));
      }
    }
  }

 private:
  /// A value that stands for 0 in a buffer before a call, as the call itself may write 0; too small to change a sum.
  static constexpr double nothing = 1e-30;

  struct Statistic {
    explicit Statistic(const Named& named)
        : name(named.name), buffer(named.tensor), kept(copied()), sum(at::zeros_like(buffer, at::kDouble)) {}

    std::string name;
    at::Tensor buffer;
    at::Tensor kept;  ///< the original value, double
    at::Tensor sum;
    std::int64_t calls = 0;
    at::Tensor of_pass{};            ///< sum over this pass's calls, double
    std::int64_t calls_of_pass = 0;  ///< number of calls in this pass
    double before = 0;               ///< content of the buffer before the next call, for a layer that writes
    at::Tensor first_of_pass{};      ///< content after the pass's first call, double
    double mark = nothing;
    std::optional<double> momentum{};

    /// Compares numbers, as LibTorch's batch_norm writes without changing the tensor's version.
    [[nodiscard]] bool was_written() const { return buffer.ne(before).any().item<bool>(); }

    void restart(double value) {
      buffer.fill_(value);
      before = value;
    }

    void keep() const { buffer.copy_(kept); }

    /// Treats NaN as equal to NaN.
    [[nodiscard]] bool differs() const {
      const at::Tensor both_nan = buffer.isnan().logical_and(kept.isnan());
      return buffer.ne(kept.to(buffer.scalar_type())).logical_and(both_nan.logical_not()).any().item<bool>();
    }

    void take_call() {
      if (was_written()) {
        const at::Tensor left = copied();
        first_of_pass = first_of_pass.defined() ? first_of_pass : left;
        of_pass = of_pass.defined() ? of_pass + left : left;
        ++calls_of_pass;
        restart(nothing);
      }
    }

    void count_pass() {
      if (calls_of_pass > 0) {
        sum += of_pass;
        calls += calls_of_pass;
      }
    }

    [[nodiscard]] at::Tensor copied() const { return buffer.to(at::kDouble, /*non_blocking=*/false, /*copy=*/true); }
  };

  struct Count {
    explicit Count(const at::Tensor& tensor)
        : buffer(tensor), kept(tensor.clone()), total(at::zeros_like(tensor)), of_pass(at::zeros_like(tensor)) {}

    at::Tensor buffer;
    at::Tensor kept;
    at::Tensor total;
    at::Tensor of_pass;

    void restart() const { buffer.zero_(); }
    void keep() const { buffer.copy_(kept); }
    [[nodiscard]] bool differs() const { return buffer.ne(kept).any().item<bool>(); }
  };

  struct Layer {
    std::string name;  ///< "layer1.bn." for "layer1.bn.running_mean"
    std::vector<Statistic> statistics{};
    std::optional<Count> count{};
    bool writes = false;    ///< true if an earlier pass has shown that the layer updates its statistics
    bool is_found = false;  ///< true if this pass has shown it

    [[nodiscard]] bool differs() const {
      return (count && count->differs()) ||
             std::any_of(statistics.begin(), statistics.end(), [](const Statistic& s) { return s.differs(); });
    }
  };

  static bool ends(const std::string& name, const std::string& leaf) {
    return name.size() >= leaf.size() && name.compare(name.size() - leaf.size(), leaf.size(), leaf) == 0;
  }

  Layer& layer_of(const std::string& buffer) {
    const std::string name = buffer.substr(0, buffer.rfind('.') + 1);
    for (Layer& layer : layers_) {
      if (layer.name == name) {
        return layer;
      }
    }
    layers_.push_back({.name = name});
    return layers_.back();
  }

  void for_each_that_writes(const std::function<void(Statistic&)>& act) {
    for (Layer& layer : layers_) {
      for (Statistic& each : layer.statistics) {
        if (layer.writes) {
          act(each);
        }
      }
    }
  }

  static void require_one_update(const Layer& layer) {
    for (const Statistic& each : layer.statistics) {
      const std::int64_t updates = layer.writes && layer.count ? layer.count->buffer.item<std::int64_t>() : 0;
      if (updates > 1 && each.was_written()) {
        throw Error("reestimate_batch_norm: " + each.name + " was updated " + text(updates) +
                    " times in one pass by a layer that does not call LibTorch's batch_norm: which batch's statistics "
                    "are whose cannot be told");
      }
    }
  }

  static double largest(const at::Tensor& tensor) {
    return tensor.numel() == 0 ? 0 : tensor.abs().max().item<double>();
  }

  /// If the momentum is a round number within 1e-6, returns that number: it is what the layer's author wrote.
  static double rounded(double momentum) {
    const double round = std::round(momentum * 1e4) / 1e4;
    return std::abs(momentum - round) < 1e-6 ? round : momentum;
  }

  std::vector<Layer> layers_;
};

}  // namespace regimen::inline v0::detail
