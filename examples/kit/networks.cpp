#include "networks.hpp"

#include <torch/torch.h>

#include <exception>
#include <string>

#include <regimen/base/error.hpp>
#include <regimen/experiment/errors.hpp>

namespace kit {

void check_network(const std::string& name, int classes, int channels, std::int64_t side, int width) {
  const torch::NoGradGuard no_graph;
  const auto net = make_network(name, classes, channels, width);
  net->eval();
  try {
    (void)net->forward(torch::zeros({1, channels, side, side}));
  } catch (const std::exception& error) {
    const std::string why = error.what();  // LibTorch's goes on with the call stack
    throw regimen::experiment::UsageError("--model " + name + " cannot take images of " + std::to_string(side) + " x " +
                                          std::to_string(side) + " pixels (" + why.substr(0, why.find('\n')) +
                                          "): give --side a larger number, or 0 for the data's own size");
  }
}

}  // namespace kit
