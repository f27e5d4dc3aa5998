#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "regimen/detail/buffer_guard.hpp"
#include "regimen/detail/guards.hpp"
#include "regimen/detail/normalization_watch.hpp"
#include "regimen/evaluate.hpp"
#include "regimen/execute.hpp"
#include "regimen/integer.hpp"
#include "regimen/model.hpp"
#include "regimen/source.hpp"
#include "regimen/transform.hpp"

namespace regimen::inline v0 {

/// How `reestimate_batch_norm` reads and computes. Every field may be left out.
struct Reestimation {
  std::vector<AnyTransform> preprocess{};  ///< applied to every batch, in order: normalization
  Execution execute{};
  Integer batch = 128;              ///< samples that make one estimate: as in training
  bool shuffle = true;              ///< data that are sorted by class would give batches that are too much alike
  bool drop_last = false;           ///< leave out a last batch that would be smaller: it counts as much as the others
  std::uint64_t seed = 0;           ///< keys the order, and dropout
  std::vector<std::string> eval{};  ///< parts that are in eval mode, as `Phase::eval`: their statistics stay
  Now now{};                        ///< for sources whose damage follows a schedule
};

namespace detail {

/// The running statistics of a model's BatchNorms, made anew call by call.
///
/// They are known by the names of their buffers, so that a model of any kind will do. How much of a batch's statistics
/// a layer takes over, its momentum, is in none of them: it is measured, by what a call leaves of a known number.
class RunningStatistics {
 public:
  explicit RunningStatistics(const Weights& model) {
    for (const Named& named : model.named_buffers()) {
      if (ends(named.name, "running_mean") || ends(named.name, "running_var")) {
        all_.push_back({named.name, named.tensor, at::zeros_like(named.tensor, at::kDouble)});
      } else if (ends(named.name, "num_batches_tracked")) {
        counts_.push_back({named.name, named.tensor, at::zeros_like(named.tensor)});
      }
    }
  }

  [[nodiscard]] bool empty() const { return all_.empty(); }

  /// Before the forward pass on a batch: nothing of earlier ones.
  void begin_pass() {
    for (Statistic& each : all_) {
      each.restart(nothing);
      each.first_of_pass = at::Tensor();
    }
    for (Count& each : counts_) {
      each.buffer.zero_();
    }
  }

  /// After a call of a layer, or of layers that nobody sees call by call, at the end of the pass: momentum times the
  /// batch's statistics is in the buffers that it wrote to. A layer without a momentum takes over 1 / count.
  void take_calls() {
    for (Statistic& each : all_) {
      if (each.was_written()) {
        each.first_of_pass = each.first_of_pass.defined() ? each.first_of_pass : each.copied();
        each.sum += each.buffer;
        ++each.calls;
        each.restart(nothing);
      }
    }
    for (Count& each : counts_) {
      each.total += each.buffer;
      each.buffer.zero_();
    }
  }

  /// At the end of the pass. Throws Error for a layer that updates its statistics by itself, several times a pass.
  void end_pass() {
    for (const Statistic& each : all_) {
      const auto count = std::find_if(counts_.begin(), counts_.end(),
                                      [&](const Count& c) { return owner_of(c.name) == owner_of(each.name); });
      if (each.was_written() && count != counts_.end() && count->buffer.item<std::int64_t>() > 1) {
        throw Error("reestimate_batch_norm: " + each.name + " was updated " + text(count->buffer.item<std::int64_t>()) +
                    " times in one pass by a layer that does not call LibTorch's batch_norm: which batch's statistics "
                    "are whose cannot be told");
      }
    }
    take_calls();
  }

  /// Whether a layer was called for the first time, whose momentum is not known yet.
  [[nodiscard]] bool is_to_be_measured() const {
    return std::any_of(all_.begin(), all_.end(), [](const Statistic& s) { return s.calls > 0 && !s.momentum; });
  }

  /// Before the same batch is shown once more: a number above its statistics, in their place.
  void mark() {
    for (Statistic& each : all_) {
      const bool is_new = each.calls > 0 && !each.momentum;
      each.mark = is_new ? std::exp2(std::ceil(std::log2(std::max(largest(each.first_of_pass), 1.0)))) : nothing;
      each.restart(each.mark);
    }
    for (Count& each : counts_) {
      each.buffer.zero_();
    }
  }

  /// After each call of that pass, and at its end.
  void measure_momentum() {
    for (Statistic& each : all_) {
      if (each.was_written() && each.mark != nothing && !each.momentum) {
        const at::Tensor left = (each.buffer.to(at::kDouble) - each.first_of_pass) / each.mark;
        each.momentum = rounded(1 - left.mean().item<double>());
      }
      if (each.was_written()) {
        each.restart(nothing);
      }
    }
  }

