#pragma once
// No LibTorch.

#include <cstddef>
#include <cstdlib>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "regimen/base/config.hpp"

/// The fields of a plain struct: their number, values and names. Manifests are written with them, so that no part has
/// to list its own fields.
///
/// A plain struct is an aggregate without base classes and array members, of at most 24 fields.
namespace regimen::inline v0::detail {

/// Base of the stand-in types with which fields are counted. The type-erasing constructors of the seams reject them.
struct StandInTag {};
template <class T>
concept StandIn = std::is_base_of_v<StandInTag, T>;

/// Stands in for a field of any type while fields are counted.
struct AnyField : StandInTag {
  template <class T>
  operator T() const {  // NOLINT(google-explicit-constructor): never called, but clang wants to see it defined
    std::abort();
  }
};

template <class T, std::size_t... I>
consteval bool takes_fields(std::index_sequence<I...>) {
  return requires { T{(static_cast<void>(I), AnyField{})...}; };
}

/// The number of fields: the most initializers that `T{...}` takes.
template <class T, std::size_t N = 24>
consteval std::size_t count_fields() {
  if constexpr (N == 0) {
    return 0;
  } else if constexpr (takes_fields<T>(std::make_index_sequence<N>{})) {
    return N;
  } else {
    return count_fields<T, N - 1>();
  }
}

/// Stands in for a base class of T while its fields are counted.
template <class T>
struct AnyBase : StandInTag {
  template <class B>
    requires(std::is_base_of_v<B, T> && !std::is_same_v<B, T>)
  operator B() const {  // NOLINT(google-explicit-constructor): never called, as above
    std::abort();
  }
};

/// A struct whose fields can be listed from outside.
template <class T>
concept Plain = std::is_class_v<T> && std::is_aggregate_v<T> && !requires { T{AnyBase<T>{}}; };

/// A pointer to field number I of a struct.
template <std::size_t I, class F>
struct FieldAt {
  F* field;
};

template <std::size_t I, class F>
constexpr F& get_field(const FieldAt<I, F>& at) {
  return *at.field;
}

/// References to all fields of a struct: `get_field<I>(list)`. A std::tuple would cost five times as much to compile.
template <class Places, class... F>
struct FieldList;
template <std::size_t... I, class... F>
struct FieldList<std::index_sequence<I...>, F...> : FieldAt<I, F>... {
  static constexpr std::size_t size = sizeof...(F);
};

template <class... F>
constexpr auto list_fields(F&... fields) {
  return FieldList<std::make_index_sequence<sizeof...(F)>, F...>{{&fields}...};
}

// Structured bindings cannot bind a variable number of names before C++26, hence one line for each count.
// clang-format off
template <class T>
constexpr auto fields_of(T& v) {
  constexpr std::size_t n = count_fields<std::remove_const_t<T>>();
  static_assert(!takes_fields<std::remove_const_t<T>>(std::make_index_sequence<25>{}),
                "a plain struct of more than 24 fields has no manifest: make some of them a struct of their own");
  if constexpr (n == 0) { return list_fields(); }
  else if constexpr (n == 1) { auto& [a] = v; return list_fields(a); }
  else if constexpr (n == 2) { auto& [a, b] = v; return list_fields(a, b); }
  else if constexpr (n == 3) { auto& [a, b, c] = v; return list_fields(a, b, c); }
  else if constexpr (n == 4) { auto& [a, b, c, d] = v; return list_fields(a, b, c, d); }
  else if constexpr (n == 5) { auto& [a, b, c, d, e] = v; return list_fields(a, b, c, d, e); }
  else if constexpr (n == 6) { auto& [a, b, c, d, e, f] = v; return list_fields(a, b, c, d, e, f); }
  else if constexpr (n == 7) { auto& [a, b, c, d, e, f, g] = v; return list_fields(a, b, c, d, e, f, g); }
  else if constexpr (n == 8) { auto& [a, b, c, d, e, f, g, h] = v; return list_fields(a, b, c, d, e, f, g, h); }
  else if constexpr (n == 9) { auto& [a, b, c, d, e, f, g, h, i] = v; return list_fields(a, b, c, d, e, f, g, h, i); }
  else if constexpr (n == 10) { auto& [a, b, c, d, e, f, g, h, i, j] = v; return list_fields(a, b, c, d, e, f, g, h, i, j); }
  else if constexpr (n == 11) { auto& [a, b, c, d, e, f, g, h, i, j, k] = v; return list_fields(a, b, c, d, e, f, g, h, i, j, k); }
  else if constexpr (n == 12) { auto& [a, b, c, d, e, f, g, h, i, j, k, l] = v; return list_fields(a, b, c, d, e, f, g, h, i, j, k, l); }
  else if constexpr (n == 13) { auto& [a, b, c, d, e, f, g, h, i, j, k, l, m] = v; return list_fields(a, b, c, d, e, f, g, h, i, j, k, l, m); }
  else if constexpr (n == 14) { auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, o] = v; return list_fields(a, b, c, d, e, f, g, h, i, j, k, l, m, o); }
  else if constexpr (n == 15) { auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, o, p] = v; return list_fields(a, b, c, d, e, f, g, h, i, j, k, l, m, o, p); }
  else if constexpr (n == 16) { auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, q] = v; return list_fields(a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, q); }
  else if constexpr (n == 17) { auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, q, r] = v; return list_fields(a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, q, r); }
  else if constexpr (n == 18) { auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, q, r, s] = v; return list_fields(a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, q, r, s); }
  else if constexpr (n == 19) { auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, q, r, s, t] = v; return list_fields(a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, q, r, s, t); }
  else if constexpr (n == 20) { auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, q, r, s, t, u] = v; return list_fields(a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, q, r, s, t, u); }
  else if constexpr (n == 21) { auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, q, r, s, t, u, w] = v; return list_fields(a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, q, r, s, t, u, w); }
  else if constexpr (n == 22) { auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, q, r, s, t, u, w, x] = v; return list_fields(a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, q, r, s, t, u, w, x); }
  else if constexpr (n == 23) { auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, q, r, s, t, u, w, x, y] = v; return list_fields(a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, q, r, s, t, u, w, x, y); }
  else if constexpr (n == 24) { auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, q, r, s, t, u, w, x, y, z] = v; return list_fields(a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, q, r, s, t, u, w, x, y, z); }
  // clang-format on
}

