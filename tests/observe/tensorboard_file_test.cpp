#include <regimen/observe/tensorboard_file.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "support/histories.hpp"
#include "support/numbers.hpp"

#include "support/event_file.hpp"
#include "support/folder.hpp"

namespace tensorboard_file_test {

namespace {

using namespace std::string_literals;
using regimen::TensorBoardFile;
using Points = std::vector<std::pair<std::int64_t, float>>;
constexpr double infinity = std::numeric_limits<double>::infinity();

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

}  // namespace

TEST_CASE("crc32c: the published values, and not those of CRC-32") {
  using regimen::detail::crc32c;
  CHECK(crc32c("") == 0);
  CHECK(crc32c("123456789") == 0xE3069283U);            // the check value of CRC-32C in every catalogue of them
  CHECK(crc32c(std::string(32, '\0')) == 0x8A9136AAU);  // RFC 3720, appendix B.4
  CHECK(crc32c(std::string(32, '\xFF')) == 0x62A8AB43U);
  std::string ascending;
  for (char c = 0; c < 32; ++c) {
    ascending += c;
  }
  CHECK(crc32c(ascending) == 0x46DD794EU);
  CHECK(crc32c(std::string(ascending.rbegin(), ascending.rend())) == 0x113FDB5CU);
}

TEST_CASE("TensorBoardFile: the first record says the version, byte for byte") {
  const Folder folder;
  const TensorBoardFile board(folder / "deep/new/run.tfevents");
  // TensorFlow's own writer, of the same event at time 0.
  const std::string event = "\x09\0\0\0\0\0\0\0\0\x1A\x0D"s + "brain.Event:2";
  const std::string bytes = content_of(board.path());
  REQUIRE(bytes.size() == 16 + event.size());
  CHECK(bytes.substr(0, 8) == "\x18\0\0\0\0\0\0\0"s);
  CHECK(bytes.substr(8, 4) == "\xA3\x7F\x4B\x22");  // as in every event file that begins with the version
  CHECK(bytes.substr(12, event.size()) == event);
  CHECK(event_file::read(board.path())[0].version == "brain.Event:2");
}

TEST_CASE("TensorBoardFile: scalars are floats, and what no float holds stays visible") {
  const Folder folder;
  TensorBoardFile board(folder / "run.tfevents");
  board.scalar("loss/train", 0, 0.1);
  board.scalar("loss/train", 300, 1e300);
  board.scalar("loss/train", 301, -1e300);
  board.scalar("loss/train", 302, infinity);
  board.scalar("loss/train", 303, std::nan(""));
  board.scalar("loss/train", std::numeric_limits<std::int64_t>::max(), -0.0);
  const auto events = event_file::read(board.path());
  REQUIRE(events.size() == 7);
  CHECK(*events[1].scalar == 0.1F);
  CHECK(*events[2].scalar == std::numeric_limits<float>::max());
  CHECK(*events[3].scalar == -std::numeric_limits<float>::max());
  CHECK(std::isinf(*events[4].scalar));
  CHECK(std::isnan(*events[5].scalar));
  CHECK(events[6].step == std::numeric_limits<std::int64_t>::max());
  CHECK(std::signbit(*events[6].scalar));
  CHECK(events[2].wall_time == 300);  // the step, in seconds
}

TEST_CASE("TensorBoardFile: a histogram has the ends, sums and buckets that are counted by hand") {
  const Folder folder;
  TensorBoardFile board(folder / "run.tfevents");
  board.histogram("margin", 1, std::vector<double>{0, 1, 2, 2.5, 4}, 4);
  board.histogram("margin", 2, std::vector<double>{4, 2.5, 2, 1, 0}, 4);  // the other way round
  const auto events = event_file::read(board.path());
  for (const std::size_t i : {1U, 2U}) {
    const std::string& histogram = events[i].histogram;
    CHECK(event_file::real(event_file::only(histogram, 1)) == 0);
    CHECK(event_file::real(event_file::only(histogram, 2)) == 4);
    CHECK(event_file::real(event_file::only(histogram, 3)) == 5);
    CHECK(event_file::real(event_file::only(histogram, 4)) == 9.5);
    CHECK(event_file::real(event_file::only(histogram, 5)) == 27.25);
    CHECK(event_file::reals(event_file::only(histogram, 6)) == std::vector<double>{1, 2, 3, 4});
    CHECK(event_file::reals(event_file::only(histogram, 7)) == std::vector<double>{1, 1, 2, 1});
  }
}

TEST_CASE("TensorBoardFile: awkward histograms") {
  const Folder folder;
  TensorBoardFile board(folder / "run.tfevents");
  const auto buckets = [&](std::int64_t step) {
    std::pair<std::vector<double>, std::vector<double>> found;
    for (const event_file::Event& event : event_file::read(board.path())) {
      if (event.step == step && !event.histogram.empty()) {
        found = {event_file::reals(event_file::only(event.histogram, 6)),
                 event_file::reals(event_file::only(event.histogram, 7))};
      }
    }
    return found;
  };
  SECTION("no values, no record") {
    board.histogram("h", 1, std::vector<double>{});
    CHECK(event_file::read(board.path()).size() == 1);
  }
  SECTION("equal values are one bucket") {
    board.histogram("h", 1, std::vector<double>{3, 3, 3});
    CHECK(buckets(1) == std::pair{std::vector<double>{3}, std::vector<double>{3}});
  }
  SECTION("NaN and infinite values are counted by themselves") {
    board.histogram("h", 1, std::vector<double>{std::nan(""), 1, infinity, 2, -infinity}, 1);
    CHECK(buckets(1) == std::pair{std::vector<double>{2}, std::vector<double>{2}});
    CHECK((event_file::scalars(event_file::read(board.path()), "h/not_finite") == Points{{1, 3}}));
    board.histogram("h", 2, std::vector<double>{std::nan("")});
    CHECK(buckets(2).first.empty());
    CHECK((event_file::scalars(event_file::read(board.path()), "h/not_finite") == Points{{1, 3}, {2, 1}}));
  }
  SECTION("the largest doubles") {
    constexpr double most = std::numeric_limits<double>::max();
    board.histogram("h", 1, std::vector<double>{-most, 0, most}, 2);
    CHECK(buckets(1) == std::pair{std::vector<double>{0, most}, std::vector<double>{1, 2}});
  }
  SECTION("two neighbouring doubles") {
    const double next = std::nextafter(1.0, 2.0);
    board.histogram("h", 1, std::vector<double>{1, next, next}, 10);
    double all = 0;
    for (const double count : buckets(1).second) {
      all += count;
    }
    CHECK(all == 3);
  }
}

TEST_CASE("buckets_of: limits ascend also where the ends are next to each other") {
  for (const double least : {1.0, 0.1, -0.3, 1e-300, 1e16, -1e308}) {
    for (const int ulps : {1, 2, 3, 7}) {
      double most = least;
      for (int i = 0; i < ulps; ++i) {
        most = std::nextafter(most, infinity);
      }
      for (const std::size_t n : {2, 3, 10, 30, 49}) {
        const auto buckets = regimen::detail::buckets_of(std::vector{least, most, least}, n);
        CAPTURE(least, ulps, n);
        CHECK(std::is_sorted(buckets.limits.begin(), buckets.limits.end()));
        CHECK(buckets.limits.front() >= least);
        CHECK(buckets.limits.back() == most);
      }
    }
  }
}

TEST_CASE("TensorBoardFile: an image is a PNG with its size") {
  const Folder folder;
  TensorBoardFile board(folder / "run.tfevents");
  board.image("confusion", 0, {.height = 1, .width = 2, .channels = 3, .bytes = {255, 0, 0, 0, 0, 255}});
  const std::string image = event_file::read(board.path())[1].image;
  CHECK(event_file::whole(event_file::only(image, 1)) == 1);
  CHECK(event_file::whole(event_file::only(image, 2)) == 2);
  CHECK(event_file::whole(event_file::only(image, 3)) == 3);
  const std::string png = event_file::only(image, 4);
  CHECK(png.substr(0, 33) == "\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\0\0\x02\0\0\0\x01\x08\x02\0\0\0\x7B\x40\xE8\xDD"s);
  CHECK(png.find("\0\xFF\0\0\0\0\xFF"s) != std::string::npos);  // the row behind its filter
}

TEST_CASE("TensorBoardFile: a text keeps its odd characters") {
  const Folder folder;
  TensorBoardFile board(folder / "run.tfevents");
  const std::string tag = "a b/\"quoted\"/50 %/\xC3\xA9\n\xF0\x9F\x98\x80\xEF\xBF\xBD";
  board.text(tag, 0, "| a | b |\n|---|---|\n| 1 | 2 |");
  board.text("empty", 0, "");
  const auto events = event_file::read(board.path());
  CHECK(events[1].tag == tag);
  CHECK(events[1].text == "| a | b |\n|---|---|\n| 1 | 2 |");
  CHECK(events[1].plugin == "text");
  CHECK(events[2].text.empty());
}

TEST_CASE("TensorBoardFile: a new file takes the place of the old one") {
  const Folder folder;
  TensorBoardFile(folder / "run.tfevents").scalar("loss", 5, 1);
  TensorBoardFile board(folder / "run.tfevents");
  CHECK(event_file::read(board.path()).size() == 1);
  board.scalar("loss", 1, 2);
  CHECK((event_file::scalars(event_file::read(board.path()), "loss") == Points{{1, 2.0F}}));
}

TEST_CASE("TensorBoardFile: a resumed loop writes the bytes of one that went through") {
  const Folder folder;
  const auto write = [](TensorBoardFile& board, int from, int to) {
    for (int step = from; step < to; ++step) {
      board.scalar("loss", step, 1.0 / (1 + step));
      if (step % 2 == 0) {
        board.histogram("margin", step, std::vector<double>{0.5 * step, 1, 2});
        board.text("note", step, "step");
      }
    }
  };
  TensorBoardFile whole(folder / "whole.tfevents");
  write(whole, 0, 6);
  {
    TensorBoardFile first(folder / "resumed.tfevents");
    write(first, 0, 5);
  }
  SECTION("killed between two records") {}
  SECTION("killed within a record") {
    std::filesystem::resize_file(folder / "resumed.tfevents", content_of(folder / "resumed.tfevents").size() - 7);
  }
  TensorBoardFile second(folder / "resumed.tfevents", {.resume_at = 3});
  CHECK(error_of([&] { second.scalar("loss", 2, 1); }).find("above 2, the last one of this tag") != std::string::npos);
  write(second, 3, 6);
  CHECK((content_of(second.path()) == content_of(whole.path())));
}

TEST_CASE("TensorBoardFile: with resume_at and no file a new one begins, and the wall time may be a clock's") {
  const Folder folder;
  TensorBoardFile board(folder / "run.tfevents", {.resume_at = 3, .wall_time = [] { return 1.5e9; }});
  board.scalar("loss", 3, 1);
  const auto events = event_file::read(board.path());
  CHECK(events[0].wall_time == 1.5e9);
  CHECK(events[1].wall_time == 1.5e9);
}

TEST_CASE("TensorBoardFile: a file that is damaged, or no event file, is refused and kept") {
  const Folder folder;
  TensorBoardFile(folder / "run.tfevents").scalar("loss", 0, 1);
  std::string content = content_of(folder / "run.tfevents");
  content[20] ^= 1;
  folder.write("run.tfevents", content);
  CHECK(error_of([&] { TensorBoardFile(folder / "run.tfevents", {.resume_at = 1}); }) ==
        folder / "run.tfevents" + ": the record at byte 0 is damaged");
  folder.write("text.tfevents", "epoch,loss\n1,0.5\n");
  CHECK(error_of([&] { TensorBoardFile(folder / "text.tfevents", {.resume_at = 1}); }) ==
        folder / "text.tfevents" + ": byte 0 begins no record of an event file");
  CHECK(content_of(folder / "text.tfevents") == "epoch,loss\n1,0.5\n");
}

TEST_CASE("TensorBoardFile: misuse is an error with its cure, and writes nothing") {
  const Folder folder;
  CHECK(error_of([&] { TensorBoardFile(folder / "tfevents/run.log"); }) ==
        "TensorBoardFile.path must have \"tfevents\" in the name of its file (\"results/board/run.tfevents\"), or "
        "TensorBoard does not look into it, but is \"" +
            folder / "tfevents/run.log" + "\"");
  TensorBoardFile board(folder / "run.tfevents");
  board.scalar("loss", 7, 1);
  const std::string before = content_of(board.path());
  CHECK(error_of([&] { board.scalar("loss", 7, 1); }) ==
        "TensorBoardFile.scalar: step of \"loss\" must be above 7, the last one of this tag (TensorBoard drops the "
        "points behind a step that goes back; a resumed loop says resume_at), but is 7");
  CHECK(error_of([&] { board.scalar("accuracy", -1, 1); }) ==
        "TensorBoardFile.scalar: step of \"accuracy\" must be at least 0, but is -1");
  CHECK(error_of([&] { board.text("", 0, "x"); }) == "TensorBoardFile.text: tag must be a name, but is \"\"");
  CHECK(error_of([&] { board.scalar("\xFF", 0, 1); }) ==
        "TensorBoardFile.scalar: tag must be UTF-8, or TensorBoard stops reading there, but is \"\xFF\"");
  CHECK(error_of([&] { board.text("note", 0, "\xC3"); }) ==
        "TensorBoardFile.text: markdown must be UTF-8, or TensorBoard stops reading there, but is \"\xC3\"");
  CHECK(error_of([&] { board.histogram("h", 0, std::vector<double>{1}, 0); }) ==
        "TensorBoardFile.histogram: buckets must be at least 1, but is 0");
  CHECK(error_of([&] { board.image("i", 0, {.height = 0, .width = 1}); }) ==
        "TensorBoardFile.image: image.height must be in [1, 65535], but is 0");
  CHECK(error_of([&] { board.image("i", 0, {.height = 40000, .width = 60000}); }) ==
        "TensorBoardFile.image: image: bytes of the file's chunk must be at most 2^31 - 1 (make the image smaller, or "
        "several images of it), but is 2400223121");
  CHECK(error_of([&] { board.image("i", 0, {.height = 1, .width = 1, .channels = 5}); }) ==
        "TensorBoardFile.image: image.channels must be in [1, 4], but is 5");
  CHECK(error_of([&] { board.image("i", 0, {.height = 1, .width = 2, .channels = 3, .bytes = {1}}); }) ==
        "TensorBoardFile.image: image.bytes.size() must be height * width * channels = 6, but is 1");
  CHECK((content_of(board.path()) == before));
  folder.write("file", "");
  CHECK(error_of([&] { TensorBoardFile(folder / "file/run.tfevents"); }).find("cannot") == 0);
}

}  // namespace tensorboard_file_test
