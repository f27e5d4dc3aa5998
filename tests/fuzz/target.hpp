#pragma once
// What the targets share: a file in memory, a meter of memory, and what counts as a failure.
//
// A target is given bytes, makes a file of them and has regimen read it. It demands a right result, by a parse of its
// own, or a regimen::Error that names the file; and never more memory than twice the file's size. Anything else ends
// the program: that is what libFuzzer looks for, and what fails the replay.
//
//     fuzzer.cpp   libFuzzer, with mutations that know the formats; built and run by run.sh
//     replay.cpp   the kept inputs once more, with any compiler; a test like the others

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include <regimen/base.hpp>

namespace fuzz {

[[noreturn]] inline void fail(const std::string& what) {
  std::fprintf(stderr, "fuzz: %s\n", what.c_str());
  std::abort();
}

inline void expect(bool holds, const std::string& what) {
  if (!holds) {
    fail(what);
  }
}

/// A file that never touches a disk, under a path that every reader can open.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view content) : descriptor_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    const auto length = static_cast<ssize_t>(content.size());
    expect(descriptor_ >= 0 && ::write(descriptor_, content.data(), content.size()) == length, "no file in memory");
    path_ = "/proc/self/fd/" + std::to_string(descriptor_);
  }

  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  int descriptor_;
  std::string path_;
};

/// Counts what this thread takes from malloc and its like, from its construction on. One at a time.
class Meter {
 public:
  Meter();
  ~Meter();
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;

  /// The most bytes that were held at any one time.
  [[nodiscard]] std::int64_t peak() const;
};

/// How many files gave a result, and how many an Error.
struct Tally {
  std::int64_t read = 0;
  std::int64_t refused = 0;
};
inline Tally tally;

/// The result of `read`, or nothing where it threw an Error that names the file. Any other exception is not caught, and
/// ends the program.
template <class Read>
auto attempt(const std::string& path, std::int64_t bound, Read&& read) {
  std::optional<std::invoke_result_t<Read>> result;
  const Meter meter;
  try {
    result = read();
  } catch (const regimen::Error& error) {
    const std::string message = error.what();
    expect(message.find(path) != std::string::npos, "an Error does not name its file: " + message);
  }
  const std::int64_t peak = meter.peak();
  expect(peak <= bound, "took " + std::to_string(peak) + " bytes of memory, more than " + std::to_string(bound));
  ++(result ? tally.read : tally.refused);
  return result;
}

/// Bytes that do not grow with the file: zlib's buffers (3 x 128 KiB, as PackedFile asks for, and 40 KiB of its own),
/// PackedFile's last piece (256 KiB), and LibTorch's descriptions of tensors. No input that the fuzzer makes is as
/// large as this; what it finds is a header that lies. Whether memory stays below twice a large file is seen on the
/// inputs in corpus/<target>-large.
inline constexpr std::int64_t reader_slack = 768 * 1024;

struct Target {
  std::string_view name;
  void (*run)(std::string_view input);
};

void idx(std::string_view file);          // read_idx
void cifar(std::string_view file);        // read_cifar10_file, read_cifar100_file
void mapped(std::string_view input);      // MappedRecords: a byte for the layout, one for the cut into files, the rest
void checkpoint(std::string_view file);   // load_checkpoint
void state(std::string_view directions);  // load_checkpoint, of a State that is written by these directions

inline constexpr Target targets[] = {
    {"idx", idx}, {"cifar", cifar}, {"mapped", mapped}, {"checkpoint", checkpoint}, {"state", state}};

inline const Target& target_of(std::string_view name) {
  for (const Target& target : targets) {
    if (target.name == name) {
      return target;
    }
  }
  fail("there is no target " + std::string(name));
}

/// Has LibTorch make what it makes once and keeps, which is to be counted against no file: 1.5 MB at the first archive.
void warm_up();

/// Writes seeds of the target `checkpoint`.
void write_checkpoints(const std::string& folder);

}  // namespace fuzz
