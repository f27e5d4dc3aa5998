#pragma once
// No LibTorch.

#include <string>
#include <type_traits>
#include <vector>

#include "regimen/record/history.hpp"

/// Members that a primitive may have and that the library calls if they are there. One that is there with another
/// signature, without its const, say, would never be called, and in silence: it does not compile.
namespace regimen::inline v0::detail {

struct NamesOfMembers {
  int check;
  int metrics;
  int measures;
  int manifest;
};

// A member is looked for by its name alone: if T has one of the name, then naming it in a class that derives from both
// T and NamesOfMembers is ambiguous. That finds overloaded members and members with any signature. A field of the name
// is a field and no hook.
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

/// Does not compile where the primitive has one of these with another signature.
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

/// Asks a primitive to check its own fields, if it does: `void check() const`, throws Error.
template <class T>
void check_fields(const T& value) {
  require_hooks<T>();
  if constexpr (requires { value.check(); }) {
    value.check();
  }
}

}  // namespace regimen::inline v0::detail
