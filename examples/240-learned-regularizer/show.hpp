#pragma once

#include <string>
#include <utility>
#include <vector>

#include <regimen/experiment.hpp>
#include <regimen/report.hpp>

#include "kit/claims.hpp"
#include "kit/closing.hpp"
#include "pictures.hpp"
#include "table.hpp"

/// Writes tables and pictures, prints the tables, and says what came out. Returns the statements.
inline kit::Claims show_results(const ex::Results& results, const LearnedSettings& s) {
  kit::Claims claims;
  kit::Closing closing(s.out, "A regularizer that is learned for what it is used for");
  const ImageResults images(results);
  const std::vector<SignalResults> signals = signal_results(results, s.signals);
  std::vector<Restored> restored;
  if (!images.seeds.empty()) {
    closing.add(images_table(images, s.images), "images");
    closing.add(gains_table(images), "gains");
    claim_images(images, claims);
    for (const Method& method : methods()) {
      if (method.key != "given" && method.key != "tikhonov" && method.key != "tv") {
        restored.push_back({"images, " + method.title, "_" + method.key, &images.parts.at(method.part)});
      }
    }
  }
  if (!signals.front().seeds.empty()) {
    for (const SignalResults& each : signals) {
      restored.push_back(each.rate.empty()
                             ? Restored{"signals, denoiser", "_denoiser", &each.seeds}
                             : Restored{"signals, fixed point, rate " + each.rate, "_fixed_point", &each.seeds});
    }
  }
  if (!restored.empty()) {
    closing.add(solvers_table(restored), "solvers");
  }
  if (!signals.front().seeds.empty()) {
    closing.add(signals_table(signals), "signals");
    claim_signals(signals, claims);
  }
  draw(images, signals, s.out, closing);
  kit::claim_none_diverged(results, claims);
  closing.show(claims);
  return claims;
}
