// load_checkpoint: of any bytes, and of archives that are right but for what they say.
//
// Any bytes with a footer that is right are not tried. They reach LibTorch's own reader, which trusts the lengths in a
// zip archive (the 18th input made it take 1.4 GB for a file of 5 kB): the footer guards against accidents, not malice.

#include "regimen/checkpoint.hpp"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "target.hpp"

namespace {

using fuzz::expect;
using torch::serialize::InputArchive;
using torch::serialize::OutputArchive;

/// The smallest thing that a checkpoint can hold beside a State.
struct Layer {
  at::Tensor weight = at::zeros({2, 3});

  [[nodiscard]] std::vector<at::Tensor> parameters() const { return {weight}; }
  [[nodiscard]] std::vector<at::Tensor> buffers() const { return {}; }
  [[nodiscard]] std::vector<regimen::Named> named_parameters() const { return {{"weight", weight}}; }
  [[nodiscard]] std::vector<regimen::Named> named_buffers() const { return {}; }
  void save(OutputArchive& archive) const { archive.write("weight", weight); }
  void load(InputArchive& archive) { archive.read("weight", weight); }
};

/// All of a State as bytes, so that equal means equal to the last bit, NaNs among them.
class Flat {
 public:
  explicit Flat(const regimen::State& state) {
    add(state.clock);
    add(state.loss_sum);
    add(state.loss_count);
    add(state.loss_samples);
    add(state.lr_scale);
    add(state.seconds);
    for (const regimen::Epoch& epoch : state.history) {
      add(epoch);
    }
    for (const regimen::Outcome& outcome : state.history.outcomes) {
      add(outcome.phase);
      add(outcome.ended);
      add(outcome.clock);
    }
  }

  friend bool operator==(const Flat&, const Flat&) = default;

 private:
  template <class T>
    requires std::is_arithmetic_v<T> || std::is_enum_v<T>
  void add(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }

  void add(const std::string& text) {
    add(text.size());
    bytes_ += text;
  }

  void add(const regimen::Clock& clock) {
    add(clock.phase);
    add(clock.epoch);
    add(clock.batch);
    add(clock.batches);
    add(clock.step);
  }

  void add(const regimen::Score& score) {
    add(score.accuracy);
    add(score.loss);
    add(score.samples);
  }

  void add(const regimen::Epoch& epoch) {
    add(epoch.clock);
    add(epoch.phase);
    add(epoch.fit);
    add(epoch.clean);
    add(epoch.test);
    add(epoch.validation);
    add(epoch.train_loss);
    add(epoch.learning_rate);
    add(epoch.seconds);
    for (const auto& [name, value] : epoch.measures) {
      add(name);
      add(value);
    }
  }

