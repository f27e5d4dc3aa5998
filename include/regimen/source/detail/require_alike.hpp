#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <map>
#include <string>

#include "regimen/base/error.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/source/source.hpp"
#include "regimen/tensor/described.hpp"

/// Whether several sources fit together: their devices, and their samples' shapes and types.
namespace regimen::inline v0::detail {

/// Throws Error, in the name of `who`, unless source `part` is on the device of the first.
inline void require_one_device(const std::string& who, const Source& first, const Source& other, std::size_t part) {
  if (other.device() != first.device()) {
    throw Error(who + " takes sources on one device, but the first is on " + first.device().str() + " and source " +
                text(part) + " on " + other.device().str());
  }
}

/// Shape and type of each tensor of a sample, by name.
inline std::map<std::string, std::string> kind_of_sample(const Batch& batch) {
  const auto kind = [](const at::Tensor& tensor) { return described(tensor.defined() ? tensor[0] : tensor); };
  std::map<std::string, std::string> kinds = {{"data", kind(batch.data)}, {"target", kind(batch.target)}};
  for (const auto& [name, tensor] : batch.extra) {
    kinds.emplace("extra[\"" + name + "\"]", kind(tensor));
  }
  return kinds;
}

/// Throws Error, in the name of `who`, unless samples of the two kinds fit one tensor.
inline void require_one_kind(const std::string& who, const std::map<std::string, std::string>& first,
                             const std::map<std::string, std::string>& other, std::size_t part) {
  std::map<std::string, std::string> names = first;
  names.insert(other.begin(), other.end());
  for (const auto& entry : names) {
    const auto of = [&name = entry.first](const std::map<std::string, std::string>& kinds) {
      const auto found = kinds.find(name);
      return found == kinds.end() ? std::string("not there") : found->second;
    };
    if (of(first) != of(other)) {
      throw Error(who + " takes sources whose samples have one shape and type, but " + entry.first +
                  " of a sample is " + of(first) + " in the first and " + of(other) + " in source " + text(part));
    }
  }
}

}  // namespace regimen::inline v0::detail
