// A GPU that is none: a device type of LibTorch's that no library here serves ("hpu"), whose memory is the host's and
// whose operations are the CPU's. What matters of a GPU is true of it all the same:
//
// - its tensors are not the CPU's: code that takes a pointer, or mixes the two, fails;
// - reading a number from it, or copying between it and the host without saying that nobody waits, is counted;
// - it records work as a CUDA graph does, every operation with the addresses and the host's numbers that it was called
//   with, leaves nothing of it behind, refuses what waits, and does it again at each replay.

#include "device/gpu.hpp"

#include <ATen/EmptyTensor.h>
#include <ATen/InferSize.h>
#include <ATen/TensorUtils.h>
#include <ATen/detail/HPUHooksInterface.h>
#include <ATen/native/CPUFallback.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "regimen/execute/detail/recorders.hpp"

// The macros that register with LibTorch end in a semicolon of their own since 2.14, and want one before.
#pragma GCC diagnostic ignored "-Wextra-semi"

namespace at {

/// Its generator is the CPU's.
struct HPUHooks final : HPUHooksInterface {
  explicit HPUHooks(HPUHooksArgs /*arguments*/) {}
  void init() const override {}
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasHPU() const override { return true; }
  bool hasPrimaryContext(DeviceIndex /*index*/) const override { return true; }
  const Generator& getDefaultGenerator(DeviceIndex /*index*/) const override {
    return detail::getDefaultCPUGenerator();
  }
};

REGISTER_HPU_HOOKS(HPUHooks);

}  // namespace at

namespace {

using torch::jit::Stack;

int waited = 0;

/// An operation as it was called, and what it gave.
struct Call {
  c10::OperatorHandle op;
  std::vector<c10::IValue> arguments;
  std::vector<at::Tensor> results;
};

/// Work that is recorded, and the memory that it wrote into, as that was before.
struct Tape {
  std::vector<Call> calls;
  std::map<const void*, std::pair<c10::Storage, std::string>> before;

  void keep(const c10::Storage& storage) {
    const auto* const bytes = static_cast<const char*>(storage.data());
    before.try_emplace(bytes, storage, std::string(bytes, storage.nbytes()));
  }