  std::string bytes_;
};

/// An archive as `save_checkpoint` writes it, before its footer, with whatever `write_state` puts into its first part.
template <class WriteState>
std::string archive_of(const Layer& layer, WriteState&& write_state) {
  OutputArchive archive;
  OutputArchive part;
  write_state(part);
  archive.write("state", part);
  OutputArchive thing;
  layer.save(thing);
  archive.write("thing0", thing);
  std::string bytes;
  archive.save_to([&](const void* data, std::size_t size) {
    bytes.append(static_cast<const char*>(data), size);
    return size;
  });
  return bytes;
}

std::string archive_of(const regimen::State& state, const Layer& layer) {
  return archive_of(layer, [&](OutputArchive& part) { regimen::detail::save_state(part, state); });
}

std::string with_footer(std::string archive) {
  regimen::detail::append_footer(archive);
  return archive;
}

/// What LibTorch takes to read even the smallest archive, whose code it compiles: 52 KiB, or more on other versions.
constexpr std::int64_t archive_slack = 256 * 1024;

std::optional<regimen::State> load(std::string_view file, Layer& layer) {
  const fuzz::MemoryFile in_memory(file);
  const std::int64_t bound = 2 * static_cast<std::int64_t>(file.size()) + archive_slack;
  return fuzz::attempt(in_memory.path(), bound, [&] { return regimen::load_checkpoint(in_memory.path(), layer); });
}

/// What was read is right if it comes back when it is written: there is no second reader of LibTorch's archives here.
void expect_comes_back(const regimen::State& state, const Layer& layer) {
  Layer other;
  const auto again = load(with_footer(archive_of(state, layer)), other);
  expect(again.has_value(), "a State that was read cannot be read again");
  expect(Flat(*again) == Flat(state), "a State that was read comes back as another");
  expect(std::memcmp(other.weight.data_ptr(), layer.weight.data_ptr(), layer.weight.nbytes()) == 0, "other weights");
}

/// CRC-32, bit by bit.
std::uint32_t crc32_of(std::string_view bytes) {
  std::uint32_t sum = 0xFFFFFFFF;
  for (const char c : bytes) {
    sum ^= static_cast<unsigned char>(c);
    for (int i = 0; i < 8; ++i) {
      sum = sum >> 1 ^ ((sum & 1) != 0 ? 0xEDB88320 : 0);
    }
  }
  return ~sum;
}

/// Whether the file's last eight characters are the checksum of what comes before its mark.
bool has_right_sum(std::string_view file) {
  const std::size_t mark = file.rfind("regimen-checkpoint ");
  if (mark == std::string_view::npos || file.size() < mark + 28) {
    return false;
  }
  char digits[16];
  std::snprintf(digits, sizeof digits, "%08x", crc32_of(file.substr(0, mark)));
  return file.ends_with(digits);
}

// Of what a State is written: every key of detail::load_state, with a value of its kind or of another.
using Integers = std::vector<std::int64_t>;
using Doubles = std::vector<double>;
using Strings = std::vector<std::string>;
struct Missing {};
using Value = std::variant<Missing, Integers, Doubles, Strings, std::int64_t>;
using Parts = std::map<std::string, Value>;

void write(OutputArchive& archive, const Parts& parts) {
  for (const auto& [key, value] : parts) {
    if (const auto* const integers = std::get_if<Integers>(&value)) {
      archive.write(key, regimen::detail::tensor_of(*integers), true);
    } else if (const auto* const doubles = std::get_if<Doubles>(&value)) {
      archive.write(key, regimen::detail::tensor_of(*doubles), true);
    } else if (const auto* const strings = std::get_if<Strings>(&value)) {
      archive.write(key, regimen::detail::list_of(*strings));
    } else if (const auto* const number = std::get_if<std::int64_t>(&value)) {
      archive.write(key, c10::IValue(*number));
    }
  }
}

/// The clock that five numbers from here on are; nothing where the phase is too large.
std::optional<regimen::Clock> clock_at(const Integers& numbers, std::size_t at) {
  if (numbers[at] != static_cast<int>(numbers[at])) {
    return std::nullopt;
  }
  return regimen::Clock{.phase = static_cast<int>(numbers[at]),
                        .epoch = numbers[at + 1],
                        .batch = numbers[at + 2],
                        .batches = numbers[at + 3],
                        .step = numbers[at + 4]};
}

/// The State that the parts are; nothing where they are none.
std::optional<regimen::State> state_of(const Parts& parts) {
  const auto* const format = std::get_if<std::int64_t>(&parts.at("format"));
  const auto* const clock = std::get_if<Integers>(&parts.at("clock"));
  const auto* const sums = std::get_if<Doubles>(&parts.at("sums"));
  const auto* const loss_samples = std::get_if<std::int64_t>(&parts.at("loss_samples"));
  const auto* const phases = std::get_if<Strings>(&parts.at("phases"));
  const auto* const doubles = std::get_if<Doubles>(&parts.at("doubles"));
  const auto* const integers = std::get_if<Integers>(&parts.at("integers"));
  const auto* const names = std::get_if<Strings>(&parts.at("measure_names"));
  const auto* const values = std::get_if<Doubles>(&parts.at("measure_values"));
  const auto* const counts = std::get_if<Integers>(&parts.at("measure_counts"));
  const auto* const outcome_phases = std::get_if<Strings>(&parts.at("outcome_phases"));
  const auto* const outcomes = std::get_if<Integers>(&parts.at("outcomes"));
  const bool kinds = format != nullptr && clock != nullptr && sums != nullptr && loss_samples != nullptr &&
                     phases != nullptr && doubles != nullptr && integers != nullptr && names != nullptr &&
                     values != nullptr && counts != nullptr && outcome_phases != nullptr && outcomes != nullptr;
  if (!kinds || *format != 1 || clock->size() != 5 || sums->size() != 3 || doubles->size() != 11 * phases->size() ||
      integers->size() != 9 * phases->size() || counts->size() != phases->size() || names->size() != values->size() ||
      outcomes->size() != 6 * outcome_phases->size()) {
    return std::nullopt;
  }
  const auto now = clock_at(*clock, 0);
  if (!now) {
    return std::nullopt;
  }
  regimen::State state{.clock = *now,
                       .loss_sum = (*sums)[0],
                       .loss_samples = *loss_samples,
                       .loss_count = static_cast<double>(*loss_samples),  // as in files that have no count
                       .lr_scale = (*sums)[1],
                       .seconds = (*sums)[2]};
  std::size_t measure = 0;
  for (std::size_t i = 0; i < phases->size(); ++i) {
    const double* const d = doubles->data() + 11 * i;
    const std::int64_t* const n = integers->data() + 9 * i;
    const auto when = clock_at(*integers, 9 * i);
    const std::int64_t measures = (*counts)[i];
    if (!when || measures < 0 || static_cast<std::uint64_t>(measures) > names->size() - measure) {
      return std::nullopt;
    }
    regimen::Epoch epoch{.clock = *when,
                         .phase = (*phases)[i],
                         .fit = {d[0], d[1], n[5]},
                         .clean = {d[2], d[3], n[6]},
                         .test = {d[4], d[5], n[7]},
                         .validation = {d[6], d[7], n[8]},
                         .train_loss = d[8],
                         .learning_rate = d[9],
                         .seconds = d[10]};
    for (const std::size_t end = measure + static_cast<std::size_t>(measures); measure < end; ++measure) {
      epoch.measures[(*names)[measure]] = (*values)[measure];
    }
    state.history.epochs.push_back(epoch);
  }
  if (measure != names->size()) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < outcome_phases->size(); ++i) {
    const auto when = clock_at(*outcomes, 6 * i);
    const std::int64_t ended = (*outcomes)[6 * i + 5];
    if (!when || ended < 0 || ended > static_cast<std::int64_t>(regimen::Ended::diverged)) {
      return std::nullopt;
    }
    state.history.outcomes.push_back({(*outcome_phases)[i], static_cast<regimen::Ended>(ended), *when});
  }
  return state;
}

