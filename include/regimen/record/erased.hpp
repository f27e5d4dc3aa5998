#pragma once
// No LibTorch.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "regimen/base/manifest.hpp"
#include "regimen/record/history.hpp"
#include "regimen/record/hooks.hpp"
#include "regimen/record/reads.hpp"

namespace regimen::inline v0::detail {

/// What stays known of a part of a regime (a schedule, a transform, a loss, ...) once its type is forgotten: what it is
/// made of, and which scores and measures it reads. The base of every class that holds a part of any type.
class Erased {
 public:
  /// The metrics that its schedules and criteria read.
  [[nodiscard]] std::vector<Metric> metrics() const { return metrics_; }

  /// The measures that it reads, by name.
  [[nodiscard]] std::vector<std::string> measures() const { return measures_; }

  /// All that it is made of, as JSON; "null" where nothing is there. It is written when it is asked for: those of
  /// snapshots and sources hold checksums.
  [[nodiscard]] std::string manifest() const { return manifest_ ? manifest_() : "null"; }

 protected:
  /// Checks the part's hooks when it is compiled and its fields now, and keeps what it says of itself. Throws Error.
  template <class P>
  std::shared_ptr<const P> remember(P part) {
    check_fields(part);
    metrics_ = metrics_of(part);
    measures_ = measures_of(part);
    auto shared = std::make_shared<const P>(std::move(part));
    manifest_ = [shared] { return regimen::manifest(*shared); };
    return shared;
  }

  /// For what is none of the user's structs: a number, a module.
  void remember_manifest(std::function<std::string()> manifest) { manifest_ = std::move(manifest); }

 private:
  std::vector<Metric> metrics_{};
  std::vector<std::string> measures_{};
  std::function<std::string()> manifest_{};
};

}  // namespace regimen::inline v0::detail
