// An order drawn once: what any criterion has to beat.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "crrm/base/random.h"
#include "crrm/criteria/criterion.h"

namespace crrm {

namespace {

class Random final : public Criterion {
 public:
  Random(int units, uint64_t seed)
      : order_(at::rand({units}, at::detail::createCPUGenerator(mix(seed, kStream)),
                        at::TensorOptions(at::kDouble))) {}

  at::Tensor scores(const LivingNetwork&) const override { return order_; }

 private:
  static constexpr uint64_t kStream = 11;

  at::Tensor order_;  ///< [units]
};

const CriterionRegistration registration({"random", [](const LivingNetwork& network,
                                                       const CriterionOptions& options) {
                                            return std::make_unique<Random>(network.coupling.size(),
                                                                            options.seed);
                                          }});

}  // namespace

}  // namespace crrm
