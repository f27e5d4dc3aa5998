// Data, draws and transforms on another device than the CPU: the same bits, and nobody waits for them.

#include "device/gpu.hpp"

#include <string>
#include <vector>

#include <regimen/regimen.hpp>

#include "support/tensors.hpp"

namespace {

namespace rg = regimen;

at::Tensor there(const at::Tensor& tensor) {
  return tensor.to(gpu::device());
}

rg::Batch images(std::int64_t n) {
  const at::Tensor id = at::arange(n, at::kLong) * 3;
  return {.data = rg::Key(1, id)
                      .below(256)
                      .view({n, 1, 1, 1})
                      .expand({n, 3, 8, 8})
                      .add(at::arange(64).view({8, 8}))
                      .remainder(256)
                      .to(at::kByte),
          .target = rg::Key(2, id).below(10),
          .id = id};
}

/// Everything that a source gives in one shuffled epoch.
rg::Batch epoch_of(const rg::Source& source, int epoch) {
  rg::Order order{.batch = 7, .shuffle = true, .seed = 5};
  order.now.clock.epoch = epoch;
  std::vector<rg::Batch> parts;
  const rg::Cursor next = source.read(order);
  for (rg::Batch batch = next(); batch.size() > 0; batch = next()) {
    parts.push_back(batch);
  }
  rg::Batch all;
  std::vector<at::Tensor> data;
  std::vector<at::Tensor> target;
  std::vector<at::Tensor> id;
  for (const rg::Batch& part : parts) {
    data.push_back(part.data);
    target.push_back(part.target);
    id.push_back(part.id);
  }
  return {.data = at::cat(data), .target = at::cat(target), .id = at::cat(id)};
}

}  // namespace

TEST_CASE("device: trackers by sample count there what they count here, and nobody waits before a result is read") {
  const rg::Batch all = images(40);
  rg::ForgettingEvents forgetting(all);
  rg::ForgettingEvents forgetting_there(all);
  rg::AreaUnderMargin area(all);
  rg::AreaUnderMargin area_there(all);
  const at::Tensor logits = rg::Key(4, at::arange(40 * 5)).uniform({10}).view({5, 40, 10});
  for (int t = 0; t < 5; ++t) {
    const rg::Batch batch = rg::rows(all, at::arange(t, 40));
    const at::Tensor output = logits[t].narrow(0, t, 40 - t);
    forgetting.add(batch.id, output, batch.target);
    area.add(batch.id, output, batch.target);
    const rg::Batch batch_there = rg::to(batch, gpu::device());
    const at::Tensor output_there = there(output);
    const int ready = gpu::waits();
    forgetting_there.add(batch_there.id, output_there, batch_there.target);
    area_there.add(batch_there.id, output_there, batch_there.target);
    if (t > 0) {  // the first time, tables go there
      CHECK(gpu::waits() == ready);
    }
  }
  CHECK(forgetting_there.events().device() == gpu::device());
  CHECK(forgetting_there.events().cpu().equal(forgetting.events()));
  CHECK(forgetting_there.learned().cpu().equal(forgetting.learned()));
  CHECK(forgetting_there.seen().cpu().equal(forgetting.seen()));
  CHECK(area_there.values().cpu().equal(area.values()));
}

TEST_CASE("device: a key draws the same bits there, and normals to 1e-6") {
  const at::Tensor ids = at::arange(50, at::kLong) * 12345;
  const rg::Moment now{.clock = {.epoch = 3}};
  const auto check = [](const rg::Key& here, const rg::Key& on_device) {
    CHECK(on_device.bits(5).device() == gpu::device());
    CHECK(same(on_device.bits(5).cpu(), here.bits(5)));
    CHECK(same(on_device.uniform({3, 5}).cpu(), here.uniform({3, 5})));
    CHECK(same(on_device.uniform().cpu(), here.uniform()));
    CHECK(same(on_device.below(1000).cpu(), here.below(1000)));
    CHECK(same(on_device.chance(0.3).cpu(), here.chance(0.3)));
    const at::Tensor values = here.ids().remainder(10);
    for (const bool by_another : {true, false}) {
      CHECK(same(on_device.replaced(there(values), 10, 0.4, by_another).cpu(),
                 here.replaced(values, 10, 0.4, by_another)));
    }
    CHECK(furthest(on_device.normal({7}).cpu(), here.normal({7})) < 1e-6);
  };
  check(rg::Key(7, ids, now), rg::Key(7, there(ids), now));
  check(rg::Key(7, ids, now).fold(2).each_epoch().fold(9), rg::Key(7, there(ids), now).fold(2).each_epoch().fold(9));
}

