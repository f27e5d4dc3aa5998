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

template <class List>
class ObserversOf;

/// All observers of a run, by the events that they take. An event without observers costs a look at an empty vector.
template <class... Events>
class ObserversOf<ListOf<Events...>> : Listeners<Events>... {
 public:
  template <class Observer>
  void add(Observer& observer) {
    static_assert(!NamesManifest<Observer> || HasManifest<Observer>,
                  "manifest must be public and: std::string manifest() const");
    static_assert((std::is_invocable_v<Observer&, const Events&> || ...),
                  "an observer must be callable with at least one event of regimen/observe/event.hpp, by const "
                  "reference: const regimen::Epoch&, const regimen::Step&, ...");
    (listen<Events>(observer), ...);
    if constexpr (HasManifest<Observer>) {
      manifests_.push_back([&observer] { return std::string(observer.manifest()); });
    }
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

  /// The manifests of the observers that have one.
  [[nodiscard]] std::vector<std::string> manifests() const {
    std::vector<std::string> each;
    for (const auto& manifest : manifests_) {
      each.push_back(manifest());
    }
    return each;
  }

 private:
  template <class Event, class Observer>
  void listen(Observer& observer) {
    if constexpr (std::is_invocable_v<Observer&, const Event&>) {
      Listeners<Event>::each.push_back([&observer](const Event& event) { observer(event); });
    }
  }

  std::vector<std::function<std::string()>> manifests_;
};

using Observers = ObserversOf<AllEvents>;

}  // namespace regimen::inline v0::detail
