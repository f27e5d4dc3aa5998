// Shows what each transform of inputs does to five images of Fashion-MNIST, frozen, and to the first of them in three
// epochs, fresh, as an SVG picture: docs/pictures/inputs.svg is what this program writes.
//
//     draw_inputs > docs/pictures/inputs.svg
//
// Needs Debian's package dataset-fashion-mnist, or a folder of these files as its argument.

#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <regimen/damage.hpp>
#include <regimen/datasets.hpp>
#include <regimen/report.hpp>
#include <regimen/source.hpp>
#include <regimen/transform.hpp>

namespace rg = regimen;
namespace report = regimen::report;

namespace {

struct Row {
  std::string text;  ///< as code
  rg::AnyTransform transform;
};

std::vector<Row> rows() {
  const rg::RandomChoice choice{
      .choices = {rg::Rotation90{}, rg::Cutout{.side = 8}, rg::Contrast{.strength = 0.9}, rg::RandomCrop{}},
      .picks = 2};
  return {{"chain(), as it is", rg::chain()},
          {"ZeroPixels{.fraction = 0.2}", rg::ZeroPixels{.fraction = 0.2}},
          {"SaltAndPepper{.fraction = 0.2}", rg::SaltAndPepper{.fraction = 0.2}},
          {"GaussianNoise{.stddev = 0.2}", rg::GaussianNoise{.stddev = 0.2}},
          {"GaussianImages{{0.286}, {0.353}}", rg::GaussianImages{{0.286}, {0.353}}},
          {"PixelPermutation{.seed = 1}", rg::PixelPermutation{.seed = 1}},
          {"PixelPermutationPerSample{}", rg::PixelPermutationPerSample{}},
          {"Cutout{.side = 10}", rg::Cutout{.side = 10}},
          {"Cutout{.side = 10, .fill = {0.286}}", rg::Cutout{.side = 10, .fill = {0.286}}},
          {"RandomCrop{.padding = 6}", rg::RandomCrop{.padding = 6}},
          {"HorizontalFlip{}", rg::HorizontalFlip{}},
          {"VerticalFlip{}", rg::VerticalFlip{}},
          {"Rotation90{}", rg::Rotation90{}},
          {"Brightness{.strength = 0.9}", rg::Brightness{.strength = 0.9}},
          {"Contrast{.strength = 0.9}", rg::Contrast{.strength = 0.9}},
          {"RandomChoice{.choices = {Rotation90{},\n  Cutout{.side = 8}, Contrast{...},\n  RandomCrop{}}, .picks = 2}",
           choice}};
}

constexpr std::int64_t still = 5;   ///< images shown frozen
constexpr std::int64_t epochs = 3;  ///< in which the first of them is shown fresh

/// One image of a batch: from 0, black, to 255. What went beyond is cut off, as a screen does.
report::Tile tile(const rg::Batch& batch, std::int64_t index) {
  const at::Tensor image = batch.data[index];
  const at::Tensor bytes = (image.is_floating_point() ? (image * 255).clamp(0, 255).round() : image).to(at::kByte);
  const at::Tensor row = bytes.flatten().contiguous();
  report::Pixels pixels{.height = static_cast<std::size_t>(image.size(1)),
                        .width = static_cast<std::size_t>(image.size(2))};
  for (std::int64_t i = 0; i < row.size(0); ++i) {
    const std::uint8_t grey = row.data_ptr<std::uint8_t>()[i];
    pixels.colours.push_back({grey, grey, grey});
  }
  return {pixels};
}

report::TileRow drawn(const Row& row, const rg::Batch& images, std::uint64_t seed) {
  report::TileRow result{.name = row.text};
  const rg::Batch frozen = rg::materialize(rg::frozen(images, row.transform, seed));
  for (std::int64_t k = 0; k < still; ++k) {
    result.tiles.push_back(tile(frozen, k));
  }
  for (int epoch = 0; epoch < epochs; ++epoch) {
    const rg::Batch first = rg::slice(images, 0, 1);
    const rg::Key key = rg::Key(100 + seed, first.id, {.clock = {.epoch = epoch}}).each_epoch();
    result.tiles.push_back(tile(row.transform(first, key), 0));
  }
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  const rg::Dataset data = argc > 1 ? rg::fashion_mnist(argv[1]) : rg::fashion_mnist();
  // An ankle boot, a t-shirt, a dress, a pullover and a bag.
  const rg::Batch images = rg::rows(data.train, at::tensor({0, 1, 3, 5, 35}, at::kLong));
  report::Tiles tiles{.groups = {{0, "frozen: the same at every epoch"}, {still, "fresh: epochs 0, 1, 2"}},
                      .code = true};
  std::uint64_t seed = 0;  // with one for all, what is mirrored would also be turned
  for (const Row& row : rows()) {
    tiles.rows.push_back(drawn(row, images, seed++));
  }
  const report::Picture picture{.description = "Transforms of inputs on Fashion-MNIST.", .panels = {{.tiles = tiles}}};
  std::fputs(report::svg(picture).c_str(), stdout);
}
