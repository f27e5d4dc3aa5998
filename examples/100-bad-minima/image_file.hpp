#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <string>

/// Throws regimen::Error, which names the packages to install, if this program was built without what decodes images.
void require_image_decoder();

/// A PNG or JPEG file, told by its first bytes and not by its name, in colour: [3, height, width] uint8. Grey is
/// repeated, transparency dropped, CMYK converted, and a camera's rotation ignored, all as Pillow's convert("RGB")
/// does. Throws regimen::Error, which names the file, for one that cannot be read or decoded, that is cut short, or
/// that has more than 100 million pixels.
torch::Tensor read_image(const std::string& path);

/// The image [3, height, width] uint8 as [3, side, side] uint8: its shorter side is resized to `side`, bilinearly and
/// with antialiasing, and the centre is cut out.
torch::Tensor fit_image(const torch::Tensor& image, std::int64_t side);
