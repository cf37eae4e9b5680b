#include "crrm/criteria/criterion.h"

#include <ATen/ATen.h>

#include "crrm/base/error.h"

namespace crrm {

namespace {

constexpr char kDefault[] = "crrm";

std::vector<CriterionEntry>& registry() {
  static std::vector<CriterionEntry> all;
  return all;
}

/// @param values  [blocks * O, I, ...] of a convolution in groups: block b of the rows reads block
///                b of the longer axis
/// @return [blocks * I]
at::Tensor sum_by_block(const at::Tensor& values, int64_t axis, int64_t blocks) {
  const at::Tensor rows =
      values.movedim(axis, 1).reshape({values.size(0), values.size(axis), -1}).sum(2);
  return rows.reshape({blocks, -1, values.size(axis)}).sum(1).flatten();
}

at::Tensor sum_along(const at::Tensor& values, int64_t axis) {
  return values.movedim(axis, 0).reshape({values.size(axis), -1}).sum(1);
}

}  // namespace

std::vector<std::string> criterion_names() {
  std::vector<std::string> names;
  for (const CriterionEntry& entry : registry()) names.push_back(entry.name);
  std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    return std::pair(a != kDefault, a) < std::pair(b != kDefault, b);
  });
  return names;
}

std::unique_ptr<Criterion> make_criterion(const std::string& name, const LivingNetwork& network,
                                          const CriterionOptions& options) {
  for (const CriterionEntry& entry : registry())
    if (entry.name == name) return entry.make(network, options);
  const std::vector<std::string> names = criterion_names();
  throw InputError({.file = "--method",
                    .expected = fmt::format("one of {}", fmt::join(names, ", ")),
                    .found = fmt::format("\"{}\"", name),
                    .hint = suggestion(name, names)});
}

CriterionRegistration::CriterionRegistration(CriterionEntry entry) {
  registry().push_back(std::move(entry));
}

at::Tensor sum_by_unit(const LivingNetwork& network, const std::string& name, int64_t axis,
                       const at::Tensor& values) {
  const Coupling& coupling = network.coupling;
  const at::Tensor sums =
      at::zeros({coupling.size() + 1}, values.options().dtype(at::kDouble));  // [units + 1]
  const AxisRef ref = coupling.axis_of(name, axis);
  if (ref.axis < 0) return sums.narrow(0, 0, coupling.size());
  std::vector<int64_t> owners;  // of the indices that are left
  for (const int unit : coupling.axes()[static_cast<size_t>(ref.axis)]) {
    const bool stays = unit == Coupling::kStays;
    if (stays || network.compacted[static_cast<size_t>(unit)])
      owners.push_back(stays ? coupling.size() : unit);
  }
  const at::Tensor doubles = values.to(at::kDouble);
  const at::Tensor along =
      ref.blocks == 1 ? sum_along(doubles, axis) : sum_by_block(doubles, axis, ref.blocks);
  const at::Tensor index = at::tensor(owners, at::kLong).to(values.device());
  return sums.index_add(0, index, along).narrow(0, 0, coupling.size());
}

}  // namespace crrm
