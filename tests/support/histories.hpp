#pragma once
// Hand-made histories, what a stop criterion says of them, and the message of an Error.

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>

#include <regimen/base.hpp>
#include "regimen/record.hpp"
#include "regimen/stop.hpp"

/// The message of the Error that `f` throws, "" if it throws none. Anything else that it throws fails the test.
template <class F>
std::string error_of(F&& f) {
  try {
    std::forward<F>(f)();
  } catch (const regimen::Error& error) {
    return error.what();
  }
  return "";
}

/// The score of which `metric` is a part, to be written to.
inline regimen::Score& score_of(regimen::Epoch& epoch, regimen::Metric metric) {
  return const_cast<regimen::Score&>(regimen::score_of(std::as_const(epoch), metric));
}

inline void set(regimen::Epoch& epoch, regimen::Metric metric, double value) {
  regimen::Score& score = score_of(epoch, metric);
  (regimen::larger_is_better(metric) ? score.accuracy : score.loss) = value;
  score.samples = 100;
}

/// One epoch for each value of `metric`; an epoch without a value was not scored.
inline regimen::History history_of(regimen::Metric metric, std::initializer_list<std::optional<double>> values) {
  regimen::History history;
  for (const std::optional<double>& value : values) {
    regimen::Epoch& epoch = history.epochs.emplace_back();
    epoch.clock.epoch = static_cast<int>(history.size());
    if (value) {
      set(epoch, metric, *value);
    }
  }
  return history;
}

/// The first n epochs.
inline regimen::History first(const regimen::History& history, std::size_t n) {
  regimen::History part = history;
  part.epochs.resize(n);
  return part;
}

/// One letter an epoch: what the criterion says after it, "." for go on and "S" for stop.
inline std::string answers(const regimen::Stop& stop, const regimen::History& history) {
  std::string said;
  for (std::size_t n = 1; n <= history.size(); ++n) {
    said += stop(first(history, n)) ? "S" : ".";
  }
  return said;
}

/// The epoch number `epoch`, counted from 0, at its beginning.
inline regimen::Clock at_epoch(int epoch) {
  regimen::Clock clock;
  clock.epoch = epoch;
  return clock;
}

/// `batch` batches of `batches` into the epoch number `epoch`.
inline regimen::Clock at_batch(int epoch, std::int64_t batch, std::int64_t batches) {
  regimen::Clock clock;
  clock.epoch = epoch;
  clock.batch = batch;
  clock.batches = batches;
  return clock;
}