  /// Leaves the means over all calls. A layer that was not called, or takes nothing over, keeps what it has.
  void finish() {
    for (Statistic& each : all_) {
      if (each.calls > 0 && each.momentum.value_or(0) != 0) {
        const at::Tensor mean = each.sum / (*each.momentum * static_cast<double>(each.calls));
        each.buffer.copy_(mean.masked_fill(mean.abs() < 1e5 * nothing, 0));
      }
    }
    for (Count& each : counts_) {
      each.buffer.copy_(at::where(each.total > 0, each.total, each.buffer));
    }
  }

 private:
  /// Stands in a buffer before a call instead of 0, which may be what the call writes; too small to be seen in a sum.
  static constexpr double nothing = 1e-30;

  struct Statistic {
    std::string name;
    at::Tensor buffer;
    at::Tensor sum;
    std::int64_t calls = 0;
    double before = 0;           ///< what the buffer holds before the next call
    at::Tensor first_of_pass{};  ///< what the pass's first call left, double
    double mark = nothing;
    std::optional<double> momentum{};

    /// By its numbers: LibTorch's batch_norm writes them without counting it as a write.
    [[nodiscard]] bool was_written() const { return buffer.ne(before).any().item<bool>(); }

    void restart(double value) {
      buffer.fill_(value);
      before = value;
    }

    [[nodiscard]] at::Tensor copied() const { return buffer.to(at::kDouble, /*non_blocking=*/false, /*copy=*/true); }
  };

  struct Count {
    std::string name;
    at::Tensor buffer;
    at::Tensor total;
  };

  static bool ends(const std::string& name, const std::string& leaf) {
    return name.size() >= leaf.size() && name.compare(name.size() - leaf.size(), leaf.size(), leaf) == 0;
  }

  /// "layer1.bn." of "layer1.bn.running_mean"
  static std::string owner_of(const std::string& name) { return name.substr(0, name.rfind('.') + 1); }

  static double largest(const at::Tensor& tensor) {
    return tensor.numel() == 0 ? 0 : tensor.abs().max().item<double>();
  }

  /// If it is a round number within 1e-6, that number: it is what the layer's author wrote.
  static double rounded(double momentum) {
    const double round = std::round(momentum * 1e4) / 1e4;
    return std::abs(momentum - round) < 1e-6 ? round : momentum;
  }

  std::vector<Statistic> all_;
  std::vector<Count> counts_;
};

}  // namespace detail

/// Estimates BatchNorm's running statistics anew, for the weights as they are: the means over all calls of a layer,
/// each counting the same, as torch.optim.swa_utils.update_bn. A layer that a batch skips has a call less, one that a
/// pass uses twice has two. For averaged weights, of which no forward pass has seen any statistics.
///
/// The model is run in train mode, without gradients, once over the source, and once more on those batches in which a
/// layer is seen for the first time. All other buffers, the modes and the global generators are put back; a model
/// without BatchNorm is left alone. Statistics are those of buffers named running_mean and running_var. If it fails the
/// model is as it was.
/// Throws Error for an empty or endless source, unless batch >= 1, with drop_last also at most the source's size, and
/// for a layer of your own that updates its buffers several times in one pass.
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
    model.train(true, how.eval);
    const auto show = [&](const Batch& batch, std::int64_t number, const std::function<void()>& after_call) {
      const detail::NormalizationWatch watch(after_call);
      generators.seed(how.seed, number, 0);
      try {
        (void)how.execute.forward(model, batch);
      } catch (const c10::Error& failure) {
        if (batch.size() > 1) {
          throw;
        }
        const std::string text = failure.what_without_backtrace();
        throw Error("reestimate_batch_norm: the last batch is a single sample; LibTorch says: " +
                    text.substr(0, text.find('\n')) + ": set drop_last, or another batch");
      }
    };
    const Cursor next = source.read(
        {.batch = how.batch, .shuffle = how.shuffle, .seed = how.seed, .drop_last = how.drop_last, .now = how.now});
    std::int64_t number = 0;
    for (Batch batch = next(); batch.size() > 0; batch = next(), ++number) {
      batch = detail::prepared(batch, how.preprocess, device, how.now.on(source));
      statistics.begin_pass();
      show(batch, number, [&] { statistics.take_calls(); });
      statistics.end_pass();
      if (statistics.is_to_be_measured()) {
        statistics.mark();
        show(batch, number, [&] { statistics.measure_momentum(); });
        statistics.measure_momentum();
      }
    }
  }
  statistics.finish();
}

}  // namespace regimen::inline v0
