// Every transform as augmentation in a recorded step: the same weights as step by step, new draws at every epoch and
// fractions that change; or the reason why it cannot be recorded.

#include "device/trial.hpp"

namespace {

using namespace trial;

struct Case {
  std::string name;
  rg::AnyTransform transform;
  std::string why_not = "";       ///< of the notice; "" for what is recorded
  bool floating_targets = false;  ///< for what takes no labels
  bool changes = true;            ///< from one epoch to the next
};

/// Other images, where the batches are or where they are not.
rg::Source others(const at::Device& device) {
  rg::Batch images = pictures(16, /*salt=*/5);
  images.id = images.id + 1000;
  return to(images, device);
}

const std::string waits = "makes the host wait for the device";
const std::vector<std::vector<double>> rows{{0.4, 0.6, 0, 0}, {0, 0.5, 0.5, 0}, {0, 0, 0.3, 0.7}, {0.8, 0, 0, 0.2}};

std::vector<Case> of_inputs() {
  return {
      {"ZeroPixels", rg::ZeroPixels{.fraction = falling * 0.5}},
      {"ZeroPixels, not exact", rg::ZeroPixels{.fraction = falling * 0.5, .exact = false}},
      {"ZeroPixels, constant", rg::ZeroPixels{.fraction = 0.4}},
      {"SaltAndPepper", rg::SaltAndPepper{.fraction = falling * 0.5, .salt = falling}},
      {"SaltAndPepper, not exact", rg::SaltAndPepper{.fraction = falling * 0.5, .exact = false}},
      {"GaussianNoise", rg::GaussianNoise{.stddev = falling * 0.5}},
      {"GaussianImages", rg::GaussianImages{.mean = {0.5}, .stddev = {0.3}}},
      {"RandomCrop", rg::RandomCrop{.padding = 2}},
      {"HorizontalFlip", rg::HorizontalFlip{.probability = falling}},
      {"VerticalFlip", rg::VerticalFlip{.probability = falling}},
      {"Rotation90", rg::Rotation90{.probability = falling}},
      {"Cutout", rg::Cutout{.side = 3, .fill = {0.5}, .probability = falling}},
      {.name = "PixelPermutation", .transform = rg::PixelPermutation{.seed = 3}, .changes = false},
      {"PixelPermutationPerSample", rg::PixelPermutationPerSample{}},
      {"Brightness", rg::Brightness{.strength = falling}},
      {"Contrast", rg::Contrast{.strength = falling}},
      {.name = "Normalize", .transform = rg::Normalize{.mean = {0.4}, .stddev = {0.2}}, .changes = false},
      {"RandomChoice", rg::RandomChoice{.choices = {rg::chain(), rg::Cutout{.side = 3},
                                                    rg::Brightness{.strength = falling}, rg::HorizontalFlip{}},
                                        .picks = 2}},
      {"chain", rg::chain(rg::RandomCrop{.padding = 1}, rg::HorizontalFlip{.probability = falling})},
  };
}

std::vector<Case> of_targets() {
  return {
      {"UniformLabels", rg::UniformLabels{.classes = 4, .fraction = falling}},
      {"UniformLabels, the others", rg::UniformLabels{.classes = 4, .fraction = falling, .exclude_true = true}},
      {"PairFlip", rg::PairFlip{.classes = 4, .fraction = falling}},
      {"ClassMap", rg::ClassMap{.to = {1, 0, 3, 3}, .fraction = falling}},
      {"NoiseMatrix", rg::NoiseMatrix{.rows = rows, .fraction = falling}},
      {"InstanceLabels", rg::InstanceLabels{.classes = 4, .fraction = falling}},
      {"InstanceLabels, no spread", rg::InstanceLabels{.classes = 4, .fraction = falling, .spread = 0}},
      {"LabelSmoothing", rg::LabelSmoothing{.classes = 4, .amount = falling}},
      {"StochasticLabels", rg::StochasticLabels{.classes = 4, .stddev = falling}},
      {"Mixup", rg::Mixup{.partners = others(gpu::device()), .classes = 4, .alpha = falling, .probability = falling}},
      {"Mixup, augmented",
       rg::Mixup{
           .partners = others(gpu::device()), .classes = 4, .augment = {rg::HorizontalFlip{.probability = falling}}}},
      {"Mixup of the phase's own data", rg::Mixup{.classes = 4, .alpha = falling}},
      {"CutMix of the phase's own data", rg::CutMix{.classes = 4, .probability = falling}},
      {"Mixup of partners on the CPU", rg::Mixup{.partners = others(at::kCPU), .classes = 4}, waits},
      {"CutMix", rg::CutMix{.partners = others(gpu::device()), .classes = 4, .alpha = falling, .probability = falling}},
      {"CutMix of partners on the CPU", rg::CutMix{.partners = others(at::kCPU), .classes = 4}, waits},
      {"OpenSet", rg::OpenSet{.from = others(gpu::device()), .fraction = falling}},
      {"OpenSet of images on the CPU", rg::OpenSet{.from = others(at::kCPU), .fraction = falling}, waits},
      {"TargetNoise", rg::TargetNoise{.stddev = falling}, "", /*floating_targets=*/true},
      {"TargetOutliers", rg::TargetOutliers{.fraction = falling}, "", /*floating_targets=*/true},
      {"Mixup of soft targets",
       rg::Mixup{.partners = rg::frozen(others(gpu::device()), rg::LabelSmoothing{.classes = 4, .amount = 0}, 1),
                 .alpha = falling},
       "", /*floating_targets=*/true},
  };
}

/// What moves, covers or pastes dense targets and tensors in extra. partners: where the batch is.
std::vector<rg::AnyTransform> of_masks(const rg::Source& partners) {
  const rg::RandomCrop crop{.padding = 2, .target_fill = -100};
  return {rg::HorizontalFlip{},
          rg::VerticalFlip{},
          rg::Rotation90{},
          crop,
          rg::PixelPermutation{.seed = 3},
          rg::PixelPermutationPerSample{},
          rg::Cutout{.side = 3, .target_fill = 7},
          rg::CutMix{.partners = partners},
          rg::DataOnly{rg::HorizontalFlip{}},
          rg::RandomChoice{.choices = {rg::chain(), crop, rg::HorizontalFlip{}}, .picks = 2}};
}

void check(const Case& one) {
  INFO(one.name);
  const auto end = [&](const rg::AnyTransform& transform, bool recorded) {
    return train({.augment = {transform}, .floating_targets = one.floating_targets}, recorded);
  };
  const End stepwise = end(one.transform, /*recorded=*/false);
  const End recorded = end(one.transform, /*recorded=*/true);
  CAPTURE(recorded.notices);
  CHECK(apart(recorded, stepwise) < rounding);
  CHECK(apart(end(rg::chain(), /*recorded=*/false), stepwise) > visible);
  if (one.changes) {
    CHECK(apart(end(frozen(one.transform), /*recorded=*/false), stepwise) > visible);
  }
  if (one.why_not.empty()) {
    CHECK(recorded.notices.empty());
  } else {
    REQUIRE(recorded.notices.size() == 1);
    CHECK(training::contains(recorded.notices[0], one.why_not));
  }
}

}  // namespace

