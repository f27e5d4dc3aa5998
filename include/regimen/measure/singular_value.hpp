#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/record/history.hpp"

namespace regimen::inline v0 {

/// Settings of the iteration that finds a largest singular value.
struct SpectralIteration {
  double tolerance = 1e-9;  ///< ends when s has grown by at most this, relatively, in the last quarter of the steps, of
                            ///< at least 8; in (0, 1)
  Integer most = 2000;      ///< products with A'A, at least 1; one more makes sure of the value
  Integer exact_up_to = 512;  ///< matrices with a side of at most this length are decomposed instead; at least 0
  std::uint64_t seed = 0;     ///< of the random start

  void check() const {
    detail::require(tolerance > 0 && tolerance < 1, "SpectralIteration.tolerance", "in (0, 1)", tolerance);
    detail::require(most >= 1, "SpectralIteration.most", "at least 1", most);
    detail::require(exact_up_to >= 0, "SpectralIteration.exact_up_to", "at least 0", exact_up_to);
  }
};

/// A largest singular value s as an iteration left it.
struct SingularValue {
  double value = unknown;     ///< |A v| for the unit vector v that was reached: never above s but for rounding
  double residual = 0;        ///< |A'A v - value^2 v| / value^2, r: a singular value lies between value sqrt(1 - r) and
                              ///< value sqrt(1 + r), about r / 2 apart, relatively, and usually nearer by far; it need
                              ///< not be the largest one; 0 for a decomposition
  std::int64_t products = 0;  ///< products with A and as many with A'; 0 for a decomposition
  bool converged = true;      ///< whether it ended by the tolerance
};

namespace detail {

/// Up to three orthonormal vectors with their images under an operator, to look for a singular vector among their
/// combinations.
class SearchSpace {
 public:
  /// A vector and its image; that may be undefined, to be computed.
  struct Pair {
    at::Tensor vector{};
    at::Tensor image{};
  };

  /// Adds the part of a vector that is new. Adds nothing if nothing is new but rounding.
  template <class Apply>
  void add(Pair pair, const Apply& apply) {
    const double before = pair.vector.norm().item<double>();
    for (int pass = 0; pass < 2; ++pass) {  // once leaves rounding of the size of what was taken off
      for (const Pair& other : pairs_) {
        const at::Tensor along = (other.vector * pair.vector).sum();
        pair.vector = pair.vector - other.vector * along;
        pair.image = pair.image.defined() ? pair.image - other.image * along : pair.image;
      }
    }
    const double left = pair.vector.norm().item<double>();
    if (!(left > 1e-10 * before)) {
      return;
    }
    pair.vector = pair.vector / left;
    // What is left of an image is little more than rounding if little is left of the vector.
    pair.image = pair.image.defined() && left > 1e-3 * before ? pair.image / left : apply(pair.vector);
    pairs_.push_back(std::move(pair));
  }

  /// The unit vector of the space with the longest image. `step`: its part outside of the first vector.
  struct Best {
    Pair next;
    Pair step;
  };
  [[nodiscard]] Best best() const {
    std::vector<at::Tensor> flat;
    for (const Pair& pair : pairs_) {
      flat.push_back(pair.image.flatten());
    }
    const at::Tensor images = at::stack(flat);
    const at::Tensor weights =
        std::get<1>(at::linalg_eigh(images.mm(images.t()).cpu())).select(1, images.size(0) - 1).contiguous();
    Best found;
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
      const auto weight = weights[static_cast<std::int64_t>(i)].item<double>();
      add_to(found.next, pairs_[i], weight);
      if (i > 0) {
        add_to(found.step, pairs_[i], weight);
      }
    }
    return found;
  }

 private:
  static void add_to(Pair& sum, const Pair& term, double weight) {
    const bool first = !sum.vector.defined();
    sum.vector = first ? term.vector * weight : sum.vector + term.vector * weight;
    sum.image = first ? term.image * weight : sum.image + term.image * weight;
  }

  std::vector<Pair> pairs_{};
};

}  // namespace detail

/// The largest singular value of a linear operator A given by two functions: apply(x) is A x and back(y) is A' y, both
/// of double tensors of any shape. start: not 0, of the shape of x.
///
/// Power iteration on A'A continues from the last vector alone, and needs thousands of products where the two largest
/// singular values are close. This one takes the best of all combinations of the last vector, its residual and the step
/// before (LOBPCG; Knyazev 2001) for the same two products, and needs about the square root of their number. Memory:
/// ten vectors. Deterministic. The result is too small by more than the tolerance where the two largest singular values
/// are apart by less than about 1e-5, relatively, and then by a part of that distance.
template <class Apply, class Back>
[[nodiscard]] SingularValue largest_singular_value(const Apply& apply, const Back& back, const at::Tensor& start,
                                                   const SpectralIteration& how = {}) {
  how.check();
  const at::NoGradGuard no_grad;
  detail::SearchSpace::Pair now{.vector = start / start.norm()};
  now.image = apply(now.vector);
  detail::SearchSpace::Pair step;
  bool fresh = true;  // whether the image was computed, and not combined of others, whose rounding adds up
  SingularValue result{.converged = false};
  std::vector<double> values;  // of s after each step
  while (true) {
    const double square = now.image.square().sum().item<double>();
    const at::Tensor residual = back(now.image) - now.vector * square;
    ++result.products;
    const double distance = residual.norm().item<double>();
    result.value = std::sqrt(square);
    result.residual = square > 0 ? distance / square : 0;
    values.push_back(result.value);
    // The change of one step says little: where two singular values are close, s rests before it moves on.
    const std::size_t window = std::max<std::size_t>(8, values.size() / 4);
    result.converged =
        distance <= how.tolerance * square ||
        (values.size() > window && result.value - values[values.size() - 1 - window] <= how.tolerance * result.value);
    const bool ends = result.converged || result.products >= how.most || !std::isfinite(distance);
    if (ends && fresh) {
      return result;
    }
    if (ends || result.products % 16 == 0) {
      now.vector = now.vector / now.vector.norm();
      now.image = apply(now.vector);
      fresh = true;
      continue;
    }
    detail::SearchSpace space;
    space.add(now, apply);
    space.add({.vector = residual}, apply);
    if (step.vector.defined()) {
      space.add(step, apply);
    }
    detail::SearchSpace::Best best = space.best();
    fresh = best.step.vector.defined() ? false : fresh;
    now = std::move(best.next);
    step = std::move(best.step);
  }
}

}  // namespace regimen::inline v0
