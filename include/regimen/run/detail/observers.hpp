#pragma once
// No LibTorch.

#include <functional>
#include <string>
#include <type_traits>
#include <vector>

#include "regimen/base/manifest.hpp"
#include "regimen/observe/event.hpp"
#include "regimen/record/hooks.hpp"

namespace regimen::inline v0::detail {

template <class Event>
struct Listeners {
  std::vector<std::function<void(const Event&)>> each;
};

/// All observers of a run, sorted by what they listen to. An event nobody listens to costs a look at an empty vector.
class Watchers : Listeners<RunBegin>,
                 Listeners<PhaseBegin>,
                 Listeners<Notice>,
                 Listeners<Step>,
                 Listeners<Epoch>,
                 Listeners<Boundary>,
                 Listeners<PhaseEnd>,
                 Listeners<RunEnd> {
 public:
  template <class Observer>
  void add(Observer& observer) {
    const bool heard =
        (listen<RunBegin>(observer) | listen<PhaseBegin>(observer) | listen<Notice>(observer) | listen<Step>(observer) |
         listen<Epoch>(observer) | listen<Boundary>(observer) | listen<PhaseEnd>(observer) | listen<RunEnd>(observer));
    static_cast<void>(heard);
    static_assert(!NamesManifest<Observer> || HasManifest<Observer>,
                  "manifest must be public and: std::string manifest() const");
    if constexpr (HasManifest<Observer>) {
      manifests_.push_back([&observer] { return std::string(observer.manifest()); });
    }
    static_assert(std::is_invocable_v<Observer&, const RunBegin&> ||
                      std::is_invocable_v<Observer&, const PhaseBegin&> ||
                      std::is_invocable_v<Observer&, const Notice&> || std::is_invocable_v<Observer&, const Step&> ||
                      std::is_invocable_v<Observer&, const Epoch&> || std::is_invocable_v<Observer&, const Boundary&> ||
                      std::is_invocable_v<Observer&, const PhaseEnd&> || std::is_invocable_v<Observer&, const RunEnd&>,
                  "an observer must be callable with at least one event of regimen/event.hpp, by const reference: "
                  "const regimen::Epoch&, const regimen::Step&, ...");
  }

  template <class Event>
  [[nodiscard]] bool any() const {
    return !Listeners<Event>::each.empty();
  }

  template <class Event>
  void tell(const Event& event) const {
    for (const auto& listener : Listeners<Event>::each) {
      listener(event);
    }
  }

  /// Of the observers that have one.
  [[nodiscard]] std::vector<std::string> manifests() const {
    std::vector<std::string> each;
    for (const auto& manifest : manifests_) {
      each.push_back(manifest());
    }
    return each;
  }

 private:
  template <class Event, class Observer>
  bool listen(Observer& observer) {
    if constexpr (std::is_invocable_v<Observer&, const Event&>) {
      Listeners<Event>::each.push_back([&observer](const Event& event) { observer(event); });
      return true;
    } else {
      return false;
    }
  }

  std::vector<std::function<std::string()>> manifests_;
};

}  // namespace regimen::inline v0::detail
