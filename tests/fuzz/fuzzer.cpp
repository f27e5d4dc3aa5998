// libFuzzer's side: which target runs is said by the environment's FUZZ_TARGET. Its own mutations know nothing of
// lengths and checksums, so those of most readers' files are put right again afterwards, most of the time.

#include <c10/util/Logging.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <string_view>

#include "gzip.hpp"
#include "target.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

namespace {

const fuzz::Target* chosen = nullptr;

using Dice = std::minstd_rand;

bool one_in(unsigned n, Dice& dice) {
  return dice() % n == 0;
}

bool may_be_packed() {
  return chosen->run == fuzz::idx || chosen->run == fuzz::cifar;
}

std::string mutated(std::string bytes, std::size_t most) {
  const std::size_t size = std::min(bytes.size(), most);
  bytes.resize(std::max<std::size_t>(most, 1));
  bytes.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(bytes.data()), size, most));
  return bytes;
}

/// As long as the header says, if that is not too long.
void mend_idx(std::string& content, std::size_t most) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(content[i]); };
  if (content.size() < 8 || byte(3) == 0 || byte(3) > 8 || content.size() < 4 + 4 * std::size_t{byte(3)}) {
    return;
  }
  const std::size_t header = 4 + 4 * std::size_t{byte(3)};
  std::size_t length = byte(2) < 0x0B ? 1 : byte(2) == 0x0B ? 2 : byte(2) == 0x0E ? 8 : 4;
  for (std::size_t i = 4; i < header && length <= most; i += 4) {
    length *= byte(i) << 24 | byte(i + 1) << 16 | byte(i + 2) << 8 | byte(i + 3);
  }
  if (header + length <= most) {
    content.resize(header + length);
  }
}

/// Whole records after so many bytes.
void mend_records(std::string& content, std::size_t before, std::size_t record, std::size_t most) {
  if (content.size() > before) {
    const std::size_t records = (content.size() - before + record / 2) / record;
    content.resize(std::min(before + records * record, before + (most - before) / record * record));
  }
}

void mend_labels(std::string& content, std::size_t record) {
  for (std::size_t i = 0; i < content.size(); i += record) {
    content[i] = static_cast<char>(static_cast<unsigned char>(content[i]) % 10);
  }
}

void mend(std::string& content, std::size_t most, Dice& dice) {
  if (chosen->name == "idx") {
    mend_idx(content, most);
  } else if (chosen->name == "cifar") {
    mend_records(content, 0, 3073, most);
    if (one_in(2, dice)) {
      mend_labels(content, 3073);
    }
  } else if (chosen->name == "mapped" && content.size() > 2) {
    constexpr std::size_t records[] = {3073, 3074, 2, 7, 7, 7};  // of the layouts in records.cpp
    mend_records(content, 2, records[static_cast<unsigned char>(content[0]) % std::size(records)], most);
  }
}

/// Packed files are mostly changed within, because any other change is a wrong checksum.
std::string next(const std::string& input, std::size_t most, Dice& dice) {
  const bool packed = may_be_packed() && fuzz::is_packed(input);
  const fuzz::Content content = packed ? fuzz::content_of(input) : fuzz::Content{.bytes = input};
  if (packed && (!content.whole || one_in(4, dice))) {
    return mutated(input, most);
  }
  constexpr std::size_t wrapping = 64;  // of gzip at level 0, for what is below 64 KiB
  std::string changed = mutated(content.bytes.substr(0, most), most - wrapping);
  if (!one_in(4, dice)) {
    mend(changed, most - wrapping, dice);
  }
  if (may_be_packed() && (packed ? !one_in(16, dice) : one_in(32, dice))) {
    return fuzz::pack(changed, one_in(4, dice) ? 1 : 0);
  }
  return changed;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  const char* const name = std::getenv("FUZZ_TARGET");
  fuzz::expect(name != nullptr, "FUZZ_TARGET must name a target");
  chosen = &fuzz::target_of(name);
  // LibTorch describes the call stack in every exception, which takes it a millisecond.
  c10::SetStackTraceFetcher([] { return std::string(); });
  fuzz::warm_up();
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed) {
  const bool plain = chosen->run == fuzz::checkpoint || chosen->run == fuzz::state;
  if (plain || most < 128) {
    return LLVMFuzzerMutate(data, size, most);
  }
  Dice dice(seed);
  const std::string changed = next(std::string(reinterpret_cast<const char*>(data), size), most, dice);
  const std::size_t length = std::min(changed.size(), most);
  std::memcpy(data, changed.data(), length);
  return length;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  // Packed files that unpack to ever more look new to libFuzzer for ever, and each takes milliseconds.
  constexpr std::size_t most = 1 << 16;
  if (may_be_packed() && fuzz::is_packed(input) && fuzz::content_of(input, most).bytes.size() >= most) {
    return -1;  // not to be kept
  }
  chosen->run(input);
  return 0;
}
