#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/manifest.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/batch/require_rows.hpp"
#include "regimen/key/key.hpp"
#include "regimen/record/erased.hpp"
#include "regimen/source/source.hpp"
#include "regimen/transform/detail/check_data.hpp"

namespace regimen::inline v0 {
namespace detail {

/// The data at one position in a list of transforms: as read, and as the transforms before that position leave them.
struct DataSoFar {
  const Source& read;
  const Source& so_far;
};

}  // namespace detail

/// A function of a batch and a key that returns a batch of as many rows.
///
/// Row i of the result may depend only on row i of the batch and on the key's draws for sample i: transforming a part
/// of a batch gives that part of the transformed batch. A transform therefore serves twice: keyed by the sample alone
/// (`frozen`) it is damage that a network can memorize; keyed by sample and epoch (`Phase::augment`) it is
/// augmentation.
///
/// A transform that has requirements on its data may have `void check_data(const Source& data, const std::string& who)
/// const`, which throws Error; it is called before the first step, and by `frozen`.
template <class T>
concept Transform = requires(const T& transform, const Batch& batch, const Key& key) {
  { transform(batch, key) } -> std::same_as<Batch>;
};

/// A transform of any type.
class AnyTransform : public detail::Erased {
 public:
  template <class T>
    requires(!std::same_as<T, AnyTransform> && !detail::StandIn<T>)
  AnyTransform(T transform) {  // NOLINT: a transform is one of any kind
    static_assert(Transform<T>,
                  "a transform must be callable as: "
                  "regimen::Batch transform(const regimen::Batch&, const regimen::Key&) const");
    if constexpr (Transform<T>) {
      const auto held = remember(std::move(transform));
      call_ = std::make_shared<const Function>([held](const Batch& batch, const Key& key) {
        Batch result = (*held)(batch, key);
        detail::require_rows(
            result, batch.size(), [] { return "the transform " + detail::name_of_type<T>(); },
            "one for each sample that it is given");
        return result;
      });
      check_data_ = std::make_shared<const CheckData>(
          [held](const detail::DataSoFar& so_far, const Source& data, const std::string& who) {
            detail::check_data_of(*held, so_far, data, who);
          });
    }
  }

  Batch operator()(const Batch& batch, const Key& key) const { return (*call_)(batch, key); }

  /// Throws Error if the data do not suit the transform. `who`: the transform's name for the user.
  void check_data(const Source& data, const std::string& who) const { check_data({data, data}, who); }
  void check_data(const detail::DataSoFar& data, const std::string& who) const {
    (*check_data_)(data, data.so_far, who);
  }

 private:
  using Function = std::function<Batch(const Batch&, const Key&)>;
  using CheckData = std::function<void(const detail::DataSoFar&, const Source&, const std::string&)>;

  std::shared_ptr<const Function> call_;
  std::shared_ptr<const CheckData> check_data_;
};

}  // namespace regimen::inline v0
