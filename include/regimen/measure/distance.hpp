#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <string>

#include "regimen/base/error.hpp"
#include "regimen/model/snapshot.hpp"
#include "regimen/model/weights.hpp"
#include "regimen/tensor/named.hpp"
#include "regimen/tensor/real.hpp"

namespace regimen::inline v0 {

namespace detail {

/// Calls visit(now, then, named) for each parameter of a model and its value in a snapshot of that model, both as
/// doubles, each tensor once. Throws Error if the two do not fit.
template <class Visit>
void with_snapshot(const Weights& model, const Snapshot& snapshot, const std::string& who, Visit&& visit) {
  const at::NoGradGuard no_grad;
  for (const Named& named : model.named_parameters()) {
    const at::Tensor then = snapshot.find(named);
    if (!then.defined() || then.sizes() != named.tensor.sizes()) {
      throw Error(who + ": the model's " + named.name + " does not fit the snapshot");
    }
    visit(as_doubles(named.tensor), as_doubles(then).to(named.tensor.device()), named);
  }
}

/// The cosine of the angle between two vectors, accumulated part by part.
struct Angle {
  double product = 0;
  double first = 0;
  double second = 0;

  void add(const at::Tensor& a, const at::Tensor& b) {
    product += (a * b).sum().item<double>();
    first += a.square().sum().item<double>();
    second += b.square().sum().item<double>();
  }

  /// The cosine; NaN if one of the vectors is 0.
  [[nodiscard]] double cosine() const { return product / (std::sqrt(first) * std::sqrt(second)); }
};

}  // namespace detail

/// The l2 distance of all parameters from their values in a snapshot of the same model, in double. Throws Error if the
/// two do not fit.
[[nodiscard]] inline double distance(const Weights& model, const Snapshot& from) {
  double sum = 0;
  detail::with_snapshot(model, from, "distance", [&](const at::Tensor& is, const at::Tensor& was, const Named&) {
    sum += (is - was).square().sum().item<double>();
  });
  return std::sqrt(sum);
}

/// The function `distance` as a measure for `Scoring::measures`.
struct DistanceFrom {
  Snapshot start;

  double operator()(const Weights& model) const { return distance(model, start); }
};

/// A measure: the distance from a snapshot over the snapshot's norm, ||w - w_0|| / ||w_0||, in double; small for lazy
/// training. Infinite or NaN for a snapshot of zeros. Throws Error if the two do not fit.
struct RelativeDistanceFrom {
  Snapshot start;

  double operator()(const Weights& model) const {
    double moved = 0;
    double norm = 0;
    detail::with_snapshot(model, start, "RelativeDistanceFrom",
                          [&](const at::Tensor& is, const at::Tensor& was, const Named&) {
                            moved += (is - was).square().sum().item<double>();
                            norm += was.square().sum().item<double>();
                          });
    return std::sqrt(moved) / std::sqrt(norm);
  }
};

/// A measure: the cosine of the angle between all parameters and those of a snapshot, w . w_s / (||w|| ||w_s||), in
/// [-1, 1], in double; NaN if one of them is 0. Throws Error if the two do not fit.
struct CosineTo {
  Snapshot goal;

  double operator()(const Weights& model) const {
    detail::Angle angle;
    detail::with_snapshot(model, goal, "CosineTo",
                          [&](const at::Tensor& is, const at::Tensor& was, const Named&) { angle.add(is, was); });
    return angle.cosine();
  }
};

/// A measure of how straight the network moves towards given weights: the cosine between its way so far and the way
/// there, cos(w - w_from, w_to - w_from), in [-1, 1], in double. 1 is straight towards them, 0 at a right angle; NaN if
/// it has not moved. Throws Error if the three do not fit.
///     scoring.measures = {{"towards_bad", regimen::HeadingTo{.from = start, .to = bad}}};
struct HeadingTo {
  Snapshot from;
  Snapshot to;

  double operator()(const Weights& model) const {
    detail::Angle angle;
    detail::with_snapshot(model, from, "HeadingTo",
                          [&](const at::Tensor& is, const at::Tensor& was, const Named& named) {
                            const at::Tensor there = to.find(named);
                            if (!there.defined() || there.sizes() != named.tensor.sizes()) {
                              throw Error("HeadingTo: the model's " + named.name + " does not fit the snapshot");
                            }
                            angle.add(is - was, detail::as_doubles(there).to(is.device()) - was);
                          });
    return angle.cosine();
  }
};

}  // namespace regimen::inline v0
