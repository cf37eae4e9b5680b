#include "crrm/io/tensor_bytes.h"

#include <bit>
#include <cstring>

namespace crrm {

static_assert(std::endian::native == std::endian::little, "files hold little-endian numbers");

namespace {
constexpr size_t kMaxRank = 64;  // that of ATen's iterators
}

std::optional<int64_t> tensor_bytes(const std::vector<int64_t>& dims, at::ScalarType type) {
  if (dims.size() > kMaxRank) return std::nullopt;
  int64_t product = static_cast<int64_t>(c10::elementSize(type));
  bool empty = false;
  for (const int64_t extent : dims) {
    // Strides multiply the other extents even where one is 0.
    if (extent < 0 || __builtin_mul_overflow(product, std::max<int64_t>(extent, 1), &product))
      return std::nullopt;
    empty = empty || extent == 0;
  }
  return empty ? 0 : product;
}

at::Tensor tensor_of(std::string_view bytes, const std::vector<int64_t>& dims,
                     at::ScalarType type) {
  const auto is_bool = [](char byte) { return byte == 0 || byte == 1; };
  if (type == at::kBool && !std::all_of(bytes.begin(), bytes.end(), is_bool)) return {};
  at::Tensor tensor = at::empty(dims, type);
  if (!bytes.empty()) std::memcpy(tensor.data_ptr(), bytes.data(), bytes.size());
  return tensor;
}

at::Tensor plain(const at::Tensor& tensor) {
  return tensor.detach().cpu().contiguous().resolve_conj().resolve_neg();
}

std::string_view bytes_of(const at::Tensor& plain) {
  if (plain.numel() == 0) return {"", 0};  // it may have no memory
  return {static_cast<const char*>(plain.const_data_ptr()), plain.nbytes()};
}

}  // namespace crrm
