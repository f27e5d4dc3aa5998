// Early stopping and wrong labels: gradient descent fits what the labels of a cluster have in common first, and wrong
// labels long after, far from the start (Li, Soltanolkotabi and Oymak 2020). Clusters on a sphere with the paper's
// network, and images. Two minutes on two CPU cores.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <regimen/networks.hpp>
#include <regimen/regimen.hpp>

#include "kit/checked.hpp"
#include "kit/image_experiment.hpp"
#include "kit/image_options.hpp"
#include "kit/main.hpp"
#include "kit/mlp.hpp"
#include "kit/options.hpp"
#include "pictures.hpp"
#include "settings.hpp"

namespace {

using Options = kit::CheckedOptions<EarlySettings>;

class EarlyStopping : public kit::Checked<kit::ImageExperiment<EarlySettings>> {
 public:
  EarlyStopping(const EarlySettings& s, const ex::Task& task)
      : Checked(
            s, {.batch = s.batch, .task = task},
            {"table.txt", "pictures", "clusters.csv", "rules.csv", "jacobian.csv", "images.csv", "image-rules.csv"}) {}

  [[nodiscard]] ex::Plan plan(const ex::Paces& paces) const override {
    const EarlySettings& s = settings();
    const auto points = static_cast<double>(s.clusters * s.points), n = static_cast<double>(s.images);
    ex::Plan plan;
    for (int seed = 1; seed <= s.seeds; ++seed) {
      plan.push_back({.name = ClusterArm{seed}.unit()});
      for (ClusterArm arm : cells_of(s)) {
        arm.seed = seed;
        const auto add = [&](const std::string& what, const ex::Length& length) {
          plan.back().jobs.push_back({.name = arm.job(what),
                                      .kind = "clusters",
                                      .cost = ex::cost(ex::shown(length), "two-layers", paces, 0.05),
                                      .factors = arm.factors(what)});
        };
        add("start", {.epochs = 1, .images = points * points / 4});
        add("first", {.epochs = 1.0 * s.first_steps, .images = points, .each_point = 4 * points});
        add("end", {.epochs = 60000.0 / arm.radius, .images = points, .each_point = 3 * points, .every = 20});
      }
    }
    for (int seed = 1; seed <= s.image_seeds; ++seed) {
      plan.push_back({.name = ImageArm{seed}.unit()});
      for (const int wrong : s.wrong) {
        const ImageArm arm{seed, wrong};
        const ex::Length length{
            .epochs = 1.0 * s.epochs, .images = n, .each_point = 4 * n + static_cast<double>(counts().test)};
        plan.back().jobs.push_back({.name = arm.job(),
                                    .kind = "images",
                                    .cost = ex::cost(ex::shown(length), "mlp", paces),
                                    .factors = arm.factors()});
      }
    }
    return plan;
  }

  ex::Paces measure_pace() override {
    const ex::Pace pace = pace_of([this] { return mlp().ptr(); });
    return {{"mlp", pace}, {"two-layers", {4 * pace.training, 3 * pace.scoring}}};  // as it was seen
  }

  void train(const std::string& unit, ex::Jobs& jobs) override {
    for (int seed = 1; seed <= settings().seeds; ++seed) {
      for (ClusterArm arm : cells_of(settings())) {
        arm.seed = seed;
        if (arm.unit() == unit) {
          train(arm, jobs);
        }
      }
    }
    for (int seed = 1; seed <= settings().image_seeds; ++seed) {
      for (const int wrong : settings().wrong) {
        if (ImageArm{seed, wrong}.unit() == unit) {
          train(ImageArm{seed, wrong}, jobs);
        }
      }
    }
  }

  kit::Claims told(const ex::Results& results) override { return show_results(results, settings()); }

