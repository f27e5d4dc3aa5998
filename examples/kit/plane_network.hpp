#pragma once

#include <torch/torch.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <regimen/regimen.hpp>

#include "plane.hpp"

namespace kit {

/// A small network for points of the plane, newly initialized from LibTorch's generator: [N, 2] float to [N, 1], the
/// logit of class 1. Two hidden layers of `width` with ReLU; the paper's toy has a width of 100, 10,501 parameters.
inline torch::nn::Sequential plane_network(int width) {
  return torch::nn::Sequential(torch::nn::Linear(2, width), torch::nn::ReLU(), torch::nn::Linear(width, width),
                               torch::nn::ReLU(), torch::nn::Linear(width, 1));
}

/// Normal noise of 0.1 in each coordinate on every copy but the first that `regimen::repeat` makes of a point; the
/// first is the point itself. A transform for `regimen::frozen`, which draws the noise once and keeps it.
inline regimen::Batch jitter_copies(const regimen::Batch& batch, const regimen::Key& key) {
  const torch::Tensor is_copy = (batch.id != batch.origin).to(torch::kFloat).unsqueeze(1);
  regimen::Batch result = batch;
  result.data = batch.data + 0.1 * is_copy * key.normal({2});
  return result;
}

/// A network's outputs at the centres of a grid: one logit a cell, in the grid's order. `net` takes [N, 2] float on the
/// CPU, here all cells at once, and gives [N] or [N, 1]; it stays in the mode, train or eval, that it is in.
inline std::vector<double> logits_on(const Plane& plane, const regimen::Model& net) {
  const torch::NoGradGuard no_graph;
  const std::vector<Point2d> centres = plane.centres();
  const torch::Tensor points = torch::empty({static_cast<std::int64_t>(centres.size()), 2});
  auto row = points.accessor<float, 2>();
  for (std::size_t i = 0; i < centres.size(); ++i) {
    const auto [x, y] = centres[i];
    row[static_cast<std::int64_t>(i)][0] = static_cast<float>(x);
    row[static_cast<std::int64_t>(i)][1] = static_cast<float>(y);
  }
  const torch::Tensor logits = net.forward({.data = points}).flatten().to(torch::kDouble).contiguous();
  return {logits.data_ptr<double>(), logits.data_ptr<double>() + logits.numel()};
}

/// The points of a batch by class, for `boundary_panel`. `batch`: data [N, 2] floating, target [N] int64, 0 or 1, on
/// the CPU. `zero` and `one`: names of the two classes.
inline std::array<PlaneClass, 2> points_by_class(const regimen::Batch& batch, const std::string& zero,
                                                 const std::string& one) {
  std::array<PlaneClass, 2> classes{{{.name = zero}, {.name = one}}};
  for (std::int64_t i = 0; i < batch.size(); ++i) {
    PlaneClass& mine = classes.at(static_cast<std::size_t>(batch.target[i].item<std::int64_t>()));
    mine.points.push_back({batch.data[i][0].item<double>(), batch.data[i][1].item<double>()});
  }
  return classes;
}

}  // namespace kit
