#include "tiles.hpp"

#include <torch/torch.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "pictures.hpp"
#include "unit.hpp"

namespace rg = regimen;

namespace {

/// Of large ones every second pixel, every third, ...: a zeroed pixel is either shown as it is, or not at all.
rg::report::Pixels pixels_of(const torch::Tensor& image) {
  const std::int64_t step = (image.size(1) + 31) / 32;
  const torch::Tensor shown = image.to(torch::kInt)
                                  .expand({3, -1, -1})
                                  .slice(1, 0, torch::nullopt, step)
                                  .slice(2, 0, torch::nullopt, step)
                                  .contiguous();
  const auto pixel = shown.accessor<int, 3>();
  rg::report::Pixels pixels{.height = static_cast<std::size_t>(shown.size(1)),
                            .width = static_cast<std::size_t>(shown.size(2))};
  for (std::int64_t y = 0; y < shown.size(1); ++y) {
    for (std::int64_t x = 0; x < shown.size(2); ++x) {
      const auto byte = [&](int channel) { return static_cast<std::uint8_t>(pixel[channel][y][x]); };
      pixels.colours.push_back({byte(0), byte(1), byte(2)});
    }
  }
  return pixels;
}

/// A row of images; labels that are not the originals' stand out.
rg::report::TileRow row_of(const std::string& name, const rg::Batch& batch, const rg::Batch& originals,
                           const Images& images) {
  rg::report::TileRow row{.name = name};
  for (std::int64_t i = 0; i < batch.size(); ++i) {
    const auto label = batch.target[i].item<std::int64_t>();
    row.tiles.push_back({.image = pixels_of(batch.data[i]),
                         .text = images.names[static_cast<std::size_t>(label)],
                         .stands_out = label != originals.target[i].item<std::int64_t>()});
  }
  return row;
}

}  // namespace

void show_tiles(const Images& images, const Settings& settings) {
  const int copies = settings.recipe.copies.front();
  const rg::Source train = kit::some_of(images, settings.recipe.images, settings.first_seed);
  const std::int64_t columns = std::min<std::int64_t>(8, *train.size());
  const rg::Source confusion = confusion_set(train, images, settings, copies, settings.first_seed);
  const rg::Batch originals = to(train.get(torch::arange(columns)), torch::kCPU);
  rg::report::Tiles tiles;
  tiles.rows.push_back(row_of("training images,\ntheir true labels", originals, originals, images));
  for (int copy = 0; copy < std::min(copies, 4); ++copy) {
    const torch::Tensor places = torch::arange(columns) + copy * *train.size();
    const std::string name = copy == 0 ? "confusion set:\npixels zeroed,\nrandom labels" : "";
    tiles.rows.push_back(row_of(name, to(confusion.get(places), torch::kCPU), originals, images));
  }
  draw_tiles(tiles, settings);
}
