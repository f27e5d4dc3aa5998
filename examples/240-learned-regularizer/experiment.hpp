#pragma once
// The trainings of each unit, and what is computed behind them.

#include <torch/torch.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <regimen/experiment.hpp>
#include <regimen/regimen.hpp>

#include "degradation.hpp"
#include "restorations.hpp"
#include "restorer.hpp"
#include "settings.hpp"

/// Data of one seed: to train on, to choose strengths on, to test on.
struct Split {
  rg::Batch train;
  Problem validation;
  Problem test;
};

/// Trains and tests the parts of images of one seed.
class ImageTrainings {
 public:
  ImageTrainings(const LearnedSettings& settings, const ImageUnit& unit, const Split& split, ex::Jobs& jobs)
      : out_(settings.out), s_(settings.images), unit_(unit), split_(split), jobs_(jobs) {}

  void run() {
    torch::manual_seed(static_cast<std::uint64_t>(100 * unit_.seed));  // all parts begin with the same weights
    Restorer restorer(/*is_images=*/true, s_.network, unit_.part == "implicit");
    Training denoiser = s_.denoiser;
    denoiser.steps *= unit_.part == "longer" ? 2 : 1;
    fit(unit_.job("denoiser"), restorer, denoising(restorer), split_.train, rg::GaussianNoise{.stddev = s_.denoise},
        denoiser, seed(), jobs_);
    rg::Numbers numbers;
    Shown shown;
    if (unit_.part == "potential") {
      const torch::Tensor by_tv = add_classical(numbers, split_.validation, split_.test);
      shown = {first(split_.test.truth), first(split_.test.damaged.data), first(split_.test.damaged.extra.at("mask"))};
      shown.tv = first(by_tv);
    }
    if (restorer->is_finite()) {
      const Chosen best = choose_strength(restorer, split_.validation);
      numbers["spread_of_strengths"] = best.spread;
      restore(restorer,
              unit_.part == "potential" ? "denoiser"
              : unit_.part == "longer"  ? "longer"
                                        : "implicit_denoiser",
              numbers, shown.denoiser, shown.of_denoiser);
    }
    if (unit_.part != "longer") {
      const Degradation damage = inpainting(s_);
      fit(unit_.job("fixed-point"), restorer, solving(restorer, damage), split_.train, damage, s_.fixed_point,
          seed() + 1, jobs_);
    }
    (void)jobs_.compute(unit_.job("restored"), [&] {
      if (unit_.part != "longer" && restorer->is_finite()) {
        restore(restorer, unit_.part == "potential" ? "fixed_point" : "implicit", numbers, shown.fixed_point,
                shown.of_fixed_point);
        add_solves(numbers, restorer, split_.test);
        if (unit_.seed == 1) {
          shown.save(out_, unit_.part);
        }
      }
      return numbers;
    });
  }

 private:
  [[nodiscard]] std::uint64_t seed() const { return static_cast<std::uint64_t>(1000 * unit_.seed); }

  /// Restores the test images: their PSNR and how it went among the numbers, the first of them and the objective for
  /// the picture.
  void restore(Restorer& restorer, const std::string& method, rg::Numbers& numbers, torch::Tensor& images,
               torch::Tensor& objective) const {
    const Problem& test = split_.test;
    if (restorer->implicit) {
      const rg::FixedPoint point = solved(restorer, test);
      numbers[method] = psnr(point.last(), test.truth);
      numbers["converged_" + method] = share_of(point.converged);
      images = first(point.last());
      return;
    }
    const rg::ProximalPoint point = add_restoration(numbers, restorer, test, method);
    images = first(point.last());
    objective = point.objective.sum(1);
  }

  std::string out_;
  const ImageSettings& s_;
  ImageUnit unit_;
  const Split& split_;
  ex::Jobs& jobs_;
};

/// Trains and tests signals of one seed: one denoiser, and from it on at the fixed point with each rate.
inline void train_signals(const SignalUnit& unit, const SignalSettings& s, ex::Jobs& jobs) {
  const auto seed = static_cast<std::uint64_t>(1000 * unit.seed);
  const Degradation damage = blurring(s);
  const Problem validation(damage, signals(s.validation, seed + 3), seed + 4);
  const Problem test(damage, signals(s.test, seed + 5), seed + 6);
  torch::manual_seed(seed);
  Restorer restorer(/*is_images=*/false, s.network, /*is_implicit=*/false);
  const std::int64_t most = std::max(std::int64_t{s.denoiser.steps} * s.denoiser.batch,
                                     std::int64_t{s.fixed_point.steps} * s.fixed_point.batch);
  fit(unit.job("denoiser", ""), restorer, denoising(restorer), signals(most, seed + 1),
      rg::GaussianNoise{.stddev = s.denoise}, s.denoiser, seed, jobs);
  if (restorer->is_finite()) {
    (void)choose_strength(restorer, validation);
  }
  (void)jobs.compute(unit.job("restored", ""), [&] {
    rg::Numbers numbers;
    (void)add_classical(numbers, validation, test);
    if (restorer->is_finite()) {
      (void)add_restoration(numbers, restorer, test, "denoiser");
    }
    return numbers;
  });
  const rg::Snapshot denoiser(restorer);
  const rg::Batch to_blur = signals(most, seed + 2);
  for (const double rate : s.rates) {
    const std::string at = SignalUnit::rate_of(rate);
    denoiser.restore();
    Training how = s.fixed_point;
    how.rate = rate;
    fit(unit.job("fixed-point", at), restorer, solving(restorer, damage), to_blur, damage, how, seed + 1, jobs);
    (void)jobs.compute(unit.job("restored", at), [&] {
      rg::Numbers numbers;
      if (restorer->is_finite()) {
        (void)add_restoration(numbers, restorer, test, "fixed_point");
        add_solves(numbers, restorer, test);
      }
      return numbers;
    });
  }
}
