#pragma once

#include <ATen/core/grad_mode.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "regimen/base/integer.hpp"
#include "regimen/evaluate/detail/normalization_watch.hpp"
#include "regimen/evaluate/detail/running_statistics.hpp"
#include "regimen/evaluate/evaluate.hpp"
#include "regimen/execute/execution.hpp"
#include "regimen/key/generator_guard.hpp"
#include "regimen/model/guards.hpp"
#include "regimen/model/model.hpp"
#include "regimen/model/torch_errors.hpp"
#include "regimen/source/source.hpp"
#include "regimen/transform/concept.hpp"

namespace regimen::inline v0 {

/// Settings of `reestimate_batch_norm`, all optional.
struct Reestimation {
  std::vector<AnyTransform> preprocess{};  ///< applied to every batch, in order: normalization
  Execution execute{};
  Integer batch = 128;              ///< samples per estimate, at least 1; use the batch size of training
  bool shuffle = true;              ///< shuffle the data: if they are sorted by class, batches are too uniform
  bool drop_last = false;           ///< leave out a smaller last batch, which would count as much as the others
  std::uint64_t seed = 0;           ///< random seed of the order and of dropout
  std::vector<std::string> eval{};  ///< modules to keep in eval mode, as `Phase::eval`: their statistics stay
  Moment now{};                     ///< the moment for sources whose damage follows a schedule
};

/// Estimates BatchNorm's running statistics for the current weights: means over all calls of a layer with equal
/// weights, as torch.optim.swa_utils.update_bn. A layer that a batch skips has one call less, one that a pass uses
/// twice has two. For averaged weights, for which no forward pass has collected statistics.
///
/// The model runs in train mode, without gradients, once over the source, and twice more on batches in which a layer is
/// called for the first time. A layer in eval mode, by `Reestimation::eval` or by a `train()` of its own, is used as it
/// is. All other buffers, the modes and the global generators are restored; a model without BatchNorm is not changed.
/// Statistics are the buffers named running_mean and running_var. After an exception the model is as before. A layer of
/// your own must not read its statistics in train mode, as batch renormalization does. It must call LibTorch's
/// batch_norm or update its buffers once per pass: several updates are detected by its num_batches_tracked; without
/// that buffer they are not, and the later updates of a pass count more.
/// Throws Error for an empty or endless source, unless batch >= 1 and, with drop_last, at most the source's size, and
/// for a layer of your own whose num_batches_tracked counts several updates in one pass.
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
      generators.seed(how.seed, number, Purpose::forward);
      detail::with_circumstances(
          "reestimate_batch_norm", [&] { (void)how.execute.forward(model, batch); },
          [&](const std::string& said) {
            // Larger batches before gave no error, so the size of this one is the reason.
            return number > 0 && batch.size() == 1
                       ? ": the last batch is a single sample: set drop_last, or another batch"
                       : detail::described_forward(batch, model, said);
          });
    };
    const Cursor next = source.read(
        {.batch = how.batch, .shuffle = how.shuffle, .seed = how.seed, .drop_last = how.drop_last, .now = how.now});
    std::int64_t number = 0;
    for (Batch batch = next(); batch.size() > 0; batch = next(), ++number) {
      batch = detail::prepared(batch, how.preprocess, device, how.now.on(source));
      do {
        statistics.begin_pass();
        show(batch, number, [&] { statistics.take_calls(); });
      } while (!statistics.end_pass());
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