TEST_CASE("device: every transform shows the same there, and nobody waits for it") {
  const rg::Batch batch = images(20);
  const rg::Batch batch_there = to(batch, gpu::device());
  const rg::Moment now{.clock = {.epoch = 2, .batch = 3, .batches = 8}};
  const auto half_way = [](const rg::Clock& clock) { return 0.1 * clock.position(); };
  const std::vector<rg::AnyTransform> exact{
      rg::ZeroPixels{.fraction = 0.3},
      rg::ZeroPixels{.fraction = 0.3, .exact = false},
      rg::ZeroPixels{.fraction = half_way},
      rg::RandomCrop{.padding = 2},
      rg::HorizontalFlip{.probability = half_way},
      rg::SaltAndPepper{.fraction = half_way, .salt = half_way},
      rg::PixelPermutation{.seed = 3},
      rg::PixelPermutationPerSample{},
      rg::Cutout{.side = 3, .fill = {0.1, 0.2, 0.3}, .probability = half_way},
      rg::VerticalFlip{.probability = half_way},
      rg::Rotation90{.probability = half_way},
      rg::Brightness{.strength = half_way},
      rg::Contrast{.strength = half_way},
      rg::RandomChoice{.choices = {rg::VerticalFlip{}, rg::Cutout{.side = 3}, rg::chain()}, .picks = 2},
      rg::Normalize{.mean = {0.4, 0.5, 0.6}, .stddev = {0.2, 0.25, 0.3}},
      rg::Normalize{.mean = {0.4}, .stddev = {0.2}},
      rg::UniformLabels{.classes = 10, .fraction = half_way},
      rg::UniformLabels{.classes = 10, .fraction = 0.5, .exclude_true = true},
      rg::LabelSmoothing{.classes = 10, .amount = half_way},
      rg::PairFlip{.classes = 10, .fraction = half_way, .shift = 3},
      rg::ClassMap{.to = rg::cifar10_confusions(), .fraction = half_way},
      rg::NoiseMatrix{.rows = rg::random_noise_matrix({.classes = 10, .trace = 5}, 1).rows, .fraction = half_way},
      rg::InstanceLabels{.classes = 10, .fraction = half_way},
      rg::chain(rg::RandomCrop{}, rg::HorizontalFlip{}, rg::UniformLabels{.classes = 10})};
  const rg::Key key = rg::Key(11, batch.id, now).each_epoch();
  const rg::Key key_there = rg::Key(11, batch_there.id, now).each_epoch();
  for (const rg::AnyTransform& transform : exact) {
    CAPTURE(transform.manifest());
    const int before = gpu::waits();
    const rg::Batch shown = transform(batch_there, key_there);
    CHECK(gpu::waits() == before);
    CHECK(same(to(shown, at::kCPU), transform(batch, key)));
  }
  const rg::GaussianNoise noise{.stddev = half_way};
  CHECK(furthest(noise(batch_there, key_there).data.cpu(), noise(batch, key).data) < 1e-6);
}

TEST_CASE("device: a kept table is made once for each stream, which alone knows when its copy is complete") {
  const rg::detail::DeviceCopies kept;
  int made = 0;
  const auto ask = [&] {
    return kept.on(gpu::device(), {3}, [&] {
      ++made;
      return longs({1, 2, 3});
    });
  };
  const c10::impl::VirtualGuardImpl guard(gpu::device().type());
  const int before = gpu::waits();
  const at::Tensor table = ask();
  CHECK(ask().is_same(table));
  CHECK(made == 1);
  const c10::Stream other = guard.getStreamFromGlobalPool(gpu::device(), /*isHighPriority=*/false);
  const c10::Stream own = guard.exchangeStream(other);
  REQUIRE(guard.getStream(gpu::device()) != own);
  const at::Tensor elsewhere = ask();
  CHECK_FALSE(elsewhere.is_same(table));
  CHECK(ask().is_same(elsewhere));
  guard.exchangeStream(own);
  CHECK(ask().is_same(table));
  CHECK(made == 2);
  CHECK(gpu::waits() == before);
  CHECK(same(elsewhere.cpu(), longs({1, 2, 3})));
}

