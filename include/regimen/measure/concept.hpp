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

#include "regimen/base/manifest.hpp"
#include "regimen/evaluate/evaluate.hpp"
#include "regimen/measure/paths.hpp"
#include "regimen/model/model.hpp"
#include "regimen/model/snapshot.hpp"
#include "regimen/record/hooks.hpp"
#include "regimen/source/source.hpp"
#include "regimen/tensor/autocast.hpp"
#include "regimen/tensor/real.hpp"

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

}  // namespace regimen::inline v0
