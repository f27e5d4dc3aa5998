// Eigenvalues, traces, densities and products agree with dense matrices that PyTorch's autograd makes of the same
// weights, and with PyHessian and curvlinops where these are installed (curvature.py). Skipped, loudly, where no Python
// with PyTorch is found; see support/python.hpp.

#include "support/tensors.hpp"

#include "support/python.hpp"

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace curvature_parity_test {

namespace {

using namespace training;

/// As in curvature.py.
struct Small : torch::nn::Module {
  Small() {
    first = register_module("first", torch::nn::Conv2d(torch::nn::Conv2dOptions(2, 3, 3).bias(false)));
    norm = register_module("norm", torch::nn::BatchNorm2d(3));
    last = register_module("last", torch::nn::Linear(12, 4));
    to(torch::kDouble);
    norm->running_mean.normal_(0, 0.5);
    norm->running_var.uniform_(0.5, 2);
  }
  at::Tensor forward(const at::Tensor& x) { return last(torch::tanh(norm(first(x))).flatten(1)); }

  torch::nn::Conv2d first{nullptr};
  torch::nn::BatchNorm2d norm{nullptr};
  torch::nn::Linear last{nullptr};
};

using Lines = std::map<std::string, std::vector<double>>;

Lines lines_of(const std::string& path) {
  Lines lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    for (double number = 0; words >> number;) {
      lines[name].push_back(number);
    }
  }
  return lines;
}

/// Both ends of the spectrum, the trace, and four moments of the density, against all eigenvalues.
template <class A>
void check_spectrum(const Lines& theirs, const std::string& name, const A& a) {
  CAPTURE(name);
  const std::vector<double>& values = theirs.at(name);  // ascending
  const std::vector<double>& moments = theirs.at(name + "_moments");
  REQUIRE(static_cast<std::int64_t>(values.size()) == a.size());
  const double size = std::max(std::abs(values.front()), std::abs(values.back()));
  const rg::SpectrumEnds ends = rg::top(a, {.largest = 4, .smallest = 2, .tolerance = 1e-8});
  CHECK(ends.converged);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(std::abs(ends.largest[i].value - values[values.size() - 1 - i]) <= 1e-6 * size);
  }
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(std::abs(ends.smallest[i].value - values[i]) <= 1e-6 * size);
  }
  const rg::MonteCarloEstimate all = rg::trace(a, {.sketch = a.size()});
  CHECK(all.value == Approx(moments[0] * static_cast<double>(a.size())).epsilon(1e-8));
  const rg::SpectralDensity spectrum = rg::density(a, {.draws = 400, .steps = 3});
  const double n = 400;
  for (int k = 1; k <= 4; ++k) {
    // Within four standard errors, from the draws' own spread.
    double sum = 0;
    double squares = 0;
    for (const auto& points : spectrum.draws) {
      double moment = 0;
      for (const rg::SpectrumPoint& point : points) {
        moment += point.weight * std::pow(point.value, k);
      }
      sum += moment / n;
      squares += moment * moment / n;
    }
    CAPTURE(k);
    CHECK(std::abs(sum - moments[static_cast<std::size_t>(k - 1)]) <= 4 * std::sqrt((squares - sum * sum) / n));
  }
}

}  // namespace

TEST_CASE("curvature: spectra and products are those of PyTorch, PyHessian and curvlinops") {
  const std::optional<std::string> python = python_with_torch();
  if (!python) {
    return;
  }
  torch::manual_seed(2);
  const auto net = std::make_shared<Small>();
  const rg::Batch data{.data = torch::randn({9, 2, 4, 4}, torch::kDouble),
                       .target = torch::arange(9, torch::kLong).remainder(4)};
  const rg::LossSurface surface(net, data, {.batch = 4});
  const at::Tensor vector = torch::randn({surface.size()}, torch::kDouble);

  std::vector<at::Tensor> exchange;
  for (const at::Tensor& parameter : net->parameters()) {
    exchange.push_back(parameter.detach());
  }
  for (const at::Tensor& tensor :
       {net->norm->running_mean, net->norm->running_var, data.data, data.target.to(torch::kDouble), vector}) {
    exchange.push_back(tensor);
  }
  const Folder folder;
  write_tensors(folder / "in.pt", exchange);
  REQUIRE(run_python(*python, "curvature/curvature.py", {folder / "in.pt", folder / "out.txt"}));
  const Lines theirs = lines_of(folder / "out.txt");

  check_spectrum(theirs, "hessian", rg::Hessian(surface));
  check_spectrum(theirs, "ggn", rg::GaussNewton(surface));
  check_spectrum(theirs, "ggn", rg::Fisher(surface));
  check_spectrum(theirs, "empirical", rg::EmpiricalFisher(surface));
  check_spectrum(theirs, "kernel", rg::Gram(surface));

  const char* const required = std::getenv("REGIMEN_REQUIRE_PEERS");
  if (required != nullptr && std::string(required) == "1") {
    REQUIRE(theirs.count("pyhessian") == 1);
    REQUIRE(theirs.count("curvlinops_ggn") == 1);
  }
  if (theirs.count("pyhessian") == 1) {  // by absolute value, unsorted
    const std::vector<double>& values = theirs.at("hessian");
    const double largest = std::abs(values.back()) > std::abs(values.front()) ? values.back() : values.front();
    CHECK(theirs.at("pyhessian")[0] == Approx(largest).epsilon(1e-4));
  }
  const auto check_product = [&](const std::string& name, const auto& a) {
    if (theirs.count(name) == 1) {
      CAPTURE(name);
      CHECK(furthest(a.apply(vector), torch::tensor(theirs.at(name), torch::kDouble)) < 1e-9);
    }
  };
  check_product("curvlinops_hessian", rg::Hessian(surface));
  check_product("curvlinops_ggn", rg::GaussNewton(surface));
  check_product("curvlinops_empirical", rg::EmpiricalFisher(surface));
}

}  // namespace curvature_parity_test
