#include "tiles.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <regimen/base/error.hpp>

namespace kit {

regimen::report::Pixels pixels_of(const torch::Tensor& image) {
  const bool has_colours = image.dim() == 3 && (image.size(0) == 1 || image.size(0) == 3);
  if (!has_colours || image.numel() == 0) {
    throw regimen::Error("pixels_of: the image must be [1 or 3, height, width], but is " + c10::str(image.sizes()));
  }
  const std::int64_t step = (std::max(image.size(1), image.size(2)) + 31) / 32;
  const torch::Tensor bytes = image.is_floating_point() ? (image * 255).round().clamp(0, 255) : image;
  const torch::Tensor shown = bytes.to(torch::kCPU, torch::kByte)
                                  .expand({3, -1, -1})
                                  .slice(1, 0, torch::nullopt, step)
                                  .slice(2, 0, torch::nullopt, step)
                                  .contiguous();
  const auto pixel = shown.accessor<std::uint8_t, 3>();
  regimen::report::Pixels pixels{.height = static_cast<std::size_t>(shown.size(1)),
                                 .width = static_cast<std::size_t>(shown.size(2))};
  for (std::int64_t y = 0; y < shown.size(1); ++y) {
    for (std::int64_t x = 0; x < shown.size(2); ++x) {
      pixels.colours.push_back({pixel[0][y][x], pixel[1][y][x], pixel[2][y][x]});
    }
  }
  return pixels;
}

regimen::report::TileRow row_of(const std::string& name, const regimen::Batch& batch, const regimen::Batch& originals,
                                const std::vector<std::string>& class_names) {
  regimen::report::TileRow row{.name = name};
  for (std::int64_t i = 0; i < batch.size(); ++i) {
    const auto label = batch.target[i].item<std::int64_t>();
    row.tiles.push_back({.image = pixels_of(batch.data[i]),
                         .text = class_names.at(static_cast<std::size_t>(label)),
                         .stands_out = label != originals.target[i].item<std::int64_t>()});
  }
  return row;
}

regimen::report::Picture damage_picture(const regimen::Source& train, const regimen::Source& damaged,
                                        const std::string& damage, const std::vector<std::string>& class_names) {
  const std::int64_t size = *train.size();
  const torch::Tensor columns = torch::arange(std::min<std::int64_t>(8, size));
  const regimen::Batch originals = train.get(columns);
  regimen::report::Tiles tiles{
      .rows = {row_of("training images,\ntheir true labels", originals, originals, class_names)}};
  for (std::int64_t copy = 0; copy < std::min<std::int64_t>(*damaged.size() / size, 4); ++copy) {
    tiles.rows.push_back(row_of(copy == 0 ? damage : "", damaged.get(columns + copy * size), originals, class_names));
  }
  return {.panels = {{.tiles = tiles}}};
}

}  // namespace kit
