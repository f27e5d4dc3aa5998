#pragma once
// No LibTorch.

#include <string>
#include <typeinfo>

#if defined(__GNUC__)
#include <cxxabi.h>

#include <cstdlib>
#endif

#include "regimen/base/config.hpp"

namespace regimen::inline v0::detail {

/// The dynamic type of an object as text: "torch::optim::SGD".
inline std::string name_of_object(const std::type_info& type) {
#if defined(__GNUC__)
  int status = 0;
  char* const demangled = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
  const std::string name = status == 0 ? demangled : type.name();
  std::free(demangled);
  return name;
#else
  return type.name();
#endif
}

}  // namespace regimen::inline v0::detail
