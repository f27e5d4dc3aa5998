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

#include "regimen/detail/autocast.hpp"
#include "regimen/detail/hooks.hpp"
#include "regimen/detail/path_norm.hpp"
#include "regimen/detail/real.hpp"
#include "regimen/evaluate.hpp"
#include "regimen/manifest.hpp"
#include "regimen/model.hpp"
#include "regimen/snapshot.hpp"
#include "regimen/source.hpp"

namespace regimen::inline v0 {

/// What a measure may look at: the model, and within `run` the phase's data and how it is scored. Made of a model
/// alone, there are no data, and scoring has its defaults.
struct Probe {
  Model model;
  Evaluation how{};  ///< the phase's loss, preprocessing, execution, and the moment at which its epoch began
  Source fit{};      ///< the phase's own data
  Source clean{};    ///< these three as in `Splits`
  Source test{};
  Source validation{};
  Clock clock{};  ///< when the scored epoch ended

  Probe(Model of) : model(std::move(of)) {}  // NOLINT: a model is probed
  template <class M>
    requires(!std::derived_from<std::remove_cvref_t<M>, Weights> && !detail::is_probe<std::remove_cvref_t<M>> &&
             !detail::StandIn<std::remove_cvref_t<M>>)
  Probe(M&& of) : model(std::forward<M>(of)) {}  // NOLINT
};

namespace detail {

/// Takes a Probe and says so: what can be called with anything, a generic lambda, may be meant for a model.
template <class M>
concept TakesProbe = requires { &M::operator(); } && requires(const M& measure, const Probe& probe) {
  { measure(probe) } -> std::convertible_to<double>;
};

template <class M>
concept TakesModel = requires(const M& measure, const Model& model) {
  { measure(model) } -> std::convertible_to<double>;
};

}  // namespace detail

/// What kind of minimum is this? Takes a model, or a `Probe`, gives a number; reads and changes nothing.
///     splits.measures = {{"l2_norm", regimen::l2_norm}, {"distance", regimen::DistanceFrom{start}}};
///     splits.measures["confidence"] = [](const regimen::Probe& probe) { return ...; };
template <class M>
concept Measure = detail::TakesProbe<M> || detail::TakesModel<M>;

/// Any measure.
class AnyMeasure {
 public:
  AnyMeasure() = default;
  AnyMeasure(std::nullptr_t) {}  // NOLINT: no measure

  template <class M>
    requires(!std::same_as<M, AnyMeasure> && !std::same_as<M, std::nullptr_t> && !detail::StandIn<M>)
  AnyMeasure(M measure) {  // NOLINT: a measure is one of any kind
    static_assert(Measure<M>,
                  "a measure must be callable as: double measure(const regimen::Model&) const, "
                  "or: double measure(const regimen::Probe&) const");
    if constexpr (Measure<M>) {
      detail::check_fields(measure);
      manifest_ = [measure] { return regimen::manifest(measure); };
      if constexpr (detail::TakesProbe<M>) {
        call_ = std::move(measure);
      } else if (is_there(measure)) {
        call_ = [measure = std::move(measure)](const Probe& probe) -> double { return measure(probe.model); };
      }
    }
  }

  double operator()(const Probe& probe) const { return call_(probe); }

  /// Whether there is one: an empty std::function is none.
  explicit operator bool() const { return static_cast<bool>(call_); }

  /// Written when it is asked for: those of snapshots and sources hold checksums.
  [[nodiscard]] std::string manifest() const { return manifest_ ? manifest_() : "null"; }

 private:
  /// False for an empty std::function and a null pointer.
  template <class M>
  static bool is_there(const M& measure) {
    if constexpr (requires { measure == nullptr; }) {
      return !(measure == nullptr);
    } else {
      return true;
    }
  }

  std::function<double(const Probe&)> call_;
  std::function<std::string()> manifest_;
};

/// The l2 norm of all parameters together, each counted once, summed in double; of complex numbers by their moduli.
[[nodiscard]] inline double l2_norm(const Weights& model) {
  const at::NoGradGuard no_grad;
  double sum = 0;
  for (const at::Tensor& parameter : model.parameters()) {
    sum += detail::as_doubles(parameter).square().sum().item<double>();
  }
  return std::sqrt(sum);
}

namespace detail {

/// Each parameter of a model, once, with what it was in a snapshot of the same model, both as doubles.
/// Throws Error where the two do not fit.
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
[[nodiscard]] inline double distance(const Weights& model, const Snapshot& from) {
  double sum = 0;
  detail::with_snapshot(model, from, "distance", [&](const at::Tensor& is, const at::Tensor& was, const Named&) {
    sum += (is - was).square().sum().item<double>();
  });
  return std::sqrt(sum);
}

/// `distance` as a measure for `Splits::measures`.
struct DistanceFrom {
  Snapshot start;

  double operator()(const Weights& model) const { return distance(model, start); }
};

/// The distance from a snapshot as a share of the snapshot's own norm, ||w - w_0|| / ||w_0||, in double: how far from
/// lazy a training was. Infinite or NaN for a snapshot of zeros. Throws Error where the two do not fit.
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

/// The cosine of the angle between all parameters and those of a snapshot, w . w_s / (||w|| ||w_s||), in [-1, 1], in
/// double; NaN where one of them is 0. Throws Error where the two do not fit.
struct CosineTo {
  Snapshot goal;

  double operator()(const Weights& model) const {
    detail::Angle angle;
    detail::with_snapshot(model, goal, "CosineTo",
                          [&](const at::Tensor& is, const at::Tensor& was, const Named&) { angle.add(is, was); });
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

/// The path norm: (sum over all paths from input to output of the product of |w|^p along the path)^(1/p)
/// (Neyshabur, Tomioka and Srebro 2015). One forward pass of an input of ones in eval mode with every weight w replaced
/// by |w|^p; BatchNorm is folded. It does not change when a ReLU unit's incoming weights grow and its outgoing ones
/// shrink by one factor, as the function does not.
///
/// sample_shape: of one sample without the batch, {2} or {1, 28, 28}. p >= 1. epsilon in [0, 1): what the model's
/// BatchNorms, known by the names of their buffers, add to a variance; the default is LibTorch's. The model must be
/// made of linear maps, ReLU and pooling; a convolution before BatchNorm should have no bias. Pooling is run as it is:
/// a mean over k numbers counts its share 1 / k once, which is the sum over paths for p = 1 (write it as a convolution
/// for another p), and a maximum takes the largest of its paths. All is put back afterwards. Throws Error for p or
/// epsilon out of these, for complex weights, for BatchNorms that share weights and not statistics, and for a model
/// without parameters.
[[nodiscard]] inline double path_norm(const Model& model, at::IntArrayRef sample_shape, double p = 2,
                                      double epsilon = 1e-5) {
  detail::check_path_norm(p, epsilon, "path_norm: ");
  const detail::ModeGuard modes(model);
  const detail::Autocast in_full(model.device().type(), false);
  const at::NoGradGuard no_grad;
  model.train(false);
  const at::TensorOptions options = detail::options_of(model);
  const detail::PathWeights paths(model, p, epsilon);
  return std::pow(detail::sum_over_paths(model, sample_shape, options).item<double>(), 1 / p);
}

}  // namespace regimen::inline v0
