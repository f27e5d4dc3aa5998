#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/key/moment.hpp"
#include "regimen/source/columns.hpp"
#include "regimen/source/source.hpp"
#include "regimen/transform/labels/checks.hpp"

namespace regimen::inline v0::detail {

/// Ids and labels of a whole source, [n] int64 each, on the CPU.
struct LabelledIds {
  at::Tensor id;
  at::Tensor label;
};

inline LabelledIds labelled_ids(const Source& source, const std::string& who, const Moment& now = {}) {
  if (!source.indexed() || *source.size() < 1) {
    throw Error(who + " takes an indexed source with at least one sample, not a stream");
  }
  const std::vector<at::Tensor> columns = read_columns(source, now, [&](const Batch& batch) {
    require_labels(batch, who);
    return std::vector<at::Tensor>{batch.id, batch.target};
  });
  return {columns[0], columns[1]};
}

}  // namespace regimen::inline v0::detail
