#pragma once
// No LibTorch.

#include <string>
#include <utility>

#include "regimen/base/file.hpp"
#include "regimen/base/json.hpp"
#include "regimen/base/text_list.hpp"
#include "regimen/observe/event.hpp"

namespace regimen::inline v0 {

/// A JSON file with everything needed to repeat a run, written before its first step; at the end of the run the outcome
/// of each phase is added.
///     regimen::run(net, phases, scoring, regimen::ManifestFile("results/manifest.json"));
class ManifestFile {
 public:
  static constexpr bool writes = true;

  explicit ManifestFile(std::string path) : path_(std::move(path)) {}

  void operator()(const RunBegin& begin) {
    run_ = begin.manifest();
    write("null");
  }

  void operator()(const RunEnd& end) const {
    std::string outcomes;
    for (const Outcome& outcome : end.history.outcomes) {
      detail::json::Object object;
      object.add("phase", detail::json::quoted(outcome.phase));
      object.add("ended", detail::json::quoted(name_of(outcome.ended)));
      object.add("epochs", detail::text(outcome.clock.epoch));
      object.add("steps", detail::text(outcome.clock.step));
      detail::add_item(outcomes, object.text());
    }
    write("[" + outcomes + "]");
  }

 private:
  void write(const std::string& outcomes) const {
    const std::string content = detail::json::Object().add("run", run_).add("outcomes", outcomes).text();
    detail::replace_file(path_, detail::json::indented(content));
  }

  std::string path_;
  std::string run_;
};

}  // namespace regimen::inline v0
