// What is told of any tensor: names, sums over lists, checksums of its numbers.

#include "support/tensors.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include "regimen/tensor/checksum.hpp"
#include "regimen/tensor/crc32.hpp"
#include "regimen/tensor/named.hpp"
#include "regimen/tensor/sums.hpp"

namespace tensor_test {

namespace {

using regimen::DistinctTensors;
using regimen::Named;
using regimen::detail::crc32_after;
using regimen::detail::crc32_digits;
using regimen::detail::crc32_of;
using regimen::detail::crc32_of_text;
using namespace std::string_literals;

/// [2, 2] float: 1 to 4.
at::Tensor four() {
  return at::arange(1, 5, at::kFloat).view({2, 2});
}

}  // namespace

TEST_CASE("crc32: the values of Python's zlib.crc32") {
  CHECK(crc32_of_text("") == "00000000");
  CHECK(crc32_of_text("123456789") == "cbf43926");  // the check value of CRC-32 in every catalogue of them
  CHECK(crc32_of_text("IEND") == "ae426082");       // ends every PNG
  CHECK(crc32_of_text("a\0b"s) != crc32_of_text("a"));
  CHECK(crc32_digits(0xAB) == "000000ab");
  CHECK(crc32_digits(0xFFFFFFFF) == "ffffffff");
}

TEST_CASE("crc32: bytes in parts have the sum of the whole, and none change nothing") {
  const std::string whole = "123456789";
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    const std::uint32_t first = crc32_after(0, whole.data(), cut);
    CHECK(crc32_after(first, whole.data() + cut, whole.size() - cut) == 0xCBF43926);
  }
  CHECK(crc32_after(0xCBF43926, nullptr, 0) == 0xCBF43926);
}

TEST_CASE("crc32_of: the sum that Python's zlib has of the numbers, row by row, however they lie in memory") {
  CHECK(crc32_of(four()) == "8ba71454");
  CHECK(crc32_of(four().t()) == "1a451998");
  CHECK(crc32_of(four().t().contiguous().t()) == "8ba71454");
  CHECK(crc32_of(longs({5, -1})) == "d2849636");
  CHECK(crc32_of(four().requires_grad_()) == "8ba71454");
}

TEST_CASE("crc32_of: of several tensors it is that of their numbers in a row, and empty ones add nothing") {
  const at::Tensor none = at::zeros({0, 3});
  CHECK(crc32_of({four(), longs({5, -1})}) == "6c8b4fb7");
  CHECK(crc32_of({none, four(), none, longs({5, -1}), none}) == "6c8b4fb7");
  CHECK(crc32_of({longs({5, -1}), four()}) != "6c8b4fb7");
  CHECK(crc32_of(none) == "00000000");
  CHECK(crc32_of(std::vector<at::Tensor>{}) == "00000000");
  CHECK(crc32_of(at::Tensor()) == "");
}

TEST_CASE("checksums: equal bytes of another shape or name are told apart") {
  CHECK(crc32_of(four()) == crc32_of(four().flatten()));
  CHECK(regimen::detail::manifest_of_tensor(four()) != regimen::detail::manifest_of_tensor(four().flatten()));
  CHECK(regimen::detail::manifest_of_tensor(four()) == R"({"kind": "[2, 2] float", "crc32": "8ba71454"})");
  const auto kinds = [](const std::string& name, const at::Tensor& tensor) {
    return regimen::detail::crc32_of_kinds({{.name = name, .tensor = tensor}, {.name = "bias", .tensor = four()[0]}});
  };
  CHECK(kinds("weight", four()) == "1884871a");  // of "weight [2, 2] float; bias [2] float; "
  CHECK(kinds("weight", four() + 1) == "1884871a");
  CHECK(kinds("heft", four()) != "1884871a");
  CHECK(kinds("weight", four().flatten()) != "1884871a");
}

TEST_CASE("sums: over all tensors, of complex ones by the modulus, and 0 of none") {
  const std::vector<at::Tensor> tensors{four(), at::tensor({-2.0F})};
  CHECK(regimen::detail::sum_of_squares(tensors).item<double>() == 1 + 4 + 9 + 16 + 4);
  CHECK(regimen::detail::sum_of_absolutes(tensors).item<double>() == 1 + 2 + 3 + 4 + 2);
  CHECK(regimen::detail::sum_of_squares({}).item<double>() == 0);
  const at::Tensor three_four_i = at::view_as_complex(at::tensor({3.0F, 4.0F}).view({1, 2}));
  CHECK(regimen::detail::sum_of_squares({three_four_i}).item<double>() == 25);
  CHECK(regimen::detail::sum_of_absolutes({three_four_i}).item<double>() == 5);
}

TEST_CASE("DistinctTensors: each tensor once, in the order of its first mention; a view is another tensor") {
  const at::Tensor a = four();
  const at::Tensor b = four();  // equal, and not the same
  const at::Tensor view = a.view({4});
  const DistinctTensors distinct{b, a, b, view, a};
  REQUIRE(distinct.size() == 3);
  CHECK(distinct[0].is_same(b));
  CHECK(distinct[1].is_same(a));
  CHECK(distinct[2].is_same(view));
  CHECK(DistinctTensors().empty());
}

TEST_CASE("Named: a layer's name stands for all that is in it, and for nothing that only begins alike") {
  const Named named{.name = "layer1.conv.weight", .tensor = four(), .aliases = {"head.weight"}};
  CHECK(named.matches({"layer1.conv.weight"}));
  CHECK(named.matches({"other", "layer1"}));
  CHECK(named.matches({"layer1.conv"}));
  CHECK(named.matches({"head"}));
  CHECK_FALSE(named.matches({"layer", "layer1.con", "conv", "layer1.conv.weight.more", ""}));
  CHECK_FALSE(named.matches({}));
  CHECK(named.is_called("head.weight"));
  CHECK_FALSE(named.is_called("head"));
}

}  // namespace tensor_test
