#pragma once
// Not part of regimen.hpp: torch/data.h takes as long to compile as all of it.

#include <torch/data.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "regimen/adapt/detail/loader_samples.hpp"
#include "regimen/datasets/dataset.hpp"
#include "regimen/key/generator_guard.hpp"
#include "regimen/model/guards.hpp"
#include "regimen/source/concept.hpp"
#include "regimen/source/source.hpp"
#include "regimen/tensor/checksum.hpp"
#include "regimen/tensor/crc32.hpp"
#include "regimen/transform/concept.hpp"

namespace regimen::inline v0 {

namespace detail {

template <class T>
inline constexpr bool is_example = false;
template <class Data, class Target>
inline constexpr bool is_example<torch::data::Example<Data, Target>> = true;

/// The rows stacked along a new first dimension; single numbers become [N].
inline at::Tensor stacked(const std::vector<at::Tensor>& rows) {
  return rows.empty() ? at::Tensor() : at::stack(rows);
}

/// The batch in LibTorch's own example types: one stacked example, or a list of examples.
template <class T>
Batch batch_of(const T& examples) {
  if constexpr (std::is_same_v<T, torch::data::Example<>>) {
    return {.data = examples.data, .target = examples.target};
  } else if constexpr (std::is_same_v<T, torch::data::TensorExample>) {
    return {.data = examples.data};
  } else if constexpr (std::is_same_v<T, std::vector<torch::data::Example<>>>) {
    std::vector<at::Tensor> data;
    std::vector<at::Tensor> target;
    for (const auto& example : examples) {
      data.push_back(example.data);
      target.push_back(example.target);
    }
    return {.data = stacked(data), .target = stacked(target)};
  } else if constexpr (std::is_same_v<T, std::vector<torch::data::TensorExample>>) {
    std::vector<at::Tensor> data;
    for (const auto& example : examples) {
      data.push_back(example.data);
    }
    return {.data = stacked(data)};
  } else {
    static_assert(is_example<T> && !is_example<T>,
                  "these examples are not LibTorch's Example<Tensor, Tensor> or TensorExample: say how a batch is made "
                  "of them, [](const Examples& examples) { return regimen::Batch{...}; }");
  }
}

struct ToBatch {
  template <class T>
  Batch operator()(const T& examples) const {
    return batch_of(examples);
  }
};

template <class Dataset, class How>
struct MapDataset {
  std::shared_ptr<Dataset> dataset;
  How how;

  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(*dataset->size()); }

  [[nodiscard]] Batch get(const at::Tensor& index) const {
    std::vector<std::size_t> places(static_cast<std::size_t>(index.size(0)));
    const auto* const place = index.data_ptr<std::int64_t>();  // a source's index is contiguous
    for (std::size_t i = 0; i < places.size(); ++i) {
      places[i] = static_cast<std::size_t>(place[i]);
    }
    Batch batch = how(dataset->get_batch(places));
    if (!batch.id.defined()) {
      batch.id = index;
    }
    return batch;
  }

  /// Reads the whole data set. Its transforms may draw from the global generators, which are restored.
  [[nodiscard]] std::string manifest() const {
    const GeneratorGuard generators(at::kCPU);
    constexpr std::int64_t at_once = 256;
    std::string sums;
    for (std::int64_t first = 0; first < size(); first += at_once) {
      const Batch batch = get(at::arange(first, std::min(size(), first + at_once), at::kLong));
      visit_tensors(batch, [&](const at::Tensor& tensor) { sums += manifest_of_tensor(tensor); });
    }
    return json::Object()
        .add("type", json::quoted(name_of_type<Dataset>()))
        .add("samples", text(size()))
        .add("data_crc32", json::quoted(crc32_of_text(sums)))
        .text();
  }
};

template <class Loader, class How>
struct LoaderStream {
  Loader* loader;
  std::int64_t samples;
  How how;

  /// One epoch of the loader. A loader with workers cannot begin another epoch while batches of this one are pending,
  /// so an epoch that was left early is read to its end.
  struct Reader {
    explicit Reader(Loader& loader) : next(loader.begin()), end(loader.end()) {}
    ~Reader() {
      try {
        while (next != end) {
          ++next;
        }
      } catch (...) {  // an exception for batches that nobody asked for
      }
    }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    decltype(std::declval<Loader&>().begin()) next;
    decltype(std::declval<Loader&>().end()) end;
    std::int64_t given = 0;
  };

  [[nodiscard]] std::int64_t size() const { return samples; }
  [[nodiscard]] SourceTraits traits() const { return {.stable_ids = !std::is_same_v<How, ToBatch>}; }

  /// The number of batches in an epoch. The loader sets the batch size, not `Order`. With `drop_last` all batches are
  /// whole, and `samples` is a multiple of their size.
  [[nodiscard]] std::int64_t batches(const Order& /*order*/) const {
    constexpr std::size_t most = std::numeric_limits<std::int64_t>::max();
    const auto batch = static_cast<std::int64_t>(std::min<std::size_t>(loader->options().batch_size, most));
    return Order{.batch = batch}.batches(samples);
  }

