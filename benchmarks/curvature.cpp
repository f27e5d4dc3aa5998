// The Hessian's largest eigenvalue, at equal residual, and its trace, against PyHessian: the pooled ResNet on 2,000
// images, all products over all images.
//
//     benchmark-curvature [eigenvalue | trace]

#include <torch/csrc/jit/serialization/pickle.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <regimen/regimen.hpp>

#include "../examples/kit/networks.hpp"
#include "measure.hpp"
#include "patterns.hpp"
#include "peer.hpp"

namespace rg = regimen;

namespace {

constexpr std::int64_t images = 2'000;
constexpr std::int64_t batch = 200;  // PyHessian's, and ours where nothing else is said

/// A number of /proc/self/status in MB; 0 where there is none.
double memory(const std::string& field) {
  std::ifstream file("/proc/self/status");
  for (std::string word; file >> word;) {
    if (word == field + ":") {
      double kilobytes = 0;
      file >> kilobytes;
      return kilobytes / 1024;
    }
  }
  return 0;
}

/// The memory in MB that work() held at most beyond what was held before, by Linux's own count.
template <class Work>
double peak_of(const Work& work) {
  std::ofstream("/proc/self/clear_refs") << 5;
  const double before = memory("VmRSS");
  work();
  return memory("VmHWM") - before;
}

/// The pooled ResNet after two epochs on the data.
std::shared_ptr<rg::networks::Network> trained(const rg::Batch& data) {
  torch::manual_seed(2);
  const auto net = kit::make_network("pooled", 10, 1);
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.05).momentum(0.9));
  rg::run(net, {{.data = data, .optimizer = sgd, .epochs = 2, .batch = 64}}, {});
  return net;
}

/// Writes what peers/curvature.py reads.
std::string exported(const rg::networks::Network& net, const rg::Batch& data) {
  std::vector<at::Tensor> tensors;
  for (const auto& list : {net.parameters(), net.buffers()}) {
    for (const at::Tensor& tensor : list) {
      tensors.push_back(tensor.detach());
    }
  }
  tensors.push_back(data.data);
  tensors.push_back(data.target);
  const std::vector<char> pickled = torch::jit::pickle_save(c10::IValue(tensors));
  const std::string path = std::filesystem::temp_directory_path() / "regimen-benchmark-curvature.pt";
  std::ofstream(path, std::ios::binary).write(pickled.data(), static_cast<std::streamsize>(pickled.size()));
  return path;
}

Peer peer(const std::string& weights, const char* method, std::int64_t images_a_batch) {
  return Peer({"curvature.py", "--weights", weights, "--method", method, "--images-a-batch",
               std::to_string(images_a_batch), "--threads", std::to_string(torch::get_num_threads())});
}

/// images_a_batch: PyHessian's; 0: all in one.
void compare_eigenvalue(const Report& report, const rg::Hessian& hessian, const std::string& weights,
                        std::int64_t images_a_batch) {
  Peer theirs = peer(weights, "eigenvalue", images_a_batch);
  const std::string ours_in = std::to_string(hessian.surface().how().batch);
  const std::string way = images_a_batch == 0 ? "a single batch" : "batches of " + std::to_string(images_a_batch);
  const std::vector<double> first = theirs.go_with_numbers();  // seconds, eigenvalue, residual, MB
  const double residual = first[2];
  rg::SpectrumEnds ends;
  const auto ours = [&] { ends = rg::top(hessian, {.tolerance = residual}); };
  const double held = peak_of(ours);
  report.faster("top(Hessian), largest eigenvalue, batches of " + ours_in, "PyHessian, " + way, 1.5,
                take_turns(2, [&] { return seconds_of(ours); }, [&] { return theirs.go(); }));
  std::printf("    eigenvalue %.6g +- %.1g after %lld products; PyHessian's %.6g, residual %.1g (relative)\n",
              ends.largest[0].value, ends.largest[0].residual, static_cast<long long>(ends.products), first[1],
              residual);
  std::printf("    memory beyond network and data: %.0f MB, PyHessian's %.0f MB (goal: a third)\n", held, first[3]);
}

void compare_trace(const Report& report, const rg::Hessian& hessian, const std::string& weights) {
  Peer theirs = peer(weights, "trace", batch);
  const std::vector<double> first = theirs.go_with_numbers();  // seconds, mean, draws, spread, MB
  const auto draws = static_cast<std::int64_t>(first[2]);
  const auto ours = [&] { (void)rg::trace(hessian, {.draws = {.least = draws, .most = draws, .relative = 0}}); };
  const double seconds_a_draw = first[0] / first[2];
  report.faster("trace(Hessian), " + std::to_string(draws) + " draws", "PyHessian, as many draws", 1,
                take_turns(
                    2, [&] { return seconds_of(ours); },
                    [&] {
                      const std::vector<double> again = theirs.go_with_numbers();
                      return again[0] / again[2] * static_cast<double>(draws);
                    }));
  // Half the width of a 95 % interval is about two standard errors.
  const rg::MonteCarloEstimate estimate = rg::trace(hessian, {.draws = {.relative = 0.1}});
  const double spread = first[3];
  std::printf("    %.5g +- %.2g (95 %%), so 5 %% of standard error, after %lld products\n", estimate.value,
              estimate.half_width, static_cast<long long>(estimate.passes));
  std::printf(
      "    PyHessian stopped by itself after %lld draws at %.5g (standard error %.2g, which it does not say); "
      "5 %% would take %.0f draws, %.0f s\n",
      static_cast<long long>(draws), first[1], spread / std::sqrt(first[2]),
      std::ceil(std::pow(spread / first[1] / 0.05, 2)),
      std::ceil(std::pow(spread / first[1] / 0.05, 2)) * seconds_a_draw);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "both";
  torch::set_num_threads(static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
  const rg::Batch data = patterns(images, 28, 2);
  const auto net = trained(data);
  const std::string weights = exported(*net, data);
  const auto in_batches_of = [&](std::int64_t n) { return rg::Hessian(rg::LossSurface(net, data, {.batch = n})); };
  const Report report("Curvature of the pooled ResNet on 2,000 images of 28x28, " +
                      std::to_string(torch::get_num_threads()) + " threads");
  if (what != "trace") {
    compare_eigenvalue(report, in_batches_of(batch), weights, batch);
    compare_eigenvalue(report, in_batches_of(50), weights, batch);
    compare_eigenvalue(report, in_batches_of(batch), weights, 0);
  }
  if (what != "eigenvalue") {
    compare_trace(report, in_batches_of(batch), weights);
  }
  std::filesystem::remove(weights);
  return 0;
}