 private:
  /// Gradient descent on all points at once: the first steps scored one by one, then on until all labels are fitted.
  void train(const ClusterArm& arm, ex::Jobs& jobs) const {
    const EarlySettings& s = settings();
    const auto seed = static_cast<std::uint64_t>(arm.seed);
    const rg::ClusterableData data{
        .clusters = s.clusters, .dimensions = s.dimensions, .radius = arm.radius / 100.0, .seed = seed};
    const rg::Batch clean = data.sample(s.points, seed);
    const double share = arm.noise / 100.0;
    const rg::Source noisy = rg::frozen(clean, rg::UniformLabels{.classes = 2, .exclude_true = true}, seed,
                                        rg::exactly_in_each(data.cluster_of(clean.id), share));
    const auto activation = rg::networks::activation_of(arm.activation);
    torch::manual_seed(seed);
    rg::networks::TwoLayer net(
        rg::networks::TwoLayerOptions{.inputs = s.dimensions, .width = s.width, .activation = activation});
    const auto n = static_cast<double>(clean.size());

    const rg::Numbers start = jobs.compute(arm.job("start"), [&] {
      return start_of({net, clean}, noisy, rg::networks::expected_tangent_kernel(data.centres(), activation), share);
    });
    torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(start.at("rate") * n));
    rg::Phase phase{.name = "first", .data = noisy, .optimizer = sgd, .epochs = s.first_steps};
    phase.batch = clean.size();
    phase.loss = rg::BinarySquaredError{};
    rg::PredictionChanges changes(noisy);
    const rg::NoiseSplit parts = rg::split_by_noise(noisy, clean);
    rg::Scoring scoring{.clean = clean,
                        .measures = {{"recovered", rg::AccuracyOn{parts.truth}},
                                     {"memorized", rg::AccuracyOn{parts.corrupted}},
                                     {"distance", rg::DistanceFrom{rg::Snapshot(net)}}},
                        .batch = clean.size()};
    rg::Scoring with_changes = scoring;
    with_changes.measures["changes"] = changes;
    jobs.run({.name = arm.job("first"), .phases = {phase}, .scoring = with_changes}, net, sgd, changes);
    phase.name = "end";
    phase.epochs = s.most_steps;
    phase.until = rg::FitReaches{1};
    scoring.every = 20;
    jobs.run({.name = arm.job("end"), .phases = {phase}, .scoring = scoring}, net, sgd);
  }

  /// The Jacobian J at the start: its singular values s_i, the share of labels in its K largest left singular vectors,
  /// and with them the theorem's scale I_0 = K / (rate n lambda) log(1 / share of wrong labels). The rate, of the
  /// paper's sum over samples, is 1 / s_1^2. `kernel`: of the K centres, whose least eigenvalue is lambda.
  static rg::Numbers start_of(const rg::LossSurface& clean, const rg::Source& noisy, const torch::Tensor& kernel,
                              double wrong) {
    const torch::Tensor j = rg::jacobian(clean);
    const auto [squares, vectors] = torch::linalg_eigh(j.matmul(j.t()));  // the largest last
    const std::int64_t n = squares.size(0), clusters = kernel.size(0);
    const torch::Tensor values = squares.clamp_min(0).sqrt().flip(0);
    const torch::Tensor cluster_space = vectors.narrow(1, n - clusters, clusters);
    const auto sign_of = [n](const rg::Source& source) {
      return source.get(torch::arange(n)).target.to(torch::kDouble) * 2 - 1;
    };
    const auto share_in = [&](const torch::Tensor& y) {
      return (y.matmul(cluster_space).square().sum() / y.square().sum()).item<double>();
    };
    const torch::Tensor truth = sign_of(clean.data());
    const double largest = values[0].item<double>();
    const double lambda = torch::linalg_eigvalsh(kernel)[0].item<double>();
    rg::Numbers numbers{{"rate", 1 / (largest * largest)},
                        {"lambda", lambda},
                        {"i_0", static_cast<double>(clusters) * largest * largest / (static_cast<double>(n) * lambda) *
                                    std::log(1 / wrong)},
                        {"cliff", (values[clusters - 1] / values[clusters]).item<double>()},
                        {"labels_inside", share_in(truth)},
                        {"noise_inside", share_in(sign_of(noisy) - truth)}};
    for (std::int64_t i = 0; i < std::min(2 * clusters, n); ++i) {
      numbers[kit::format("value_%02d", static_cast<int>(i) + 1)] = values[i].item<double>();
    }
    return numbers;
  }

