#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/curvature/detail/fingerprint.hpp"

namespace regimen::inline v0::detail {

/// Compares a pass over the data with the first one, batch by batch, so that nothing random is taken for the network.
class PassCheck {
 public:
  /// What the first pass saw of each batch, and what the first pass without a displacement of the weights gave.
  struct Seen {
    struct Data {
      Fingerprint input;
      Fingerprint target;
    };
    std::vector<Data> data{};
    std::vector<Fingerprint> outputs{};
  };

  /// `outputs`: whether the weights are the surface's own, so that outputs can be compared. `seen` must outlive this,
  /// and learns from a pass that ends.
  PassCheck(Seen& seen, bool outputs, const at::TensorOptions& options, const std::string& who)
      : seen_(seen), outputs_(outputs), options_(options), who_(who) {}

  void add(const at::Tensor& output, const Batch& batch) {
    const std::vector<Fingerprint> now =
        fingerprints_of({batch.data, batch.target, outputs_ ? output : at::Tensor()}, options_);
    const std::size_t i = here_.data.size();
    here_.data.push_back({now[0], now[1]});
    here_.outputs.push_back(now[2]);
    if (!seen_.data.empty()) {
      require(i < seen_.data.size(), i, "there was none");
      // Preprocessing that computes may round otherwise the second time, as sums on a GPU do; labels are equal.
      require(seen_.data[i].input.agrees(now[0], 1e-5), i, "its data are others");
      const bool computed = batch.target.defined() && batch.target.is_floating_point();
      require(seen_.data[i].target.agrees(now[1], computed ? 1e-5 : 1e-9), i, "its targets are others");
    }
    if (outputs_ && !seen_.outputs.empty()) {
      require(seen_.outputs[i].agrees(now[2], 1e-4), i, "the outputs are others for equal data");
    }
  }

  /// Whether `again` is due: for the first batch of all, whose outputs nothing can be compared with.
  [[nodiscard]] bool needs_again() const { return outputs_ && seen_.outputs.empty() && here_.outputs.size() == 1; }

  /// The outputs of the first batch, computed once more.
  void again(const at::Tensor& output) const {
    require(here_.outputs[0].agrees(fingerprints_of({output}, options_)[0], 1e-4), 0,
            "the outputs are others for equal data");
  }

  /// After the last batch.
  void finish() {
    if (seen_.data.empty()) {
      seen_.data = here_.data;
    }
    require(here_.data.size() == seen_.data.size(), here_.data.size(), "it is missing");
    if (outputs_ && seen_.outputs.empty()) {
      seen_.outputs = here_.outputs;
    }
  }

 private:
  void require(bool equal, std::size_t batch, const std::string& how) const {
    if (!equal) {
      throw Error(who_ + ": two passes over the data differ in batch " + text(batch) + ": " + how +
                  ". Something is random: preprocessing (frozen data are not), a stream that shuffles, dropout that is "
                  "on in eval mode; or the weights have changed since the surface was made: make a new one");
    }
  }

  Seen& seen_;
  Seen here_;
  bool outputs_;
  at::TensorOptions options_;
  const std::string& who_;
};

}  // namespace regimen::inline v0::detail
