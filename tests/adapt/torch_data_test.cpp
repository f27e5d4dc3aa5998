// Data sets and loaders of torch::data as sources, and our transforms inside of them.

#include "support/training.hpp"

#include <regimen/adapt.hpp>

#include <set>

namespace torch_data_test {

namespace {

using namespace training;
namespace data = torch::data;

/// As people write them: one example at a time.
class Grid : public data::datasets::Dataset<Grid> {
 public:
  explicit Grid(std::int64_t n) : all_(points(n, 11)) {}
  data::Example<> get(std::size_t i) override {
    const auto place = static_cast<std::int64_t>(i);
    return {all_.data[place], all_.target[place]};
  }
  torch::optional<std::size_t> size() const override { return static_cast<std::size_t>(all_.size()); }
  [[nodiscard]] const rg::Batch& all() const { return all_; }

 private:
  rg::Batch all_;
};

/// One that knows ids of its own and gives whole batches of a type of its own.
struct Rows {
  at::Tensor x;
  at::Tensor y;
  std::vector<std::int64_t> names;
};
class Named : public data::datasets::BatchDataset<Named, Rows> {
 public:
  Rows get_batch(c10::ArrayRef<std::size_t> places) override {
    Rows rows{torch::zeros({static_cast<std::int64_t>(places.size()), 2}),
              torch::zeros({static_cast<std::int64_t>(places.size())}, torch::kLong),
              {}};
    for (std::size_t i = 0; i < places.size(); ++i) {
      rows.x[static_cast<std::int64_t>(i)].fill_(static_cast<double>(places[i]));
      rows.names.push_back(static_cast<std::int64_t>(1000 + places[i]));
    }
    return rows;
  }
  torch::optional<std::size_t> size() const override { return 10; }
};
const auto to_batch = [](const Rows& rows) {
  return rg::Batch{.data = rows.x, .target = rows.y, .id = torch::tensor(rows.names, torch::kLong)};
};

/// A sampler of one's own: the places 0 to n - 1, and it counts how often it was asked.
class Own : public data::samplers::Sampler<> {
 public:
  explicit Own(std::size_t n, int* asked = nullptr) : n_(n), asked_(asked) {}
  void reset(torch::optional<std::size_t> /*new_size*/ = torch::nullopt) override { at_ = 0; }
  torch::optional<std::vector<std::size_t>> next(std::size_t batch) override {
    if (asked_ != nullptr) {
      ++*asked_;
    }
    std::vector<std::size_t> places;
    while (at_ < n_ && places.size() < batch) {
      places.push_back(at_++);
    }
    return places.empty() ? torch::nullopt : torch::optional<std::vector<std::size_t>>(places);
  }
  void save(torch::serialize::OutputArchive& /*archive*/) const override {}
  void load(torch::serialize::InputArchive& /*archive*/) override {}

 private:
  std::size_t n_;
  int* asked_;
  std::size_t at_ = 0;
};

/// A data set with a state: `n` samples an epoch in order, of which it says that they are `size`.
class Numbers : public data::datasets::StatefulDataset<Numbers, std::vector<data::Example<>>, std::size_t> {
 public:
  Numbers(std::int64_t n, torch::optional<std::size_t> size) : all_(points(n, 11)), size_(size) {}
  torch::optional<std::vector<data::Example<>>> get_batch(std::size_t batch) override {
    std::vector<data::Example<>> examples;
    for (; at_ < all_.size() && examples.size() < batch; ++at_) {
      examples.emplace_back(all_.data[at_], all_.target[at_]);
    }
    return examples.empty() ? torch::nullopt : torch::optional<std::vector<data::Example<>>>(examples);
  }
  torch::optional<std::size_t> size() const override { return size_; }
  void reset() override { at_ = 0; }
  void save(torch::serialize::OutputArchive& /*archive*/) const override {}
  void load(torch::serialize::InputArchive& /*archive*/) override {}

