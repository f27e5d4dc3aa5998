#pragma once
// What is to be undone: missing pixels, or blur; and data to do it on.

#include <torch/torch.h>

#include <cstdint>
#include <utility>
#include <variant>

#include <regimen/regimen.hpp>

#include "settings.hpp"

/// The data term of either problem.
struct Term {
  std::variant<rg::MaskTerm, rg::BlurTerm> of;

  [[nodiscard]] torch::Tensor value(const torch::Tensor& x) const {
    return std::visit([&](const auto& term) { return term.value(x); }, of);
  }
  [[nodiscard]] torch::Tensor prox(const torch::Tensor& z, const torch::Tensor& tau) const {
    return std::visit([&](const auto& term) { return term.prox(z, tau); }, of);
  }
  [[nodiscard]] torch::Tensor apply(const torch::Tensor& x) const {
    return std::visit([&](const auto& term) { return term.apply(x); }, of);
  }
  [[nodiscard]] torch::Tensor adjoint(const torch::Tensor& r) const {
    return std::visit([&](const auto& term) { return term.adjoint(r); }, of);
  }
  [[nodiscard]] torch::Tensor slope(const torch::Tensor& x) const {
    return std::visit([&](const auto& term) { return term.slope(x); }, of);
  }
};

/// A transform that damages data [N, 1, ...] of values in [0, 1]: with a kernel it blurs signals, else it hides pixels
/// of images, whose mask is the extra tensor "mask". Both add noise.
struct Degradation {
  torch::Tensor kernel{};
  double missing = 0;
  double noise = 0;

  rg::Batch operator()(const rg::Batch& batch, const rg::Key& key) const {
    const auto shape = batch.data.sizes().slice(1);
    const torch::Tensor added = noise * key.fold(1).normal(shape);
    rg::Batch damaged = batch;
    if (kernel.defined()) {
      damaged.data = rg::BlurTerm(kernel, batch.data).apply(batch.data) + added;
    } else {
      const torch::Tensor mask = key.fold(2).uniform(shape) >= missing;
      damaged.data = (batch.data + added) * mask;
      damaged.extra["mask"] = mask;
    }
    return damaged;
  }

  [[nodiscard]] Term term(const rg::Batch& damaged) const {
    if (kernel.defined()) {
      return {rg::BlurTerm(kernel, damaged.data)};
    }
    return {rg::MaskTerm(damaged.extra.at("mask"), damaged.data)};
  }

  /// What a restoration begins with: hidden pixels have the mean of their neighbours that are seen, weighted by a
  /// normal distribution's density with deviation 1.
  [[nodiscard]] torch::Tensor start(const rg::Batch& damaged) const {
    if (kernel.defined()) {
      return damaged.data;
    }
    const torch::Tensor mask = damaged.extra.at("mask").to(damaged.data.scalar_type());
    const torch::Tensor line = (-torch::arange(-3, 4, torch::kFloat).square() / 2).exp();
    const torch::Tensor weight = torch::outer(line, line).view({1, 1, 7, 7});
    const auto near = [&](const torch::Tensor& x) { return torch::conv2d(x, weight, {}, 1, 3); };
    return damaged.data + (1 - mask) * near(damaged.data) / near(mask).clamp_min(1e-6);
  }
};

inline Degradation inpainting(const ImageSettings& s) {
  return {.missing = s.missing, .noise = s.noise};
}

/// A normal distribution's density at whole numbers, of sum 1.
inline Degradation blurring(const SignalSettings& s) {
  const torch::Tensor at = torch::arange(-8, 9, torch::kFloat) / s.blur;
  const torch::Tensor weight = (-at.square() / 2).exp();
  return {.kernel = weight / weight.sum(), .noise = s.noise};
}

/// Samples and what is left of them.
struct Problem {
  torch::Tensor truth;
  rg::Batch damaged;
  Term term;
  torch::Tensor start;

  Problem(const Degradation& degradation, const rg::Batch& clean, std::uint64_t seed)
      : truth(clean.data),
        damaged(degradation(clean, rg::Key(seed, clean.id))),
        term(degradation.term(damaged)),
        start(degradation.start(damaged)) {}
};

/// Peak signal-to-noise ratio in dB of all samples together, for values in [0, 1].
inline double psnr(const torch::Tensor& x, const torch::Tensor& truth) {
  return -10 * (x.to(torch::kDouble) - truth).square().mean().log10().item<double>();
}

/// Signals of 64 samples on a ring, [n, 1, 64]: at each sample with probability 0.07 a jump to a level from [0, 1]. The
/// targets are the signals.
inline rg::Batch signals(std::int64_t n, std::uint64_t seed) {
  constexpr std::int64_t length = 64;
  const torch::Tensor ids = torch::arange(n);
  const rg::Key key(seed, ids);
  const torch::Tensor jumps = key.fold(1).uniform({length}) < 0.07;
  const torch::Tensor position = torch::arange(length).expand({n, length});
  const torch::Tensor last = std::get<0>(torch::where(jumps, position, torch::full_like(position, -1)).cummax(1));
  // Before the first jump the ring has the level of its last one; without jumps there is one level.
  const torch::Tensor around = last.select(1, length - 1).clamp_min(0).unsqueeze(1);
  const torch::Tensor level = torch::where(last < 0, around, last);
  const torch::Tensor x = key.fold(2).uniform({length}).gather(1, level).unsqueeze(1);
  return {.data = x, .target = x, .id = ids};
}

/// Images [n, 1, H, W] as numbers in [0, 1], which are their own targets.
inline rg::Batch as_numbers(const rg::Source& images) {
  rg::Batch batch = rg::materialize(images);
  batch.data = batch.data.to(torch::kFloat) / 255;
  batch.target = batch.data;
  return batch;
}
