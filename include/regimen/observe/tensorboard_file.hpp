#pragma once
// No LibTorch.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "regimen/base/error.hpp"
#include "regimen/base/file.hpp"
#include "regimen/base/image_bytes.hpp"
#include "regimen/observe/detail/buckets.hpp"
#include "regimen/observe/detail/event_reader.hpp"
#include "regimen/observe/detail/event_records.hpp"

namespace regimen::inline v0 {

/// What a `TensorBoardFile` does other than usual.
struct TensorBoardFileOptions {
  /// Goes on with the file that is there, and drops its records of this step and later ones, which a resumed loop
  /// writes again. Empty: the file begins anew.
  std::optional<std::int64_t> resume_at{};
  /// Wall time of the next record, in seconds since 1970. Empty: the step, so that equal loops write equal bytes, and
  /// TensorBoard's axis RELATIVE shows a step as a second.
  std::function<double()> wall_time{};
};

/// A file for TensorBoard ("event file"), for a loop of your own or for what is no number of an epoch: histograms,
/// images, texts. TensorBoard need not be installed.
///
/// Each call appends one whole record. `tag` names the curve; TensorBoard makes a group of all tags with the same text
/// before their first slash. A tag's steps must increase: TensorBoard drops the points behind a step that goes back.
/// TensorBoard calls a folder a run, so give each file a folder of its own; a folder's second file may not be read
/// while it grows.
///     regimen::TensorBoardFile board("results/board/margins/margins.tfevents");
///     board.scalar("loss/train", t.epoch, loss);
///     board.histogram("margins", t.epoch, margins);
class TensorBoardFile {
 public:
  /// Begins the file, and makes its folder if there is none. Throws Error if the name of the file does not have
  /// "tfevents" in it, if it cannot be written, or, with `resume_at`, if its records are damaged.
  explicit TensorBoardFile(std::string path, TensorBoardFileOptions options = {})
      : path_(std::move(path)), options_(std::move(options)) {
    detail::events::check_path("TensorBoardFile", path_);
    const std::string old = options_.resume_at && std::filesystem::exists(path_) ? detail::read_all(path_) : "";
    std::string content;
    detail::events::for_each_event(old, path_, [&](std::string_view record, const detail::events::Event& event) {
      if (event.tag.empty() || event.step < *options_.resume_at) {  // no tag: the version
        content += record;
        last_[event.tag] = event.step;
      }
    });
    if (content.empty()) {
      detail::replace_file(path_, detail::events::version(wall_time(0)));
    } else {
      detail::cut_or_continue_file(path_, content);
    }
  }

  /// A point of a curve, rounded to a float. NaN and infinite values are shown as such.
  void scalar(const std::string& tag, std::int64_t step, double value) {
    add("scalar", tag, step, detail::events::scalar(tag, value));
  }

  /// How the values are distributed, in `buckets` buckets of equal width, at least 1, from the least to the largest.
  /// NaN and infinite values are in no bucket; their number, if there are any, is the scalar `tag` + "/not_finite". If
  /// no value is finite, there is no histogram.
  void histogram(const std::string& tag, std::int64_t step, std::span<const double> values, std::size_t buckets = 30) {
    detail::require(buckets >= 1, "TensorBoardFile.histogram: buckets", "at least 1", buckets);
    const detail::Buckets counted = detail::buckets_of(values, buckets);
    if (counted.finite > 0) {
      add("histogram", tag, step, detail::events::histogram(tag, counted));
    }
    if (counted.not_finite > 0) {
      scalar(tag + "/not_finite", step, static_cast<double>(counted.not_finite));
    }
  }

  /// An image; see `image_grid` for tensors.
  void image(const std::string& tag, std::int64_t step, const ImageBytes& image) {
    detail::check(image, "TensorBoardFile.image: image");
    add("image", tag, step, detail::events::image(tag, image));
  }

  /// A text in Markdown, UTF-8.
  void text(const std::string& tag, std::int64_t step, const std::string& markdown) {
    detail::events::require_utf8("TensorBoardFile.text: markdown", markdown);
    add("text", tag, step, detail::events::text_for("text", tag, markdown));
  }

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  [[nodiscard]] double wall_time(std::int64_t step) const {
    return options_.wall_time ? options_.wall_time() : static_cast<double>(step);
  }

  void add(const std::string& what, const std::string& tag, std::int64_t step, const detail::protobuf::Message& value) {
    const std::string where = "TensorBoardFile." + what + ": ";
    detail::require(!tag.empty(), where + "tag", "a name", "\"\"");
    detail::events::require_utf8(where + "tag", tag);
    detail::require(step >= 0, where + "step of \"" + tag + "\"", "at least 0", step);
    const auto last = last_.find(tag);
    detail::require(
        last == last_.end() || step > last->second, where + "step of \"" + tag + "\"",
        last == last_.end()
            ? ""
            : "above " + detail::text(last->second) +
                  ", the last one of this tag "
                  "(TensorBoard drops the points behind a step that goes back; a resumed loop says resume_at)",
        step);
    detail::append_bytes(path_, detail::events::event(wall_time(step), step, value));
    last_[tag] = step;
  }

  std::string path_;
  TensorBoardFileOptions options_;
  std::map<std::string, std::int64_t> last_{};  ///< last step of each tag
};

}  // namespace regimen::inline v0