 private:
  rg::Batch all_;
  torch::optional<std::size_t> size_;
  std::int64_t at_ = 0;
};

/// The labels that a loader gives in its next epoch, in their order.
template <class Loader>
at::Tensor labels_of(Loader& loader) {
  std::vector<at::Tensor> labels;
  for (const auto& batch : loader) {
    labels.push_back(batch.data.select(1, 0));
  }
  return torch::cat(labels);
}

/// What is said of a source: by whoever makes it, or while it is trained on after so many steps.
template <class Make>
std::pair<std::string, int> refusal_of(Make&& make) {
  int steps = 0;
  const std::string message = error_of([&] {
    auto net = network();
    torch::optim::SGD sgd(net->parameters(), 0.1);
    rg::run(net, {{.data = make(), .optimizer = sgd, .epochs = 1}}, {}, [&](const rg::Step&) { ++steps; });
  });
  return {message, steps};
}

rg::Batch read_all(const rg::Source& source, const rg::Order& order = {}) {
  std::vector<at::Tensor> x;
  std::vector<at::Tensor> y;
  std::vector<at::Tensor> id;
  const rg::Cursor next = source.read(order);
  for (rg::Batch batch = next(); batch.size() > 0; batch = next()) {
    x.push_back(batch.data);
    y.push_back(batch.target);
    id.push_back(batch.id);
  }
  return {.data = torch::cat(x), .target = torch::cat(y), .id = torch::cat(id)};
}

}  // namespace

TEST_CASE("a map-style data set is trained on as the same data in memory, bit for bit") {
  const Grid grid(60);
  const rg::Source source = rg::from_dataset(grid);
  CHECK(source.size() == 60);
  const auto trained_on = [](const rg::Source& train) {
    auto net = network();
    torch::optim::SGD sgd(net->parameters(), 0.1);
    const rg::UniformLabels noise{.classes = 3, .fraction = 0.3};
    const rg::Phase phase{
        .data = rg::frozen(rg::repeat(train, 2), noise, 7), .optimizer = sgd, .epochs = 3, .batch = 16, .seed = 5};
    const rg::History history = rg::run(net, {phase}, {.clean = train, .test = train});
    return std::pair(history, weights(net));
  };
  const auto [history, trained] = trained_on(source);
  const auto [expected, weights_expected] = trained_on(grid.all());
  CHECK((history == expected));
  CHECK(same(trained, weights_expected));
}

TEST_CASE("a data set with batches and ids of its own says how a batch is made of them") {
  const rg::Source source = rg::from_dataset(Named{}, to_batch);
  const rg::Batch some = source.get(torch::tensor({3, 7}, torch::kLong));
  CHECK(some.id.equal(torch::tensor({1003, 1007}, torch::kLong)));
  CHECK(some.data.equal(torch::tensor({{3.0F, 3.0F}, {7.0F, 7.0F}})));
}

TEST_CASE("a loader that keeps the order gives the batches of its data set; run trains on them and resumes") {
  const Grid grid(50);
  auto loader = data::make_data_loader<data::samplers::SequentialSampler>(Grid(grid).map(data::transforms::Stack<>()),
                                                                          data::DataLoaderOptions().batch_size(16));
  const rg::Source source = rg::from_loader(*loader, 50);
  CHECK(source.batches({.batch = 128}) == 4);
  const rg::Batch all = read_all(source);
  CHECK(all.data.equal(grid.all().data));
  CHECK(all.target.equal(grid.all().target));
  CHECK(read_all(source, {.first = 2}).data.equal(grid.all().data.slice(0, 32)));
  CHECK(contains(error_of([&] { static_cast<void>(rg::frozen(source, rg::UniformLabels{.classes = 3}, 1)); }),
                 "frozen takes a source whose ids name the same samples"));
}

TEST_CASE("a loader that shuffles is a function of the seed: equal runs, and a resume in the middle of an epoch") {
  const Folder folder;
  const Grid grid(50);
  const auto train = [&](std::uint64_t disturbance, int stop_at) {
    auto net = network(3);
    torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
    torch::manual_seed(disturbance);
    auto loader = data::make_data_loader(Grid(grid).map(data::transforms::Stack<>()), 16);  // random order
    const rg::Phase phase{.data = rg::from_loader(*loader, 50),
                          .optimizer = sgd,
                          .epochs = 3,
                          .augment = {rg::GaussianNoise{.stddev = 0.1}},
                          .seed = 5};
    std::stop_source stop;
    rg::Checkpoint keep(folder / "run.pt", {.seconds = 0}, net, sgd);
    int steps = 0;
    const auto count = [&](const rg::Step&) {
      if (++steps == stop_at) {
        stop.request_stop();
      }
    };
    rg::History history = rg::run(net, {phase}, {}, {.stop = stop.get_token()}, keep, count);
    if (history.ended() == rg::Ended::stopped) {
      auto fresh = network(4);
      torch::optim::SGD again(fresh->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
      const rg::State state = rg::load_checkpoint(folder / "run.pt", fresh, again);
      rg::Phase rest = phase;
      rest.optimizer = again;
      history = rg::run(fresh, {rest}, {}, {.from = state});
      return std::pair(history, weights(fresh));
    }
    return std::pair(history, weights(net));
  };
  const auto [expected, weights_expected] = train(1, 0);
  CHECK(expected.back().clock.step == 12);
  for (const int stop_at : {0, 2, 4, 7}) {
    CAPTURE(stop_at);
    const auto [history, trained] = train(100, stop_at);
    CHECK((history == expected));
    CHECK(same(trained, weights_expected));
  }
}

TEST_CASE("a loader with ids may be frozen, and reads the same labels in another order") {
  auto loader = data::make_data_loader(Named{}, 4);
  const rg::Source frozen =
      rg::frozen(rg::from_loader(*loader, 10, to_batch), rg::UniformLabels{.classes = 100}, /*seed=*/7);
  const auto by_id = [](const rg::Batch& batch) {
    std::map<std::int64_t, std::int64_t> labels;
    for (std::int64_t i = 0; i < batch.size(); ++i) {
      labels[batch.id[i].item<std::int64_t>()] = batch.target[i].item<std::int64_t>();
    }
    return labels;
  };
  torch::manual_seed(1);
  const rg::Batch first = read_all(frozen);
  const rg::Batch second = read_all(frozen);
  CHECK_FALSE(first.id.equal(second.id));  // it shuffles
  CHECK(by_id(first) == by_id(second));
  CHECK(by_id(first).size() == 10);
}

TEST_CASE("from_loader: a wrong number of samples is refused before the first step where a sampler tells it") {
  const Grid grid(50);
  const auto check = [&](auto sampler, const data::DataLoaderOptions& options, std::int64_t right) {
    CAPTURE(options.workers(), options.drop_last(), right);
    auto loader = data::make_data_loader(Grid(grid).map(data::transforms::Stack<>()), sampler, options);
    for (const std::int64_t wrong : {right - 1, right + 1, std::int64_t{60000}}) {
      auto fresh = data::make_data_loader(Grid(grid).map(data::transforms::Stack<>()), sampler, options);
      const auto [message, steps] = refusal_of([&] { return rg::from_loader(*fresh, wrong); });
      CHECK(contains(message, "from_loader: samples must be " + std::to_string(right) + ", what the loader gives"));
      CHECK(contains(message, "but is " + std::to_string(wrong)));
      CHECK(contains(message, "drop_last") == options.drop_last());
      CHECK(steps == 0);
    }
    const rg::Source source = rg::from_loader(*loader, right);
    CHECK(read_all(source).size() == right);
    CHECK(read_all(source).size() == right);
    CHECK(source.batches({}) == (options.drop_last() ? 3 : (right + 15) / 16));
  };
  for (const std::size_t workers : {0U, 2U}) {
    const auto options = data::DataLoaderOptions(16).workers(workers);
    check(data::samplers::RandomSampler(50), options, 50);
    check(data::samplers::SequentialSampler(50), options, 50);
    check(data::samplers::SequentialSampler(50), data::DataLoaderOptions(options).drop_last(true), 48);
    check(data::samplers::RandomSampler(20), options, 20);  // of a data set of 50
    check(data::samplers::DistributedRandomSampler(50, 3, 1, /*allow_duplicates=*/true), options, 17);
    check(data::samplers::DistributedSequentialSampler(50, 3, 1, /*allow_duplicates=*/false), options, 16);
  }
}

TEST_CASE("from_loader: to count the samples changes no order and no generator") {
  const Grid grid(50);
  const auto order = [&](auto sampler, std::size_t workers, bool counted) {
    torch::manual_seed(3);
    auto loader = data::make_data_loader(Grid(grid).map(data::transforms::Stack<>()), sampler,
                                         data::DataLoaderOptions(16).workers(workers));
    if (counted) {
      static_cast<void>(rg::from_loader(*loader, 50));
    }
    const at::Tensor first = labels_of(*loader);
    if (counted && workers == 0) {
      static_cast<void>(rg::from_loader(*loader, 50));  // between two epochs
    }
    return torch::cat({first, labels_of(*loader), torch::rand({3})});
  };
  for (const std::size_t workers : {0U, 1U}) {
    const auto random = data::samplers::RandomSampler(50);
    CHECK(order(random, workers, true).equal(order(random, workers, false)));
    const auto shared = data::samplers::DistributedRandomSampler(50);
    CHECK(order(shared, workers, true).equal(order(shared, workers, false)));
  }
}

TEST_CASE("from_loader: a sampler of one's own is left alone, and the batch that exceeds the number is refused") {
  const Grid grid(50);
  for (const std::size_t workers : {0U, 2U}) {
    CAPTURE(workers);
    int asked = 0;
    auto loader = data::make_data_loader(Grid(grid).map(data::transforms::Stack<>()), Own(50, &asked),
                                         data::DataLoaderOptions(16).workers(workers));
    const auto too_few = refusal_of([&] { return rg::from_loader(*loader, 40); });
    CHECK(contains(too_few.first, "from_loader: samples must be at least 48, what the loader has given"));
    CHECK(contains(too_few.first, "but is 40"));
    CHECK(too_few.second == 2);
    const auto too_many = refusal_of([&] { return rg::from_loader(*loader, 60); });
    CHECK(contains(too_many.first, "from_loader: samples must be 50, what the loader gives in an epoch, but is 60"));
    asked = 0;
    const rg::Source source = rg::from_loader(*loader, 50);
    CHECK(asked == 0);
    CHECK(read_all(source).data.equal(grid.all().data));
  }
}

TEST_CASE("from_loader: a loader with workers that is in use is not counted, and refused at the batch too many") {
  const Grid grid(50);
  auto loader = data::make_data_loader(Grid(grid).map(data::transforms::Stack<>()),
                                       data::samplers::SequentialSampler(50), data::DataLoaderOptions(16).workers(1));
  static_cast<void>(labels_of(*loader));
  CHECK(read_all(rg::from_loader(*loader, 50)).data.equal(grid.all().data));
  const auto [message, steps] = refusal_of([&] { return rg::from_loader(*loader, 20); });
  CHECK(contains(message, "samples must be at least 32"));
  CHECK(steps == 1);
}

TEST_CASE("from_loader: a stateful data set that says its size is believed, another one is counted as it comes") {
  const auto loader_of = [](torch::optional<std::size_t> size) {
    return data::make_data_loader(Numbers(50, size).map(data::transforms::Stack<>()), data::DataLoaderOptions(16));
  };
  auto sized = loader_of(50);
  const auto known = refusal_of([&] { return rg::from_loader(*sized, 60); });
  CHECK(contains(known.first, "from_loader: samples must be 50, what the loader gives in an epoch, but is 60"));
  CHECK(known.second == 0);
  CHECK(read_all(rg::from_loader(*sized, 50)).data.equal(points(50, 11).data));
  auto unsized = loader_of(torch::nullopt);
  const auto [message, steps] = refusal_of([&] { return rg::from_loader(*unsized, 20); });
  CHECK(contains(message, "samples must be at least 32"));
  CHECK(steps == 1);
  CHECK(read_all(rg::from_loader(*unsized, 50)).data.equal(points(50, 11).data));
}

TEST_CASE("a transform of ours inside a data set of torch::data damages as it does in a source") {
  const Grid grid(40);
  const rg::UniformLabels noise{.classes = 3, .fraction = 0.5};
  rg::Transformed<Grid> noisy(grid, noise, /*seed=*/7);
  CHECK(noisy.size() == 40U);
  const rg::Batch expected = rg::materialize(rg::frozen(rg::Source(grid.all()), noise, 7));
  auto loader = data::make_data_loader<data::samplers::SequentialSampler>(
      noisy.map(data::transforms::Stack<>()), data::DataLoaderOptions().batch_size(7).workers(2));
  std::vector<at::Tensor> labels;
  for (const auto& batch : *loader) {
    labels.push_back(batch.target);
  }
  CHECK(torch::cat(labels).equal(expected.target));
}

TEST_CASE("from_dataset: the manifest knows all samples, and asking for it draws nothing") {
  using torch::data::datasets::TensorDataset;
  const auto manifest = [](const at::Tensor& data) { return rg::from_dataset(TensorDataset(data)).manifest(); };
  const at::Tensor zeros = torch::zeros({300, 3});
  const at::Tensor last = zeros.clone();
  last[299][2] = 1;
  CHECK(manifest(zeros) == manifest(zeros.clone()));
  CHECK(manifest(zeros) != manifest(last));
  CHECK(manifest(zeros) != manifest(zeros.view({300, 1, 3})));
  CHECK(manifest(zeros) != manifest(zeros.to(torch::kInt)));

  const auto noisy =
      rg::from_dataset(TensorDataset(zeros), [](const std::vector<torch::data::TensorExample>& examples) {
        return rg::Batch{.data = torch::rand({static_cast<std::int64_t>(examples.size()), 3})};
      });
  const at::Tensor before = generator_state();
  (void)noisy.manifest();
  CHECK(torch::equal(before, generator_state()));
}

}  // namespace torch_data_test