  void put_back() {
    for (auto& [memory, kept] : before) {
      std::memcpy(kept.first.mutable_data(), kept.second.data(), kept.second.size());
    }
    before.clear();
  }
};

/// What is being recorded; none while work is done as usual.
Tape* tape = nullptr;

void wait(const char* why) {
  TORCH_CHECK(tape == nullptr, "the pretended GPU cannot record ", why, ": the host would wait for it");
  ++waited;
}

/// The tensor as one of the CPU's, in the same memory.
at::Tensor on_host(const at::Tensor& tensor) {
  if (!tensor.defined() || !tensor.is_hpu()) {
    return tensor;
  }
  return at::from_blob(
      tensor.data_ptr(), tensor.sizes(), tensor.strides(), [keep = tensor](void*) {},
      tensor.options().device(at::kCPU));
}

struct HostMemory final : c10::Allocator {
  c10::DataPtr allocate(std::size_t bytes) override {
    void* const memory = std::malloc(bytes + 1);
    return {memory, memory, &std::free, gpu::device()};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &std::free; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override { default_copy_data(to, from, bytes); }
};

HostMemory& memory() {
  static HostMemory allocator;
  return allocator;
}

const c10::DispatchKeySet keys(c10::DispatchKey::HPU);

/// A tensor of the CPU's as one of the device's, in the same memory.
at::Tensor on_device(const at::Tensor& tensor) {
  auto* const keep = new at::Tensor(tensor);
  c10::DataPtr data(tensor.data_ptr(), keep, [](void* kept) { delete static_cast<at::Tensor*>(kept); }, gpu::device());
  const std::size_t bytes = at::detail::computeStorageNbytes(tensor.sizes(), tensor.strides(), tensor.itemsize());
  c10::Storage storage(c10::Storage::use_byte_size_t(), bytes, std::move(data), &memory(), /*resizable=*/false);
  at::Tensor result = at::detail::make_tensor<c10::TensorImpl>(std::move(storage), keys, tensor.dtype());
  result.unsafeGetTensorImpl()->set_sizes_and_strides(tensor.sizes(), tensor.strides());
  return result;
}

/// Does `change` to every tensor in a value.
template <class Change>
c10::IValue map_tensors(const c10::IValue& value, Change&& change) {
  if (value.isTensor()) {
    return change(value.toTensor());
  }
  if (value.isTensorList()) {
    std::vector<at::Tensor> tensors = value.toTensorVector();
    for (at::Tensor& tensor : tensors) {
      tensor = change(tensor);
    }
    return tensors;
  }
  if (value.isOptionalTensorList()) {
    c10::List<std::optional<at::Tensor>> tensors;
    for (const std::optional<at::Tensor>& tensor : value.toOptionalTensorList()) {
      tensors.push_back(tensor ? std::optional<at::Tensor>(change(*tensor)) : std::nullopt);
    }
    return tensors;
  }
  return value;
}

/// Whether the operation writes into this argument. The schema of batch normalization does not say so of its
/// statistics.
bool writes_to(const c10::FunctionSchema& schema, std::size_t argument) {
  const c10::AliasInfo* const alias = schema.arguments()[argument].alias_info();
  const bool statistics = schema.name() == "aten::native_batch_norm" && (argument == 3 || argument == 4);
  return statistics || (alias != nullptr && alias->isWrite());
}

/// Calls the operation on the CPU, on arguments in the same memory; where it is recorded, what it writes into is kept
/// before. The results take the arguments' place on the stack.
void call_on_host(const c10::OperatorHandle& op, Stack& stack) {
  const c10::FunctionSchema& schema = op.schema();
  const std::size_t arguments = schema.arguments().size();
  const std::size_t first = stack.size() - arguments;
  std::vector<std::pair<at::Tensor, at::Tensor>> pairs;  // on the device, on the host
  for (std::size_t i = 0; i < arguments; ++i) {
    c10::IValue& value = stack[first + i];
    const bool written = writes_to(schema, i);
    value = map_tensors(value, [&](const at::Tensor& tensor) {
      if (!tensor.defined() || !tensor.is_hpu()) {
        return tensor;
      }
      // What is still to get its size gets memory of its own, which the device's tensor takes over below.
      const bool unsized = tensor.numel() == 0 && written;
      const at::Tensor host = unsized ? at::empty({0}, tensor.options().device(at::kCPU)) : on_host(tensor);
      if (tape != nullptr && written && !unsized) {
        tape->keep(tensor.storage());
      }
      pairs.emplace_back(tensor, host);
      return host;
    });
    if (value.isDevice()) {
      value = c10::Device(at::kCPU);
    }
  }
  op.callBoxed(stack);
  for (const auto& [on_gpu, host] : pairs) {
    if (on_gpu.numel() == 0 && host.numel() > 0) {
      const at::Tensor sized = on_device(host);
      on_gpu.unsafeGetTensorImpl()->set_storage_keep_dtype(sized.storage());
      on_gpu.unsafeGetTensorImpl()->set_sizes_and_strides(sized.sizes(), sized.strides());
    }
  }
  for (std::size_t i = stack.size() - schema.returns().size(); i < stack.size(); ++i) {
    stack[i] = map_tensors(stack[i], [&](const at::Tensor& result) {
      for (const auto& [on_gpu, host] : pairs) {
        if (host.is_same(result)) {
          return on_gpu;
        }
      }
      return result.defined() ? on_device(result) : result;
    });
  }
}

std::vector<at::Tensor> results_of(const c10::OperatorHandle& op, const Stack& stack) {
  std::vector<at::Tensor> results;
  for (std::size_t i = stack.size() - op.schema().returns().size(); i < stack.size(); ++i) {
    (void)map_tensors(stack[i], [&](const at::Tensor& result) {
      results.push_back(result);
      return result;
    });
  }
  return results;
}

/// The tensor's memory as it is now. A recording keeps addresses, not tensors: one may be given other memory later
/// (set_data, as model/guards.hpp does), and what was recorded of it stays where it was.
at::Tensor address_of(const at::Tensor& tensor) {
  if (!tensor.defined() || !tensor.is_hpu()) {
    return tensor;
  }
  at::Tensor same = at::detail::make_tensor<c10::TensorImpl>(c10::Storage(tensor.storage()), keys, tensor.dtype());
  same.unsafeGetTensorImpl()->set_storage_offset(tensor.storage_offset());
  same.unsafeGetTensorImpl()->set_sizes_and_strides(tensor.sizes(), tensor.strides());
  return same;
}

/// What every operation comes to that has no kernel of its own below.
void do_or_record(const c10::OperatorHandle& op, Stack* stack) {
  const std::string_view name = op.schema().name();
  if (name == "aten::nonzero" || name == "aten::masked_select" || name == "aten::equal" || name == "aten::_unique2") {
    wait(op.schema().name().c_str());
  }
  if (tape == nullptr) {
    call_on_host(op, *stack);
    return;
  }
  Call call{op, {stack->end() - static_cast<std::ptrdiff_t>(op.schema().arguments().size()), stack->end()}, {}};
  for (c10::IValue& argument : call.arguments) {
    argument = map_tensors(argument, address_of);
  }
  call_on_host(op, *stack);
  for (const at::Tensor& result : results_of(op, *stack)) {
    call.results.push_back(address_of(result));
  }
  tape->calls.push_back(std::move(call));
}

c10::OperatorHandle operation(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "");
}

// Convolutions on a device that LibTorch does not know come to these two.
void convolution(const c10::OperatorHandle& /*op*/, Stack* stack) {
  do_or_record(operation("aten::convolution"), stack);
}

void convolution_backward(const c10::OperatorHandle& /*op*/, Stack* stack) {
  stack->insert(stack->end() - 7, c10::IValue());  // the bias's size
  do_or_record(operation("aten::convolution_backward"), stack);
}

/// _copy_from(self, dst, non_blocking) is dst.copy_(self, non_blocking).
void copy(const c10::OperatorHandle& /*op*/, Stack* stack) {
  c10::IValue& from = stack->end()[-3];
  c10::IValue& to = stack->end()[-2];
  const bool leaves_or_arrives = from.toTensor().is_cpu() || to.toTensor().is_cpu();
  const bool arrives_alone = from.toTensor().is_cpu() && stack->back().toBool();
  if (leaves_or_arrives && !(arrives_alone && tape == nullptr)) {
    wait("a copy between the two");
  }
  std::swap(from, to);
  do_or_record(operation("aten::copy_"), stack);
}

at::Scalar read_number(const at::Tensor& tensor) {
  wait("item()");
  return on_host(tensor).item();
}

using OptionalType = std::optional<at::ScalarType>;
using OptionalLayout = std::optional<at::Layout>;
using OptionalDevice = std::optional<at::Device>;

at::Tensor empty(c10::IntArrayRef sizes, OptionalType type, OptionalLayout /*layout*/, OptionalDevice /*device*/,
                 std::optional<bool> /*pinned*/, std::optional<at::MemoryFormat> format) {
  return at::detail::empty_generic(sizes, &memory(), keys, c10::dtype_or_default(type), format);
}

at::Tensor empty_strided(c10::IntArrayRef sizes, c10::IntArrayRef strides, OptionalType type, OptionalLayout /*layout*/,
                         OptionalDevice /*device*/, std::optional<bool> /*pinned*/) {
  return at::detail::empty_strided_generic(sizes, strides, &memory(), keys, c10::dtype_or_default(type));
}

at::Tensor view_with_strides(const at::Tensor& self, c10::IntArrayRef sizes, c10::IntArrayRef strides,
                             std::optional<std::int64_t> offset) {
  at::Tensor result = at::detail::make_tensor<c10::TensorImpl>(c10::TensorImpl::VIEW, c10::Storage(self.storage()),
                                                               self.key_set(), self.dtype());
  result.unsafeGetTensorImpl()->set_sizes_and_strides(sizes, strides, offset.value_or(self.storage_offset()));
  return result;
}

at::Tensor view(const at::Tensor& self, c10::IntArrayRef sizes) {
  const auto whole = at::infer_size(sizes, self.numel());
  const auto strides = at::detail::computeStride(self.sizes(), self.strides(), whole);
  TORCH_CHECK(strides.has_value(), "view: the sizes are not compatible with the strides");
  return view_with_strides(self, whole, *strides, self.storage_offset());
}

TORCH_LIBRARY_IMPL(_, HPU, library) {
  library.fallback(torch::CppFunction::makeFromBoxedFunction<&do_or_record>());
}

TORCH_LIBRARY_IMPL(aten, HPU, library) {
  library.impl("empty.memory_format", &empty);
  library.impl("empty_strided", &empty_strided);
  library.impl("as_strided", &view_with_strides);
  library.impl("view", &view);
  library.impl("_local_scalar_dense", &read_number);
  library.impl("_copy_from", torch::CppFunction::makeFromBoxedFunction<&copy>());
  library.impl("convolution_overrideable", torch::CppFunction::makeFromBoxedFunction<&convolution>());
  library.impl("convolution_backward_overrideable", torch::CppFunction::makeFromBoxedFunction<&convolution_backward>());
}

/// Which of two streams the thread works on. Both do what they are told at once.
thread_local c10::StreamId current_stream = 0;

/// One device, and events that nobody has to wait for.
struct Guard final : c10::impl::NoOpDeviceGuardImpl<c10::DeviceType::HPU> {
  static c10::Stream stream(c10::StreamId id) { return c10::Stream(c10::Stream::UNSAFE, gpu::device(), id); }

