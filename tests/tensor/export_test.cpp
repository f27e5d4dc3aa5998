// Tensors as files of NumPy's, and as images.

#include "support/tensors.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <regimen/regimen.hpp>

#include "support/folder.hpp"
#include "support/interpreter.hpp"

namespace export_test {

namespace {

namespace rg = regimen;
using namespace std::string_literals;
using Bytes = std::vector<std::uint8_t>;

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const rg::Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("write_npy: the bytes that numpy.save writes, but for spaces") {
  const Folder folder;
  rg::write_npy(folder / "new/x.npy", at::tensor({1, -2}, at::kInt));
  std::ifstream file(folder / "new/x.npy", std::ios::binary);
  std::ostringstream stream;
  stream << file.rdbuf();
  const std::string bytes = stream.str();
  CHECK(bytes.substr(0, 10) == "\x93NUMPY\x01\x00\x76\x00"s);
  const std::string header = "{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }";
  CHECK(bytes.substr(10, header.size()) == header);
  CHECK(bytes.substr(10 + header.size(), 118 - header.size()) == std::string(117 - header.size(), ' ') + "\n");
  CHECK(bytes.substr(128) == "\x01\x00\x00\x00\xFE\xFF\xFF\xFF"s);
}

TEST_CASE("write_npy: NumPy reads every type and shape back") {
  const std::optional<std::string> python = python_with("numpy", "NumPy", "REGIMEN_REQUIRE_PEERS");
  if (!python) {
    return;
  }
  const Folder folder;
  const auto check = [&](const at::Tensor& tensor, const std::string& expected) {
    CAPTURE(expected);
    rg::write_npy(folder / "x.npy", tensor);
    const std::string command = "'" + *python + "' -c \"import numpy as n; x = n.load('" + folder / "x.npy" +
                                "'); w = " + expected +
                                "; assert x.dtype == w.dtype and x.shape == w.shape and (x == w).all(), x\"";
    CHECK(std::system(command.c_str()) == 0);
  };
  const at::Tensor six = at::arange(6, at::kLong).view({2, 3});
  check(six, "n.arange(6).reshape(2, 3)");
  check(six.t(), "n.arange(6).reshape(2, 3).T");
  check(six.gt(2), "n.arange(6).reshape(2, 3) > 2");
  check(six.to(at::kByte), "n.arange(6, dtype='u1').reshape(2, 3)");
  check(six.neg().to(at::kChar), "-n.arange(6, dtype='i1').reshape(2, 3)");
  check(six.to(at::kShort), "n.arange(6, dtype='i2').reshape(2, 3)");
  check((six.to(at::kFloat) / 4).set_requires_grad(true), "n.arange(6, dtype='f4').reshape(2, 3) / n.float32(4)");
  check(six.to(at::kHalf) / 4, "n.arange(6, dtype='f2').reshape(2, 3) / n.float16(4)");
  check(at::scalar_tensor(0.1, at::kDouble), "n.float64(0.1) * n.ones(())");
  check(at::zeros({0, 3}, at::kDouble), "n.zeros((0, 3))");
  check(at::zeros({1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, at::kDouble),
        "n.zeros((1,) * 25)");
}

TEST_CASE("write_npy: types that NumPy does not have") {
  const Folder folder;
  CHECK(message_of([&] { rg::write_npy(folder / "x.npy", at::zeros({2}, at::kBFloat16)); }) ==
        "write_npy takes numbers of a type that NumPy has, not [2] c10::BFloat16 (tensor.to(at::kFloat) has one)");
  CHECK(message_of([&] { rg::write_npy(folder / "x.npy", at::Tensor()); }).find("write_npy takes numbers") == 0);
  CHECK(!std::filesystem::exists(folder / "x.npy"));
}

TEST_CASE("image_grid: images row by row, a white line between two") {
  const at::Tensor three = at::arange(6, at::kByte).view({3, 1, 1, 2});  // three of one row, two pixels
  const rg::ImageBytes grid = rg::image_grid(three);
  CHECK(grid.height == 3);
  CHECK(grid.width == 5);
  CHECK(grid.channels == 1);
  CHECK(grid.bytes == Bytes{0, 1, 255, 2, 3, 255, 255, 255, 255, 255, 4, 5, 255, 255, 255});
  CHECK(rg::image_grid(three.squeeze(1)).bytes == grid.bytes);
  CHECK(rg::image_grid(three, 3).bytes == Bytes{0, 1, 255, 2, 3, 255, 4, 5});
  CHECK(rg::image_grid(three, 9).bytes == Bytes{0, 1, 255, 2, 3, 255, 4, 5});
  CHECK(rg::image_grid(three, 1).bytes == Bytes{0, 1, 255, 255, 2, 3, 255, 255, 4, 5});
}

TEST_CASE("image_grid: floats are shares of white, and colours lie side by side") {
  const at::Tensor grey = at::tensor({0.0, 0.5, 1.0, -3.0, 7.0, std::nan("")}, at::kDouble).view({1, 1, 2, 3});
  CHECK(rg::image_grid(grey).bytes == Bytes{0, 128, 255, 0, 255, 0});
  const rg::ImageBytes colours = rg::image_grid(at::tensor({10, 20, 30, 40, 50, 60}, at::kByte).view({1, 3, 1, 2}));
  CHECK(colours.channels == 3);
  CHECK(colours.bytes == Bytes{10, 30, 50, 20, 40, 60});
}

TEST_CASE("image_grid: other shapes and types") {
  const std::string says = "image_grid takes images of [N, 1 or 3, H, W] or [N, H, W], bytes or floats in [0, 1], not ";
  CHECK(message_of([] { static_cast<void>(rg::image_grid(at::zeros({1, 2, 3, 3}))); }).find(says) == 0);
  CHECK(message_of([] { static_cast<void>(rg::image_grid(at::zeros({3, 3}))); }).find(says) == 0);
  CHECK(message_of([] { static_cast<void>(rg::image_grid(at::zeros({0, 1, 3, 3}))); }).find(says) == 0);
  CHECK(message_of([] { static_cast<void>(rg::image_grid(at::zeros({1, 1, 3, 3}, at::kLong))); }).find(says) == 0);
  CHECK(message_of([] { static_cast<void>(rg::image_grid(at::Tensor())); }).find(says) == 0);
  CHECK(message_of([] { static_cast<void>(rg::image_grid(at::zeros({1, 3, 3}), -1)); }) ==
        "image_grid: columns must be at least 0, but is -1");
}

}  // namespace export_test
