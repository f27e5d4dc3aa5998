// What each part of `Execution` is worth on a GPU, against what the GPU could do, and against PyTorch.
//
//     benchmark-cuda variants [MODEL]     images a second at two batch sizes, from plain fp32 to a recorded step in
//                                         bf16; a key's draws as tensor operations and as one kernel
//     benchmark-cuda networks             the paper's other networks, with a step recorded and not
//     benchmark-cuda peers                the authors' recipe and idiomatic PyTorch, in turn with ours
//
// Ends with 77 where there is no GPU. benchmarks/cuda.sh runs all of it.

#include <torch/torch.h>

#include <ATen/cuda/CUDAContext.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <regimen/regimen.hpp>

#include "../examples/kit/networks.hpp"
#include "measure.hpp"
#include "peer.hpp"

namespace rg = regimen;

namespace {

// Of ResNet-18 with CIFAR's stem, for an image of 32x32: three passes of 0.555 GMAC, and what BatchNorm and ReLU move
// in bf16 if each reads and writes its tensors on its own.
constexpr double resnet18_flop = 3.33e9;
constexpr double resnet18_bytes = 26e6;

void wait() {
  torch::cuda::synchronize();
}

std::string gpu() {
  const cudaDeviceProp* const properties = at::cuda::getCurrentDeviceProperties();
  return std::string(properties->name) + ", CUDA " + std::to_string(CUDA_VERSION / 1000);
}

/// Training with all three regularizers of the paper, on data that are on the GPU.
class Training {
 public:
  Training(const std::string& model, int batch, int steps, const rg::Execution& execute)
      : images_(static_cast<std::int64_t>(batch) * steps),
        net_(kit::make_network(model, 10, 3)),
        sgd_(net_->parameters(), torch::optim::SGDOptions(0.01).momentum(0.9).weight_decay(5e-4)) {
    const rg::Batch data{torch::randint(256, {images_, 3, 32, 32}, torch::kByte),
                         torch::randint(10, {images_}, torch::kLong)};
    phase_.name = model;
    phase_.data = to(data, torch::kCUDA);
    phase_.optimizer = sgd_;
    phase_.epochs = 4;
    phase_.batch = batch;
    phase_.lr_scale = rg::Cosine{.epochs = 8};
    phase_.augment = {rg::RandomCrop{.padding = 4}, rg::HorizontalFlip{}};
    phase_.preprocess = {rg::Normalize{.mean = {0.4914, 0.4822, 0.4465}, .stddev = {0.2023, 0.1994, 0.2010}}};
    phase_.execute = execute;
    phase_.execute.device = "cuda";
  }

  /// Seconds of an epoch once all is warm and recorded: the mean of the last three of four.
  double train() {
    std::vector<double> ends;
    const auto note = [&](const rg::Epoch& epoch) { ends.push_back(epoch.seconds); };
    const auto tell = [&](const rg::Notice& notice) { why_not = notice.text; };
    const rg::History history = rg::run(net_, {phase_}, rg::Scoring{.every = 4, .score_fit = false}, note, tell);
    loss = history.back().train_loss;
    return (ends[3] - ends[0]) / 3;
  }

  [[nodiscard]] double images() const { return static_cast<double>(images_); }

  double loss = 0;
  std::string why_not{};  ///< steps were not recorded

 private:
  std::int64_t images_;
  std::shared_ptr<rg::networks::Network> net_;
  torch::optim::SGD sgd_;
  rg::Phase phase_;
};

struct Variant {
  const char* name;
  rg::Execution execute;
};

std::vector<Variant> variants() {
  using rg::Precision;
  using rg::MemoryFormat::channels_last;
  return {
      {"fp32 without TF32, NCHW, torch::optim::SGD", {.autotune = true}},
      {"TF32, channels_last", {.precision = Precision::tf32, .memory_format = channels_last, .autotune = true}},
      {"bf16, channels_last", {.precision = Precision::bf16, .memory_format = channels_last, .autotune = true}},
      {"fp16 with loss scaling, channels_last",
       {.precision = Precision::fp16, .memory_format = channels_last, .autotune = true}},
      {"bf16, channels_last, fused step",
       {.precision = Precision::bf16, .memory_format = channels_last, .fused = true, .autotune = true}},
      {"bf16, channels_last, recorded step (CUDA graph)",
       {.precision = Precision::bf16, .memory_format = channels_last, .fused = true, .graph = true, .autotune = true}}};
}

/// Bytes a second that a copy reads and writes.
double copy_ceiling() {
  const torch::Tensor from =
      torch::empty({std::int64_t{1} << 30}, torch::TensorOptions(torch::kCUDA).dtype(torch::kByte));
  torch::Tensor to = torch::empty_like(from);
  const auto copy = [&] {
    for (int i = 0; i < 20; ++i) {
      to.copy_(from);
    }
    wait();
  };
  copy();
  return 20 * 2 * static_cast<double>(from.nbytes()) / seconds_of(copy);
}

/// Operations a second of a product of matrices in bf16.
double product_ceiling() {
  constexpr std::int64_t n = 8192;
  const auto options = torch::TensorOptions(torch::kCUDA).dtype(torch::kBFloat16);
  const torch::Tensor a = torch::randn({n, n}, options);
  const torch::Tensor b = torch::randn({n, n}, options);
  const auto multiply = [&] {
    for (int i = 0; i < 20; ++i) {
      (void)a.mm(b);
    }
    wait();
  };
  multiply();
  return 20 * 2.0 * n * n * n / seconds_of(multiply);
}

void measure_variants(const std::string& model, int batch, int images, const std::vector<Variant>& all) {
  constexpr int rounds = 3;
  const int steps = images / batch;
  const double bytes = copy_ceiling();
  const double operations = product_ceiling();
  const double roof = 1 / std::max(resnet18_flop / operations, resnet18_bytes / bytes);
  std::printf("%s, batch %d, %d steps an epoch; regimen %s, LibTorch %s, %s\n", model.c_str(), batch, steps,
              rg::version, rg::libtorch_version, gpu().c_str());
  std::printf(
      "ceilings here: copy %.2f TB/s, bf16 product %.0f TFLOP/s; roofline of ResNet-18 with unfused BatchNorm "
      "%.0f images/s\n",
      bytes / 1e12, operations / 1e12, roof);
  std::printf("variant,images_per_second,least,most,seconds_per_50000,share_of_roofline,train_loss\n");
  std::vector<std::unique_ptr<Training>> trainings;
  for (const Variant& variant : all) {
    torch::manual_seed(1);
    trainings.push_back(std::make_unique<Training>(model, batch, steps, variant.execute));
  }
  std::vector<std::vector<double>> seconds(all.size());
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      seconds[i].push_back(trainings[i]->train());
    }
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    const double count = trainings[i]->images();
    const double median = quantile(seconds[i], 0.5);
    std::printf("\"%s\",%.0f,%.0f,%.0f,%.2f,%.3f,%.4f\n", all[i].name, count / median, count / quantile(seconds[i], 1),
                count / quantile(seconds[i], 0), 50'000 / count * median,
                model == "resnet18" ? count / median / roof : 0.0, trainings[i]->loss);
    if (all[i].execute.graph && !trainings[i]->why_not.empty()) {
      std::printf("# %s\n", trainings[i]->why_not.c_str());
    }
    std::fflush(stdout);
  }
}

