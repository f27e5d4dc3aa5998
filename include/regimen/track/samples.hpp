#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/searchsorted.h>

#include <cstdint>
#include <string>
#include <tuple>
#include <utility>

#include "regimen/base/json.hpp"
#include "regimen/batch/tensors.hpp"
#include "regimen/observe/event.hpp"
#include "regimen/regularize/concept.hpp"
#include "regimen/source/columns.hpp"
#include "regimen/source/source.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0 {

/// What trackers by sample share: whose row of a table is which, and which steps of a run concern them.
///
/// A tracker keeps tables of `size() + 1` rows: row i belongs to the i-th sample of the source as `materialize` and
/// `subset` count them, the last to all samples that are not in it. So nothing waits for the device while a network
/// trains: rows are looked up there, and strangers are noticed when a result is read.
///
/// A tracker of your own holds one, and is an observer by three lines:
///     void operator()(const regimen::RunBegin& begin) { rows.hear(begin); }
///     void operator()(const regimen::PhaseBegin& begin) { rows.hear(begin); }
///     void operator()(const regimen::Step& step) { if (rows.concerned(step)) { ... step.pass ... } }
class SampleRows {
 public:
  /// Reads the source once, for its ids. `phase`: the only one of a run to follow; all if it is empty.
  /// Throws Error for a source without end, or whose ids do not name the same samples at every reading.
  SampleRows(const Source& source, std::string who, std::string phase = "")
      : who_(std::move(who)), phase_(std::move(phase)) {
    if (!source.defined() || !source.size() || !source.traits().stable_ids) {
      throw Error(who_ + " takes a source that ends, and whose ids name the same samples at every epoch");
    }
    ids_ = detail::ids_of(source);
    if (size() == 0) {
      throw Error(who_ + " takes a source with at least one sample");
    }
    std::tie(sorted_, order_) = ids_.sort();
    const at::Tensor again = sorted_.narrow(0, 1, size() - 1) == sorted_.narrow(0, 0, size() - 1);
    if (again.any().item<bool>()) {
      throw Error(who_ + " takes a source in which every sample has an id of its own");
    }
  }

  /// Samples of the source.
  [[nodiscard]] std::int64_t size() const { return ids_.size(0); }

  /// [size] int64 on the CPU: whose row is which.
  [[nodiscard]] const at::Tensor& ids() const { return ids_; }

  /// The rows of these samples, in [0, size()]; ids [N] int64, rows [N] int64 on the same device.
  [[nodiscard]] at::Tensor of(const at::Tensor& ids) {
    sorted_ = sorted_.to(ids.device());
    order_ = order_.to(ids.device());
    const at::Tensor places = at::searchsorted(sorted_, ids.contiguous()).clamp_max(size() - 1);
    const at::Tensor strange = sorted_.index_select(0, places) != ids;
    return order_.index_select(0, places).masked_fill(strange, size());
  }

  /// The rows of a table that belong to samples, copied. Throws Error if `counts`, the table of how often each was
  /// seen, says that strangers were.
  [[nodiscard]] at::Tensor known(const at::Tensor& table, const at::Tensor& counts) const {
    const auto strangers = counts[size()].item<std::int64_t>();
    if (strangers > 0) {
      throw Error(who_ + " was shown " + detail::text(strangers) +
                  " times a sample that is not in its source; of a run with several phases, name the one to follow");
    }
    return table.narrow(0, 0, size()).clone();
  }

  /// What came before the run. Throws Error if it was resumed after an epoch of what is followed, and what the tracker
  /// saw of that was not loaded.
  void hear(const RunBegin& begin) {
    for (const Epoch& epoch : begin.history) {
      if (phase_.empty() || epoch.phase == phase_) {
        require_complete();
        return;
      }
    }
  }

  /// Which phase begins. Throws Error if it goes on after a resume, and what the tracker saw before was not loaded.
  void hear(const PhaseBegin& begin) {
    following_ = phase_.empty() || begin.name == phase_;
    batch_ = begin.clock.batch;
    epoch_ = begin.clock.epoch;
    const bool goes_on = begin.clock.step > 0 || (phase_.empty() && begin.clock.phase > 0);
    if (following_ && goes_on) {
      require_complete();
    }
    complete_ = complete_ || following_;
  }

  /// Whether the step belongs to what is followed. Throws Error where several batches make one step
  /// (`Phase::accumulate`): a step shows its last batch only, and the others' samples would be missed in silence.
  [[nodiscard]] bool concerned(const Step& step) {
    const std::int64_t before = step.clock.epoch == epoch_ ? batch_ : 0;
    const std::int64_t batches = step.clock.batch - before;
    batch_ = step.clock.batch;
    epoch_ = step.clock.epoch;
    if (following_ && batches > 1) {
      throw Error(who_ + " sees one batch a step: with Phase.accumulate above 1 the others would be missed");
    }
    return following_;
  }

  /// Who it is and what it follows, for the manifest of a run that it watches.
  [[nodiscard]] std::string manifest() const {
    return detail::json::Object()
        .add("type", detail::json::quoted(who_))
        .add("samples", detail::text(size()))
        .add("phase", detail::json::quoted(phase_))
        .text();
  }

  /// Into an archive of LibTorch's, for a checkpoint.
  template <class Archive>
  void save(Archive& archive) const {
    archive.write("ids", ids_, /*is_buffer=*/true);
  }

  /// Throws Error if the archive is of other samples.
  template <class Archive>
  void load(Archive& archive) {
    at::Tensor ids;
    archive.read("ids", ids, /*is_buffer=*/true);
    if (!ids.cpu().equal(ids_)) {
      throw Error(who_ + " was saved with other samples");
    }
    complete_ = true;
  }

 private:
  void require_complete() const {
    if (!complete_) {
      throw Error(who_ + " did not see the beginning of what it is to follow: save it with the checkpoint and load it");
    }
  }

  std::string who_;
  std::string phase_;
  at::Tensor ids_;     ///< [n], in the source's order
  at::Tensor sorted_;  ///< the same, ascending
  at::Tensor order_;   ///< the row of each of these
  bool following_ = true;
  bool complete_ = false;  ///< whether what came before now was seen, or loaded
  std::int64_t batch_ = 0;
  std::int64_t epoch_ = 0;
};

namespace detail {

/// [N] int64: targets that are labels; of distributions [N, C] the largest entries, so that smoothing changes nothing.
/// Throws Error unless the logits are [N, C] with C >= 2.
inline at::Tensor labels_for(const at::Tensor& logits, const at::Tensor& target, const std::string& who) {
  if (logits.dim() != 2 || logits.size(1) < 2) {
    throw Error(who + " takes outputs of [N, C] with at least two classes, not " + described(logits));
  }
  const bool soft = target.defined() && target.is_floating_point() && target.sizes() == logits.sizes();
  if (!is_labels(target) && !soft) {
    throw Error(who + " takes targets of [N] int64 or [N, C], not " + described(target));
  }
  return soft ? target.argmax(1) : target;
}

/// A tracker's table, read back from an archive to the device that it was on.
template <class Archive>
void load_table(Archive& archive, const std::string& name, at::Tensor& table) {
  at::Tensor stored;
  archive.read(name, stored, /*is_buffer=*/true);
  if (stored.sizes() != table.sizes() || stored.scalar_type() != table.scalar_type()) {
    throw Error("a tracker's " + name + " is " + described(stored) + ", not " + described(table));
  }
  table = stored.to(table.device());
}

}  // namespace detail
}  // namespace regimen::inline v0
