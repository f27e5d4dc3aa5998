#include "tiles.hpp"

#include <torch/torch.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "pictures.hpp"
#include "unit.hpp"

namespace rg = regimen;

namespace {

void add_tiles(std::vector<Tile>& tiles, int row, const rg::Batch& batch, const rg::Batch& originals,
               const Images& images) {
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
              .label = images.names[static_cast<std::size_t>(label)],
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

}  // namespace

void show_tiles(const Images& images, const Settings& settings) {
  const int copies = settings.recipe.copies.front();
  const rg::Source train = kit::some_of(images, settings.recipe.images, settings.first_seed);
  const std::int64_t columns = std::min<std::int64_t>(8, *train.size());
  const rg::Source confusion = confusion_set(train, images, settings, copies, settings.first_seed);
  const rg::Batch originals = to(train.get(torch::arange(columns)), torch::kCPU);
  std::vector<Tile> tiles;
  add_tiles(tiles, 0, originals, originals, images);
  for (int copy = 0; copy < std::min(copies, 4); ++copy) {
    const torch::Tensor places = torch::arange(columns) + copy * *train.size();
    add_tiles(tiles, copy + 1, to(confusion.get(places), torch::kCPU), originals, images);
  }
  draw_tiles(tiles, settings);
}
