#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/fields.hpp"
#include "regimen/base/manifest.hpp"
#include "regimen/evaluate/evaluate.hpp"
#include "regimen/model/model.hpp"
#include "regimen/record/erased.hpp"
#include "regimen/source/source.hpp"

namespace regimen::inline v0 {

/// The things that a measure may look at: the model and, within `run`, the phase's data and how the phase is scored.
/// Made from a model alone it has no data, and scoring has its defaults.
struct Probe {
  Model model;
  Evaluation how{};  ///< loss, preprocessing, execution, and the moment of the scored epoch's begin
  Source fit{};      ///< the phase's own data
  Source clean{};    ///< this and the next two as in `Scoring`
  Source test{};
  Source validation{};
  Clock clock{};  ///< time of the scored epoch's end

  Probe(Model of) : model(std::move(of)) {}  // NOLINT: a model is probed
  template <class M>
    requires(!std::derived_from<std::remove_cvref_t<M>, Weights> && !detail::is_probe<std::remove_cvref_t<M>> &&
             !detail::StandIn<std::remove_cvref_t<M>>)
  Probe(M&& of) : model(std::forward<M>(of)) {}  // NOLINT
};

/// The result of a measure that gives several numbers, by name.
using Numbers = std::map<std::string, double>;

namespace detail {

template <class R>
concept Measured = std::convertible_to<R, double> || std::convertible_to<R, Numbers>;

/// Whether M is a function of a Probe, or a reference to one. As a model converts to a Probe, a function of either
/// could be called with a model.
template <class M>
inline constexpr bool is_function_of_probe = false;
template <class R>
inline constexpr bool is_function_of_probe<R (*)(const Probe&)> = true;
template <class R>
inline constexpr bool is_function_of_probe<R (*)(Probe)> = true;
template <class M>
inline constexpr bool is_function_of_probe<std::reference_wrapper<M>> =
    requires { &M::operator(); } || is_function_of_probe<M*>;

/// A measure that takes a Probe. A generic lambda, which can be called with anything, is not one: it may expect a
/// model.
template <class M>
concept TakesProbe =
    (requires { &M::operator(); } || is_function_of_probe<M>) && requires(const M& measure, const Probe& probe) {
      { measure(probe) } -> Measured;
    };

template <class M>
concept TakesModel = requires(const M& measure, const Model& model) {
  { measure(model) } -> Measured;
};

/// Throws Error for an undefined source among a measure's fields, which would else throw after an epoch of training.
template <class M>
void require_sources(const M& measure) {
  if constexpr (HasParts<M> && !is_vector<M>) {
    const auto check = []<class Field>(const Field& field, std::string_view name) {
      if constexpr (std::same_as<Field, Source>) {
        if (!field.defined()) {
          throw Error(name_of_type<M>() + "." + std::string(name) +
                      " must be set (std::optional<regimen::Source> is for one that may be missing)");
        }
      }
    };
    const auto fields = fields_of(measure);
    const auto check_each = [&]<std::size_t... I>(std::index_sequence<I...>) {
      (check(get_field<I>(fields), name_of_field<M, I>()), ...);
    };
    check_each(std::make_index_sequence<fields.size>{});
  }
}

}  // namespace detail

/// A function of a model, or of a `Probe`, that returns a number and changes nothing.
///     scoring.measures = {{"l2_norm", regimen::l2_norm}, {"distance", regimen::DistanceFrom{start}}};
///     scoring.measures["confidence"] = [](const regimen::Probe& probe) { return ...; };
///
/// A measure with several numbers returns `Numbers`, and their names in advance by `std::vector<std::string> names()
/// const`. In the record and in logs they are "<the measure's name>_<the number's name>".
///     struct Ends {
///       std::vector<std::string> names() const { return {"largest", "smallest"}; }
///       regimen::Numbers operator()(const regimen::Probe& probe) const;
///     };
template <class M>
concept Measure = detail::TakesProbe<M> || detail::TakesModel<M>;

/// A measure of any type.
class AnyMeasure : public detail::Erased {
 public:
  AnyMeasure() = default;
  AnyMeasure(std::nullptr_t) {}  // NOLINT: no measure

  template <class M>
    requires(!std::same_as<M, AnyMeasure> && !std::same_as<M, std::nullptr_t> && !detail::StandIn<M>)
  AnyMeasure(M measure) {  // NOLINT: a measure is one of any kind
    static_assert(Measure<M>,
                  "a measure must be callable as: double measure(const regimen::Model&) const, "
                  "or: double measure(const regimen::Probe&) const; it may give regimen::Numbers instead");
    if constexpr (Measure<M>) {
      bind(std::move(measure));
    }
  }

  /// The number of a measure with one number. Throws Error for a measure with several.
  double operator()(const Probe& probe) const {
    if (!names_.empty()) {
      throw Error("this measure gives several numbers: take them by numbers(name, probe)");
    }
    return call_(probe).begin()->second;
  }

  /// The numbers of a measure that is called `name`, under their names in the record. Throws Error if they differ from
  /// those that its names() lists.
  [[nodiscard]] Numbers numbers(const std::string& name, const Probe& probe) const {
    const Numbers given = call_(probe);
    if (names_.empty()) {
      return {{name, given.begin()->second}};
    }
    Numbers named;
    for (const std::string& each : names_) {
      const auto found = given.find(each);
      if (found == given.end() || given.size() != names_.size()) {
        throw Error("the measure \"" + name + "\" must give the numbers that its names() says, but gave " +
                    regimen::manifest(given));
      }
      named.emplace(name + "_" + each, found->second);
    }
    return named;
  }

  /// The names in the record of the numbers of a measure that is called `name`.
  [[nodiscard]] std::vector<std::string> names(const std::string& name) const {
    std::vector<std::string> all;
    for (const std::string& each : names_) {
      all.push_back(name + "_" + each);
    }
    return all.empty() ? std::vector<std::string>{name} : all;
  }

  /// Whether there is a measure; false for one made from an empty std::function.
  explicit operator bool() const { return static_cast<bool>(call_); }

 private:
  template <class M>
  void bind(M measure) {
    if (!is_there(measure)) {
      return;
    }
    detail::require_sources(measure);
    const auto part = remember(std::move(measure));
    const auto call = [part](const Probe& probe) {
      if constexpr (detail::TakesProbe<M>) {
        return (*part)(probe);
      } else {
        return (*part)(probe.model);
      }
    };
    using Given = std::invoke_result_t<decltype(call), const Probe&>;
    if constexpr (std::convertible_to<Given, double>) {
      call_ = [call](const Probe& probe) { return Numbers{{"", static_cast<double>(call(probe))}}; };
    } else {
      static_assert(
          requires { std::vector<std::string>(part->names()); },
          "a measure that gives regimen::Numbers must say their names: std::vector<std::string> names() const");
      names_ = part->names();
      detail::require(!names_.empty(), "a measure's names().size()", "at least 1", names_.size());
      call_ = call;
    }
  }

  /// Whether the measure is not an empty std::function or a null pointer.
  template <class M>
  static bool is_there(const M& measure) {
    if constexpr (requires { measure == nullptr; }) {
      return !(measure == nullptr);
    } else {
      return true;
    }
  }

  std::function<Numbers(const Probe&)> call_;
  std::vector<std::string> names_{};  ///< names of several numbers; empty for a measure with one
};

}  // namespace regimen::inline v0
