#pragma once

#include <torch/serialize/archive.h>

#include <exception>
#include <sstream>
#include <string>
#include <type_traits>
#include <typeinfo>

#include "regimen/base/json.hpp"
#include "regimen/base/text_list.hpp"
#include "regimen/base/type_name.hpp"
#include "regimen/optimizer/detail/sgd.hpp"
#include "regimen/tensor/checksum.hpp"
#include "regimen/tensor/crc32.hpp"

namespace regimen::inline v0::detail {

inline std::string describe(const c10::IValue& value) {
  if (value.isDouble()) {
    return json::number(value.toDouble());
  }
  if (value.isInt()) {
    return text(value.toInt());
  }
  if (value.isBool()) {
    return text(value.toBool());
  }
  if (value.isTuple()) {
    std::string parts;
    for (const c10::IValue& part : value.toTuple()->elements()) {
      add_item(parts, describe(part));
    }
    return "[" + parts + "]";
  }
  if (value.isTensor() && value.toTensor().defined() && value.toTensor().numel() == 1) {
    return json::number(value.toTensor().item<double>());
  }
  return "null";
}

/// Calls look(name, value) for each value that a LibTorch object writes to an archive.
template <class Thing, class Look>
void for_each_archived(const Thing& thing, const Look& look) {
  torch::serialize::OutputArchive out;
  thing.serialize(out);
  std::stringstream stream;
  out.save_to(stream);
  torch::serialize::InputArchive in;
  in.load_from(stream);
  for (const std::string& name : in.keys()) {
    c10::IValue value;
    if (in.try_read(name, value)) {
      look(name, value);
    }
  }
}

/// All options of a parameter group, as the optimizer writes them to an archive: LibTorch's options cannot be listed,
/// but all of them can be saved.
template <class Options>
std::string describe_group(const Options& options) {
  try {
    json::Object object;
    for_each_archived(options,
                      [&](const std::string& name, const c10::IValue& value) { object.add(name, describe(value)); });
    return object.text();
  } catch (const std::exception&) {
    // A user's optimizer that cannot save its options still trains.
    return json::Object().add("lr", json::number(options.get_lr())).text();
  }
}

/// A part of an optimizer's state as it is written to an archive: numbers as text, tensors as checksums.
inline std::string describe_state_value(const c10::IValue& value) {
  if (value.isTensor()) {
    return value.toTensor().defined() ? manifest_of_tensor(value.toTensor()) : "null";
  }
  if (value.isTensorList() || value.isList()) {
    std::string parts;
    for (const c10::IValue& part : value.toListRef()) {
      parts += describe_state_value(part) + ", ";
    }
    return "[" + parts + "]";
  }
  return describe(value);
}

/// CRC-32 of an optimizer's state, parameter by parameter; "none" if the state is empty, "unknown" if it cannot be
/// saved.
template <class O>
std::string state_crc32(O& optimizer) {
  if constexpr (requires(torch::serialize::OutputArchive& out) { optimizer.state().begin()->second->serialize(out); }) {
    if (optimizer.state().empty()) {
      return "none";
    }
    std::string all;
    try {
      for (auto& group : optimizer.param_groups()) {
        for (const at::Tensor& parameter : group.params()) {
          const auto found = optimizer.state().find(key_of_state(optimizer.state(), parameter));
          all += "; ";
          if (found != optimizer.state().end()) {
            for_each_archived(*found->second, [&](const std::string& name, const c10::IValue& value) {
              all += name + " " + describe_state_value(value) + ", ";
            });
          }
        }
      }
      return crc32_of_text(all);
    } catch (const std::exception&) {
      return "unknown";
    }
  }
  return "unknown";
}

template <class O>
std::string describe_options(O& optimizer) {
  std::string groups;
  for (auto& group : optimizer.param_groups()) {
    add_item(groups, describe_group(group.options()));
  }
  return json::Object()
      .add("type", json::quoted(name_of_object(typeid(optimizer))))
      .add("groups", "[" + groups + "]")
      .text();
}

}  // namespace regimen::inline v0::detail
