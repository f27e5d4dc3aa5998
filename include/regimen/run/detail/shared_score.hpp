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
/// batches, so that a score has the same bits for any number of processes. begin(i) is called
/// before the i-th batch is read.
inline Score score_together(const DataParallel& share, const Model& model, const Source& source, const Evaluation& how,
                            const LookAtOutput& look, const std::function<void(std::int64_t)>& begin) {
  const at::NoGradGuard no_grad;
  const std::int64_t size = share.size();
  std::int64_t batches = 0;
  std::vector<at::Tensor> mine;
  // Seeded for each batch, before it is read, for a source, a transform and a network may draw.
  begin(0);
  const auto takes = [&] {
    const bool is_mine = batches++ % size == share.rank();
    if (!is_mine) {
      begin(batches);
    }
    return is_mine;
  };
  walk_some(model, source, how, "evaluate", takes, [&](const Batch& batch) {
    const at::Tensor output = how.execute.forward(model, batch);
    look(output, batch);
    ScoreSums sums(model.device());
    sums.add(how.loss, output, batch);
    mine.push_back(sums.numbers());
    begin(batches);
  });
  at::Tensor rows = at::zeros({(batches + size - 1) / size, ScoreSums::count_of_numbers},
                              at::TensorOptions().device(model.device()).dtype(at::kDouble));
  if (!mine.empty()) {
    rows.narrow(0, 0, static_cast<std::int64_t>(mine.size())).copy_(at::stack(mine));
  }
  const at::Tensor all = share.all_gather(rows, "the scores of a source").cpu();
  at::Tensor sum = at::zeros({ScoreSums::count_of_numbers}, at::kDouble);
  for (std::int64_t i = 0; i < batches; ++i) {
    sum.add_(all[i % size][i / size]);
  }
  return ScoreSums::score_of(sum);
}

}  // namespace regimen::inline v0::detail
