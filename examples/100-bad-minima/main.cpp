// Bad global minima exist, and SGD can reach them: the experiment of Liu, Papailiopoulos and Achlioptas (NeurIPS 2020)
// on real images in ten minutes on two CPU cores.

#include <torch/torch.h>

#include <CLI/CLI.hpp>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>

#include <regimen/regimen.hpp>

#include "files.hpp"
#include "images.hpp"
#include "jobs.hpp"
#include "settings.hpp"
#include "toy.hpp"

volatile std::sig_atomic_t interrupted = 0;

namespace {

extern "C" void on_signal(int /*signal*/) {
  interrupted = 1;
}

void add_options(CLI::App& app, Settings& s) {
  app.add_option("--data", s.data, "fashion-mnist, cifar10, cifar100, cinic10, restricted-imagenet or toy")
      ->check(CLI::IsMember({"fashion-mnist", "cifar10", "cifar100", "cinic10", "restricted-imagenet", "toy"}))
      ->capture_default_str();
  app.add_option("--root", s.root, "folder of the data (default: where Debian's package puts Fashion-MNIST)");
  app.add_option("--side", s.side, "width and height that Restricted ImageNet's images are resized to, in pixels")
      ->check(CLI::Range(8, 1024))
      ->capture_default_str();
  app.add_option("--out", s.out, "folder of the results")->capture_default_str();
  app.add_flag("--ablation", s.ablation, "all eight sets of augmentation, l2 and momentum");
  app.add_flag("--resume", s.resume, "go on where an interrupted run with the same settings was");
  app.add_flag("--quiet", s.quiet, "no progress, only the table");
  app.add_flag("--paper", s.paper, "the toy with the authors' full recipe (some minutes)");
  app.add_option("--seeds", s.seeds, "number of seeds (default: 3 where bf16 is fast, else 2; 1 for the toy)")
      ->check(CLI::PositiveNumber);
  app.add_option("--first-seed", s.first_seed, "the first of them")->capture_default_str();
  app.add_option("--device", s.device, "auto, cpu or cuda")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->capture_default_str();
  app.add_option("--precision", s.precision, "auto, fp32 or bf16 (auto: bf16 where the processor has it)")
      ->check(CLI::IsMember({"auto", "fp32", "bf16"}))
      ->capture_default_str();
  app.add_option("--threads", s.threads, "CPU threads (default: all processors)")->check(CLI::PositiveNumber);

  const std::string group = "The experiment";
  app.add_option("--images", s.recipe.images, "training images")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->group(group);
  app.add_option("--copies", s.recipe.copies, "R: copies of each image in the confusion set")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->group(group);
  app.add_option("--zeroed", s.recipe.zeroed, "N: share of each copy's pixels that are zeroed, in [0, 1]")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str()
      ->group(group);
  app.add_option("--batch", s.recipe.batch, "images a step")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->group(group);
  app.add_option("--memorize-rate", s.recipe.memorize_rate, "learning rate on random labels")
      ->capture_default_str()
      ->group(group);
  app.add_option("--memorize-epochs", s.recipe.memorize_epochs,
                 "at most so many epochs on random labels; ends at 99.99 % fit")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->group(group);
  app.add_option("--vanilla-rate", s.recipe.vanilla_rate, "learning rate of vanilla SGD on true labels")
      ->capture_default_str()
      ->group(group);
  app.add_option("--vanilla-epochs", s.recipe.vanilla_epochs,
                 "at most so many epochs of vanilla SGD; ends at 100 % fit")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->group(group);
  app.add_option("--escape-rate", s.recipe.escape_rate, "learning rate with regularizers, to 0 along a cosine")
      ->capture_default_str()
      ->group(group);
  app.add_option("--escape-epochs", s.recipe.escape_epochs, "epochs with regularizers")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->group(group);
  app.add_option("--momentum", s.recipe.momentum, "momentum of SGD where it is on, in [0, 1)")
      ->capture_default_str()
      ->group(group);
  app.add_option("--weight-decay", s.recipe.weight_decay, "l2 strength where it is on")
      ->capture_default_str()
      ->group(group);
  app.add_option("--padding", s.recipe.padding, "random crop, in pixels (default: an eighth of the side)")
      ->group(group);
  app.add_option("--score-every", s.recipe.score_every, "epochs between the points of the curves (first seed)")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->group(group);
}

/// What the folder of a data set's files has in it; nothing for those that need none.
std::string needed_root(const std::string& data) {
  if (data == "cifar10") {
    return "cifar-10-batches-bin";
  }
  if (data == "cifar100") {
    return "cifar-100-binary";
  }
  if (data == "cinic10") {
    return "train, valid and test";
  }
  return data == "restricted-imagenet" ? "train and val" : "";
}

/// The toy's tensors are too small for a GPU, for bf16 and for threads; it has arms of its own.
void settle_toy(Settings& s) {
  if (s.device == "cuda" || s.precision == "bf16" || s.ablation) {
    throw regimen::Error("--data toy trains in fp32 on the CPU, and has no --ablation");
  }
  s.device = "cpu";
  s.precision = "fp32";
  s.threads = s.threads == 0 ? 1 : s.threads;
  s.seeds = s.seeds == 0 ? 1 : s.seeds;
}

/// Turns every "auto" into what this machine has, and says so.
void settle(Settings& s) {
  if (s.data == "toy") {
    settle_toy(s);
  } else if (s.paper) {
    throw regimen::Error("--paper is the toy's recipe: it goes with --data toy");
  }
  if (s.device == "auto") {
    s.device = torch::cuda::is_available() ? "cuda" : "cpu";
  } else if (s.device == "cuda" && !torch::cuda::is_available()) {
    throw regimen::Error("--device cuda: this LibTorch finds no CUDA device");
  }
  const bool fast_bf16 = s.device == "cuda" || regimen::cpu_has_bf16();
  if (s.precision == "auto") {
    s.precision = fast_bf16 ? "bf16" : "fp32";
  }
  if (s.seeds == 0) {
    s.seeds = fast_bf16 ? 3 : 2;
  }
  if (s.threads == 0) {
    s.threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  }
  const std::string missing = s.root.empty() ? needed_root(s.data) : "";
  if (!missing.empty()) {
    throw regimen::Error("--data " + s.data + " needs --root DIR: the folder that holds " + missing);
  }
  torch::set_num_threads(s.threads);
  std::printf("regimen %s, LibTorch %s, %s, %s, %d thread%s, %d seed%s\n", regimen::version, TORCH_VERSION,
              s.device.c_str(), s.precision.c_str(), s.threads, s.threads == 1 ? "" : "s", s.seeds,
              s.seeds == 1 ? "" : "s");
  if (!fast_bf16 && s.data != "toy") {
    std::printf("This processor has no fast bf16: fp32, and fewer seeds unless --seeds says otherwise.\n");
  }
}

/// Starts the results folder anew, or makes sure that what is there was made with the same settings.
void open_results(const Settings& s) {
  namespace fs = std::filesystem;
  Settings same = s;
  same.resume = false;
  same.quiet = false;
  const std::string settings = regimen::manifest(same) + "\n";
  const std::string path = s.out + "/settings.json";
  if (s.resume && fs::exists(path)) {
    const std::string before = read_file(path);
    if (before != settings) {
      throw regimen::Error("--resume: " + path + " was written with other settings:\n" + before + "now:\n" + settings);
    }
    return;
  }
  // Nothing of an earlier run stays: its table beside other settings would be read as theirs.
  for (const char* old : {"settings.json", "checkpoints", "epochs", "seconds", "pictures", "results.csv", "summary.csv",
                          "epochs.csv", "toy.csv", "table.txt", "manifest.json"}) {
    fs::remove_all(s.out + "/" + old);
  }
  fs::create_directories(s.out);
  write_file(path, settings);
}

}  // namespace

int main(int argc, char** argv) {
#if defined(__GLIBC__)
  // Otherwise glibc gives large tensors back to the system at every step: 10 to 19 % of the time in fp32.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_TOP_PAD, 256 << 20);
#endif
  CLI::App app(
      "Bad global minima exist and SGD can reach them (Liu, Papailiopoulos and Achlioptas, NeurIPS 2020).\n"
      "Trains one network on true labels from two starting points, random weights and weights that were fitted to "
      "random\n"
      "labels, with vanilla SGD and with augmentation, l2 and momentum, and says how far the two end apart.");
  Settings settings;
  add_options(app, settings);
  CLI11_PARSE(app, argc, argv);
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  try {
    settle(settings);
    const regimen::Lock mine(settings.out + "/lock");
    open_results(settings);
    if (settings.data == "toy") {
      run_toy(settings);
    } else {
      run_images(settings);
    }
  } catch (const Interrupted& stop) {
    std::fprintf(stderr, "\n%s\n", stop.what());
    return 130;
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "\nbad_minima: %s\n", failure.what());
    return 1;
  }
  return 0;
}