/// Seconds of a call, of a hundred in a row.
template <class Call>
double seconds_a_call(Call&& call) {
  const auto many = [&] {
    for (int i = 0; i < 100; ++i) {
      call();
    }
    wait();
  };
  many();
  return seconds_of(many) / 100;
}

void measure_draws() {
  const torch::Tensor ids = torch::arange(128, torch::TensorOptions(torch::kCUDA).dtype(torch::kLong));
  const rg::Key key(7, ids);
  const rg::detail::TensorWords words(rg::detail::KeyWords(7), {});
  std::printf("draws for 128 samples on %s, microseconds\ndraws_a_sample,by_operations,by_one_kernel\n", gpu().c_str());
  for (const std::int64_t n : {1, 3072}) {
    const double by_operations = seconds_a_call([&] { (void)words.by_operations(ids, n, 4); });
    const double by_kernel = seconds_a_call([&] { (void)words.draw(ids, n, 4); });
    const bool same = words.by_operations(ids, n, 4).equal(words.draw(ids, n, 4));
    std::printf("%lld,%.1f,%.1f%s\n", static_cast<long long>(n), 1e6 * by_operations, 1e6 * by_kernel,
                same ? "" : ",DIFFERENT BITS");
  }
  const rg::Batch batch{.data = torch::randint(256, {128, 3, 32, 32}, ids.options().dtype(torch::kByte)), .id = ids};
  const rg::Chain augment = rg::chain(rg::RandomCrop{.padding = 4}, rg::HorizontalFlip{});
  std::printf("random crop and flip of a batch of 128: %.1f\n",
              1e6 * seconds_a_call([&] { (void)augment(batch, key); }));
}

void measure_peers() {
  constexpr int batch = 128;
  constexpr int steps = 200;
  const Report report("One GPU, ResNet-18, batch 128, all three regularizers, 200 steps a turn", gpu());
  torch::manual_seed(1);
  Training ours("resnet18", batch, steps, variants().back().execute);
  const auto against = [&](const std::vector<std::string>& words, const std::string& what, double goal, int pairs) {
    std::vector<std::string> all{"images.py", "--model", "resnet18",           "--device",
                                 "cuda",      "--batch", std::to_string(batch)};
    all.insert(all.end(), words.begin(), words.end());
    Peer peer(all);
    report.faster("run, bf16, channels_last, recorded step", what, goal,
                  take_turns(pairs, [&] { return ours.train(); }, [&] { return peer.go(); }));
  };
  against({"--variant", "authors", "--workers", "4", "--steps", std::to_string(steps)},
          "the authors' recipe in PyTorch, fp32, DataLoader with 4 workers", 5, 3);
  against({"--variant", "idiomatic", "--precision", "bf16", "--steps", std::to_string(steps)},
          "idiomatic PyTorch, bf16 autocast, channels_last, tensors on the device", 1.3, 7);
  const double seconds = ours.train();
  std::printf("%.0f images/s, goal >= 50000\n", ours.images() / seconds);
}

}  // namespace

int main(int argc, char** argv) {
  if (!torch::cuda::is_available()) {
    std::printf("SKIPPED: there is no GPU here\n");
    return 77;
  }
  // LibTorch's default rounds the products in convolutions to TF32; here fp32 is fp32.
  at::globalContext().setAllowTF32CuDNN(false);
  const std::string what = argc > 1 ? argv[1] : "variants";
  if (what == "variants") {
    for (const int batch : {128, 512}) {
      measure_variants(argc > 2 ? argv[2] : "resnet18", batch, 25'600, variants());
    }
    measure_draws();
  } else if (what == "networks") {
    const std::vector<Variant> all = variants();
    for (const char* const model : {"vgg16", "resnet50", "densenet40"}) {
      measure_variants(model, 128, 12'800, {all[all.size() - 2], all.back()});
    }
  } else if (what == "peers") {
    measure_peers();
  } else {
    std::printf("usage: %s [variants [MODEL] | networks | peers]\n", argv[0]);
    return 2;
  }
  return 0;
}
