#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <string>

/// Throws regimen::Error, which names the packages to install, if this program was built without what decodes images.
void require_image_decoder();

/// A PNG or JPEG file, told by its first bytes and not by its name, in colour: [3, height, width] uint8. Grey is
/// repeated, transparency dropped, of 16 bits the higher 8 taken, CMYK converted, and a gamma and a camera's rotation
/// ignored, all as Pillow's convert("RGB") does (but for grey of 16 bits, which that cuts off at 255). Throws
/// regimen::Error, which names the file, for one that cannot be read or decoded, that is cut short, or that has more
/// than 100 million pixels.
torch::Tensor read_image(const std::string& path);

/// The image [3, height, width] uint8 as [3, side, side] uint8: its shorter side is resized to `side`, bilinearly and
/// with antialiasing, and the centre is cut out. Throws regimen::Error for one so long that it would be resized to more
/// than 100 million pixels.
torch::Tensor fit_image(const torch::Tensor& image, std::int64_t side);