/// Directions, byte by byte; zeros where they end.
class Directions {
 public:
  explicit Directions(std::string_view bytes) : bytes_(bytes) {}

  std::uint8_t byte() {
    if (bytes_.empty()) {
      return 0;
    }
    const auto first = static_cast<std::uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return first;
  }

  /// A small number, or after a byte of 255 any.
  std::int64_t integer() {
    const std::uint8_t small = byte();
    if (small != 255) {
      return small;
    }
    std::uint64_t any = 0;
    for (int i = 0; i < 8; ++i) {
      any = any << 8 | byte();
    }
    return static_cast<std::int64_t>(any);
  }

  double real() {
    const std::int64_t bits = integer();
    double any = 0;
    std::memcpy(&any, &bits, sizeof any);
    return bits >= 0 && bits < 255 ? static_cast<double>(bits) / 10 : any;
  }

  std::string text() {
    std::string text(byte() % 8, '\0');
    std::generate(text.begin(), text.end(), [&] { return static_cast<char>(byte()); });
    return text;
  }

 private:
  std::string_view bytes_;
};

/// Parts that are a State.
Parts right_parts(Directions& directions) {
  const int epochs = directions.byte() % 4;
  const int outcomes_count = directions.byte() % 4;
  Integers clock(5);
  std::generate(clock.begin(), clock.end(), [&] { return directions.byte(); });
  Doubles sums(3);
  std::generate(sums.begin(), sums.end(), [&] { return directions.real(); });
  const std::int64_t loss_samples = directions.integer();
  Strings phases;
  Doubles doubles;
  Integers integers;
  Strings names;
  Doubles values;
  Integers counts;
  for (int i = 0; i < epochs; ++i) {
    phases.push_back(directions.text());
    std::generate_n(std::back_inserter(doubles), 11, [&] { return directions.real(); });
    std::generate_n(std::back_inserter(integers), 9, [&] { return directions.byte(); });
    counts.push_back(directions.byte() % 3);
    std::generate_n(std::back_inserter(names), counts.back(), [&] { return directions.text(); });
    std::generate_n(std::back_inserter(values), counts.back(), [&] { return directions.real(); });
  }
  Strings outcome_phases;
  Integers outcomes;
  for (int i = 0; i < outcomes_count; ++i) {
    outcome_phases.push_back(directions.text());
    std::generate_n(std::back_inserter(outcomes), 5, [&] { return directions.byte(); });
    outcomes.push_back(directions.byte() % 5);
  }
  return {{"format", std::int64_t{1}},
          {"clock", clock},
          {"sums", sums},
          {"loss_samples", loss_samples},
          {"phases", phases},
          {"doubles", doubles},
          {"integers", integers},
          {"measure_names", names},
          {"measure_values", values},
          {"measure_counts", counts},
          {"outcome_phases", outcome_phases},
          {"outcomes", outcomes}};
}

