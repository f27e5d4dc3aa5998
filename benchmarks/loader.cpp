// Normalized batches of images that are in memory, shuffled anew each epoch, against LibTorch's own data loader.

#include <torch/torch.h>

#include <regimen/regimen.hpp>

#include "measure.hpp"

namespace rg = regimen;

namespace {

constexpr std::int64_t images = 60'000;
constexpr std::int64_t batch = 128;

/// The first rows of it that a LibTorch dataset is asked for, one at a time.
class Rows : public torch::data::Dataset<Rows> {
 public:
  explicit Rows(const rg::Batch& all) : all_(all) {}
  torch::data::Example<> get(std::size_t index) override {
    const auto i = static_cast<std::int64_t>(index);
    return {all_.data[i].to(torch::kFloat).div(255), all_.target[i]};
  }
  torch::optional<std::size_t> size() const override { return static_cast<std::size_t>(images); }

 private:
  rg::Batch all_;
};

}  // namespace

int main() {
  torch::set_num_threads(1);
  const rg::Batch all{torch::randint(256, {images, 1, 28, 28}, torch::kByte),
                      torch::randint(10, {images}, torch::kLong)};
  const rg::Source source(all);
  const rg::Normalize normalize{.mean = {0.2860}, .stddev = {0.3530}};
  const auto ours = [&] {
    rg::Order order{.batch = batch, .shuffle = true};
    const rg::Cursor next = source.read(order);
    std::int64_t seen = 0;
    for (rg::Batch rows = next(); rows.size() > 0; rows = next()) {
      seen += normalize(rows, rg::Key(0, rows.id)).data.size(0);
    }
    TORCH_CHECK(seen == images);
  };
  const auto loader = torch::data::make_data_loader<torch::data::samplers::RandomSampler>(
      Rows(all).map(torch::data::transforms::Normalize<>(0.2860, 0.3530)).map(torch::data::transforms::Stack<>()),
      torch::data::DataLoaderOptions().batch_size(batch));
  const auto theirs = [&] {
    std::int64_t seen = 0;
    for (const torch::data::Example<>& rows : *loader) {
      seen += rows.data.size(0);
    }
    TORCH_CHECK(seen == images);
  };
  const Report report("Normalized batches of 128 from 60,000 images of 28x28 in memory, one thread");
  report.faster("a source and Normalize", "torch::data::DataLoader with Normalize and Stack", 10,
                take_turns(5, [&] { return seconds_of(ours); }, [&] { return seconds_of(theirs); }));
  return 0;
}
