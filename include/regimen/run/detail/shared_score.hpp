#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "regimen/evaluate/evaluate.hpp"
#include "regimen/evaluate/walk.hpp"
#include "regimen/share/data_parallel.hpp"

namespace regimen::inline v0::detail {

/// As `score_source`, with the batches dealt to the processes in turn. Their numbers are added in the order of the
/// batches, so that a score has the same bits for any number of processes. begin(i) is called before the i-th batch.
inline Score score_together(const DataParallel& share, const Model& model, const Source& source, const Evaluation& how,
                            const LookAtOutput& look, const std::function<void(std::int64_t)>& begin) {
  const at::NoGradGuard no_grad;
  const std::int64_t size = share.size();
  std::int64_t batches = 0;
  std::vector<at::Tensor> mine;
  const auto takes = [&] { return batches++ % size == share.rank(); };
  walk_some(model, source, how, "evaluate", takes, [&](const Batch& batch) {
    begin(batches - 1);
    const at::Tensor output = how.execute.forward(model, batch);
    look(output, batch);
    ScoreSums sums(model.device());
    sums.add(how.loss, output, batch);
    mine.push_back(sums.numbers());
  });
  at::Tensor rows = at::zeros({(batches + size - 1) / size, ScoreSums::count_of_numbers},
                              at::TensorOptions().device(model.device()).dtype(at::kDouble));
  if (!mine.empty()) {
    rows.narrow(0, 0, static_cast<std::int64_t>(mine.size())).copy_(at::stack(mine));
  }
  const at::Tensor all = share.all_gather(rows).cpu();
  at::Tensor sum = at::zeros({ScoreSums::count_of_numbers}, at::kDouble);
  for (std::int64_t i = 0; i < batches; ++i) {
    sum.add_(all[i % size][i / size]);
  }
  return ScoreSums::score_of(sum);
}

}  // namespace regimen::inline v0::detail
