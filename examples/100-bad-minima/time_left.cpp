#include "time_left.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

double makespan(const std::vector<double>& seconds, int at_once, std::vector<double> busy) {
  busy.resize(std::max<std::size_t>(busy.size(), static_cast<std::size_t>(std::max(1, at_once))), 0);
  for (const double piece : seconds) {
    *std::min_element(busy.begin(), busy.end()) += piece;
  }
  return *std::max_element(busy.begin(), busy.end());
}

std::string duration(double seconds) {
  char text[64];
  if (seconds < 59.5) {
    std::snprintf(text, sizeof text, "%.0f s", seconds);
  } else if (seconds < 3600) {
    const auto whole = static_cast<int>(std::lround(seconds));
    std::snprintf(text, sizeof text, "%d min %02d s", whole / 60, whole % 60);
  } else if (seconds < 2 * 86400) {
    std::snprintf(text, sizeof text, "%.1f hours", seconds / 3600);
  } else if (seconds < 2 * 365 * 86400.0) {
    std::snprintf(text, sizeof text, "%.1f days", seconds / 86400);
  } else {
    std::snprintf(text, sizeof text, "%.1f years", seconds / (365 * 86400.0));
  }
  return text;
}

void TimeLeft::begin(const std::string& job, double now, bool anew) {
  Job& begun = jobs_[job];
  if (begun.state == State::done) {
    return;
  }
  if (begun.state != State::running) {
    begun = {.state = State::running, .began = now};
  }
  begun.anew = anew;
}

void TimeLeft::end(const std::string& job, double now) {
  Job& ended = jobs_[job];
  const ExpectedJob* const expected = find(job);
  if (ended.state == State::running && ended.anew && expected != nullptr) {
    for (Seen* seen : {&kinds_[expected->kind], &all_}) {
      ++seen->jobs;
      seen->seconds += now - ended.began;
      seen->cost += expected->cost;
    }
  }
  ended.state = State::done;
}

std::optional<double> TimeLeft::seconds(double now) const {
  if (!in_seconds_ && all_.jobs == 0) {
    return std::nullopt;
  }
  std::vector<double> busy;
  std::vector<double> waiting;
  for (const Chain& chain : chains_) {
    double left = 0;
    bool begun = false;
    for (const ExpectedJob& expected : chain) {
      left += rest(expected, now);
      begun = begun || job(expected).state == State::running;
    }
    (begun ? busy : waiting).push_back(left);
  }
  return makespan(waiting, at_once_, busy);
}

bool TimeLeft::is_done(const std::string& job) const {
  const auto found = jobs_.find(job);
  return found != jobs_.end() && found->second.state == State::done;
}

int TimeLeft::done() const {
  return static_cast<int>(
      std::count_if(jobs_.begin(), jobs_.end(), [](const auto& job) { return job.second.state == State::done; }));
}

int TimeLeft::count() const {
  std::size_t sum = 0;
  for (const Chain& chain : chains_) {
    sum += chain.size();
  }
  return static_cast<int>(sum);
}

std::vector<std::string> TimeLeft::running() const {
  std::vector<std::string> names;
  for (const auto& [name, job] : jobs_) {
    if (job.state == State::running) {
      names.push_back(name);
    }
  }
  return names;
}

const ExpectedJob* TimeLeft::find(const std::string& job) const {
  for (const Chain& chain : chains_) {
    for (const ExpectedJob& expected : chain) {
      if (expected.name == job) {
        return &expected;
      }
    }
  }
  return nullptr;
}

TimeLeft::Job TimeLeft::job(const ExpectedJob& expected) const {
  const auto found = jobs_.find(expected.name);
  return found == jobs_.end() ? Job{} : found->second;
}

double TimeLeft::whole(const ExpectedJob& expected) const {
  const auto found = kinds_.find(expected.kind);
  const Seen& seen = found == kinds_.end() ? all_ : found->second;
  return seen.cost > 0 ? expected.cost * seen.seconds / seen.cost : expected.cost;
}

double TimeLeft::rest(const ExpectedJob& expected, double now) const {
  const Job known = job(expected);
  switch (known.state) {
    case State::waiting:
      return whole(expected);
    case State::running:
      return std::max(0.0, whole(expected) - (now - known.began));
    default:
      return 0;
  }
}
