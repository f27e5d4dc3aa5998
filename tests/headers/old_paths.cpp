// Every include path that there was before headers had rooms: it stays.

#include <type_traits>
#include <utility>

#include <regimen/adapt/data.hpp>
#include <regimen/adapt/torchscript.hpp>
#include <regimen/average.hpp>
#include <regimen/batch.hpp>
#include <regimen/batch_norm.hpp>
#include <regimen/capture.hpp>
#include <regimen/checkpoint.hpp>
#include <regimen/clock.hpp>
#include <regimen/compare.hpp>
#include <regimen/config.hpp>
#include <regimen/datasets.hpp>
#include <regimen/datasets/cifar.hpp>
#include <regimen/datasets/idx.hpp>
#include <regimen/datasets/mapped.hpp>
#include <regimen/datasets/toys.hpp>
#include <regimen/describe.hpp>
#include <regimen/error.hpp>
#include <regimen/evaluate.hpp>
#include <regimen/event.hpp>
#include <regimen/execute.hpp>
#include <regimen/fused.hpp>
#include <regimen/generators.hpp>
#include <regimen/history_view.hpp>
#include <regimen/integer.hpp>
#include <regimen/key.hpp>
#include <regimen/lock.hpp>
#include <regimen/log.hpp>
#include <regimen/loss.hpp>
#include <regimen/loss/count.hpp>
#include <regimen/loss/cross_entropy.hpp>
#include <regimen/loss/module.hpp>
#include <regimen/loss/module_manifest.hpp>
#include <regimen/loss/pointwise.hpp>
#include <regimen/loss/predicted.hpp>
#include <regimen/loss_scaler.hpp>
#include <regimen/manifest.hpp>
#include <regimen/measure.hpp>
#include <regimen/model.hpp>
#include <regimen/models.hpp>
#include <regimen/models/densenet.hpp>
#include <regimen/models/network.hpp>
#include <regimen/models/resnet.hpp>
#include <regimen/models/vgg.hpp>
#include <regimen/named.hpp>
#include <regimen/now.hpp>
#include <regimen/observe.hpp>
#include <regimen/observe/manifest_file.hpp>
#include <regimen/observe/progress.hpp>
#include <regimen/optimizer.hpp>
#include <regimen/phase.hpp>
#include <regimen/proportion.hpp>
#include <regimen/record.hpp>
#include <regimen/regimen.hpp>
#include <regimen/regularize.hpp>
#include <regimen/regularize/clip.hpp>
#include <regimen/regularize/confidence.hpp>
#include <regimen/regularize/decay.hpp>
#include <regimen/regularize/jacobian_norm.hpp>
#include <regimen/regularize/jumpstart.hpp>
#include <regimen/regularize/l2_sp.hpp>
#include <regimen/regularize/learned_potential.hpp>
#include <regimen/regularize/max_norm.hpp>
#include <regimen/regularize/noise.hpp>
#include <regimen/regularize/on.hpp>
#include <regimen/regularize/path_norm.hpp>
#include <regimen/regularize/penalties.hpp>
#include <regimen/regularize/sharpness.hpp>
#include <regimen/regularize/spectral_norm.hpp>
#include <regimen/run.hpp>
#include <regimen/schedule.hpp>
#include <regimen/schedule/clocks.hpp>
#include <regimen/schedule/cosine.hpp>
#include <regimen/schedule/decay.hpp>
#include <regimen/schedule/piecewise.hpp>
#include <regimen/schedule/plateau.hpp>
#include <regimen/schedule/product.hpp>
#include <regimen/schedule/steps.hpp>
#include <regimen/schedule/warmup.hpp>
#include <regimen/snapshot.hpp>
#include <regimen/source.hpp>
#include <regimen/source/concepts.hpp>
#include <regimen/source/frozen.hpp>
#include <regimen/source/in_memory.hpp>
#include <regimen/source/labels.hpp>
#include <regimen/source/noise.hpp>
#include <regimen/source/prefetch.hpp>
#include <regimen/source/views.hpp>
#include <regimen/stop.hpp>
#include <regimen/stop/combine.hpp>
#include <regimen/stop/divergence.hpp>
#include <regimen/stop/fit.hpp>
#include <regimen/stop/gap.hpp>
#include <regimen/stop/limits.hpp>
#include <regimen/stop/measured.hpp>
#include <regimen/stop/patience.hpp>
#include <regimen/stop/prediction_changes.hpp>
#include <regimen/tap.hpp>
#include <regimen/track.hpp>
#include <regimen/track/area_under_margin.hpp>
#include <regimen/track/best.hpp>
#include <regimen/track/detection.hpp>
#include <regimen/track/forgetting.hpp>
#include <regimen/track/parts.hpp>
#include <regimen/track/samples.hpp>
#include <regimen/transform.hpp>
#include <regimen/transform/inputs.hpp>
#include <regimen/transform/inputs/choice.hpp>
#include <regimen/transform/inputs/colour.hpp>
#include <regimen/transform/inputs/crop.hpp>
#include <regimen/transform/inputs/cutout.hpp>
#include <regimen/transform/inputs/data_only.hpp>
#include <regimen/transform/inputs/entries.hpp>
#include <regimen/transform/inputs/moved.hpp>
#include <regimen/transform/inputs/noise.hpp>
#include <regimen/transform/inputs/normalize.hpp>
#include <regimen/transform/inputs/permutation.hpp>
#include <regimen/transform/inputs/symmetry.hpp>
#include <regimen/transform/inputs/values.hpp>
#include <regimen/transform/labels.hpp>
#include <regimen/transform/labels/checks.hpp>
#include <regimen/transform/labels/class_map.hpp>
#include <regimen/transform/labels/instance.hpp>
#include <regimen/transform/labels/matrix.hpp>
#include <regimen/transform/labels/mix.hpp>
#include <regimen/transform/labels/open_set.hpp>
#include <regimen/transform/labels/pair_flip.hpp>
#include <regimen/transform/labels/random_matrix.hpp>
#include <regimen/transform/labels/regression.hpp>
#include <regimen/transform/labels/soft.hpp>
#include <regimen/transform/labels/uniform.hpp>
#include <regimen/version.hpp>
#include <regimen/weights.hpp>

// One name of each of the headers that split.
static_assert(sizeof(regimen::Phase) > 0 && sizeof(regimen::RunOptions) > 0 && sizeof(regimen::Evaluation) > 0);
static_assert(sizeof(regimen::NoiseSplit) > 0 && sizeof(regimen::AccuracyOn) > 0 && sizeof(regimen::WorstGap) > 0);
static_assert(sizeof(regimen::Mixup) > 0 && sizeof(regimen::CutMix) > 0 && sizeof(regimen::Reestimation) > 0);
static_assert(sizeof(regimen::Interval) > 0 && sizeof(regimen::Proportion) > 0 && sizeof(regimen::Dataset) > 0);

// And every name that has another one now.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static_assert(std::is_same_v<regimen::Splits, regimen::Scoring> && std::is_same_v<regimen::Now, regimen::Moment>);
static_assert(std::is_same_v<regimen::Objective, regimen::Closure>);
static_assert(std::is_same_v<regimen::models::Network, regimen::networks::Network>);
static_assert(std::is_same_v<decltype(std::declval<const regimen::Key>().of(at::Tensor())), regimen::Key>);
static_assert(std::is_void_v<decltype(std::declval<const regimen::Pass>().again())>);
#pragma GCC diagnostic pop
