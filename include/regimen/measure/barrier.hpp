#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/evaluate/batch_norm.hpp"
#include "regimen/evaluate/evaluate.hpp"
#include "regimen/evaluate/evaluation.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/measure/data_for.hpp"
#include "regimen/model/guards.hpp"
#include "regimen/model/model.hpp"
#include "regimen/model/snapshot.hpp"
#include "regimen/source/source.hpp"

namespace regimen::inline v0 {

/// A network on the line between two others, (1 - t) w_0 + t w_1.
struct LinePoint {
  double t = 0;               ///< in [0, 1]
  double loss = unknown;      ///< mean over the samples
  double accuracy = unknown;  ///< NaN for a loss without accuracy
};

/// Loss and accuracy along the line between two networks, from t = 0 to t = 1.
struct LossLine {
  std::vector<LinePoint> points{};  ///< at least 2

  /// The loss barrier, max_t L(t) - ((1 - t) L(0) + t L(1)), at least 0 (Entezari, Sedghi, Saukh and Neyshabur
  /// 2022).
  [[nodiscard]] double barrier() const { return highest(&LinePoint::loss, 1, /*tilted=*/true); }

  /// The largest loss over the mean of the ends' losses, max_t L(t) - (L(0) + L(1)) / 2 (Frankle et al. 2020, who
  /// take the error). It is above 0 for ends of different losses even where nothing lies between.
  [[nodiscard]] double over_mean() const { return highest(&LinePoint::loss, 1, /*tilted=*/false); }

  /// The accuracy barrier: that of the error, 1 - accuracy.
  [[nodiscard]] double accuracy_barrier() const { return highest(&LinePoint::accuracy, -1, /*tilted=*/true); }

  /// The mean accuracy of the ends over the smallest accuracy.
  [[nodiscard]] double accuracy_below_mean() const { return highest(&LinePoint::accuracy, -1, /*tilted=*/false); }

 private:
  /// NaN if one of the points' values is.
  [[nodiscard]] double highest(double LinePoint::* field, double sign, bool tilted) const {
    double most = -std::numeric_limits<double>::infinity();
    const double first = points.front().*field;
    const double last = points.back().*field;
    for (const LinePoint& point : points) {
      const double level = tilted ? (1 - point.t) * first + point.t * last : (first + last) / 2;
      const double over = sign * (point.*field - level);
      most = std::isnan(over) || std::isnan(most) ? unknown : std::max(most, over);
    }
    return most;
  }
};

/// A measure of whether two networks lie in one basin: loss and accuracy along the line between them. Its numbers, of
/// `LossLine`: "barrier", "over_mean", "accuracy_barrier" and "accuracy_below_mean". `line` gives the whole line.
///
/// The ends are the probe's model, or `from`, and `to`: snapshots of networks of equal shapes. Weights are interpolated
/// in double and then rounded to the network's type, frozen ones too. BatchNorm's running statistics are
/// - with `batch_norm` estimated anew at each point, the ends included, from `batch_norm_data` (the measure's data by
///   default) by `reestimate_batch_norm`. Without it most barriers of networks with BatchNorm are those of statistics
///   that fit no network (Jordan et al. 2023). An end then has another loss than its own checkpoint;
/// - otherwise interpolated, as all floating buffers; others are those of the nearer end.
/// Units are not permuted, so networks from different starts are far apart even where they compute one function:
/// neither this nor the rescaling of ReLU units leaves the barrier as it is. The logits' scale matters. Not random, but
/// for the order of the data in `batch_norm`, which has a seed.
///
/// Costs `points` forward passes, with `batch_norm` twice as many, and the memory of the weights.
/// Throws Error for data without samples or end, if a snapshot does not fit the network, and unless points >= 2; the
/// middle is among them if their number is odd.
///     const regimen::Barrier barrier{.data = test, .to = other, .batch_norm = regimen::Reestimation{}};
///     const regimen::LossLine line = barrier.line(net);
struct Barrier {
  std::optional<Source> data{};              ///< the phase's data by default
  Evaluation how{};                          ///< settings left at their defaults are the phase's
  std::optional<Snapshot> from{};            ///< t = 0; the probe's model by default
  Snapshot to;                               ///< t = 1
  Integer points = 25;                       ///< from t = 0 to t = 1, at least 2
  std::optional<Reestimation> batch_norm{};  ///< none: BatchNorm's statistics are interpolated
  std::optional<Source> batch_norm_data{};   ///< what they are estimated from

