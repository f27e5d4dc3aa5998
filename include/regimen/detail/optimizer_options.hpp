#pragma once

#include <torch/serialize/archive.h>

#include <exception>
#include <sstream>
#include <string>
#include <typeinfo>

#include "regimen/detail/json.hpp"
#include "regimen/detail/type_name.hpp"

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
      parts += (parts.empty() ? "" : ", ") + describe(part);
    }
    return "[" + parts + "]";
  }
  if (value.isTensor() && value.toTensor().defined() && value.toTensor().numel() == 1) {
    return json::number(value.toTensor().item<double>());
  }
  return "null";
}

/// Every option of a parameter group, as the optimizer writes it to an archive: LibTorch's options have no list of
/// their fields, but all of them know how to save themselves.
template <class Options>
std::string describe_group(const Options& options) {
  try {
    torch::serialize::OutputArchive out;
    options.serialize(out);
    std::stringstream stream;
    out.save_to(stream);
    torch::serialize::InputArchive in;
    in.load_from(stream);
    json::Object object;
    for (const std::string& name : in.keys()) {
      c10::IValue value;
      if (in.try_read(name, value)) {
        object.add(name, describe(value));
      }
    }
    return object.text();
  } catch (const std::exception&) {
    // An optimizer of somebody's own that cannot save its options still trains.
    return json::Object().add("lr", json::number(options.get_lr())).text();
  }
}

template <class O>
std::string describe_options(O& optimizer) {
  std::string groups;
  for (auto& group : optimizer.param_groups()) {
    groups += (groups.empty() ? "" : ", ") + describe_group(group.options());
  }
  return json::Object()
      .add("type", json::quoted(name_of_object(typeid(optimizer))))
      .add("groups", "[" + groups + "]")
      .text();
}

}  // namespace regimen::inline v0::detail
