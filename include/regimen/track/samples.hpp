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

/// The common part of trackers by sample: the table row of each sample, and the steps of a run that concern them.
///
/// A tracker keeps tables of `size() + 1` rows: row i belongs to the i-th sample of the source as `materialize` and
/// `subset` count them, the last row to all samples that are not in the source. Rows are looked up on the device, and
/// unknown samples are reported when a result is read, so training never waits for the device.
///
/// A tracker of your own has a member `rows` of this type, and is an observer by three lines:
///     void operator()(const regimen::RunBegin& begin) { rows.hear(begin); }
///     void operator()(const regimen::PhaseBegin& begin) { rows.hear(begin); }
///     void operator()(const regimen::Step& step) { if (rows.concerned(step)) { ... step.pass ... } }
class SampleRows {
 public:
  /// Reads the source once, for its ids. `phase`: name of the one phase to follow; if empty, all phases. Throws Error
  /// for a source that does not end, has no samples, or whose ids do not name the same samples at every reading.
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

  /// The number of samples of the source.
  [[nodiscard]] std::int64_t size() const { return ids_.size(0); }

  /// The ids of the samples by row, [size] int64 on the CPU.
  [[nodiscard]] const at::Tensor& ids() const { return ids_; }

  /// The rows of these samples, [N] int64 in [0, size()] on the device of the ids; ids [N] int64.
  [[nodiscard]] at::Tensor of(const at::Tensor& ids) {
    sorted_ = sorted_.to(ids.device());
    order_ = order_.to(ids.device());
    const at::Tensor places = at::searchsorted(sorted_, ids.contiguous()).clamp_max(size() - 1);
    const at::Tensor strange = sorted_.index_select(0, places) != ids;
    return order_.index_select(0, places).masked_fill(strange, size());
  }

  /// A copy of the table's rows that belong to samples. counts: the number of times that each row was seen. Throws
  /// Error if unknown samples were seen.
  [[nodiscard]] at::Tensor known(const at::Tensor& table, const at::Tensor& counts) const {
    const auto strangers = counts[size()].item<std::int64_t>();
    if (strangers > 0) {
      throw Error(who_ + " was shown " + detail::text(strangers) +
                  " times a sample that is not in its source; of a run with several phases, name the one to follow");
    }
    return table.narrow(0, 0, size()).clone();
  }

  /// Takes the begin of a run. Throws Error if the run is resumed after an epoch of a followed phase and the tracker
  /// was not loaded.
  void hear(const RunBegin& begin) {
    for (const Epoch& epoch : begin.history) {
      if (phase_.empty() || epoch.phase == phase_) {
        require_complete();
        return;
      }
    }
  }

  /// Takes the begin of a phase. Throws Error if a followed phase is resumed and the tracker was not loaded.
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

  /// Whether the step belongs to a followed phase. Throws Error if a step has several batches (`Phase::accumulate`): it
  /// shows only the last one, and the samples of the others would be missed.
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

  /// Name, size and followed phase as JSON, for the manifest of a run.
  [[nodiscard]] std::string manifest() const {
    return detail::json::Object()
        .add("type", detail::json::quoted(who_))
        .add("samples", detail::text(size()))
        .add("phase", detail::json::quoted(phase_))
        .text();
  }

  /// Writes the ids to a checkpoint's archive.
  template <class Archive>
  void save(Archive& archive) const {
    archive.write("ids", ids_, /*is_buffer=*/true);
  }

  /// Reads the ids from a checkpoint's archive. Throws Error if they are of other samples.
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
  at::Tensor ids_;     ///< [n] int64, in the source's order
  at::Tensor sorted_;  ///< [n] int64, ids in ascending order
  at::Tensor order_;   ///< [n] int64, rows of the ids in `sorted_`
  bool following_ = true;
  bool complete_ = false;  ///< whether everything before now was seen or loaded
  std::int64_t batch_ = 0;
  std::int64_t epoch_ = 0;
};

namespace detail {

/// Reads a tracker's table from an archive to the device that the table is on.
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
