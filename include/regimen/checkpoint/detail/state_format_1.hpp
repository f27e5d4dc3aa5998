#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <torch/serialize/archive.h>

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/checkpoint/detail/archive_values.hpp"
#include "regimen/observe/event.hpp"

/// Reads the state of a run from a checkpoint of format 1, in which numbers are found by their position. It is no
/// longer written.
namespace regimen::inline v0::detail {

inline Clock clock_of(const std::int64_t* row) {
  return {.phase = int_of(row[0]), .epoch = row[1], .batch = row[2], .batches = row[3], .step = row[4]};
}

inline constexpr std::int64_t clock_numbers = 5;
inline constexpr std::int64_t epoch_numbers = 11;

/// A list of numbers. Throws Error unless it has `numbers` entries, beyond which it would else be read.
template <class T>
std::vector<T> table_of(torch::serialize::InputArchive& archive, const std::string& key, std::size_t numbers) {
  std::vector<T> table = vector_of<T>(archive, key);
  require(table.size() == numbers, "checkpoint: the length of " + key, text(numbers), table.size());
  return table;
}

inline Epoch epoch_of(const std::string& phase, const double* d, const std::int64_t* n) {
  Epoch epoch{.clock = clock_of(n), .phase = phase};
  const std::int64_t* const samples = n + clock_numbers;
  epoch.fit = {d[0], d[1], samples[0]};
  epoch.clean = {d[2], d[3], samples[1]};
  epoch.test = {d[4], d[5], samples[2]};
  epoch.validation = {d[6], d[7], samples[3]};
  epoch.train_loss = d[8];
  epoch.learning_rate = d[9];
  epoch.seconds = d[10];
  return epoch;
}

inline void load_epochs(torch::serialize::InputArchive& archive, History& history) {
  const auto phases = strings_of(archive, "phases");
  const std::size_t epoch_integers = clock_numbers + 4;
  const auto doubles = table_of<double>(archive, "doubles", phases.size() * epoch_numbers);
  const auto integers = table_of<std::int64_t>(archive, "integers", phases.size() * epoch_integers);
  const auto measure_names = strings_of(archive, "measure_names");
  const auto measure_values = table_of<double>(archive, "measure_values", measure_names.size());
  const auto measure_counts = table_of<std::int64_t>(archive, "measure_counts", phases.size());
  std::size_t measure = 0;
  for (std::size_t i = 0; i < phases.size(); ++i) {
    Epoch epoch = epoch_of(phases[i], &doubles[i * epoch_numbers], &integers[i * epoch_integers]);
    const auto left = static_cast<std::int64_t>(measure_names.size() - measure);
    const std::int64_t count = measure_counts[i];
    require(count >= 0 && count <= left, "checkpoint: an epoch's number of measures", "in [0, " + text(left) + "]",
            count);
    for (std::int64_t k = 0; k < count; ++k, ++measure) {
      epoch.measures[measure_names[measure]] = measure_values[measure];
    }
    history.epochs.push_back(epoch);
  }
  require(measure == measure_names.size(), "checkpoint: the number of all measures", text(measure),
          measure_names.size());
}

inline void load_outcomes(torch::serialize::InputArchive& archive, History& history) {
  const auto outcome_phases = strings_of(archive, "outcome_phases");
  const std::size_t outcome_integers = clock_numbers + 1;
  const auto outcomes = table_of<std::int64_t>(archive, "outcomes", outcome_phases.size() * outcome_integers);
  for (std::size_t i = 0; i < outcome_phases.size(); ++i) {
    const std::int64_t* const row = &outcomes[i * outcome_integers];
    history.outcomes.push_back({outcome_phases[i], ended_of(row[clock_numbers]), clock_of(row)});
  }
}

inline State load_state_of_format_1(torch::serialize::InputArchive& archive) {
  State state;
  state.clock = clock_of(table_of<std::int64_t>(archive, "clock", clock_numbers).data());
  const auto sums = table_of<double>(archive, "sums", 3);
  state.loss_sum = sums[0];
  state.lr_scale = sums[1];
  state.seconds = sums[2];
  c10::IValue loss_samples;
  archive.read("loss_samples", loss_samples);
  state.loss_samples = loss_samples.toInt();
  c10::IValue loss_count;  // missing in older checkpoints, when all losses were means over the samples
  state.loss_count =
      archive.try_read("loss_count", loss_count) ? loss_count.toDouble() : static_cast<double>(state.loss_samples);
  c10::IValue loss_scale;
  c10::IValue loss_scale_steps;
  if (archive.try_read("loss_scale", loss_scale) && archive.try_read("loss_scale_steps", loss_scale_steps)) {
    state.loss_scale = loss_scale.toDouble();
    state.loss_scale_steps = loss_scale_steps.toInt();
  }
  load_epochs(archive, state.history);
  load_outcomes(archive, state.history);
  return state;
}

}  // namespace regimen::inline v0::detail