  void check() const { detail::require(points >= 2, "Barrier.points", "at least 2", points); }

  [[nodiscard]] std::vector<std::string> names() const {
    return {"barrier", "over_mean", "accuracy_barrier", "accuracy_below_mean"};
  }

  Numbers operator()(const Probe& probe) const {
    const LossLine found = line(probe);
    return {{"barrier", found.barrier()},
            {"over_mean", found.over_mean()},
            {"accuracy_barrier", found.accuracy_barrier()},
            {"accuracy_below_mean", found.accuracy_below_mean()}};
  }

  /// Loss and accuracy at each point.
  [[nodiscard]] LossLine line(const Probe& probe) const {
    check();
    const Source source = detail::data_for(data, probe, "Barrier");
    const Evaluation settings = detail::filled_in(how, probe.how);
    const std::vector<Ends> all = ends(probe.model);
    // Graphs that the caller has made stay usable: buffers are copies meanwhile, and parameters are put back.
    const detail::BufferGuard buffers(probe.model);
    const std::vector<at::Tensor> parameters = probe.model.parameters();
    const detail::Moved kept(parameters, std::vector<at::Tensor>(parameters.size(), at::zeros({})));
    LossLine found;
    for (std::int64_t i = 0; i < points; ++i) {
      const double t = static_cast<double>(i) / static_cast<double>(points - 1);
      set(probe.model, all, t);
      if (batch_norm) {
        reestimate_batch_norm(probe.model, batch_norm_data.value_or(source), reestimation(settings));
      }
      const Score score = evaluate(probe.model, source, settings);
      found.points.push_back({t, score.loss, score.accuracy});
    }
    return found;
  }

 private:
  struct Ends {
    at::Tensor first;
    at::Tensor last;
  };

  /// Copies of the values of each parameter and buffer of the model at both ends, on its device.
  [[nodiscard]] std::vector<Ends> ends(const Model& model) const {
    std::vector<Ends> all;
    for (const Named& named : model.named_tensors()) {
      const at::Tensor first = from ? value_in(*from, named, "from") : named.tensor.detach().clone();
      all.push_back({first, value_in(to, named, "to")});
    }
    return all;
  }

  static at::Tensor value_in(const Snapshot& snapshot, const Named& named, const char* field) {
    const at::Tensor value = snapshot.find(named);
    if (!value.defined() || value.sizes() != named.tensor.sizes()) {
      throw Error(std::string("Barrier.") + field + ": the model's " + named.name + " does not fit the snapshot");
    }
    return value.to(named.tensor.device());
  }

  /// Sets the model to a point of the line; the ends themselves are set bit for bit. The writes are hidden from
  /// autograd.
  static void set(const Model& model, const std::vector<Ends>& ends, double t) {
    const at::NoGradGuard no_grad;
    const std::vector<Named> tensors = model.named_tensors();
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      const at::Tensor tensor = tensors[i].tensor.variable_data();
      const bool numbers = tensor.is_floating_point() || tensor.is_complex();
      if (!numbers || t == 0 || t == 1) {
        tensor.copy_(t < 0.5 ? ends[i].first : ends[i].last);
        continue;
      }
      const at::ScalarType wide = tensor.is_complex() ? at::kComplexDouble : at::kDouble;
      tensor.copy_(ends[i].first.to(wide) * (1 - t) + ends[i].last.to(wide) * t);
    }
  }

  /// The settings of the estimates, with preprocessing and execution as the data are scored where none are given.
  [[nodiscard]] Reestimation reestimation(const Evaluation& settings) const {
    Reestimation result = *batch_norm;
    if (result.preprocess.empty()) {
      result.preprocess = settings.preprocess;
    }
    if (result.execute == Execution{}) {
      result.execute = settings.execute;
    }
    return result;
  }
};

}  // namespace regimen::inline v0
