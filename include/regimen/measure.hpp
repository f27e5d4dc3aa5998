#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <concepts>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "regimen/detail/fields.hpp"
#include "regimen/detail/path_norm.hpp"
#include "regimen/manifest.hpp"
#include "regimen/model.hpp"
#include "regimen/snapshot.hpp"

namespace regimen::inline v0 {

/// What kind of minimum is this? Takes a model, gives a number; reads and changes nothing.
///     splits.measures = {{"l2_norm", regimen::l2_norm}, {"distance", regimen::DistanceFrom{start}}};
template <class M>
concept Measure = requires(const M& measure, const Model& model) {
  { measure(model) } -> std::convertible_to<double>;
};

/// Any measure.
class AnyMeasure {
 public:
  AnyMeasure() = default;
  AnyMeasure(std::nullptr_t) {}  // NOLINT: none, as of a std::function

  template <class M>
    requires(!std::same_as<M, AnyMeasure> && !std::same_as<M, std::nullptr_t> && !detail::StandIn<M>)
  AnyMeasure(M measure) {  // NOLINT: a measure is one of any kind
    static_assert(Measure<M>, "a measure must be callable as: double measure(const regimen::Model&) const");
    if constexpr (Measure<M>) {
      manifest_ = [measure] { return regimen::manifest(measure); };
      call_ = std::move(measure);
    }
  }

  double operator()(const Model& model) const { return call_(model); }

  /// Whether there is one: an empty std::function is none.
  explicit operator bool() const { return static_cast<bool>(call_); }

  /// Written when it is asked for: those of snapshots and sources hold checksums.
  [[nodiscard]] std::string manifest() const { return manifest_ ? manifest_() : "null"; }

 private:
  std::function<double(const Model&)> call_;
  std::function<std::string()> manifest_;
};

/// The l2 norm of all parameters together, summed in double.
[[nodiscard]] inline double l2_norm(const Model& model) {
  const at::NoGradGuard no_grad;
  double sum = 0;
  for (const at::Tensor& parameter : model.parameters()) {
    sum += parameter.to(at::kDouble).square().sum().item<double>();
  }
  return std::sqrt(sum);
}

namespace detail {

/// Each parameter of a model with what it was in a snapshot of the same model, both in double.
/// Throws Error where the two do not fit.
template <class Visit>
void with_snapshot(const Model& model, const Snapshot& snapshot, const std::string& who, Visit&& visit) {
  const at::NoGradGuard no_grad;
  const auto parameters = model.named_parameters();
  const auto& kept = snapshot.tensors();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (i >= kept.size() || kept[i].name != parameters[i].name ||
        kept[i].tensor.sizes() != parameters[i].tensor.sizes()) {
      throw Error(who + ": the model's " + parameters[i].name + " does not fit the snapshot");
    }
    visit(parameters[i].tensor.to(at::kDouble), kept[i].tensor.to(at::kDouble), i);
  }
}

/// The cosine of the angle between two vectors, added up part by part.
struct Angle {
  double product = 0;
  double first = 0;
  double second = 0;

  void add(const at::Tensor& a, const at::Tensor& b) {
    product += (a * b).sum().item<double>();
    first += a.square().sum().item<double>();
    second += b.square().sum().item<double>();
  }

  /// NaN where one of them is 0.
  [[nodiscard]] double cosine() const { return product / (std::sqrt(first) * std::sqrt(second)); }
};

}  // namespace detail

/// The l2 distance of all parameters from where they were in a snapshot of the same model, in double.
/// Throws Error where the two do not fit.
[[nodiscard]] inline double distance(const Model& model, const Snapshot& from) {
  double sum = 0;
  detail::with_snapshot(model, from, "distance", [&](const at::Tensor& is, const at::Tensor& was, std::size_t) {
    sum += (is - was).square().sum().item<double>();
  });
  return std::sqrt(sum);
}

/// `distance` as a measure for `Splits::measures`.
struct DistanceFrom {
  Snapshot start;

  double operator()(const Model& model) const { return distance(model, start); }
};

/// The distance from a snapshot as a share of the snapshot's own norm, ||w - w_0|| / ||w_0||, in double: how far from
/// lazy a training was. Infinite or NaN for a snapshot of zeros. Throws Error where the two do not fit.
struct RelativeDistanceFrom {
  Snapshot start;

  double operator()(const Model& model) const {
    double moved = 0;
    double norm = 0;
    detail::with_snapshot(model, start, "RelativeDistanceFrom",
                          [&](const at::Tensor& is, const at::Tensor& was, std::size_t) {
                            moved += (is - was).square().sum().item<double>();
                            norm += was.square().sum().item<double>();
                          });
    return std::sqrt(moved) / std::sqrt(norm);
  }
};

/// The cosine of the angle between all parameters and those of a snapshot, w . w_s / (||w|| ||w_s||), in [-1, 1], in
/// double; NaN where one of them is 0. Throws Error where the two do not fit.
struct CosineTo {
  Snapshot goal;

  double operator()(const Model& model) const {
    detail::Angle angle;
    detail::with_snapshot(model, goal, "CosineTo",
                          [&](const at::Tensor& is, const at::Tensor& was, std::size_t) { angle.add(is, was); });
    return angle.cosine();
  }
};

/// Whether the network moves towards some weights: the cosine of the angle between the way that it has gone and the way
/// there, cos(w - w_from, w_to - w_from), in [-1, 1], in double. 1 is straight there, 0 at right angles; NaN where it
/// has not moved. Throws Error where the three do not fit.
///     splits.measures = {{"towards_bad", regimen::HeadingTo{.from = start, .to = bad}}};
struct HeadingTo {
  Snapshot from;
  Snapshot to;

  double operator()(const Model& model) const {
    std::vector<at::Tensor> way;
    detail::with_snapshot(model, from, "HeadingTo",
                          [&](const at::Tensor& is, const at::Tensor& was, std::size_t) { way.push_back(is - was); });
    detail::Angle angle;
    detail::with_snapshot(model, to, "HeadingTo", [&](const at::Tensor&, const at::Tensor& there, std::size_t i) {
      angle.add(way[i], there - from.tensors()[i].tensor.to(at::kDouble));
    });
    return angle.cosine();
  }
};

/// The path norm: (sum over all paths from input to output of the product of |w|^p along the path)^(1/p)
/// (Neyshabur, Tomioka and Srebro 2015). One forward pass of an input of ones in eval mode with every weight w replaced
/// by |w|^p; BatchNorm is folded. It does not change when a ReLU unit's incoming weights grow and its outgoing ones
/// shrink by one factor, as the function does not.
///
/// sample_shape: of one sample without the batch, {2} or {1, 28, 28}. p >= 1. epsilon in [0, 1): what the model's
/// BatchNorms, known by the names of their buffers, add to a variance; the default is LibTorch's. The model must be
/// made of linear maps, ReLU and pooling; a convolution before BatchNorm should have no bias. All is put back
/// afterwards. Throws Error for p or epsilon out of these, and for a model without parameters.
[[nodiscard]] inline double path_norm(const Model& model, at::IntArrayRef sample_shape, double p = 2,
                                      double epsilon = 1e-5) {
  detail::check_path_norm(p, epsilon, "path_norm: ");
  const detail::ModeGuard modes(model);
  const at::NoGradGuard no_grad;
  model.train(false);
  const at::TensorOptions options = detail::options_of(model);
  const detail::PathWeights paths(model, p, epsilon);
  return std::pow(detail::sum_over_paths(model, sample_shape, options).item<double>(), 1 / p);
}

}  // namespace regimen::inline v0
