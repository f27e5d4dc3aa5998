#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "regimen/base/text_list.hpp"
#include "regimen/batch/tensors.hpp"
#include "regimen/tensor/described.hpp"

/// Transforms that move pixels, together with the targets and further tensors that have a value for each pixel.
namespace regimen::inline v0::detail {

/// Lengths of the pixels' dimensions: [H, W] for images [N, C, H, W], [D] for rows [N, D].
inline at::IntArrayRef pixel_sizes(const at::Tensor& data) {
  return data.sizes().slice(data.dim() == 2 ? 1 : 2);
}

/// Whether a tensor's last dimensions are the data's pixels: [N, H, W] or [N, ..., H, W] beside [N, C, H, W]. False for
/// a two-dimensional tensor beside rows [N, D], whose D numbers may be anything (see `seems_flattened`).
inline bool has_pixels_of(const at::Tensor& data, const at::Tensor& tensor) {
  const at::IntArrayRef pixels = pixel_sizes(data);
  if (!tensor.defined() || (data.dim() == 2 && tensor.dim() == 2)) {
    return false;
  }
  const auto dimensions = static_cast<std::size_t>(tensor.dim());
  return dimensions > pixels.size() && tensor.sizes().slice(dimensions - pixels.size()) == pixels;
}

/// The pixels' dimensions as text: "28 x 28".
inline std::string pixels_text(const at::Tensor& data) {
  std::string lengths;
  for (const std::int64_t length : pixel_sizes(data)) {
    add_item(lengths, text(length), " x ");
  }
  return lengths;
}

/// Whether a tensor seems to hold a value for each pixel (and channel) in one row: [N, H * W] or [N, C * H * W] beside
/// [N, C, H, W], and [N, D] beside rows [N, D].
inline bool seems_flattened(const at::Tensor& data, const at::Tensor& tensor) {
  if (!tensor.defined() || tensor.dim() != 2 || has_pixels_of(data, tensor)) {
    return false;
  }
  std::int64_t pixels = 1;
  for (const std::int64_t length : pixel_sizes(data)) {
    pixels *= length;
  }
  const std::int64_t channels = data.dim() == 2 ? 1 : data.size(1);
  return pixels > 1 && (tensor.size(1) == pixels || tensor.size(1) == channels * pixels);
}

/// Whether a tensor seems to be the images [N, C, H, W] in another resolution: its last two lengths and theirs are
/// multiples of each other.
inline bool seems_resized(const at::Tensor& data, const at::Tensor& tensor) {
  if (data.dim() != 4 || !tensor.defined() || tensor.dim() < 3 || has_pixels_of(data, tensor)) {
    return false;
  }
  const std::int64_t height = tensor.size(-2);
  const std::int64_t width = tensor.size(-1);
  const bool same_shape = height * data.size(3) == width * data.size(2);
  return same_shape && height > 1 && width > 1 &&
         (height > data.size(2) ? height % data.size(2) == 0 && width % data.size(3) == 0
                                : data.size(2) % height == 0 && data.size(3) % width == 0);
}

/// Throws Error if a further tensor seems to hold pixels that would stay in place while the data's move.
inline void require_extra_belongs(const Batch& batch, const std::string& who) {
  for (const auto& [name, tensor] : batch.extra) {
    const bool flattened = seems_flattened(batch.data, tensor);
    if (flattened || seems_resized(batch.data, tensor)) {
      throw Error(who + ": extra[\"" + name + "\"] is " + described(tensor) + ", and the data are " +
                  pixels_text(batch.data) + " pixels: these seem to be " +
                  (flattened ? "as many numbers in a row" : "the same pixels in another resolution") +
                  ", which would not move with them. Give it as [N, 1, " + pixels_text(batch.data) +
                  "] to be moved; where it is something else, DataOnly{" + who + "{...}} leaves it as it is");
    }
  }
}

/// Whether the batch's target has a value for each pixel, which must move with it; labels, soft labels and numbers, [N]
/// and [N, C], do not. Throws Error if it seems to have such values in a layout that does not tell which pixel they
/// belong to.
inline bool has_dense_target(const Batch& batch, const std::string& who) {
  const at::Tensor& target = batch.target;
  if (!target.defined() || target.dim() < 2) {
    return false;
  }
  if (seems_flattened(batch.data, target)) {
    throw Error(who + ": the target is " + described(target) + ", and the data are " + pixels_text(batch.data) +
                " pixels: numbers of the pixels in a row, of which it is not known how they move with them, are given "
                "as [N, 1, " +
                pixels_text(batch.data) + "]; shares of as many classes, which stay, go with DataOnly{" + who +
                "{...}}" + (who == "CutMix" ? ", or with CutMix.classes = " + text(target.size(1)) : ""));
  }
  const bool fits = has_pixels_of(batch.data, target);
  if (target.dim() > 2 && !fits) {
    throw Error(who + ": the target is " + described(target) + ", and the data are " + pixels_text(batch.data) +
                " pixels: resize the target, or put a transform of your own that changes both in the place of this "
                "one; DataOnly{" +
                who + "{...}} leaves the target as it is");
  }
  // With one dimension of pixels there may be as many classes as pixels; only floating numbers can be shares of
  // classes.
  if (target.dim() == 2 && fits && target.is_floating_point()) {
    throw Error(who + ": the target is " + described(target) + ", and the data are " + pixels_text(batch.data) +
                " pixels: these may be numbers of the pixels, which move with them, as [N, 1, " +
                pixels_text(batch.data) + "], or of classes, which stay, with DataOnly{" + who + "{...}}");
  }
  return fits;
}

/// Applies change(images) to a tensor that has pixels, reshaped to [N, C, pixels...]; the result has the tensor's
/// shape.
template <class Change>
at::Tensor at_pixels(const at::Tensor& data, const at::Tensor& tensor, const Change& change) {
  const auto pixels = static_cast<std::int64_t>(pixel_sizes(data).size());
  if (tensor.dim() == pixels + 2) {
    return change(tensor);
  }
  const at::Tensor images =
      tensor.dim() == pixels + 1 ? tensor.unsqueeze(1) : tensor.flatten(1, tensor.dim() - pixels - 1);
  return change(images).reshape(tensor.sizes());
}

/// The batch with its pixels moved: `move` maps [N, C, pixels...] to the same shape. It is applied to the data and to
/// further tensors with the same pixels, `move_target` to a dense target. All move by the same draws, which the two
/// functions hold. Throws Error as `has_dense_target` does.
template <class Move, class MoveTarget>
Batch moved(const Batch& batch, const std::string& who, const Move& move, const MoveTarget& move_target) {
  const bool dense = has_dense_target(batch, who);
  require_extra_belongs(batch, who);
  Batch result = batch;
  result.data = at_pixels(batch.data, batch.data, move);
  if (dense) {
    result.target = at_pixels(batch.data, batch.target, move_target);
  }
  for (auto& [name, tensor] : result.extra) {
    if (has_pixels_of(batch.data, tensor)) {
      tensor = at_pixels(batch.data, tensor, move);
    }
  }
  return result;
}
template <class Move>
Batch moved(const Batch& batch, const std::string& who, const Move& move) {
  return moved(batch, who, move, move);
}

}  // namespace regimen::inline v0::detail
