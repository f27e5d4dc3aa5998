// Laws of least squares without a ridge, and spectra of covariances.

#include <regimen/statistics.hpp>

#include <cmath>
#include <limits>
#include <vector>

#include "support/histories.hpp"
#include "support/numbers.hpp"

namespace ridgeless_test {

TEST_CASE("isotropic_ridgeless_risk: by hand on both sides of the peak") {
  const regimen::RidgelessRisk few = regimen::isotropic_ridgeless_risk(100, 50);
  CHECK(few.bias == 0);
  CHECK(few.variance == Approx(50.0 / 49).epsilon(1e-14));
  const regimen::RidgelessRisk many = regimen::isotropic_ridgeless_risk(100, 200);
  CHECK(many.bias == Approx(0.5).epsilon(1e-14));
  CHECK(many.variance == Approx(100.0 / 99).epsilon(1e-14));
  CHECK(many.total() == Approx(0.5 + 100.0 / 99).epsilon(1e-14));
  const regimen::RidgelessRisk scaled = regimen::isotropic_ridgeless_risk(100, 200, 3, 0.25);
  CHECK(scaled.bias == Approx(1.5).epsilon(1e-14));
  CHECK(scaled.variance == Approx(25.0 / 99).epsilon(1e-14));
}

TEST_CASE("isotropic_ridgeless_risk: infinite at the peak and beside it, unless there is no noise") {
  for (const int p : {99, 100, 101}) {
    CAPTURE(p);
    CHECK(regimen::isotropic_ridgeless_risk(100, p).variance == std::numeric_limits<double>::infinity());
    CHECK(regimen::isotropic_ridgeless_risk(100, p, 1, 0).variance == 0);
  }
  CHECK(regimen::isotropic_ridgeless_risk(100, 98).variance == Approx(98));
  CHECK(regimen::isotropic_ridgeless_risk(100, 102).variance == Approx(100));
}

TEST_CASE("isotropic_ridgeless_limit: what the finite law tends to") {
  for (const double aspect : {0.2, 0.8, 1.25, 2.0, 10.0}) {
    CAPTURE(aspect);
    const regimen::RidgelessRisk limit = regimen::isotropic_ridgeless_limit(aspect, 2, 0.5);
    const auto finite = regimen::isotropic_ridgeless_risk(10000000, std::llround(1e7 * aspect), 2, 0.5);
    CHECK(limit.bias == Approx(finite.bias).epsilon(1e-5));
    CHECK(limit.variance == Approx(finite.variance).epsilon(1e-5));
  }
  CHECK(regimen::isotropic_ridgeless_limit(2).total() == Approx(1.5).epsilon(1e-14));
  CHECK(regimen::isotropic_ridgeless_limit(0.5).total() == Approx(1).epsilon(1e-14));
  CHECK(regimen::isotropic_ridgeless_limit(1).variance == std::numeric_limits<double>::infinity());
}

TEST_CASE("spectra: spikes with a flat tail, and powers") {
  CHECK(regimen::spiked_spectrum(2, 6, 3) == std::vector<double>{1, 1, 0.75, 0.75, 0.75, 0.75});
  CHECK(regimen::spiked_spectrum(0, 2, 1) == std::vector<double>{0.5, 0.5});
  CHECK(regimen::power_law_spectrum(2, 3) == std::vector<double>{1, 0.25, 1.0 / 9});
  CHECK(regimen::power_law_spectrum(0, 2) == std::vector<double>{1, 1});
}

TEST_CASE("benign_variance_bound: that of numpy for a benign and a malignant spectrum") {
  CHECK(regimen::benign_variance_bound(regimen::spiked_spectrum(5, 2000, 2), 100) ==
        Approx(0.10012531328320562).epsilon(1e-12));
  CHECK(regimen::benign_variance_bound(regimen::power_law_spectrum(2, 2000), 100) ==
        Approx(1.4020534612049889).epsilon(1e-12));
  CHECK(regimen::benign_variance_bound(std::vector<double>{1, 1}, 3) == std::numeric_limits<double>::infinity());
}

TEST_CASE("z_score: by hand, and NaN where there is no spread") {
  CHECK(regimen::z_score(std::vector<double>{1, 2, 3, 6}, 1) == Approx(2 / std::sqrt(14.0 / 3 / 4)).epsilon(1e-9));
  CHECK(regimen::z_score(std::vector<double>{1, 2, 3, 6}, 4) == Approx(-1 / std::sqrt(14.0 / 3 / 4)).epsilon(1e-9));
  CHECK(std::isnan(regimen::z_score(std::vector<double>{1}, 0)));
  CHECK(std::isnan(regimen::z_score(std::vector<double>{2, 2}, 0)));
  CHECK(std::isnan(regimen::z_score(std::vector<double>(10, 0.1), 0)));  // whose mean is rounded
  CHECK(std::isnan(regimen::z_score(std::vector<double>{}, 0)));
}

TEST_CASE("log_log_slope: the exponent of a power law, and numpy's of other points") {
  const std::vector<double> x = {1, 2, 4, 8};
  CHECK(regimen::log_log_slope(x, std::vector<double>{3, 1.5, 0.75, 0.375}) == Approx(-1).epsilon(1e-14));
  CHECK(regimen::log_log_slope(x, std::vector<double>{1, 1, 5, 2}) == Approx(0.53219280948873644).epsilon(1e-12));
  CHECK(error_of([&] { (void)regimen::log_log_slope(x, std::vector<double>{1, 1}); }) ==
        "log_log_slope: y.size() must be x.size() = 4, but is 2");
  CHECK(error_of([&] { (void)regimen::log_log_slope(x, std::vector<double>{1, 1, 0, 1}); }) ==
        "log_log_slope: y[2] must be above 0 and finite, but is 0");
  CHECK(error_of([] { (void)regimen::log_log_slope(std::vector<double>{2, 2}, std::vector<double>{1, 3}); }) ==
        "log_log_slope: x must be of at least two different numbers, but is 2");
  CHECK(error_of([] {
          (void)regimen::log_log_slope(std::vector<double>(5, 5), std::vector<double>{1, 2, 3, 4, 5});
        }).find("two different numbers") != std::string::npos);
  CHECK(error_of([] { (void)regimen::log_log_slope(std::vector<double>{2}, std::vector<double>{1}); }) ==
        "log_log_slope: x.size() must be at least 2, but is 1");
}

TEST_CASE("ridgeless: sizes, variances and spectra out of range are errors") {
  CHECK(error_of([] { (void)regimen::isotropic_ridgeless_risk(0, 5); }) ==
        "isotropic_ridgeless_risk: n must be at least 1, but is 0");
  CHECK(error_of([] { (void)regimen::isotropic_ridgeless_risk(5, 0); }) ==
        "isotropic_ridgeless_risk: p must be at least 1, but is 0");
  CHECK(error_of([] { (void)regimen::isotropic_ridgeless_risk(5, 9, -1); }) ==
        "isotropic_ridgeless_risk: squared_norm must be at least 0 and finite, but is -1");
  CHECK(error_of([] { (void)regimen::isotropic_ridgeless_limit(0); }) ==
        "isotropic_ridgeless_limit: aspect must be above 0 and finite, but is 0");
  CHECK(error_of([] { (void)regimen::isotropic_ridgeless_limit(2, 1, NAN); }) ==
        "isotropic_ridgeless_limit: noise_variance must be at least 0 and finite, but is nan");
  CHECK(error_of([] { (void)regimen::spiked_spectrum(3, 3, 1); }) ==
        "spiked_spectrum: spikes must be less than size = 3, but is 3");
  CHECK(error_of([] { (void)regimen::spiked_spectrum(1, 3, 0); }) ==
        "spiked_spectrum: tail must be above 0 and finite, but is 0");
  CHECK(error_of([] { (void)regimen::power_law_spectrum(-1, 3); }) ==
        "power_law_spectrum: exponent must be at least 0 and finite, but is -1");
  CHECK(error_of([] { (void)regimen::power_law_spectrum(1, 0); }) ==
        "power_law_spectrum: size must be at least 1, but is 0");
}

}  // namespace ridgeless_test
