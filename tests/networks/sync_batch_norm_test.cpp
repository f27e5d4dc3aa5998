// Normalization over all processes that share a run, against that of one process.
#include "support/processes.hpp"

#include <regimen/networks/sync_batch_norm.hpp>

namespace {

using namespace training;
using processes::in_processes;

using torch::nn::BatchNormOptions;

/// 2 -> 12 -> 3 with one of two kinds of normalization, of equal weights.
template <class Norm>
torch::nn::Sequential normalized_by(const Norm& norm) {
  torch::manual_seed(3);
  const torch::nn::Linear first(2, 12);
  const torch::nn::Linear last(12, 3);
  return torch::nn::Sequential(first, norm, torch::nn::ReLU(), last);
}

template <class Norm>
at::Tensor trained(const Norm& norm, const rg::DataParallel& share) {
  auto net = normalized_by(norm);
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.2).momentum(0.9));
  const rg::Phase phase{.name = "train",
                        .data = points(70, 5),  // batches of 32, 32 and 6
                        .optimizer = sgd,
                        .epochs = 3,
                        .batch = 32,
                        .regularize = {rg::ClipGradients{.max_norm = 1}},
                        .seed = 3};
  rg::run(net, phase, {.test = points(50, 6)}, {.share = share});
  std::vector<at::Tensor> flat;
  for (const at::Tensor& each : weights(net)) {
    flat.push_back(each.to(at::kDouble).flatten());
  }
  return at::cat(flat);
}

std::string numbers_of(const at::Tensor& tensor) {
  std::string all;
  for (std::int64_t i = 0; i < tensor.numel(); ++i) {
    all += rg::detail::text(tensor[i].item<double>()) + " ";
  }
  return all;
}

/// The largest difference of numbers in a text to those of a tensor.
double distance(const std::string& numbers, const at::Tensor& wanted) {
  CAPTURE(numbers);
  std::istringstream stream(numbers);
  double most = 0;
  for (std::int64_t i = 0; i < wanted.numel(); ++i) {
    double number = NAN;
    stream >> number;
    REQUIRE(stream);
    most = std::max(most, std::abs(number - wanted[i].item<double>()));
  }
  return most;
}

}  // namespace

TEST_CASE("SyncBatchNorm: processes normalize over the whole batch, as one does", "[share]") {
  for (const auto& options : {BatchNormOptions(12), BatchNormOptions(12).momentum(c10::nullopt),
                              BatchNormOptions(12).affine(false).eps(1e-3)}) {
    const at::Tensor alone = trained(torch::nn::BatchNorm1d(options), {});
    const at::Tensor per_shard = trained(torch::nn::BatchNorm1d(options), {rg::Alone{}, 4});
    CHECK((alone - per_shard).abs().max().item<double>() > 1e-2);  // what the layer is for
    for (const int count : {1, 2, 4}) {
      CAPTURE(count);
      const auto all = in_processes(count, [&](const processes::Group& group) {
        const rg::DataParallel share(group, count);
        return numbers_of(trained(rg::networks::SyncBatchNorm(share, options), share));
      });
      for (const std::string& each : all) {
        CHECK(distance(each, alone) < 2e-4);
        CHECK(each == all.front());
      }
    }
  }
}

