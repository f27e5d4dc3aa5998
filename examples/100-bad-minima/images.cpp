#include "images.hpp"

#include <torch/torch.h>

#include <cstdio>

#include "image_folder.hpp"
#include "jobs.hpp"
#include "network.hpp"
#include "pictures.hpp"
#include "report.hpp"

namespace {

/// What differs between the data sets.
struct Images {
  rg::Source train;  ///< in memory on the device, or folders that are decoded when they are read
  rg::Batch test;    ///< on the device
  rg::Normalize normalize;
  std::vector<std::string> names{};

  [[nodiscard]] int classes() const { return static_cast<int>(names.size()); }
  [[nodiscard]] int channels() const { return static_cast<int>(test.data.size(1)); }

  /// Of the random crop, unless the settings say otherwise: CIFAR's usual 4 at a side of 32.
  [[nodiscard]] std::int64_t padding() const { return test.data.size(2) / 8; }
};

/// The fine labels, as fine_label_names.txt beside the data has them.
std::vector<std::string> cifar100_names() {
  return {"apple",      "aquarium fish", "baby",         "bear",       "beaver",      "bed",         "bee",
          "beetle",     "bicycle",       "bottle",       "bowl",       "boy",         "bridge",      "bus",
          "butterfly",  "camel",         "can",          "castle",     "caterpillar", "cattle",      "chair",
          "chimpanzee", "clock",         "cloud",        "cockroach",  "couch",       "crab",        "crocodile",
          "cup",        "dinosaur",      "dolphin",      "elephant",   "flatfish",    "forest",      "fox",
          "girl",       "hamster",       "house",        "kangaroo",   "keyboard",    "lamp",        "lawn mower",
          "leopard",    "lion",          "lizard",       "lobster",    "man",         "maple tree",  "motorcycle",
          "mountain",   "mouse",         "mushroom",     "oak tree",   "orange",      "orchid",      "otter",
          "palm tree",  "pear",          "pickup truck", "pine tree",  "plain",       "plate",       "poppy",
          "porcupine",  "possum",        "rabbit",       "raccoon",    "ray",         "road",        "rocket",
          "rose",       "sea",           "seal",         "shark",      "shrew",       "skunk",       "skyscraper",
          "snail",      "snake",         "spider",       "squirrel",   "streetcar",   "sunflower",   "sweet pepper",
          "table",      "tank",          "telephone",    "television", "tiger",       "tractor",     "train",
          "trout",      "tulip",         "turtle",       "wardrobe",   "whale",       "willow tree", "wolf",
          "woman",      "worm"};
}

/// A folder of images whose batches are on the device.
struct DecodedTo {
  torch::Device device;
  ImageFolder of;

