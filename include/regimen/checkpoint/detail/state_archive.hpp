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
#include "regimen/observe/event.hpp"

/// `State` as an archive: numbers as tensors, so that every bit comes back.
namespace regimen::inline v0::detail {

inline constexpr std::int64_t state_format = 1;

inline std::vector<std::int64_t> integers_of(const Clock& clock) {
  return {clock.phase, clock.epoch, clock.batch, clock.batches, clock.step};
}

inline int int_of(std::int64_t number) {
  const bool fits = number >= std::numeric_limits<int>::min() && number <= std::numeric_limits<int>::max();
  require(fits, "checkpoint: a clock's phase", "an int", number);
  return static_cast<int>(number);
}

inline Clock clock_of(const std::int64_t* row) {
  return {.phase = int_of(row[0]), .epoch = row[1], .batch = row[2], .batches = row[3], .step = row[4]};
}

inline constexpr std::int64_t clock_numbers = 5;
inline constexpr std::int64_t epoch_numbers = 11;

inline std::vector<double> doubles_of(const Epoch& epoch) {
  return {epoch.fit.accuracy,        epoch.fit.loss,        epoch.clean.accuracy,
          epoch.clean.loss,          epoch.test.accuracy,   epoch.test.loss,
          epoch.validation.accuracy, epoch.validation.loss, epoch.train_loss,
          epoch.learning_rate,       epoch.seconds};
}

inline std::vector<std::int64_t> integers_of(const Epoch& epoch) {
  std::vector<std::int64_t> numbers = integers_of(epoch.clock);
  numbers.insert(numbers.end(), {epoch.fit.samples, epoch.clean.samples, epoch.test.samples, epoch.validation.samples});
  return numbers;
}

/// [values.size()] on the CPU.
template <class T>
at::Tensor tensor_of(const std::vector<T>& values) {
  const auto type = std::is_same_v<T, double> ? at::kDouble : at::kLong;
  at::Tensor tensor = at::empty({static_cast<std::int64_t>(values.size())}, type);
  std::copy(values.begin(), values.end(), tensor.data_ptr<T>());
  return tensor;
}

template <class T>
std::vector<T> vector_of(torch::serialize::InputArchive& archive, const std::string& key) {
  at::Tensor tensor;
  archive.read(key, tensor, /*is_buffer=*/true);
  tensor = tensor.contiguous();
  return {tensor.data_ptr<T>(), tensor.data_ptr<T>() + tensor.numel()};
}

/// As many numbers as the rest of the archive says; or else what is read would go on behind their end.
template <class T>
std::vector<T> table_of(torch::serialize::InputArchive& archive, const std::string& key, std::size_t numbers) {
  std::vector<T> table = vector_of<T>(archive, key);
  require(table.size() == numbers, "checkpoint: the length of " + key, text(numbers), table.size());
  return table;
}

inline std::vector<std::string> strings_of(torch::serialize::InputArchive& archive, const std::string& key) {
  c10::IValue value;
  archive.read(key, value);
  std::vector<std::string> strings;
  for (const c10::IValue& entry : value.toListRef()) {
    strings.push_back(entry.toStringRef());
  }
  return strings;
}

inline c10::IValue list_of(const std::vector<std::string>& strings) {
  c10::List<std::string> list;
  for (const std::string& text : strings) {
    list.push_back(text);
  }
  return list;
}

template <class T>
void append(std::vector<T>& all, const std::vector<T>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

inline void save_state(torch::serialize::OutputArchive& archive, const State& state) {
  std::vector<std::string> phases;
  std::vector<double> doubles;
  std::vector<std::int64_t> integers;
  std::vector<std::string> measure_names;
  std::vector<double> measure_values;
  std::vector<std::int64_t> measure_counts;
  for (const Epoch& epoch : state.history) {
    phases.push_back(epoch.phase);
    append(doubles, doubles_of(epoch));
    append(integers, integers_of(epoch));
    measure_counts.push_back(static_cast<std::int64_t>(epoch.measures.size()));
    for (const auto& [name, value] : epoch.measures) {
      measure_names.push_back(name);
      measure_values.push_back(value);
    }
  }
  std::vector<std::string> outcome_phases;
  std::vector<std::int64_t> outcomes;
  for (const Outcome& outcome : state.history.outcomes) {
    outcome_phases.push_back(outcome.phase);
    append(outcomes, integers_of(outcome.clock));
    outcomes.push_back(static_cast<std::int64_t>(outcome.ended));
  }
  archive.write("format", c10::IValue(state_format));
  archive.write("clock", tensor_of(integers_of(state.clock)), true);
  archive.write("sums", tensor_of(std::vector<double>{state.loss_sum, state.lr_scale, state.seconds}), true);
  archive.write("loss_samples", c10::IValue(state.loss_samples));
  archive.write("loss_count", c10::IValue(state.loss_count));
  archive.write("loss_scale", c10::IValue(state.loss_scale));
  archive.write("loss_scale_steps", c10::IValue(state.loss_scale_steps));
  archive.write("phases", list_of(phases));
  archive.write("doubles", tensor_of(doubles), true);
  archive.write("integers", tensor_of(integers), true);
  archive.write("measure_names", list_of(measure_names));
  archive.write("measure_values", tensor_of(measure_values), true);
  archive.write("measure_counts", tensor_of(measure_counts), true);
  archive.write("outcome_phases", list_of(outcome_phases));
  archive.write("outcomes", tensor_of(outcomes), true);
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

inline Ended ended_of(std::int64_t number) {
  constexpr auto last = static_cast<std::int64_t>(Ended::diverged);
  require(number >= 0 && number <= last, "checkpoint: how a phase ended", "in [0, " + text(last) + "]", number);
  return static_cast<Ended>(number);
}

inline State load_state(torch::serialize::InputArchive& archive) {
  c10::IValue format;
  archive.read("format", format);
  require(format.toInt() == state_format, "checkpoint: format", text(state_format), format.toInt());
  State state;
  state.clock = clock_of(table_of<std::int64_t>(archive, "clock", clock_numbers).data());
  const auto sums = table_of<double>(archive, "sums", 3);
  state.loss_sum = sums[0];
  state.lr_scale = sums[1];
  state.seconds = sums[2];
  c10::IValue loss_samples;
  archive.read("loss_samples", loss_samples);
  state.loss_samples = loss_samples.toInt();
  c10::IValue loss_count;  // not in checkpoints of earlier versions, where all losses were means over the samples
  state.loss_count =
      archive.try_read("loss_count", loss_count) ? loss_count.toDouble() : static_cast<double>(state.loss_samples);
  c10::IValue loss_scale;
  c10::IValue loss_scale_steps;
  if (archive.try_read("loss_scale", loss_scale) && archive.try_read("loss_scale_steps", loss_scale_steps)) {
    state.loss_scale = loss_scale.toDouble();
    state.loss_scale_steps = loss_scale_steps.toInt();
  }

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
    state.history.epochs.push_back(epoch);
  }
  require(measure == measure_names.size(), "checkpoint: the number of all measures", text(measure),
          measure_names.size());
  const auto outcome_phases = strings_of(archive, "outcome_phases");
  const std::size_t outcome_integers = clock_numbers + 1;
  const auto outcomes = table_of<std::int64_t>(archive, "outcomes", outcome_phases.size() * outcome_integers);
  for (std::size_t i = 0; i < outcome_phases.size(); ++i) {
    const std::int64_t* const row = &outcomes[i * outcome_integers];
    state.history.outcomes.push_back({outcome_phases[i], ended_of(row[clock_numbers]), clock_of(row)});
  }
  return state;
}

}  // namespace regimen::inline v0::detail
