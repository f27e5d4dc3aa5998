#pragma once

#include <optional>
#include <string>

#include "regimen/evaluate/evaluation.hpp"
#include "regimen/evaluate/walk.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/source/source.hpp"

namespace regimen::inline v0::detail {

/// The data of a measure: its own, or else the phase's. Throws Error, in the name of `who`, if there are none, or if
/// they are empty or endless.
inline Source data_for(const std::optional<Source>& own, const Probe& probe, const std::string& who) {
  const Source data = own ? *own : probe.fit;
  if (!data.defined()) {
    throw Error(who + " takes data: set " + who + ".data, or take it within a run, where it has the phase's data");
  }
  require_ends(data, who);
  return data;
}

}  // namespace regimen::inline v0::detail
