#pragma once

#include <ATen/core/ivalue.h>
#include <ATen/record_function.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <optional>

#include "regimen/base/config.hpp"

/// What `LayerWatch` knows of LibTorch's operations: where their arguments are, and which of them are layers.
namespace regimen::inline v0::detail {

using Values = c10::ArrayRef<const c10::IValue>;

/// The inputs of an operation that begins. `RecordFunction::inputs()` cannot be called: unless NDEBUG is defined it
/// asserts a member that a LibTorch built with NDEBUG never sets. So the list itself is read, which an explicit
/// instantiation may name although it is private.
Values inputs_of(const at::RecordFunction& operation);

template <auto Member>
struct RecordedInputs {
  friend Values inputs_of(const at::RecordFunction& operation) { return operation.*Member; }
};
template struct RecordedInputs<&at::RecordFunction::inputs_>;

inline bool is_one_of(const char* name, std::initializer_list<const char*> names) {
  return std::any_of(names.begin(), names.end(), [&](const char* each) { return std::strcmp(name, each) == 0; });
}

inline bool is_heard(const char* name) {
  // aten::conv2d and its like end in aten::convolution, which has all settings as numbers; traced scripts call
  // aten::_convolution. instance_norm computes the statistics of its input, and calls batch_norm.
  return is_one_of(name, {"aten::convolution", "aten::_convolution", "aten::linear", "aten::addmm", "aten::addmv",
                          "aten::baddbmm", "aten::matmul", "aten::mm", "aten::bmm", "aten::mv", "aten::dot",
                          "aten::batch_norm", "aten::instance_norm"});
}

/// Operations that put a parameter beside the sample: a bias, a position or a token that is learned, an embedding.
/// LayerNorm's own factors are no map, whatever their shape.
inline bool is_beside(const char* name) {
  return is_one_of(name, {"aten::add",
                          "aten::add_",
                          "aten::sub",
                          "aten::sub_",
                          "aten::rsub",
                          "aten::cat",
                          "aten::stack",
                          "aten::where",
                          "aten::copy_",
                          "aten::index_put",
                          "aten::index_put_",
                          "aten::masked_scatter",
                          "aten::masked_scatter_",
                          "aten::masked_fill",
                          "aten::masked_fill_",
                          "aten::index_copy",
                          "aten::index_copy_",
                          "aten::scatter",
                          "aten::scatter_",
                          "aten::slice_scatter",
                          "aten::select_scatter",
                          "aten::embedding",
                          "aten::embedding_bag",
                          "aten::_embedding_bag",
                          "aten::_embedding_bag_forward_only",
                          "aten::index_select",
                          "aten::index",
                          "aten::gather",
                          "aten::layer_norm",
                          "aten::native_layer_norm"});
}

/// How many of its arguments an operation takes numbers of: of the others it takes the shape or the type only.
inline std::size_t arguments_read(const char* name, std::size_t all) {
  if (is_one_of(name, {"aten::to", "aten::type_as", "aten::expand_as", "aten::view_as", "aten::reshape_as"})) {
    return 1;
  }
  return is_one_of(name,
                   {"aten::zeros_like", "aten::ones_like", "aten::empty_like", "aten::full_like", "aten::rand_like",
                    "aten::randn_like", "aten::randint_like", "aten::new_zeros", "aten::new_ones", "aten::new_empty",
                    "aten::new_empty_strided", "aten::new_full", "aten::_shape_as_tensor"})
             ? 0
             : all;
}

/// The last values. In TorchScript an operation is shown the interpreter's whole stack.
inline Values last(Values values, const std::optional<std::size_t>& count) {
  return count && *count < values.size() ? values.slice(values.size() - *count) : values;
}

}  // namespace regimen::inline v0::detail
