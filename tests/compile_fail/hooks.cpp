// Members of the right name that would never be called, for want of a const or of the right type.
// expect: check must be public and: void check\(\) const
// expect: metrics must be public and: std::vector<regimen::Metric> metrics\(\) const
// expect: measures must be public and: std::vector<std::string> measures\(\) const
// expect: manifest must be public and: std::string manifest\(\) const
#include <regimen/schedule.hpp>
#include <regimen/stop.hpp>

struct Checked {
  double operator()(const regimen::Clock&) const { return 1; }
  void check() {}
};

struct Reads {
  bool operator()(const regimen::History&) const { return false; }
  std::vector<regimen::Metric> metrics() { return {}; }
};

struct Measures {
  bool operator()(const regimen::History&) const { return false; }
  std::string measures() const { return "distance"; }
};

class Named {
 public:
  double operator()(const regimen::Clock&) const { return 1; }

 private:
  std::string manifest() const { return "{}"; }
};

int main() {
  const regimen::Knob checked = Checked{};
  const regimen::Stop reads = Reads{};
  const regimen::Stop measures = Measures{};
  const regimen::Knob named = Named{};
}