TEST_CASE("SyncBatchNorm: output, gradients and running statistics are those of BatchNorm", "[share]") {
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    // Far from 0, where sums of squares would cancel.
    torch::manual_seed(1);
    const at::Tensor x = (torch::randn({6, 3, 2, 4}, type) * 2 + 100).contiguous(at::MemoryFormat::ChannelsLast);
    const at::Tensor slope = torch::randn({6, 3, 2, 4}, type);
    torch::nn::BatchNorm2d whole(3);
    whole->to(type);
    at::Tensor input = x.clone().set_requires_grad(true);
    const at::Tensor output = whole->forward(input);
    (output * slope).sum().backward();
    const double most = type == at::kDouble ? 1e-9 : 5e-3;  // 100 in float is known to 1e-5

    const auto all = in_processes(2, [&](const processes::Group& group) {
      const rg::DataParallel share(group, 2);
      rg::networks::SyncBatchNorm sync(share, 3);
      sync->to(type);
      // One process has two rows, the other four.
      const std::int64_t begin = group.rank() == 0 ? 0 : 2;
      const std::int64_t rows = group.rank() == 0 ? 2 : 4;
      at::Tensor own = x.narrow(0, begin, rows).clone().set_requires_grad(true);
      const at::Tensor result = sync->forward(own);
      (result * slope.narrow(0, begin, rows)).sum().backward();
      const at::Tensor weight = share.all_gather(sync->weight.grad(), "a gradient").sum(0) - whole->weight.grad();
      const at::Tensor bias = share.all_gather(sync->bias.grad(), "a gradient").sum(0) - whole->bias.grad();
      for (const at::Tensor& wrong :
           {result - output.narrow(0, begin, rows), own.grad() - input.grad().narrow(0, begin, rows), weight, bias,
            sync->running_mean - whole->running_mean, (sync->running_var - whole->running_var) / 10,
            (sync->num_batches_tracked - whole->num_batches_tracked).to(at::kDouble)}) {
        if (wrong.abs().max().item<double>() > most) {
          return "differs by " + rg::detail::text(wrong.abs().max().item<double>());
        }
      }
      sync->eval();
      whole->eval();
      return std::string(torch::allclose(sync->forward(x), whole->forward(x), 1e-3, 1e-3) ? "equal"
                                                                                          : "differs in eval");
    });
    CHECK(all == std::vector<std::string>{"equal", "equal"});
  }
}

TEST_CASE("SyncBatchNorm: misuse", "[share]") {
  CHECK(contains(error_of([] { rg::networks::SyncBatchNorm(rg::DataParallel(rg::Alone{}, 8), 3); }),
                 "SyncBatchNorm: DataParallel.shards must be the number of processes, 1"));
  const auto left_by = [](bool drop_last) {
    return in_processes(4, [&](const processes::Group& group) {
      const rg::DataParallel share(group, 4);
      auto net = normalized_by(rg::networks::SyncBatchNorm(share, 12));
      torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.2));
      const rg::Phase phase{
          .name = "train", .data = points(67, 5), .optimizer = sgd, .epochs = 1, .batch = 32, .drop_last = drop_last};
      rg::run(net, phase, {}, {.share = share});
      return std::string("no error");
    });
  };
  for (const std::string& each : left_by(false)) {
    CAPTURE(each);
    CHECK(contains(each,
                   "Phase \"train\".batch = 32 leaves a batch of 3 of 67 samples, but SyncBatchNorm needs one for "
                   "each of 4 processes: set drop_last = true, or another batch"));
  }
  CHECK(left_by(true) == std::vector<std::string>(4, "no error"));
  // Another DataParallel than the run's, of the same group.
  for (const std::string& each : in_processes(2, [&](const processes::Group& group) {
         auto net = normalized_by(rg::networks::SyncBatchNorm(rg::DataParallel(group, 2), 12));
         torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.2));
         const rg::Phase phase{.name = "train", .data = points(64, 5), .optimizer = sgd, .epochs = 1, .batch = 32};
         rg::run(net, phase, {}, {.share = group});
         return std::string("no error");
       })) {
    CAPTURE(each);
    CHECK(contains(each, "SyncBatchNorm: its DataParallel must be that of RunOptions.share"));
  }
  rg::networks::SyncBatchNorm alone(rg::DataParallel{}, 12);
  CHECK(contains(error_of([&] { alone->forward(torch::zeros({4, 5})); }),
                 "SyncBatchNorm: the input must be [N, 12, ...], but is [4, 5] float"));
}
