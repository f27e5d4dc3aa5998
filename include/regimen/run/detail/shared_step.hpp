#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "regimen/batch/batch.hpp"
#include "regimen/loss/count.hpp"
#include "regimen/run/detail/gather_rows.hpp"
#include "regimen/run/detail/shared_sums.hpp"
#include "regimen/run/detail/sharing.hpp"
#include "regimen/run/phase.hpp"
#include "regimen/share/data_parallel.hpp"

namespace regimen::inline v0::detail {

/// The part of a process in the steps of a shared run: its virtual shards of each batch.
class SharedStep {
 public:
  SharedStep(Sharing& sharing, const Model& model, const Phase& phase, const DistinctTensors& parameters)
      : sharing_(sharing), phase_(phase), sums_(sharing.share, model, parameters), device_(model.device()) {
    const Order order{.batch = phase.batch, .drop_last = phase.drop_last};
    const std::int64_t n = phase.data.size().value_or(0);
    const std::int64_t batches = n > 0 ? phase.data.batches(order) : 0;
    const bool are_its_own = batches > 0 && batches != order.batches(n);  // a loader's, which does not ask phase.batch
    full_batch_ = are_its_own ? (n + batches - 1) / batches : phase.batch.value;
    full_batch_ = n > 0 ? std::min(full_batch_, n) : full_batch_;
  }

  /// Cuts the batches of the next step, as they are read. show(rows, shard) augments and preprocesses rows of a batch.
  template <class Show>
  void prepare(const std::vector<Batch>& group, const Clock& clock, const Show& show) {
    const DataParallel& share = sharing_.share;
    shards_.assign(static_cast<std::size_t>(share.own_shards()), {});
    outputs_.clear();
    signature_ = 7 * clock.phase + clock.step;  // and of the samples, below
    samples_ = 0;
    for (const Batch& batch : group) {
      const std::int64_t rows = batch.size();
      const std::int64_t used = shards_used(rows);
      samples_ += rows;
      signature_ = (31 * signature_ + batch.id.sum().item<std::int64_t>() + rows) % 4096;
      signature_ += signature_ < 0 ? 4096 : 0;
      for (int shard = 0; shard < share.shards(); ++shard) {
        const std::int64_t begin = std::min<std::int64_t>(shard, used) * rows / used;
        const std::int64_t size = std::min<std::int64_t>(shard + 1, used) * rows / used - begin;
        const int own = shard - share.first_shard();
        if (size > 0 && own >= 0 && own < share.own_shards()) {
          shards_[static_cast<std::size_t>(own)].push_back(show(slice(batch, begin, size), shard));
        }
      }
    }
    batches_ = static_cast<std::int64_t>(group.size());
  }

  [[nodiscard]] std::int64_t samples() const { return samples_; }

  /// The denominators of the losses of the own shards' batches, and of the whole step.
  struct Counts {
    std::vector<std::vector<LossCount>> own;
    LossCount all = 0;
  };

  [[nodiscard]] Counts counts() const {
    Counts counts;
    counts.all = samples_;
    std::vector<at::Tensor> numbers;
    const at::Tensor zero = at::zeros({}, at::TensorOptions().device(device_).dtype(at::kDouble));
    for (const std::vector<Batch>& shard : shards_) {
      counts.own.emplace_back();
      for (const Batch& batch : shard) {
        counts.own.back().push_back(phase_.loss.count(batch.target, batch.size()));
        numbers.push_back(counts.own.back().back().on(device_));
      }
      for (auto i = static_cast<std::int64_t>(shard.size()); i < batches_; ++i) {
        numbers.push_back(zero);
      }
    }
    if (phase_.loss.counts()) {
      counts.all = sharing_.share.all_gather(at::stack(numbers), "the counts of a step's losses").view({-1}).sum();
    }
    return counts;
  }

