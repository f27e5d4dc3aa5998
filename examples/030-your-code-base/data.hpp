#pragma once
// The project's data: noisy stripes that run in one of four directions. They know nothing of regimen.

#include <ATen/CPUGeneratorImpl.h>
#include <torch/torch.h>

#include <cstdint>
#include <numbers>

class Stripes : public torch::data::datasets::Dataset<Stripes> {
 public:
  Stripes(std::int64_t n, std::uint64_t seed) {
    constexpr double pi = std::numbers::pi;
    auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
    const torch::Tensor place = torch::arange(12, torch::kFloat);
    labels_ = torch::randint(4, {n}, generator, torch::kLong);
    const torch::Tensor angle = (labels_ * (pi / 4)).view({n, 1, 1});
    const torch::Tensor phase = torch::rand({n, 1, 1}, generator) * (2 * pi);
    const torch::Tensor along = angle.cos() * place.view({1, 12}) + angle.sin() * place.view({12, 1});
    images_ = ((1.5 * along + phase).sin() + 0.7 * torch::randn({n, 12, 12}, generator)).unsqueeze(1);
  }

  torch::data::Example<> get(std::size_t index) override {
    const auto i = static_cast<std::int64_t>(index);
    return {images_[i], labels_[i]};
  }

  torch::optional<std::size_t> size() const override { return static_cast<std::size_t>(labels_.size(0)); }

 private:
  torch::Tensor images_;  // [n, 1, 12, 12] float
  torch::Tensor labels_;  // [n] int64 in [0, 4)
};