  c10::Device getDevice() const override { return gpu::device(); }
  c10::Device exchangeDevice(c10::Device /*device*/) const override { return gpu::device(); }
  c10::Stream getStream(c10::Device /*device*/) const noexcept override { return stream(current_stream); }
  c10::Stream getDefaultStream(c10::Device /*device*/) const override { return stream(0); }
  c10::Stream getStreamFromGlobalPool(c10::Device /*device*/, bool /*is_high_priority*/) const override {
    return stream(1);
  }
  c10::Stream exchangeStream(c10::Stream next) const noexcept override {
    return stream(std::exchange(current_stream, next.id()));
  }
  void record(void** /*event*/, const c10::Stream& /*stream*/, const c10::DeviceIndex /*index*/,
              const c10::EventFlag /*flag*/) const override {}
  void block(void* /*event*/, const c10::Stream& /*stream*/) const override {}
  bool queryEvent(void* /*event*/) const override { return true; }
  void destroyEvent(void* /*event*/, const c10::DeviceIndex /*index*/) const noexcept override {}
};

C10_REGISTER_GUARD_IMPL(HPU, Guard);

/// Records by doing the work, for the shapes of its results, and by taking back what it has changed.
class PretendRecorder final : public regimen::detail::Recorder {
 public:
  bool warm_up(const std::function<void()>& work) override {
    const int before = gpu::waits();
    work();
    return gpu::waits() > before;
  }

