#pragma once
// What is trained, and the jobs.

#include <cstdint>
#include <string>
#include <vector>

#include <regimen/experiment.hpp>
#include <regimen/regimen.hpp>

#include "kit/cut.hpp"
#include "kit/format.hpp"
#include "kit/image_settings.hpp"

namespace ex = regimen::experiment;
namespace rg = regimen;

/// Steps of Adam, each on samples of its own, with a rate that falls to 0 along a cosine.
struct Training {
  int steps = 400;
  int batch = 16;
  double rate = 3e-3;
};

/// Networks of convolutions with ELU.
struct NetworkSettings {
  int depth = 4;
  int channels = 8;
  int kernel = 3;
};

/// Images with missing pixels.
struct ImageSettings {
  int seeds = 3;
  std::int64_t images = 0;  ///< to train on, 0: as many as the steps take
  double missing = 0.5;     ///< share of the pixels
  double noise = 0.03;      ///< standard deviation, for values in [0, 1]
  double denoise = 0.15;    ///< standard deviation of the noise that denoisers are trained on
  NetworkSettings network{};
  Training denoiser{.steps = 800};
  Training fixed_point{.steps = 120, .batch = 8, .rate = 1e-3};
  int validation = 16;  ///< images on which strengths are chosen
  int test = 48;
};

/// Blurred signals on a ring.
struct SignalSettings {
  int seeds = 2;
  double blur = 2;       ///< standard deviation of the kernel, in samples
  double noise = 0.03;   ///< standard deviation, for levels in [0, 1]
  double denoise = 0.1;  ///< as for images
  NetworkSettings network{.kernel = 5};
  Training denoiser{.batch = 32, .rate = 2e-3};
  Training fixed_point{.steps = 300, .batch = 32};
  std::vector<double> rates = {0.002, 0.02};  ///< of the training at the fixed point; the first is meant to work
  int validation = 64;
  int test = 256;
};

/// The settings of the command line.
struct LearnedSettings {
  std::string out = "results-learned-regularizer";
  kit::DataOptions data{};
  kit::Machine machine{};
  ImageSettings images{};
  SignalSettings signals{};
};

inline kit::Sizes sizes_of(LearnedSettings& s) {
  return {.seeds = &s.images.seeds, .images = &s.images.images, .batch = s.images.denoiser.batch};
}

/// The product of tau and lambda, the rate of the potential's gradient in a step: fixed, while lambda is learned.
inline constexpr double potential_rate = 0.4;

/// A way to restore: how its results are called, the table's head, and the part of the trainings that it belongs to:
/// the potential as a denoiser and then at its fixed point, as a denoiser for twice as long, the implicit regularizer
/// both ways. Each part is trained by one process.
struct Method {
  std::string key;
  std::string title;
  std::string part = "potential";
};
inline const std::vector<Method>& methods() {
  static const std::vector<Method> all{{"given", "given, filled in"},
                                       {"tikhonov", "Tikhonov"},
                                       {"tv", "total variation"},
                                       {"denoiser", "denoiser"},
                                       {"longer", "denoiser, twice as long", "longer"},
                                       {"fixed_point", "fixed point (ELDER)"},
                                       {"implicit_denoiser", "implicit, denoiser", "implicit"},
                                       {"implicit", "implicit, fixed point", "implicit"}};
  return all;
}
inline const std::vector<std::string>& image_parts() {
  static const std::vector<std::string> all{"potential", "longer", "implicit"};
  return all;
}

struct ImageUnit {
  int seed = 1;
  std::string part = "potential";

  [[nodiscard]] std::string unit() const { return kit::format("images-seed%d-%s", seed, part.c_str()); }
  [[nodiscard]] std::string job(const std::string& what) const { return unit() + "-" + what; }
  [[nodiscard]] ex::Factors factors(const std::string& what) const {
    return {{"part", "images " + part}, {"job", what}, {"rate", ""}, {"seed", std::to_string(seed)}};
  }
};

struct SignalUnit {
  int seed = 1;

  [[nodiscard]] std::string unit() const { return kit::format("signals-seed%d", seed); }
  [[nodiscard]] static std::string rate_of(double rate) { return kit::format("%g", rate); }
  [[nodiscard]] std::string job(const std::string& what, const std::string& rate) const {
    return unit() + "-" + what + (rate.empty() ? "" : "-rate" + rate);
  }
  [[nodiscard]] ex::Factors factors(const std::string& what, const std::string& rate) const {
    return {{"part", "signals"}, {"job", what}, {"rate", rate}, {"seed", std::to_string(seed)}};
  }
};

inline std::vector<ImageUnit> units_of(const ImageSettings& s) {
  std::vector<ImageUnit> all;
  for (int seed = 1; seed <= s.seeds; ++seed) {
    for (const std::string& part : image_parts()) {
      all.push_back({seed, part});
    }
  }
  return all;
}