TEST_CASE("transforms recorded: each of inputs ends where it ends step by step, with new draws at every epoch") {
  for (const Case& one : of_inputs()) {
    check(one);
  }
}

TEST_CASE("transforms recorded: each of targets ends where it ends step by step, with new draws at every epoch") {
  for (const Case& one : of_targets()) {
    check(one);
  }
}

TEST_CASE("transforms recorded: dense targets and extra tensors move as they do on the CPU, at every epoch") {
  rg::Batch here = pictures(24);
  here.target = here.data.select(1, 0).to(at::kLong);
  here.extra["map"] = here.data.to(at::kFloat);
  const rg::Batch there = to(here, gpu::device());
  const std::vector<rg::AnyTransform> on_host = of_masks(here);
  const std::vector<rg::AnyTransform> on_device = of_masks(there);
  const auto as_one = [](const rg::Batch& batch) {
    return at::cat({batch.data.to(at::kFloat), batch.target.unsqueeze(1).to(at::kFloat), batch.extra.at("map")}, 1);
  };
  for (std::size_t i = 0; i < on_host.size(); ++i) {
    CAPTURE(on_host[i].manifest());
    rg::Captured step(gpu::device(), [&](const rg::Moment& now) {
      return as_one(on_device[i](there, rg::Key(seed, there.id, now).each_epoch()));
    });
    for (int epoch = 0; epoch < 6; ++epoch) {
      const rg::Moment now{.clock = {.epoch = epoch}};
      const at::Tensor shown = as_one(on_host[i](here, rg::Key(seed, here.id, now).each_epoch()));
      CHECK(step(now).cpu().equal(shown));
    }
    CHECK(step.why_not().empty());
    CHECK(step.recorded());
    // An exact share is chosen without waiting there, in another way than on the CPU.
    const auto some = [](const rg::Batch& batch, const rg::AnyTransform& transform) {
      return rg::materialize(rg::frozen(batch, transform, 7, rg::exactly(0.4)));
    };
    CHECK(as_one(some(there, on_device[i])).cpu().equal(as_one(some(here, on_host[i]))));
  }
}