TEST_CASE("device: what takes samples from another source shows the same there, and is recorded") {
  const rg::Batch here = images(20);
  const auto half_way = [](const rg::Clock& clock) { return 0.1 + 0.1 * clock.epoch; };
  const auto numbers = [](const rg::Batch& batch) {
    rg::Batch result = batch;
    result.target = at::stack({batch.target, batch.id}, 1).to(at::kFloat);
    return result;
  };
  using Transforms = std::vector<rg::AnyTransform>;
  const auto of_labels = [&](const rg::Source& source) -> Transforms {
    return {rg::OpenSet{.from = source, .fraction = half_way},
            rg::Mixup{.partners = source, .classes = 10, .alpha = half_way, .augment = {rg::HorizontalFlip{}}},
            rg::CutMix{.partners = source, .classes = 10, .alpha = half_way, .probability = half_way},
            rg::StochasticLabels{.classes = 10, .stddev = half_way},
            rg::PairFlip{.classes = 10, .fraction = half_way},
            rg::ClassMap{.to = rg::cifar10_confusions(), .fraction = half_way},
            rg::NoiseMatrix{.rows = rg::random_noise_matrix({.classes = 10, .trace = 5}, 1).rows, .fraction = half_way},
            rg::InstanceLabels{.classes = 10, .fraction = half_way}};
  };
  const auto of_numbers = [&](const rg::Source& source) -> Transforms {
    return {rg::Mixup{.partners = source, .alpha = half_way}, rg::TargetNoise{.stddev = half_way},
            rg::TargetOutliers{.fraction = half_way}};
  };
  const auto check = [](const Transforms& on_host, const Transforms& on_device, const rg::Batch& batch) {
    const rg::Batch there = to(batch, gpu::device());
    for (std::size_t i = 0; i < on_host.size(); ++i) {
      CAPTURE(on_host[i].manifest());
      rg::Captured step(gpu::device(), [&](const rg::Moment& now) {
        const rg::Batch shown = on_device[i](there, rg::Key(11, there.id, now).each_epoch());
        return at::cat({shown.data.flatten().to(at::kDouble), shown.target.flatten().to(at::kDouble)});
      });
      for (int epoch = 0; epoch < 7; ++epoch) {
        const rg::Moment now{.clock = {.epoch = epoch}};
        const int before = gpu::waits();
        const at::Tensor result = step(now);
        CHECK(gpu::waits() == before);
        const rg::Batch shown = on_host[i](batch, rg::Key(11, batch.id, now).each_epoch());
        CHECK(furthest(result.cpu(), at::cat({shown.data.flatten(), shown.target.flatten()})) < 2e-6);
      }
      CHECK(step.why_not().empty());
      CHECK(step.recorded());
    }
  };
  check(of_labels(here), of_labels(to(here, gpu::device())), here);
  check(of_numbers(numbers(here)), of_numbers(to(numbers(here), gpu::device())), numbers(here));
}

TEST_CASE("device: every view of data that are there gives the same, and is read without waiting") {
  const rg::Batch batch = images(40);
  const auto views = [&](const rg::Source& source) -> std::vector<rg::Source> {
    const auto labels = rg::UniformLabels{.classes = 10, .exclude_true = true};
    return {source,
            rg::repeat(source, 3),
            rg::frozen(rg::repeat(source, 2), rg::chain(rg::ZeroPixels{}, labels), 7),
            rg::frozen(source, labels, 7, rg::exactly(0.4)),
            rg::frozen(source, rg::ZeroPixels{.fraction = 0.5}, 7, rg::exactly(0.4)),
            rg::frozen(source, labels, 7, rg::exactly_in_each(batch.target, 0.5)),
            rg::permuted_labels(source, 3),
            rg::balanced_labels(source, 4, 3),
            rg::exact_labels(source, rg::matrix_of(labels), 3),
            rg::relabelled(source, at::arange(40, at::kLong)),
            rg::subset(source, at::tensor({5, 1, 30, 2}, at::kLong)),
            rg::limit(source, 9),
            rg::sample(source, 11, 4),
            rg::cached(rg::frozen(source, labels, 7))};
  };
  const std::vector<rg::Source> here = views(batch);
  const std::vector<rg::Source> on_device = views(to(batch, gpu::device()));
  for (std::size_t i = 0; i < here.size(); ++i) {
    CAPTURE(here[i].manifest());
    CHECK(on_device[i].device() == gpu::device());
    CHECK(here[i].device() == at::Device(at::kCPU));
    const int before = gpu::waits();
    const rg::Batch read = epoch_of(on_device[i], 1);
    CHECK(gpu::waits() <= before + 1);  // for the epoch's order, which is sorted on the host
    CHECK(same(to(read, at::kCPU), epoch_of(here[i], 1)));
    CHECK(on_device[i].manifest() == here[i].manifest());
  }
  CHECK(same(to(epoch_of(rg::cached(batch, gpu::device()), 0), at::kCPU), epoch_of(batch, 0)));
}
