// A network learns from images of which 40 % have a wrong label: once as it is, once pulled towards small weights.
#include <torch/torch.h>

#include <cstdio>

#include <regimen/regimen.hpp>
#include <regimen/report.hpp>

namespace rg = regimen;
namespace report = regimen::report;

int main() {
  const auto [images, held_out] = rg::fashion_mnist();
  const rg::Source clean = rg::limit(images, 1000);
  const rg::Source test = rg::limit(held_out, 2000);
  const rg::Source noisy = rg::frozen(clean, rg::UniformLabels{.classes = 10, .fraction = 0.4}, /*seed=*/7);

  report::Table table({{.name = "arm"},
                       {.name = "noisy labels fitted", .kind = report::Kind::percent, .digits = 1},
                       {.name = "test, best", .kind = report::Kind::percent, .digits = 1},
                       {.name = "test, at the end", .kind = report::Kind::percent, .digits = 1}});
  report::Picture picture{.title = "A network and 40 % wrong labels", .columns = 2};
  for (const bool l2 : {false, true}) {
    torch::manual_seed(1);  // both networks begin with the same weights
    torch::nn::Sequential net(torch::nn::Flatten(), torch::nn::Linear(784, 256), torch::nn::ReLU(),
                              torch::nn::Linear(256, 10));
    torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.2));
    rg::Phase phase{.name = l2 ? "with l2" : "as it is",
                    .data = noisy,
                    .optimizer = sgd,
                    .epochs = 60,
                    .lr_scale = rg::Cosine{.epochs = 60},
                    .batch = 100,
                    .preprocess = {rg::Normalize{.mean = {0.286}, .stddev = {0.353}}}};
    if (l2) {
      phase.regularize = {rg::L2{.strength = 0.1}};
    }
    rg::Best best(net, rg::Metric::test_accuracy);
    const rg::History history = rg::run(net, phase, {.clean = clean, .test = test, .every = 3}, rg::Progress{}, best);
    table.add({phase.name, history.back().fit.accuracy, best.value(), history.back().test.accuracy});
    picture.panels.push_back(report::curves(history));
    picture.panels.back().title = phase.name;
  }
  std::fputs(report::terminal(table).c_str(), stdout);
  report::write_file("wrong-labels.svg", report::svg(picture));
  return 0;
}