template <class T>
struct Holder {
  T value;
};

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wundefined-var-template"  // the object is never needed
#pragma clang diagnostic ignored "-Wundefined-internal"      // where T is in an unnamed namespace
#endif

/// An object that is declared and never defined: the compiler's spelling of its field's address holds the field's name.
template <class T>
extern const Holder<T> external;

template <class T, std::size_t I>
consteval auto address_of_field() {
  return &get_field<I>(fields_of(external<T>.value));
}

#if defined(__clang__)
#pragma clang diagnostic pop
#endif

template <auto Address>
consteval std::string_view spelled_address() {
  return __PRETTY_FUNCTION__;
}

/// The name of field number I: "fraction" for the first field of ZeroPixels. clang before 18 cannot take such an
/// address as a template argument; there the name is the position, "field0".
template <class T, std::size_t I>
consteval std::string_view name_of_field() {
#if defined(__clang__) && __clang_major__ < 18
  constexpr std::string_view positions[] = {"field0",  "field1",  "field2",  "field3",  "field4",  "field5",
                                            "field6",  "field7",  "field8",  "field9",  "field10", "field11",
                                            "field12", "field13", "field14", "field15", "field16", "field17",
                                            "field18", "field19", "field20", "field21", "field22", "field23"};
  return positions[I];
#else
  std::string_view spelled = spelled_address<address_of_field<T, I>()>();
  spelled = spelled.substr(0, spelled.rfind(';'));  // g++ writes what std::string_view means behind the ';'
  spelled = spelled.substr(0, spelled.find_last_not_of(")]") + 1);
  return spelled.substr(spelled.find_last_of(":.") + 1);
#endif
}

template <class T>
consteval std::string_view spelled_type() {
  return __PRETTY_FUNCTION__;
}

/// The name of a type: "UniformLabels" for regimen::UniformLabels, "lambda" for a lambda; other types as the compiler
/// spells them.
template <class T>
std::string name_of_type() {
  std::string_view spelled = spelled_type<T>();
  spelled.remove_prefix(spelled.find("T = ") + 4);
  spelled = spelled.substr(0, spelled.find_first_of(";]"));
  if (spelled.find("lambda") != std::string_view::npos) {
    return "lambda";
  }
  std::string name(spelled);
  for (const std::string_view scope : {"regimen::v0::", "regimen::"}) {
    for (auto at = name.find(scope); at != std::string::npos; at = name.find(scope)) {
      name.erase(at, scope.size());
    }
  }
  return name;
}

}  // namespace regimen::inline v0::detail
