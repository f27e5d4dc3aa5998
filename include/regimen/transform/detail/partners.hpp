#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "regimen/base/error.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/batch/tensors.hpp"
#include "regimen/key/key.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0::detail {

template <class AnySource>
void require_partners(const AnySource& source, const std::string& field) {
  if (!source.indexed() || *source.size() < 1) {
    throw Error(field + " must be an indexed source with at least one sample");
  }
}

/// A random sample of the source for each sample of the batch, all equally likely, on the batch's device. The source is
/// read as of the epoch's begin, like the training data.
template <class AnySource>
Batch partners_for(const Batch& batch, const AnySource& source, const Key& key) {
  return to(source.get(key.below(*source.size()), key.now().epoch_began()), batch.data.device());
}

inline void require_like(const Batch& partners, const Batch& batch, const std::string& field) {
  if (partners.data.sizes() != batch.data.sizes() || partners.data.scalar_type() != batch.data.scalar_type()) {
    throw Error(field + " must have data like the batch's, " + described(batch.data) + ", not " +
                described(partners.data));
  }
}

}  // namespace regimen::inline v0::detail
