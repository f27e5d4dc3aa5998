// Data sets and loaders of torch::data as sources, and our transforms inside of them.

#include "training/helpers.hpp"

#include "regimen/adapt/data.hpp"

#include <set>

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