  [[nodiscard]] std::int64_t size() const { return of.size(); }
  [[nodiscard]] rg::Batch get(const torch::Tensor& index) const { return to(of.get(index), device); }
  [[nodiscard]] std::string manifest() const { return of.manifest(); }
};

Images load(const Settings& settings, torch::Device device) {
  const auto in_memory = [&](const rg::Dataset& data, rg::Normalize normalize, std::vector<std::string> names) {
    return Images{to(data.train, device), to(data.test, device), std::move(normalize), std::move(names)};
  };
  const auto folders = [&](const auto& data, rg::Normalize normalize) {
    return Images{DecodedTo{device, data.train}, to(data.test.all(), device), std::move(normalize), data.train.names()};
  };
  if (settings.data == "cifar10") {
    return in_memory(rg::cifar10(settings.root), {.mean = {.4914, .4822, .4465}, .stddev = {.2023, .1994, .2010}},
                     {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"});
  }
  if (settings.data == "cifar100") {
    return in_memory(rg::cifar100(settings.root), {.mean = {.5071, .4865, .4409}, .stddev = {.2673, .2564, .2762}},
                     cifar100_names());
  }
  if (settings.data == "cinic10") {
    return folders(cinic10(settings.root), {.mean = {.4789, .4723, .4305}, .stddev = {.2421, .2383, .2587}});
  }
  if (settings.data == "restricted-imagenet") {
    return folders(restricted_imagenet(settings.root, settings.side),
                   {.mean = {.4717, .4499, .3837}, .stddev = {.2600, .2516, .2575}});
  }
  return in_memory(
      settings.root.empty() ? rg::fashion_mnist() : rg::fashion_mnist(settings.root),
      {.mean = {.2860}, .stddev = {.3530}},
      {"t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"});
}

/// A set of the paper's three regularizers.
struct Regularizers {
  bool augmentation = false;
  bool l2 = false;
  bool momentum = false;

  [[nodiscard]] bool none() const { return !augmentation && !l2 && !momentum; }

  [[nodiscard]] std::string name() const {
    if (none()) {
      return "vanilla";
    }
    if (augmentation && l2 && momentum) {
      return "all three";
    }
    std::string text;
    const auto add = [&text](bool on, const char* what) {
      text += on ? (text.empty() ? "" : " + ") + std::string(what) : "";
    };
    add(augmentation, "augmentation");
    add(l2, "l2");
    add(momentum, "momentum");
    return text;
  }
};

std::vector<Regularizers> sets_of(const Settings& settings) {
  if (!settings.ablation) {
    return {{}, {true, true, true}};
  }
  std::vector<Regularizers> sets;
  for (int bits = 0; bits < 8; ++bits) {
    sets.push_back({(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0});
  }
  return sets;
}

/// The experiment with everything that does not change from seed to seed.
class Experiment {
 public:
  explicit Experiment(const Settings& settings)
      : settings_(settings),
        device_(settings.device == "cuda" ? torch::kCUDA : torch::kCPU),
        images_(load(settings, device_)),
        sets_(sets_of(settings)),
        jobs_(settings, settings.seeds * static_cast<int>(1 + 2 * sets_.size()), settings.seeds * samples_a_seed()) {
    test_ = images_.test;
    execute_.precision = settings.precision == "bf16" ? rg::Precision::bf16 : rg::Precision::fp32;
    execute_.memory_format = rg::MemoryFormat::channels_last;
  }

  void run_seed(std::uint64_t seed) {
    const rg::Source train = rg::cached(rg::sample(images_.train, settings_.recipe.images, seed));
    const auto damage =
        rg::chain(rg::ZeroPixels{.fraction = settings_.recipe.zeroed}, rg::UniformLabels{.classes = images_.classes()});
    const rg::Source confusion = rg::frozen(rg::repeat(train, settings_.recipe.copies), damage, seed);
    if (seed == settings_.first_seed) {
      show_tiles(train, confusion);
    }

    torch::manual_seed(seed);
    PooledResNet net(images_.channels(), images_.classes());
    net->to(device_);
    const rg::Snapshot random(net);

    // 1. Reach a bad minimum: fit damaged copies of the images under random labels.
    torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(settings_.recipe.memorize_rate));
    rg::Phase memorize = phase("memorize", confusion, sgd, settings_.recipe.memorize_epochs, seed, /*arm=*/0);
    memorize.until = rg::FitReaches{0.9999};
    const Job job = keep(jobs_.run(job_name(seed, "memorize"), net, sgd, memorize,
                                   splits(train, seed, settings_.recipe.memorize_epochs), memorize_samples()));
    memorized.histories.push_back(job.history);
    const double fit = job.history.back().fit.accuracy;
    memorized.least_fit = std::min(memorized.least_fit, fit);
    memorized.all_fitted = memorized.all_fitted && fit >= 0.9999;
    const rg::Snapshot adversarial(net);

    // 2. Train on the true labels, from there and from where it began, with each set of regularizers.
    int arm = 0;
    for (const Regularizers& set : sets_) {
      for (const bool from_random : {true, false}) {
        (from_random ? random : adversarial).restore();
        run_arm(seed, ++arm, set, from_random, train, net);
      }
    }
  }

  std::vector<Arm> arms{};
  Memorized memorized{};
  std::vector<Job> finished{};

 private:
  // Epochs that the memorizing and the vanilla phases have been seen to need: for the time left, nothing hangs on them.
  [[nodiscard]] double memorize_samples() const {
    return 22.0 * settings_.recipe.copies * static_cast<double>(settings_.recipe.images);
  }
  [[nodiscard]] double vanilla_samples() const { return 16.0 * static_cast<double>(settings_.recipe.images); }
  [[nodiscard]] double escape_samples() const {
    return static_cast<double>(settings_.recipe.escape_epochs * settings_.recipe.images);
  }
  [[nodiscard]] double samples_a_seed() const {
    return memorize_samples() + 2 * vanilla_samples() + 2 * static_cast<double>(sets_.size() - 1) * escape_samples();
  }

  /// What all phases share. Every arm of every seed has random numbers of its own.
  [[nodiscard]] rg::Phase phase(const std::string& name, const rg::Source& data, torch::optim::Optimizer& optimizer,
                                int epochs, std::uint64_t seed, int arm) const {
    return {.name = name,
            .data = data,
            .optimizer = optimizer,
            .epochs = epochs,
            .batch = settings_.recipe.batch,
            .preprocess = {images_.normalize},
            .execute = execute_,
            .seed = 1000 * seed + static_cast<std::uint64_t>(arm)};
  }

  /// The first seed is scored often enough for curves, the others at their ends: scoring costs time and changes
  /// nothing. Fit alone, which the stop criteria read, is scored every second epoch.
  [[nodiscard]] rg::Splits splits(const rg::Source& train, std::uint64_t seed, int epochs) const {
    const bool curves = seed == settings_.first_seed;
    return {.clean = train,
            .test = test_,
            .every = curves ? settings_.recipe.score_every : std::max(epochs, 1),
            .fit_every = 2,
            .batch = 100};  // small enough for the caches: twice as fast as 500
  }

  void run_arm(std::uint64_t seed, int number, const Regularizers& set, bool from_random, const rg::Source& train,
               PooledResNet& net) {
    const std::string start = from_random ? "random" : "adversarial";
    const double rate = set.none() ? settings_.recipe.vanilla_rate : settings_.recipe.escape_rate;
    torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(rate)
                                                 .momentum(set.momentum ? settings_.recipe.momentum : 0)
                                                 .weight_decay(set.l2 ? settings_.recipe.weight_decay : 0));
    const int epochs = set.none() ? settings_.recipe.vanilla_epochs : settings_.recipe.escape_epochs;
    rg::Phase train_phase = phase(set.name(), train, sgd, epochs, seed, number);
    rg::Splits scored = splits(train, seed, epochs);
    if (set.none()) {
      train_phase.until = rg::FitReaches{1};
    } else {
      train_phase.lr_scale = rg::Cosine{.epochs = static_cast<double>(epochs)};
      scored.fit_every = 0;  // no criterion reads it
    }
    if (set.augmentation) {
      train_phase.augment = {
          rg::RandomCrop{.padding = settings_.recipe.padding > 0 ? settings_.recipe.padding : images_.padding()},
          rg::HorizontalFlip{}};
    }
    const Job job = keep(jobs_.run(job_name(seed, start + "-" + set.name()), net, sgd, train_phase, scored,
                                   set.none() ? vanilla_samples() : escape_samples()));
    arms.push_back({seed, start, set.name(), job.history});
  }

  Job keep(Job job) {
    finished.push_back(job);
    return job;
  }

  void show_tiles(const rg::Source& train, const rg::Source& confusion) const {
    constexpr int columns = 8;
    const rg::Batch originals = to(train.get(torch::arange(columns)), torch::kCPU);
    std::vector<Tile> tiles;
    add_tiles(tiles, 0, originals, originals);
    for (int copy = 0; copy < std::min(settings_.recipe.copies, 4); ++copy) {
      add_tiles(tiles, copy + 1,
                to(confusion.get(torch::arange(columns) + copy * settings_.recipe.images), torch::kCPU), originals);
    }
    draw_tiles(tiles, settings_);
  }

  void add_tiles(std::vector<Tile>& tiles, int row, const rg::Batch& batch, const rg::Batch& originals) const {
    for (std::int64_t i = 0; i < batch.size(); ++i) {
      // Of large ones every second pixel, every third, ...: a zeroed pixel is either shown as it is, or not at all.
      const std::int64_t step = (batch.data.size(2) + 31) / 32;
      const torch::Tensor image = batch.data[i]
                                      .to(torch::kInt)
                                      .expand({3, -1, -1})
                                      .slice(1, 0, torch::nullopt, step)
                                      .slice(2, 0, torch::nullopt, step)
                                      .contiguous();
      const auto pixel = image.accessor<int, 3>();
      const auto label = batch.target[i].item<std::int64_t>();
      Tile tile{.row = row,
                .column = static_cast<int>(i),
                .height = static_cast<int>(image.size(1)),
                .width = static_cast<int>(image.size(2)),
                .label = images_.names[static_cast<std::size_t>(label)],
                .wrong = label != originals.target[i].item<std::int64_t>()};
      for (int y = 0; y < tile.height; ++y) {
        for (int x = 0; x < tile.width; ++x) {
          const auto byte = [&](int channel) { return static_cast<std::uint8_t>(pixel[channel][y][x]); };
          tile.pixels.push_back({byte(0), byte(1), byte(2)});
        }
      }
      tiles.push_back(std::move(tile));
    }
  }

  const Settings& settings_;
  torch::Device device_;
  Images images_;
  std::vector<Regularizers> sets_;
  Jobs jobs_;
  rg::Source test_;
  rg::Execution execute_;
};

}  // namespace

void run_images(const Settings& settings) {
  Experiment experiment(settings);
  for (int i = 0; i < settings.seeds; ++i) {
    experiment.run_seed(settings.first_seed + static_cast<std::uint64_t>(i));
  }
  const auto comparisons = compare(experiment.arms);
  write_tables(experiment.arms, comparisons, experiment.memorized, settings);
  write_manifest(experiment.finished, settings);
  draw_curves(experiment.arms, experiment.memorized, settings);
  draw_holes(comparisons, experiment.memorized, settings);

  const std::string result =
      table(comparisons, experiment.memorized, settings) + "\n" + answer(comparisons, experiment.memorized);
  write_file(settings.out + "/table.txt", result);
  std::printf("%s\n", result.c_str());
  std::printf("Every number: %s/results.csv, summary.csv, epochs.csv, manifest.json\n", settings.out.c_str());
  finish_pictures(settings);
}