/// Another length, or another entry.
template <class List, class Draw>
void change(List& list, bool length, std::size_t where, Draw&& draw) {
  if (length || list.empty()) {
    list.resize(where % 64);
  } else {
    list[where % list.size()] = draw();
  }
}

/// Changes one value: to none, to one of another kind, of another length, or with another entry.
void damage(Value& value, Directions& directions) {
  const int how = directions.byte() % 8;
  const std::size_t where = directions.byte();
  const bool length = how == 6;
  if (how == 1) {
    value = Missing{};
  } else if (how == 2) {
    value = Integers(where % 32);
  } else if (how == 3) {
    value = Doubles(where % 32);
  } else if (how == 4) {
    value = Strings(where % 32);
  } else if (how == 5) {
    value = directions.integer();
  } else if (auto* const integers = std::get_if<Integers>(&value)) {
    change(*integers, length, where, [&] { return directions.integer(); });
  } else if (auto* const doubles = std::get_if<Doubles>(&value)) {
    change(*doubles, length, where, [&] { return directions.real(); });
  } else if (auto* const strings = std::get_if<Strings>(&value)) {
    change(*strings, length, where, [&] { return directions.text(); });
  }
}

}  // namespace

namespace fuzz {

void checkpoint(std::string_view file) {
  Layer layer;
  const auto state = load(file, layer);
  expect(!state || has_right_sum(file), "a file whose checksum is wrong was read");
  if (state) {
    expect_comes_back(*state, layer);
  }
}

void state(std::string_view bytes) {
  Directions directions(bytes);
  const int damages = directions.byte() % 4;
  Layer saved;
  saved.weight = at::zeros({2, 3 + directions.byte() % 2});
  Parts parts = right_parts(directions);
  for (int i = 0; i < damages; ++i) {
    damage(std::next(parts.begin(), directions.byte() % static_cast<int>(parts.size()))->second, directions);
  }
  auto expected = state_of(parts);
  Layer layer;
  if (saved.weight.sizes() != layer.weight.sizes()) {
    expected.reset();
  }

  const std::string archive = archive_of(saved, [&](OutputArchive& part) { write(part, parts); });
  const auto loaded = load(with_footer(archive), layer);
  expect(loaded.has_value() == expected.has_value(), expected ? "a State was refused" : "what is no State was read");
  if (loaded) {
    expect(Flat(*loaded) == Flat(*expected), "another State");
  }
}

void warm_up() {
  Layer layer;
  const MemoryFile file(with_footer(archive_of(regimen::State{}, layer)));
  static_cast<void>(regimen::load_checkpoint(file.path(), layer));
}

void write_checkpoints(const std::string& folder) {
  regimen::State state;
  Layer layer;
  regimen::save_checkpoint(folder + "/at-the-start.pt", state, layer);

  state.clock = {.phase = 1, .epoch = 2, .batch = 3, .batches = 4, .step = 11};
  state.loss_sum = 12.5;
  state.loss_samples = 96;
  regimen::Epoch epoch{.clock = {.epoch = 1, .step = 4}, .phase = "memorize", .fit = {0.5, 1.25, 32}, .seconds = 2};
  state.history.epochs.push_back(epoch);
  epoch.measures = {{"l2", 3.5}, {"sharpness", 0.25}};
  state.history.epochs.push_back(epoch);
  state.history.outcomes.push_back({"memorize", regimen::Ended::epochs, {.epoch = 2, .step = 8}});
  regimen::save_checkpoint(folder + "/in-the-middle.pt", state, layer);
}

}  // namespace fuzz
