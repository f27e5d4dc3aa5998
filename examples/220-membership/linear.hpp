#pragma once
// The advantage of the best attack on linear regression, measured on drawn training inputs and by the exact law.

#include <torch/torch.h>

#include <cstdint>
#include <string>
#include <vector>

#include <regimen/regimen.hpp>

#include "settings.hpp"

/// Inputs of n points: what the regression sees, and what makes their labels y = labelled . theta + noise, with theta
/// of independent normal entries.
struct Inputs {
  torch::Tensor seen;      ///< [n, p]
  torch::Tensor labelled;  ///< [n, d]
  torch::Tensor noise;     ///< [n] variances of the labels' noise
};

/// One of three models of where features come from. All draws are from LibTorch's generator.
class Features {
 public:
  static constexpr std::int64_t latent = 20;
  static constexpr std::int64_t relu_inputs = 1000;

  /// "linear": p of all features. "latent": p noisy linear functions of 20 latent variables, which make the label.
  /// "relu": p ReLU units of random unit weights, of 1,000 inputs that make the label.
  Features(std::string kind, std::int64_t p) : kind_(std::move(kind)), p_(p) {
    if (kind_ != "linear") {
      const torch::Tensor drawn = normal({kind_ == "latent" ? latent : relu_inputs, p_});
      weights_ = drawn / drawn.norm(2, 0, /*keepdim=*/true);
    }
  }

  [[nodiscard]] std::int64_t p() const { return p_; }

  /// The variance of theta's entries.
  [[nodiscard]] double theta_variance() const {
    return 1.0 / static_cast<double>(kind_ == "linear" ? all_features : kind_ == "latent" ? latent : relu_inputs);
  }

  /// `known`: the points that are attacked, of which the adversary knows all features, also those that the regression
  /// does not see, and the latent variables. What the regression does not see of others is noise of its mean variance,
  /// which at D = 10,000 scatters by 1.4 % from draw to draw.
  [[nodiscard]] Inputs draw(std::int64_t n, bool known) const {
    if (kind_ == "linear") {
      const torch::Tensor seen = normal({n, p_});
      const auto unseen = all_features - p_;
      const torch::Tensor rest = known && unseen > 0 ? normal({n, unseen}).square().sum(1)
                                                     : torch::full({n}, static_cast<double>(unseen), torch::kDouble);
      return {seen, seen, 1 + rest * theta_variance()};
    }
    const torch::Tensor inputs = normal({n, weights_.size(0)});
    const torch::Tensor mixed = inputs.matmul(weights_);
    return {kind_ == "latent" ? mixed + normal({n, p_}) : mixed.relu(), inputs, torch::ones({n}, torch::kDouble)};
  }

 private:
  static torch::Tensor normal(torch::IntArrayRef size) { return torch::randn(size, torch::kDouble); }

  std::string kind_;
  std::int64_t p_;
  torch::Tensor weights_{};
};

/// The variances of predictions H y over theta and noise: hat [..., m, n], inputs of [..., n] -> [..., m].
inline torch::Tensor prediction_variance(const torch::Tensor& hat, const Inputs& inputs, double theta_variance) {
  return theta_variance * hat.matmul(inputs.labelled).square().sum(-1) +
         (hat.square() * inputs.noise.unsqueeze(-2)).sum(-1);
}

/// The advantage of the best attack on each of some points, averaged: the distribution of a prediction is the mean over
/// drawn training inputs of normal distributions whose variances are computed, so that no histogram is needed.
inline double measured_advantage(const Features& features, const Inputs& attacked, double penalty, int designs) {
  const std::int64_t m = attacked.seen.size(0), n = training_points;
  const double theta_variance = features.theta_variance();
  std::vector<torch::Tensor> others, members;
  for (int design = 0; design < designs; ++design) {
    const Inputs train = features.draw(n, /*known=*/false);
    others.push_back(prediction_variance(rg::hat_matrix(train.seen, attacked.seen, penalty), train, theta_variance));
    if (penalty == 0 && features.p() >= n) {  // labels of training points are fitted exactly
      members.push_back(theta_variance * attacked.labelled.square().sum(1) + attacked.noise);
      continue;
    }
    // As many training sets as points, each with a point in the place of the last one.
    const auto with_point = [&](const torch::Tensor& of_train, const torch::Tensor& of_points) {
      torch::Tensor sets = of_train.unsqueeze(0).repeat(of_train.dim() == 2 ? std::vector<std::int64_t>{m, 1, 1}
                                                                            : std::vector<std::int64_t>{m, 1});
      sets.select(1, n - 1).copy_(of_points);
      return sets;
    };
    const Inputs sets{with_point(train.seen, attacked.seen), with_point(train.labelled, attacked.labelled),
                      with_point(train.noise, attacked.noise)};
    const torch::Tensor hat = rg::hat_matrix(sets.seen, attacked.seen.unsqueeze(1), penalty);  // [m, 1, n]
    members.push_back(prediction_variance(hat, sets, theta_variance).squeeze(1));
  }
  const torch::Tensor of_others = torch::stack(others, 1), of_members = torch::stack(members, 1);  // [m, designs]
  double sum = 0;
  for (std::int64_t i = 0; i < m; ++i) {
    const auto values = [i](const torch::Tensor& all) {
      const torch::Tensor row = all[i].contiguous();
      return std::vector<double>(row.data_ptr<double>(), row.data_ptr<double>() + row.numel());
    };
    sum += rg::advantage_between(values(of_members), values(of_others));
  }
  return sum / static_cast<double>(m);
}

/// The numbers of a cell: the measured advantage, and for linear features what theory says of the same points.
inline rg::Numbers linear_numbers(const Cell& cell, const LinearSettings& s) {
  const bool ridge = cell.part.rfind("ridge-", 0) == 0;
  const int ratio = ridge ? std::stoi(cell.part.substr(6)) : cell.at;
  const double penalty = ridge ? cell.at : 0;
  const std::int64_t p = ratio * training_points / 100;
  torch::manual_seed(static_cast<std::uint64_t>(cell.seed) * 1'000'000 + static_cast<std::uint64_t>(ratio));
  const Features features(cell.part == "latent" || cell.part == "relu" ? cell.part : "linear", p);
  const Inputs attacked = features.draw(s.points, /*known=*/true);
  const double measured =
      measured_advantage(features, attacked, penalty, cell.part == "law" ? s.law_designs : s.designs);
  if (cell.part != "law") {
    return {{"measured", measured}};
  }
  const rg::MembershipModel model{.n = training_points, .p = p, .D = all_features};
  double exact = 0, form = 0;
  for (std::int64_t i = 0; i < s.points; ++i) {
    const auto seen = attacked.seen[i].square().sum().item<double>();
    const auto rest = (attacked.noise[i].item<double>() - 1) / features.theta_variance();
    const rg::AttackedPoint point{.seen = seen, .all = seen + rest};
    exact += model.advantage(point, 2000, static_cast<std::uint64_t>(cell.seed)) / s.points;
    form += model.asymptotic_advantage(point) / s.points;
  }
  return {{"measured", measured}, {"exact", exact}, {"form", form}, {"off", measured - exact}};
}
