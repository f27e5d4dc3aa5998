#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "regimen/detail/buffer_guard.hpp"
#include "regimen/detail/guards.hpp"
#include "regimen/evaluate.hpp"
#include "regimen/execute.hpp"
#include "regimen/model.hpp"
#include "regimen/source.hpp"
#include "regimen/transform.hpp"

namespace regimen::inline v0 {

/// How `reestimate_batch_norm` reads and computes. Every field may be left out.
struct Reestimation {
  std::vector<AnyTransform> preprocess{};  ///< applied to every batch, in order: normalization
  Execution execute{};
  std::int64_t batch = 128;  ///< samples that make one estimate: as in training
  bool shuffle = true;       ///< data that are sorted by class would give batches that are too much alike
  bool drop_last = false;    ///< leave out a last batch that would be smaller: it counts as much as the others
  std::uint64_t seed = 0;    ///< keys the order, and dropout
  Now now{};                 ///< for sources whose damage follows a schedule
};

namespace detail {

/// The running statistics of a model's BatchNorms, made anew batch by batch.
///
/// Known by the names of their buffers, so that a model of any kind will do. How much of a batch's statistics a layer
/// takes over, its momentum, is in none of them: it is measured, by what a pass leaves of a known number.
class RunningStatistics {
 public:
  explicit RunningStatistics(const Model& model) {
    for (const Named& named : model.named_buffers()) {
      if (ends(named.name, "running_mean") || ends(named.name, "running_var")) {
        all_.push_back({named.tensor, at::zeros_like(named.tensor, at::kDouble)});
      } else if (ends(named.name, "num_batches_tracked")) {
        counts_.push_back({named.tensor});
      }
    }
  }

  [[nodiscard]] bool empty() const { return all_.empty(); }

  /// Before a forward pass: nothing of earlier ones. A layer that has no momentum takes over 1 / count.
  void clear() {
    for (Statistic& each : all_) {
      each.buffer.zero_();
    }
    clear_counts();
  }

  /// After it: momentum times the batch's statistics is there.
  void add() {
    for (Statistic& each : all_) {
      each.sum += each.buffer;
    }
    ++batches_;
  }

  /// Before the first batch is shown once more: a number above its statistics, in their place.
  void mark() {
    for (Statistic& each : all_) {
      const double most = each.buffer.abs().max().item<double>();
      each.mark = std::exp2(std::ceil(std::log2(std::max(most, 1.0))));
      each.first = each.buffer.to(at::kDouble, /*non_blocking=*/false, /*copy=*/true);
      each.buffer.fill_(each.mark);
    }
    clear_counts();
  }

  /// After that.
  void measure_momentum() {
    for (Statistic& each : all_) {
      const double left = ((each.buffer.to(at::kDouble) - each.first) / each.mark).mean().item<double>();
      const double momentum = 1 - left;
      const double written = std::round(momentum * 1e4) / 1e4;  // by somebody; the difference is rounding
      each.momentum = std::abs(momentum - written) < 1e-6 ? written : momentum;
    }
    for (Count& each : counts_) {
      each.moves = each.buffer.item<std::int64_t>() > 0;
    }
  }

  /// Leaves the means over all batches. A layer that was not run, or takes nothing over, keeps what it has.
  void finish() {
    for (Statistic& each : all_) {
      if (each.momentum != 0) {
        each.buffer.copy_(each.sum / (each.momentum * static_cast<double>(batches_)));
      }
    }
    for (Count& each : counts_) {
      if (each.moves) {
        each.buffer.fill_(batches_);
      }
    }
  }

 private:
  struct Statistic {
    at::Tensor buffer;
    at::Tensor sum;
    at::Tensor first{};
    double mark = 1;
    double momentum = 0;
  };

  struct Count {
    at::Tensor buffer;
    bool moves = false;
  };

  static bool ends(const std::string& name, const std::string& leaf) {
    return name.size() >= leaf.size() && name.compare(name.size() - leaf.size(), leaf.size(), leaf) == 0;
  }

  void clear_counts() {
    for (Count& each : counts_) {
      each.buffer.zero_();
    }
  }

  std::vector<Statistic> all_;
  std::vector<Count> counts_;
  std::int64_t batches_ = 0;
};

}  // namespace detail

/// Estimates BatchNorm's running statistics anew, for the weights as they are: the means over the batches of a source,
/// each counting the same, as torch.optim.swa_utils.update_bn. For averaged weights, of which no forward pass has seen
/// any statistics.
///
/// The model is run in train mode, without gradients, once over the source and once more on its first batch. All other
/// buffers, the modes and the global generators are put back; a model without BatchNorm is left alone. Statistics are
/// those of buffers named running_mean and running_var. If it fails the model is as it was.
/// Throws Error for an empty or endless source, and unless batch >= 1, with drop_last also at most the source's size.
///     regimen::reestimate_batch_norm(net, train, {.preprocess = {normalize}, .batch = 128});
inline void reestimate_batch_norm(const Model& model, const Source& source, const Reestimation& how = {}) {
  if (!source.defined() || !source.size()) {
    throw Error("reestimate_batch_norm takes a source that ends: limit(stream, samples) makes one");
  }
  detail::require(*source.size() > 0, "reestimate_batch_norm: source.size()", "above 0", *source.size());
  detail::require(how.batch >= 1, "Reestimation.batch", "at least 1", how.batch);
  detail::require(!how.drop_last || how.batch <= *source.size(), "Reestimation.batch",
                  "at most source.size() = " + detail::text(*source.size()) + " with drop_last", how.batch);
  detail::RunningStatistics statistics(model);
  if (statistics.empty()) {
    return;
  }
  const at::NoGradGuard no_grad;
  {
    const detail::BufferGuard buffers(model);
    const detail::ModeGuard modes(model);
    const at::Device device = model.device();
    detail::GeneratorGuard generators(device);
    model.train(true);
    const auto show = [&](const Batch& batch, std::int64_t number) {
      generators.seed(how.seed, number, 0);
      (void)how.execute.forward(model, batch);
    };
    const Cursor next = source.read(
        {.batch = how.batch, .shuffle = how.shuffle, .seed = how.seed, .drop_last = how.drop_last, .now = how.now});
    std::int64_t number = 0;
    for (Batch batch = next(); batch.size() > 0; batch = next(), ++number) {
      batch = detail::prepared(batch, how.preprocess, device, how.now.on(source));
      statistics.clear();
      show(batch, number);
      statistics.add();
      if (number == 0) {
        statistics.mark();
        show(batch, number);
        statistics.measure_momentum();
      }
    }
  }
  statistics.finish();
}

}  // namespace regimen::inline v0