  /// Evaluates the own shards one after another: evaluate(batch, number of its shard, i) gives the loss and the
  /// objective of the i-th batch in the shard, and adds to the gradients; begin(shard) is called before each shard. The
  /// gradients and buffers of the model become those of the whole step.
  template <class Begin, class Evaluate>
  SharedSums::Totals evaluate(const Begin& begin, const Evaluate& evaluate) {
    sums_.begin();
    for (std::size_t i = 0; i < shards_.size(); ++i) {
      const int shard = sharing_.share.first_shard() + static_cast<int>(i);
      if (shards_[i].empty()) {
        sums_.add_nothing();
        continue;
      }
      begin(shard);
      std::int64_t rows = 0;
      at::Tensor loss;
      at::Tensor objective;
      for (std::size_t j = 0; j < shards_[i].size(); ++j) {
        const auto values = evaluate(shards_[i][j], i, j);
        loss = loss.defined() ? loss + values.loss : values.loss;
        objective = objective.defined() ? objective + values.objective : values.objective;
        rows += shards_[i][j].size();
      }
      sums_.add(static_cast<double>(rows) / static_cast<double>(samples_), shard == 0, loss, objective);
    }
    SharedSums::Totals totals = sums_.finish(signature_, sharing_.asked_to_stop());
    sharing_.stop = totals.stop;
    return totals;
  }

  /// Keeps the outputs of the step's last batch, if an observer looks at steps.
  void keep(const Batch& batch, const at::Tensor& output, std::size_t j) {
    if (sharing_.keeps_outputs && static_cast<std::int64_t>(j) + 1 == batches_) {
      outputs_.push_back({batch, output.detach()});
    }
  }
  void forget_outputs() { outputs_.clear(); }

  /// The step's last batch with the outputs for it, of all processes in the batch's order; without `extra`.
  struct Whole {
    Batch batch;
    at::Tensor output;
  };
  [[nodiscard]] Whole whole() const {
    const auto gathered = [&](const auto& part) {
      std::vector<at::Tensor> parts;
      for (const Whole& each : outputs_) {
        if (part(each).defined()) {
          parts.push_back(part(each));
        }
      }
      return gather_rows(sharing_.share, parts.empty() ? at::Tensor() : at::cat(parts), device_);
    };
    Whole whole;
    whole.batch.data = gathered([](const Whole& each) { return each.batch.data; });
    whole.batch.target = gathered([](const Whole& each) { return each.batch.target; });
    whole.batch.id = gathered([](const Whole& each) { return each.batch.id; });
    whole.batch.origin = gathered([](const Whole& each) { return each.batch.origin; });
    whole.output = gathered([](const Whole& each) { return each.output; });
    return whole;
  }

 private:
  /// The number of shards, the first ones, that a batch is cut into: with at least as many rows each as those of a full
  /// batch, for BatchNorm normalizes over them.
  [[nodiscard]] std::int64_t shards_used(std::int64_t rows) const {
    const std::int64_t shards = sharing_.share.shards();
    if (sharing_.share.needs_rows_everywhere()) {
      require(rows >= shards, "SyncBatchNorm: the rows of a batch",
              "at least " + text(shards) + ", one for each process (drop_last leaves out a small last batch)", rows);
      return shards;
    }
    const std::int64_t full = std::max(full_batch_, rows);
    return std::clamp<std::int64_t>(rows / std::max<std::int64_t>(full / shards, 1), 1, shards);
  }

  Sharing& sharing_;
  const Phase& phase_;
  SharedSums sums_;
  at::Device device_;
  std::int64_t full_batch_ = 0;             ///< rows of a batch that is not the last one
  std::vector<std::vector<Batch>> shards_;  ///< the batches of each own shard that has rows
  std::vector<Whole> outputs_;
  std::int64_t batches_ = 0;
  std::int64_t samples_ = 0;
  std::int64_t signature_ = 0;
};

}  // namespace regimen::inline v0::detail
