#pragma once
// No LibTorch.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "regimen/base/fields.hpp"
#include "regimen/base/json.hpp"
#include "regimen/base/text_list.hpp"

namespace regimen::inline v0 {

/// All fields of `value` as JSON: {"type": "ZeroPixels", "fraction": 0.1, "exact": true}.
///
/// Plain structs are written field by field and need no code of their own; containers, numbers, text and enumerations
/// (their `name_of`, or their number) as one expects. If a type has a member `manifest()` that returns JSON, that is
/// taken instead. Any other type is written as its name; a lambda as "lambda".
template <class T>
std::string manifest(const T& value);

namespace detail {

template <class T>
inline constexpr bool is_vector = false;
template <class T, class A>
inline constexpr bool is_vector<std::vector<T, A>> = true;

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

template <class T>
inline constexpr bool is_map = false;
template <class K, class V, class C, class A>
inline constexpr bool is_map<std::map<K, V, C, A>> = true;

/// A type that writes its own manifest.
template <class T>
concept HasManifest = requires(const T& value) { std::string(value.manifest()); };

template <class T>
std::string manifest_of_fields(const T& value) {
  json::Object object;
  object.add("type", json::quoted(name_of_type<T>()));
  const auto fields = fields_of(value);
  const auto add_each = [&]<std::size_t... I>(std::index_sequence<I...>) {
    (object.add(name_of_field<T, I>(), manifest(get_field<I>(fields))), ...);
  };
  add_each(std::make_index_sequence<fields.size>{});
  return object.text();
}

template <class T>
std::string manifest_of_elements(const std::vector<T>& values) {
  std::string elements;
  for (const T& value : values) {
    add_item(elements, manifest(value));
  }
  return "[" + elements + "]";
}

template <class M>
std::string manifest_of_map(const M& values) {
  json::Object object;
  for (const auto& [name, value] : values) {
    object.add(name, manifest(value));
  }
  return object.text();
}

}  // namespace detail

template <class T>
std::string manifest(const T& value) {
  namespace json = detail::json;
  if constexpr (detail::HasManifest<T>) {
    return value.manifest();
  } else if constexpr (std::is_same_v<T, bool>) {
    return detail::text(value);
  } else if constexpr (std::is_floating_point_v<T>) {
    return json::number(value);
  } else if constexpr (std::is_integral_v<T>) {
    return detail::text(value);
  } else if constexpr (std::is_convertible_v<const T&, std::string> || std::is_same_v<T, std::string_view>) {
    return json::quoted(value);
  } else if constexpr (requires { std::string(name_of(value)); }) {
    return json::quoted(name_of(value));
  } else if constexpr (std::is_enum_v<T>) {
    return detail::text(static_cast<std::underlying_type_t<T>>(value));
  } else if constexpr (detail::is_optional<T>) {
    return value ? manifest(*value) : "null";
  } else if constexpr (detail::is_vector<T>) {
    return detail::manifest_of_elements(value);
  } else if constexpr (detail::is_map<T>) {
    return detail::manifest_of_map(value);
  } else if constexpr (detail::Plain<T>) {
    return detail::manifest_of_fields(value);
  } else {
    return json::quoted(detail::name_of_type<T>());
  }
}

}  // namespace regimen::inline v0
