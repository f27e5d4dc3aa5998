#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/ops/searchsorted.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "regimen/schedule/bounds.hpp"
#include "regimen/tensor/device_copies.hpp"
#include "regimen/transform/labels/checks.hpp"
#include "regimen/transform/labels/class_map.hpp"
#include "regimen/transform/labels/pair_flip.hpp"
#include "regimen/transform/labels/uniform.hpp"

namespace regimen::inline v0 {

/// Replaces the label i by j with probability rows[i][j] for a share of the samples: any label noise that depends on
/// the class alone. rows[i][i] is the probability that a label stays.
///
/// target [N] int64 in [0, rows.size()) -> the same; data is shared. Probabilities are accurate to 1e-9; `exact_labels`
/// uses exact numbers of labels. Throws Error unless there are at least 2 rows, each with as many entries as there are
/// rows, all in [0, 1] and with sum 1 (to 1e-9), and fraction is in [0, 1].
///     const regimen::NoiseMatrix noise{.rows = {{0.9, 0.1}, {0.4, 0.6}}};  // true class 1: 40 % become 0
struct NoiseMatrix {
  detail::Table<std::vector<double>> rows{};
  Share<"NoiseMatrix.fraction"> fraction = 1;

  void check() const {
    detail::require(rows.size() >= 2, "NoiseMatrix.rows.size()", "at least 2", rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      check_row(i);
    }
  }

  Batch operator()(const Batch& batch, const Key& key) const {
    detail::require_labels_below(batch, classes(), "NoiseMatrix");
    const at::Tensor limits =
        rows.kept().on(batch.target.device(), {classes() * classes()}, [this] { return limits_of_rows(); });
    // The limits of row i lie in (i, i + 1], so one search over all rows finds the index within a label's row. Clamped
    // so that rounding cannot give i + 1, which belongs to the next row.
    const at::Tensor drawn = detail::fine_uniform(key.fold(1)).clamp_max(1 - 0x1p-36) + batch.target;
    const at::Tensor place = at::searchsorted(limits, drawn, /*out_int32=*/false, /*right=*/true);
    const at::Tensor label = place - batch.target * classes();
    return detail::with_target(batch, at::where(key.chance(fraction), label, batch.target));
  }

 private:
  [[nodiscard]] std::int64_t classes() const { return static_cast<std::int64_t>(rows.size()); }

  void check_row(std::size_t i) const {
    const std::vector<double>& row = rows.elements()[i];
    const std::string name = "NoiseMatrix.rows[" + detail::text(i) + "]";
    detail::require(row.size() == rows.size(), name + ".size()", "the number of rows, " + detail::text(rows.size()),
                    row.size());
    double sum = 0;
    for (std::size_t j = 0; j < row.size(); ++j) {
      detail::require(row[j] >= 0 && row[j] <= 1, name + "[" + detail::text(j) + "]", "in [0, 1]", row[j]);
      sum += row[j];
    }
    detail::require(std::abs(sum - 1) <= 1e-9, "the sum of " + name,
                    columns_sum_to_one() ? "1 (its columns sum to 1: it is to be transposed)" : "1", sum);
  }

  /// Whether the matrix is transposed, as in libraries that have P(given = row | true = column).
  [[nodiscard]] bool columns_sum_to_one() const {
    std::vector<double> sums(rows.size(), 0);
    for (const std::vector<double>& row : rows.elements()) {
      for (std::size_t j = 0; j < row.size() && j < sums.size(); ++j) {
        sums[j] += row[j];
      }
    }
    for (const double sum : sums) {
      if (!(std::abs(sum - 1) <= 1e-9)) {
        return false;
      }
    }
    return true;
  }

  /// Cumulative sums of row i, plus i, for all rows: [classes * classes] double.
  [[nodiscard]] at::Tensor limits_of_rows() const {
    std::vector<double> limits;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::vector<double>& row = rows.elements()[i];
      std::size_t last = row.size() - 1;
      while (row[last] == 0) {
        --last;
      }
      double sum = 0;
      for (std::size_t j = 0; j < row.size(); ++j) {
        sum += row[j];
        limits.push_back(static_cast<double>(i) + (j < last ? std::min(sum, 1.0) : 1.0));  // 1 at the end of a row,
                                                                                           // despite rounding
      }
    }
    return at::tensor(limits, at::kDouble);
  }
};

namespace detail {

/// (1 - share) * identity + share * rows.
inline std::vector<std::vector<double>> shared_rows(std::vector<std::vector<double>> rows, double share) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (double& entry : rows[i]) {
      entry *= share;
    }
    rows[i][i] += 1 - share;
  }
  return rows;
}

inline std::vector<std::vector<double>> zero_rows(std::int64_t classes) {
  const auto n = static_cast<std::size_t>(classes);
  return std::vector<std::vector<double>>(n, std::vector<double>(n, 0));
}

}  // namespace detail

/// The noise matrix of a transform at this moment, its fraction included: to be compared with the matrix of the actual
/// labels (`label_noise`), and input of `exact_labels`.
///     regimen::exact_labels(train, regimen::matrix_of(regimen::PairFlip{.classes = 10, .fraction = 0.45}), 7);
[[nodiscard]] inline NoiseMatrix matrix_of(const NoiseMatrix& noise, const Moment& now = {}) {
  detail::check_fields(noise);
  return {.rows = detail::shared_rows(noise.rows.elements(), now(noise.fraction))};
}
[[nodiscard]] inline NoiseMatrix matrix_of(const ClassMap& noise, const Moment& now = {}) {
  detail::check_fields(noise);
  auto rows = detail::zero_rows(static_cast<std::int64_t>(noise.to.size()));
  for (std::size_t c = 0; c < rows.size(); ++c) {
    rows[c][static_cast<std::size_t>(noise.to.elements()[c])] = 1;
  }
  return {.rows = detail::shared_rows(std::move(rows), now(noise.fraction))};
}
[[nodiscard]] inline NoiseMatrix matrix_of(const PairFlip& noise, const Moment& now = {}) {
  detail::check_fields(noise);
  std::vector<std::int64_t> to;
  for (std::int64_t c = 0; c < noise.classes; ++c) {
    to.push_back((c + noise.shift) % noise.classes);
  }
  return matrix_of(ClassMap{.to = to, .fraction = now(noise.fraction)});
}
[[nodiscard]] inline NoiseMatrix matrix_of(const UniformLabels& noise, const Moment& now = {}) {
  detail::check_fields(noise);
  auto rows = detail::zero_rows(noise.classes);
  const double each = 1.0 / static_cast<double>(noise.exclude_true ? noise.classes - 1 : noise.classes.value);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; j < rows.size(); ++j) {
      rows[i][j] = noise.exclude_true && i == j ? 0 : each;
    }
  }
  return {.rows = detail::shared_rows(std::move(rows), now(noise.fraction))};
}

}  // namespace regimen::inline v0
