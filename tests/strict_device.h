// A device without hardware, to find on any machine what a GPU would refuse: its memory and its
// kernels are the CPU's, so results are the same bit for bit, but an operator's tensors must all
// lie on it, CPU tensors without axes aside, as CUDA has it. To be included in one source of a
// program.
#pragma once

#include <ATen/ATen.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>

namespace crrm::test {

inline const at::Device kStrictDevice{at::kPrivateUse1, 0};

namespace strict {

/// The streams and events of a device that has none: what it is told is done at once.
struct Guard final : c10::impl::NoOpDeviceGuardImpl<c10::DeviceType::PrivateUse1> {
  at::Device exchangeDevice(at::Device) const override { return kStrictDevice; }
  at::Device getDevice() const override { return kStrictDevice; }
  c10::Stream getStream(at::Device) const noexcept override {
    return c10::Stream(c10::Stream::DEFAULT, kStrictDevice);
  }
  c10::Stream exchangeStream(c10::Stream) const noexcept override {
    return c10::Stream(c10::Stream::DEFAULT, kStrictDevice);
  }
  void synchronizeDevice(c10::DeviceIndex) const override {}
};
C10_REGISTER_GUARD_IMPL(PrivateUse1, Guard)

/// What autograd's engine asks a device.
struct Hooks final : at::PrivateUse1HooksInterface {
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  c10::DeviceIndex deviceCount() const override { return 1; }
  c10::DeviceIndex getCurrentDevice() const override { return 0; }
  void setCurrentDevice(c10::DeviceIndex) const override {}
  c10::DeviceIndex exchangeDevice(c10::DeviceIndex) const override { return 0; }
  c10::DeviceIndex maybeExchangeDevice(c10::DeviceIndex) const override { return 0; }
};
const bool registered = [] {
  static Hooks hooks;
  at::RegisterPrivateUse1HooksInterface(&hooks);
  c10::register_privateuse1_backend("strict");
  return true;
}();

/// The CPU's storage behind one of the device, which owns it.
const c10::Storage& behind(const c10::Storage& storage) {
  return *static_cast<const c10::Storage*>(storage.data_ptr().get_context());
}

c10::DataPtr on_device(const c10::Storage& storage) {
  return {storage.mutable_data(), new c10::Storage(storage),
          [](void* owned) { delete static_cast<c10::Storage*>(owned); }, kStrictDevice};
}

at::Tensor like(const at::Tensor& tensor, c10::Storage storage, c10::DispatchKey key) {
  at::Tensor result = at::detail::make_tensor<c10::TensorImpl>(
      std::move(storage), c10::DispatchKeySet(key), tensor.dtype());
  result.unsafeGetTensorImpl()->set_sizes_and_strides(tensor.sizes(), tensor.strides(),
                                                      tensor.storage_offset());
  return result;
}

/// The same memory as a CPU tensor.
at::Tensor on_cpu(const at::Tensor& tensor) {
  return tensor.is_cpu() ? tensor : like(tensor, behind(tensor.storage()), c10::DispatchKey::CPU);
}

/// One call of an operator: its tensors as the CPU's kernel sees them, and back.
class Call {
 public:
  explicit Call(const c10::OperatorHandle& op) : op_(op) {}

  at::Tensor lower(const at::Tensor& tensor) {
    if (!tensor.defined()) return tensor;
    if (tensor.device() != kStrictDevice) {
      TORCH_CHECK(tensor.is_cpu() && tensor.dim() == 0, toString(op_.operator_name()),
                  ": a tensor ", tensor.sizes(), " on ", tensor.device(),
                  " among those on the strict device");
      return tensor;
    }
    tensors_.emplace_back(tensor, on_cpu(tensor));
    return tensors_.back().second;
  }

  at::Tensor raise(const at::Tensor& tensor) {
    if (!tensor.defined()) return tensor;
    for (const auto& [own, lowered] : tensors_) {
      if (tensor.is_same(lowered)) return update(own, lowered);
      if (tensor.storage().is_alias_of(lowered.storage()))  // a view
        return like(tensor, own.storage(), c10::DispatchKey::PrivateUse1);
    }
    c10::Storage storage(c10::Storage::use_byte_size_t{}, tensor.storage().nbytes(),
                         on_device(tensor.storage()), c10::GetCPUAllocator(), /*resizable=*/true);
    return like(tensor, std::move(storage), c10::DispatchKey::PrivateUse1);
  }

 private:
  /// What the kernel wrote into, which it may have given other extents and memory.
  static at::Tensor update(const at::Tensor& own, const at::Tensor& lowered) {
    c10::StorageImpl* storage = own.storage().unsafeGetStorageImpl();
    if (storage->data() != lowered.storage().data()) {
      storage->set_data_ptr_noswap(on_device(lowered.storage()));
      storage->set_nbytes(lowered.storage().nbytes());
    }
    if (own.sizes() != lowered.sizes() || own.strides() != lowered.strides())
      own.unsafeGetTensorImpl()->set_sizes_and_strides(lowered.sizes(), lowered.strides(),
                                                       lowered.storage_offset());
    return own;
  }

  const c10::OperatorHandle& op_;
  std::vector<std::pair<at::Tensor, at::Tensor>> tensors_;  ///< the device's, the CPU's
};

template <typename Change>
void change_tensors(c10::IValue& value, const Change& change) {
  if (value.isTensor()) {
    value = change(value.toTensor());
  } else if (value.isTensorList()) {
    c10::List<at::Tensor> list;
    for (const at::Tensor& tensor : value.toTensorVector()) list.push_back(change(tensor));
    value = list;
  } else if (value.isOptionalTensorList()) {
    c10::List<std::optional<at::Tensor>> list;
    for (const std::optional<at::Tensor>& tensor : value.toOptionalTensorVector())
      list.push_back(tensor ? std::optional(change(*tensor)) : std::nullopt);
    value = list;
  }
}

void run_on_cpu(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  Call call(op);
  for (size_t i = stack->size() - op.schema().arguments().size(); i < stack->size(); ++i) {
    c10::IValue& argument = (*stack)[i];
    change_tensors(argument, [&](const at::Tensor& tensor) { return call.lower(tensor); });
    if (argument.isDevice()) argument = at::Device(at::kCPU);  // of a new tensor
  }
  op.redispatchBoxed(c10::DispatchKeySet(c10::DispatchKey::CPU), stack);
  for (size_t i = stack->size() - op.schema().returns().size(); i < stack->size(); ++i)
    change_tensors((*stack)[i], [&](const at::Tensor& tensor) { return call.raise(tensor); });
}

/// Copies alone may go from one device to the other.
at::Tensor copy(const at::Tensor& from, const at::Tensor& to, bool) {
  on_cpu(to).copy_(on_cpu(from));
  return to;
}

TORCH_LIBRARY_IMPL(_, PrivateUse1, m) {
  m.fallback(torch::CppFunction::makeFromBoxedFunction<&run_on_cpu>());
}

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  m.impl("_copy_from", TORCH_FN(copy));
  // ATen composes these of others where a device has no kernel of its own.
  for (const char* op :
       {"convolution", "convolution_backward", "native_layer_norm", "native_group_norm"})
    m.impl(op, torch::CppFunction::makeFromBoxedFunction<&run_on_cpu>());
}

}  // namespace strict

}  // namespace crrm::test
