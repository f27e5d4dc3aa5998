#pragma once
// No LibTorch.

#include <string>
#include <type_traits>
#include <vector>

#include "regimen/base/fields.hpp"
#include "regimen/record/history.hpp"
#include "regimen/record/reads.hpp"

/// Optional members of a part that the library calls if they exist. A member with the right name and a wrong signature
/// (a missing const, say) would silently never be called, so it does not compile.
namespace regimen::inline v0::detail {

struct NamesOfMembers {
  int check;
  int metrics;
  int measures;
  int manifest;
};

// A member is found by its name alone: if T has one of that name, naming it in a class that derives from T and from
// NamesOfMembers is ambiguous. This finds overloaded members and members with any signature. A data member of that name
// is an ordinary field and not a hook.
template <class T>
struct MemberProbe : T, NamesOfMembers {};

template <class T>
concept CanProbeMembers = std::is_class_v<T> && !std::is_final_v<T>;

template <class T>
concept NamesCheck = CanProbeMembers<T> && !requires { &MemberProbe<T>::check; } &&
                     !requires { requires std::is_member_object_pointer_v<decltype(&T::check)>; };
template <class T>
concept NamesMetrics = CanProbeMembers<T> && !requires { &MemberProbe<T>::metrics; } &&
                       !requires { requires std::is_member_object_pointer_v<decltype(&T::metrics)>; };
template <class T>
concept NamesMeasures = CanProbeMembers<T> && !requires { &MemberProbe<T>::measures; } &&
                        !requires { requires std::is_member_object_pointer_v<decltype(&T::measures)>; };
template <class T>
concept NamesManifest = CanProbeMembers<T> && !requires { &MemberProbe<T>::manifest; } &&
                        !requires { requires std::is_member_object_pointer_v<decltype(&T::manifest)>; };

/// Compile-time check that each hook which a part has is public and has the right signature.
template <class T>
constexpr void require_hooks() {
  static_assert(
      !NamesCheck<T> || requires(const T& value) { value.check(); }, "check must be public and: void check() const");
  static_assert(
      !NamesMetrics<T> || requires(const T& value) { std::vector<Metric>(value.metrics()); },
      "metrics must be public and: std::vector<regimen::Metric> metrics() const");
  static_assert(
      !NamesMeasures<T> || requires(const T& value) { std::vector<std::string>(value.measures()); },
      "measures must be public and: std::vector<std::string> measures() const");
  static_assert(
      !NamesManifest<T> || requires(const T& value) { std::string(value.manifest()); },
      "manifest must be public and: std::string manifest() const");
}

/// Checks the fields of a part that have a range (`Bounded`), and the fields of those fields. Errors name them
/// "L2.strength" unless their type gives a name.
template <class T>
void check_bounded_fields(T& value) {
  using P = std::remove_const_t<T>;
  if constexpr (is_vector<P>) {
    for (auto& element : value) {
      check_bounded_fields(element);
    }
  } else if constexpr (is_optional<P>) {
    if (value) {
      check_bounded_fields(*value);
    }
  } else if constexpr (HasParts<P>) {
    const auto fields = fields_of(value);
    const auto check = [](auto& field, const auto& name) {
      using Field = std::remove_cvref_t<decltype(field)>;
      const auto check_named = [&](auto& knob) {
        if constexpr (!std::is_const_v<std::remove_reference_t<decltype(knob)>>) {
          knob.set_name(name());
        }
        knob.check();
      };
      if constexpr (requires { field.bounds().check(field); }) {
        check_named(field);
      } else if constexpr (is_optional<Field> && requires { field->bounds().check(*field); }) {
        if (field) {
          check_named(*field);
        }
      } else {
        check_bounded_fields(field);
      }
    };
    const auto check_each = [&]<std::size_t... I>(std::index_sequence<I...>) {
      (check(get_field<I>(fields), [] { return name_of_type<P>() + "." + std::string(name_of_field<P, I>()); }), ...);
    };
    check_each(std::make_index_sequence<fields.size>{});
  }
}

/// Checks the hooks of a part, its fields with a range, and calls its `void check() const` if there is one. Throws
/// Error.
template <class T>
void check_fields(T& value) {
  require_hooks<std::remove_const_t<T>>();
  check_bounded_fields(value);
  if constexpr (requires { value.check(); }) {
    value.check();
  }
}

}  // namespace regimen::inline v0::detail

namespace regimen::inline v0 {

/// Checks the fields of a part, as a phase checks its parts: for a part that holds another one, and for a loop of your
/// own. Throws Error.
///     regimen::check(regimen::L2{.strength = -1});  // L2.strength must be at least 0 and finite, but is -1
template <class P>
void check(const P& part) {
  detail::check_fields(part);
}

}  // namespace regimen::inline v0
