#pragma once
// No LibTorch.

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/manifest.hpp"
#include "regimen/record/history.hpp"
#include "regimen/record/hooks.hpp"
#include "regimen/record/reads.hpp"

namespace regimen::inline v0::detail {

/// Facts about a part of a regime (a schedule, a transform, a loss, ...) that outlive its type: its manifest, and the
/// metrics and measures that it reads. Base of every class that holds a part of any type.
class Erased {
 public:
  /// Metrics that the part's schedules and criteria read.
  [[nodiscard]] std::vector<Metric> metrics() const { return reads_.metrics; }

  /// Names of the measures that the part reads.
  [[nodiscard]] std::vector<std::string> measures() const { return reads_.measures; }

  /// The part with all its fields, as JSON; "null" if there is no part. Computed at each call: the manifests of
  /// snapshots and sources hold checksums.
  [[nodiscard]] std::string manifest() const { return manifest_ ? manifest_() : "null"; }

 protected:
  /// Checks the part's hooks at compile time and its fields now, and stores the part and its facts. Throws Error.
  template <class P>
  std::shared_ptr<const P> remember(P part) {
    check_fields(part);
    reads_ = reads_of(part);
    // Without std::make_shared, which costs more to compile: this is done for each type of part of a program.
    const std::shared_ptr<const P> shared(new P(std::move(part)));
    manifest_ = [shared] { return regimen::manifest(*shared); };
    return shared;
  }

  /// Sets the manifest of something that is not a user's struct: a number, a module.
  void remember_manifest(std::function<std::string()> manifest) { manifest_ = std::move(manifest); }

 private:
  Reads reads_{};
  std::function<std::string()> manifest_{};
};

}  // namespace regimen::inline v0::detail
