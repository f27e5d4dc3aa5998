#pragma once
// No LibTorch.

#include <concepts>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "regimen/base/fields.hpp"
#include "regimen/base/manifest.hpp"
#include "regimen/observe/event.hpp"
#include "regimen/record/history.hpp"
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
  /// is_first: false in all but one of the processes that share a run; an observer that writes then hears nothing.
  template <class Observer>
  void add(Observer& observer, bool is_first) {
    static_assert(!NamesManifest<Observer> || HasManifest<Observer>,
                  "manifest must be public and: std::string manifest() const");
    static_assert((std::is_invocable_v<Observer&, const Events&> || ...),
                  "an observer must be callable with at least one event of regimen/observe/event.hpp, by const "
                  "reference: const regimen::Epoch&, const regimen::Step&, ...");
    constexpr bool writes = requires { requires Observer::writes; };
    if (is_first || !writes) {
      (listen<Events>(observer), ...);
    }
    constexpr bool reads_no_pass = requires { requires !Observer::reads_pass; };
    looks_at_steps_ = looks_at_steps_ || (!reads_no_pass && std::is_invocable_v<Observer&, const regimen::Step&>);
    if constexpr (HasManifest<Observer>) {
      manifests_.push_back([&observer] { return std::string(observer.manifest()); });
    }
    if constexpr (requires(const Observer& o) {
                    { o.metrics() } -> std::convertible_to<std::vector<Metric>>;
                  }) {
      for (const Metric metric : std::as_const(observer).metrics()) {
        metrics_.emplace_back(name_of_type<std::remove_const_t<Observer>>(), metric);
      }
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

  /// Whether an observer looks at the batches of steps, which in a shared run are then gathered for it.
  [[nodiscard]] bool looks_at_steps() const { return looks_at_steps_; }

  /// The metrics that observers say they look at, by `std::vector<Metric> metrics() const`, each with who does.
  [[nodiscard]] const std::vector<std::pair<std::string, Metric>>& metrics() const { return metrics_; }

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
  std::vector<std::pair<std::string, Metric>> metrics_;
  bool looks_at_steps_ = false;
};

using Observers = ObserversOf<AllEvents>;

}  // namespace regimen::inline v0::detail
