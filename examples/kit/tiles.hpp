#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

#include <regimen/batch/batch.hpp>
#include <regimen/report/picture.hpp>
#include <regimen/report/pixels.hpp>
#include <regimen/source/source.hpp>

namespace kit {

/// The pixels of an image, [channels, height, width] with 1 channel (grey) or 3 (red, green, blue): bytes, or floats in
/// [0, 1]; what lies beyond is cut off. Of an image larger than 32 x 32 every second pixel, every third, ..., so that
/// single pixels that were damaged keep their colours. Throws regimen::Error for any other shape.
regimen::report::Pixels pixels_of(const torch::Tensor& image);

/// A row of the batch's images, each above its class's name. Names of labels that are not those of `originals`, sample
/// by sample, stand out. Targets are class numbers; `class_names` has a name for each.
regimen::report::TileRow row_of(const std::string& name, const regimen::Batch& batch, const regimen::Batch& originals,
                                const std::vector<std::string>& class_names);

/// A picture of the first eight images of a training set, and below them the same images of damaged copies of it, four
/// at most. `damaged`: copy after copy of all images, each in their order.
regimen::report::Picture damage_picture(const regimen::Source& train, const regimen::Source& damaged,
                                        const std::string& damage, const std::vector<std::string>& class_names);

}  // namespace kit