  void train(const ImageArm& arm, ex::Jobs& jobs) const {
    const EarlySettings& s = settings();
    const auto seed = static_cast<std::uint64_t>(arm.seed);
    const rg::Source clean = kit::some_of(images(), s.images, seed);
    const rg::Source noisy =
        rg::frozen(clean, rg::UniformLabels{.classes = images().classes()}, seed, rg::exactly(arm.wrong / 100.0));
    const rg::NoiseSplit parts = rg::split_by_noise(noisy, clean);
    torch::manual_seed(seed);
    kit::Mlp net = mlp();
    torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(s.rate));
    rg::PredictionChanges changes(noisy);
    const rg::Scoring scoring{.test = images().test,
                              .measures = {{"recovered", rg::AccuracyOn{parts.truth}},
                                           {"memorized", rg::AccuracyOn{parts.corrupted}},
                                           {"distance", rg::DistanceFrom{rg::Snapshot(net)}},
                                           {"changes", changes}},
                              .batch = 500};
    jobs.run({.name = arm.job(), .phases = {phase("train", noisy, sgd, s.epochs, seed)}, .scoring = scoring}, net, sgd,
             changes);
  }

  [[nodiscard]] kit::Mlp mlp() const {
    const std::int64_t pixels = images().test.data[0].numel();
    return kit::Mlp(pixels, std::vector<std::int64_t>{settings().hidden}, images().classes());
  }
};

Options read_options(int argc, char** argv) {
  Options options;
  EarlySettings& s = options.settings;
  CLI::App app("When wrong labels are learned, and where rules without clean labels stop.");
  kit::take_last(app);
  kit::add_data_and_machine(app, s);
  const kit::OptionGroup add{app};
  add("--side", s.data.side, kit::at_least_0(), "pixels that images are shrunk to, 0: as they are");
  add("--seeds", s.seeds, kit::at_least_0(), "number of seeds on clusters");
  kit::add_list(app, "--radii", s.radii, "distances of points from their centres, in percent")
      ->check(CLI::Range(1, 199));
  kit::add_list(app, "--noise", s.noise, "percent of each cluster's labels that are flipped")->check(CLI::Range(1, 99));
  kit::add_list(app, "--activations", s.activations, "softplus, tanh and relu")
      ->check(CLI::IsMember({"softplus", "tanh", "relu"}));
  add("--image-seeds", s.image_seeds, kit::at_least_0(), "number of seeds on images");
  kit::add_list(app, "--wrong", s.wrong, "percent of the images with a random label")->check(CLI::Range(0, 100));
  add("--images", s.images, kit::at_least_1(), "that each network is trained on");
  add("--epochs", s.epochs, kit::at_least_1(), "on images");
  add("--rate", s.rate, kit::at_least_0(), "learning rate on images");
  kit::add_checked_task(app, options);
  kit::parse(app, argc, argv, options.task);
  return options;
}

void run(Options& options) {
  EarlySettings& s = options.settings;
  kit::check_once("--radii must have each number", s.radii);
  kit::check_once("--noise must have each number", s.noise);
  kit::check_once("--activations must have each name", s.activations);
  kit::check_once("--wrong must have each number", s.wrong);
  for (const int noise : s.noise) {
    if (const int flipped = noise * s.points / 100; flipped < 1 || flipped >= s.points) {
      throw ex::UsageError(
          kit::format("--noise %d flips %d of the %d labels of each cluster: some must be wrong, and some right", noise,
                      flipped, s.points));
    }
  }
  if (s.seeds + s.image_seeds == 0) {
    throw ex::UsageError("--seeds and --image-seeds are both 0: nothing is left to do");
  }
  ex::Conduct how =
      kit::settle(s.machine, s.data, s.seeds + s.image_seeds, std::max(s.seeds, s.image_seeds), options.task);
  how.ends_by_itself = true;
  EarlyStopping experiment(s, options.task);
  kit::conduct_checked(experiment, options.task, how, options.check);
}

}  // namespace

int main(int argc, char** argv) {
  return kit::run_program("early_stopping", argc, argv, read_options, run);
}