  Cursor operator()(const Order& order) const {
    const auto reader = std::make_shared<Reader>(*loader);
    const auto read = [reader, how = how, samples = samples]() -> Batch {
      if (reader->next == reader->end) {
        require(reader->given == samples, "from_loader: samples",
                text(reader->given) + ", what the loader gives in an epoch", samples);
        return {};
      }
      Batch batch = how(*reader->next);
      ++reader->next;
      if (!batch.id.defined()) {
        if (!std::is_same_v<How, ToBatch>) {
          throw Error(
              "from_loader: the function that makes the batches must give them ids; without one, LibTorch's own "
              "examples need none");
        }
        batch.id = at::arange(reader->given, reader->given + batch.size(), at::kLong);
      }
      reader->given += batch.size();
      require(reader->given <= samples, "from_loader: samples",
              "at least " + text(reader->given) + ", what the loader has given in this epoch so far", samples);
      return batch;
    };
    for (std::int64_t i = 0; i < order.first; ++i) {
      static_cast<void>(read());
    }
    return read;
  }

  [[nodiscard]] std::string manifest() const {
    return json::Object()
        .add("type", json::quoted(name_of_type<Loader>()))
        .add("samples", text(samples))
        .add("batch", text(static_cast<std::int64_t>(loader->options().batch_size)))
        .text();
  }
};

}  // namespace detail

/// A map-style data set of torch::data as a source, which `run` shuffles and batches. A sample's id is its index.
/// how(result of `get_batch`) makes a Batch, with ids of its own if wanted; it is not needed for LibTorch's example
/// types. The manifest has a checksum of all samples, for which the set is read once more. Throws Error for a data set
/// without a size.
///     const regimen::Source train = regimen::from_dataset(torch::data::datasets::MNIST("data"));
template <class Dataset, class How = detail::ToBatch>
[[nodiscard]] Source from_dataset(Dataset dataset, How how = {}) {
  if (!dataset.size()) {
    throw Error("from_dataset takes a data set that knows its size; another kind goes through a loader: from_loader");
  }
  return detail::MapDataset<Dataset, How>{std::make_shared<Dataset>(std::move(dataset)), std::move(how)};
}

/// A DataLoader as a stream of `samples` samples per epoch. The loader is borrowed; it makes and shuffles the batches,
/// so `batch`, `shuffle` and `drop_last` of a phase have no effect.
///
/// Throws Error if `samples` is not the number of samples in the loader's epoch: at once, if its sampler is one of
/// LibTorch's (for a loader with workers, only once it has begun no epoch yet) or a stateful data set has a size; else
/// at the first batch too many, or at the end of an epoch with too few. Call it between epochs of the loader: the
/// sampler is drawn to its end to be counted.
///
/// how(loader's batch) makes a Batch with ids. Without `how` a sample's id is its position in the epoch, which is
/// another sample's in the next one: enough for augmentation, but `frozen` refuses it. A loader that shuffles draws its
/// order from the global generator, which `run` seeds before each epoch; a resumed run reads the epoch's first batches
/// again and drops them. The manifest has the loader's type and sizes but no checksum of the data, for which an epoch
/// would have to be read. With workers LibTorch keeps the order of batches (`enforce_ordering`).
///     auto loader = torch::data::make_data_loader(set.map(Stack<>()), 64);
///     phase.data = regimen::from_loader(*loader, 60000);
template <class Loader, class How = detail::ToBatch>
[[nodiscard]] Source from_loader(Loader& loader, std::int64_t samples, How how = {}) {
  detail::require(samples >= 1, "from_loader: samples", "at least 1", samples);
  if constexpr (requires { detail::samples_of(loader); }) {
    const std::optional<std::int64_t> given = detail::samples_of(loader);
    const bool drops = loader.options().drop_last;
    detail::require(!given || *given == samples, "from_loader: samples",
                    detail::text(given.value_or(0)) + ", what the loader gives in an epoch" +
                        (drops ? " (drop_last leaves out an incomplete batch)" : ""),
                    samples);
  }
  return detail::LoaderStream<Loader, How>{&loader, samples, std::move(how)};
}

/// A map-style data set of torch::data with its examples changed by a transform, keyed by their index and the seed: the
/// same damage at every epoch, in LibTorch's own loaders.
///     auto noisy = regimen::Transformed(MNIST("data"), regimen::UniformLabels{.classes = 10}, /*seed=*/7);
///     auto loader = torch::data::make_data_loader(noisy.map(Stack<>()), 64);
template <class Dataset>
class Transformed
    : public torch::data::datasets::BatchDataset<Transformed<Dataset>, std::vector<torch::data::Example<>>> {
 public:
  Transformed(Dataset dataset, AnyTransform transform, std::uint64_t seed)
      : dataset_(std::move(dataset)), transform_(std::move(transform)), seed_(seed) {}

  std::vector<torch::data::Example<>> get_batch(c10::ArrayRef<std::size_t> index) override {
    Batch batch = detail::batch_of(dataset_.get_batch(index));
    const std::vector<std::int64_t> ids(index.begin(), index.end());
    batch.id = at::tensor(ids, at::kLong);
    batch = transform_(batch, Key(seed_, batch.id));
    std::vector<torch::data::Example<>> examples;
    for (std::int64_t i = 0; i < batch.size(); ++i) {
      examples.emplace_back(batch.data[i], batch.target[i]);
    }
    return examples;
  }

  torch::optional<std::size_t> size() const override { return dataset_.size(); }

 private:
  Dataset dataset_;
  AnyTransform transform_;
  std::uint64_t seed_;
};

}  // namespace regimen::inline v0
