#include "data.hpp"

#include <torch/torch.h>

#include <algorithm>
#include <utility>

#include <regimen/base/error.hpp>

namespace rg = regimen;

namespace {

/// Images with fewer pixels: each is the mean of those that it stands for.
struct Shrink {
  std::int64_t side = 0;  ///< pixels, width and height

  rg::Batch operator()(const rg::Batch& batch, const rg::Key& /*key*/) const {
    rg::Batch result = batch;
    result.data = torch::adaptive_avg_pool2d(batch.data.to(torch::kFloat), {side, side}).round().to(torch::kUInt8);
    return result;
  }
};

}  // namespace

namespace kit {
namespace {

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
  rg::ImageFolder of;

  [[nodiscard]] std::int64_t size() const { return of.size(); }
  [[nodiscard]] rg::Batch get(const torch::Tensor& index) const { return to(of.get(index), device); }
  [[nodiscard]] std::string manifest() const { return of.manifest(); }
};

Images load_as_they_are(const DataOptions& data, const torch::Device& device) {
  const auto in_memory = [&](const rg::Dataset& set, rg::Normalize normalize, std::vector<std::string> names) {
    return Images{to(set.train, device), to(set.test, device), std::move(normalize), std::move(names)};
  };
  const auto folders = [&](const auto& set, rg::Normalize normalize) {
    return Images{DecodedTo{device, set.train}, to(set.test.all(), device), std::move(normalize), set.train.names()};
  };
  if (data.name == "cifar10") {
    return in_memory(rg::cifar10(data.root), {.mean = {.4914, .4822, .4465}, .stddev = {.2023, .1994, .2010}},
                     {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"});
  }
  if (data.name == "cifar100") {
    return in_memory(rg::cifar100(data.root), {.mean = {.5071, .4865, .4409}, .stddev = {.2673, .2564, .2762}},
                     cifar100_names());
  }
  if (data.name == "cinic10") {
    return folders(rg::cinic10(data.root), {.mean = {.4789, .4723, .4305}, .stddev = {.2421, .2383, .2587}});
  }
  if (data.name == "restricted-imagenet") {
    return folders(rg::restricted_imagenet(data.root, data.side > 0 ? data.side : 64),
                   {.mean = {.4717, .4499, .3837}, .stddev = {.2600, .2516, .2575}});
  }
  if (data.name != "fashion-mnist") {
    throw rg::Error("there is no data set \"" + data.name + "\": name one of kit::data_names()");
  }
  return in_memory(
      data.root.empty() ? rg::fashion_mnist() : rg::fashion_mnist(data.root), {.mean = {.2860}, .stddev = {.3530}},
      {"t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"});
}

}  // namespace

Images load_images(const DataOptions& data, const torch::Device& device) {
  Images images = load_as_they_are(data, device);
  if (data.side > 0 && data.side != images.test.data.size(2)) {
    const Shrink shrink{data.side};
    images.train = rg::frozen(images.train, shrink, 0);
    images.test = shrink(images.test, rg::Key(0, images.test.id));
  }
  return images;
}

regimen::Source some_of(const Images& images, std::int64_t count, std::uint64_t seed) {
  const bool all = count == 0 || count >= *images.train.size();
  return rg::cached(all ? images.train : rg::sample(images.train, count, seed));
}

const std::vector<std::string>& data_names() {
  static const std::vector<std::string> names{"fashion-mnist", "cifar10", "cifar100", "cinic10", "restricted-imagenet"};
  return names;
}

std::string needed_root(const std::string& name) {
  if (name == "cifar10") {
    return "cifar-10-batches-bin";
  }
  if (name == "cifar100") {
    return "cifar-100-binary";
  }
  if (name == "cinic10") {
    return "train, valid and test";
  }
  return name == "restricted-imagenet" ? "train and val" : "";
}

void require_root(const DataOptions& data) {
  const std::string missing = data.root.empty() ? needed_root(data.name) : "";
  if (!missing.empty()) {
    throw rg::experiment::UsageError("--data " + data.name + " needs --root DIR: the folder that holds " + missing);
  }
}

}  // namespace kit