  void record(const std::function<void()>& work) override {
    tape_ = {};
    tape = &tape_;
    const auto stop = [this] {
      tape = nullptr;
      tape_.put_back();
    };
    try {
      work();
    } catch (...) {
      stop();
      throw;
    }
    stop();
  }

  void replay() override {
    for (const Call& call : tape_.calls) {
      Stack stack(call.arguments.begin(), call.arguments.end());
      call_on_host(call.op, stack);
      const std::vector<at::Tensor> results = results_of(call.op, stack);
      for (std::size_t i = 0; i < results.size(); ++i) {
        if (results[i].defined() && results[i].data_ptr() != call.results[i].data_ptr()) {
          on_host(call.results[i]).copy_(on_host(results[i]));
        }
      }
    }
  }

 private:
  Tape tape_;
};

const bool known = [] {
  regimen::detail::maker_of_recorders(c10::DeviceType::HPU) =
      [](const at::Device& /*device*/) -> std::unique_ptr<regimen::detail::Recorder> {
    return std::make_unique<PretendRecorder>();
  };
  return true;
}();

}  // namespace

namespace gpu {

at::Device device() {
  return {at::kHPU, 0};
}

int waits() {
  return waited;
}

bool draws_as_cpu() {
  return true;
}

}  // namespace gpu
