// Shows what each transform of inputs does to five images of Fashion-MNIST, frozen, and to the first of them in three
// epochs, fresh. Writes a script for gnuplot; docs/pictures/inputs.png is what this draws:
//
//     draw_inputs | gnuplot > docs/pictures/inputs.png
//
// Needs Debian's package dataset-fashion-mnist, or a folder of these files as its argument.

#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <regimen/datasets.hpp>
#include <regimen/source.hpp>
#include <regimen/transform.hpp>

namespace rg = regimen;

namespace {

struct Row {
  std::string text;  ///< as code
  rg::AnyTransform transform;
};

std::vector<Row> rows() {
  const rg::RandomChoice choice{
      .of = {rg::Rotation90{}, rg::Cutout{.side = 8}, rg::Contrast{.strength = 0.9}, rg::RandomCrop{}}, .picks = 2};
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
          {"RandomChoice{.choices = {Rotation90{},", choice}};
}

constexpr std::int64_t side = 28;
constexpr std::int64_t gap = 4;
constexpr std::int64_t step = side + gap;
constexpr std::int64_t still = 5;   ///< images shown frozen
constexpr std::int64_t epochs = 3;  ///< in which the first of them is shown fresh
constexpr std::int64_t between = 12;
constexpr std::int64_t labels = 104;  ///< the width that the code takes, in pixels of images
constexpr std::int64_t head = 14;
constexpr std::int64_t zoom = 3;

/// The images as whole numbers from 0, black, to 255. What went beyond is cut off, as a screen does.
at::Tensor grey(const rg::Batch& batch) {
  const at::Tensor numbers = batch.data.is_floating_point() ? (batch.data * 255).clamp(0, 255).round() : batch.data;
  return numbers.to(at::kLong).squeeze(1);
}

/// Everything on a white ground: [height, width].
at::Tensor canvas_of(const std::vector<Row>& all, const rg::Batch& images) {
  const std::int64_t width = (still + epochs) * step + between;
  const at::Tensor canvas = at::full({static_cast<std::int64_t>(all.size()) * step, width}, 255, at::kLong);
  const auto put = [&](std::int64_t row, std::int64_t left, const at::Tensor& image) {
    canvas.narrow(0, row * step, side).narrow(1, left, side).copy_(image);
  };
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    const auto seed = static_cast<std::uint64_t>(i);  // with one for all, what is mirrored would also be turned
    const at::Tensor frozen = grey(rg::materialize(rg::frozen(images, all[i].transform, seed)));
    for (std::int64_t k = 0; k < still; ++k) {
      put(row, k * step, frozen[k]);
    }
    for (int epoch = 0; epoch < epochs; ++epoch) {
      const rg::Batch first = rg::slice(images, 0, 1);
      const rg::Key key = rg::Key(100 + seed, first.id, {.clock = {.epoch = epoch}}).each_epoch();
      put(row, (still + epoch) * step + between, grey(all[i].transform(first, key))[0]);
    }
  }
  return canvas;
}

std::string label(const std::string& text, std::int64_t x, std::int64_t y, const std::string& font) {
  return "set label \"" + text + "\" at " + std::to_string(x) + "," + std::to_string(y) + " font '" + font +
         "' noenhanced\n";
}

/// The script, with the pixels in it.
std::string script(const std::vector<Row>& all, const at::Tensor& canvas) {
  const std::int64_t height = canvas.size(0);
  const std::int64_t width = canvas.size(1);
  std::string text = "$pixels << END\n";
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      text += std::to_string(canvas[y][x].item<std::int64_t>()) + " ";
    }
    text += "\n";
  }
  const std::string mono = "DejaVu Sans Mono,10";
  text += "END\nset terminal pngcairo size " + std::to_string((labels + width) * zoom) + "," +
          std::to_string((head + height) * zoom) + " background 'white'\nset lmargin 0\nset rmargin 0\n" +
          "set tmargin 0\nset bmargin 0\nunset border\nunset tics\nunset key\nunset colorbox\nset palette gray\n" +
          "set cbrange [0:255]\nset xrange [" + std::to_string(-labels) + " - 0.5:" + std::to_string(width) +
          " - 0.5]\nset yrange [" + std::to_string(height) + " - 0.5:" + std::to_string(-head) + " - 0.5]\n";
  text += label("frozen: the same at every epoch", 0, -gap - 3, "DejaVu Sans,11");
  text += label("fresh: epochs 0, 1, 2", still * step + between, -gap - 3, "DejaVu Sans,11");
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::int64_t middle = static_cast<std::int64_t>(i) * step + side / 2;
    text += label(all[i].text, gap - labels, middle, mono);
    if (i + 1 == all.size()) {  // too long for one line
      text += label("  Cutout{.side = 8}, Contrast{...},", gap - labels, middle + 6, mono);
      text += label("  RandomCrop{}}, .picks = 2}", gap - labels, middle + 12, mono);
    }
  }
  return text + "plot $pixels matrix with image\n";
}

}  // namespace

int main(int argc, char** argv) {
  const rg::Dataset data = argc > 1 ? rg::fashion_mnist(argv[1]) : rg::fashion_mnist();
  // An ankle boot, a t-shirt, a dress, a pullover and a bag.
  const rg::Batch images = rg::rows(data.train, at::tensor({0, 1, 3, 5, 35}, at::kLong));
  const std::vector<Row> all = rows();
  std::fputs(script(all, canvas_of(all, images)).c_str(), stdout);
}
