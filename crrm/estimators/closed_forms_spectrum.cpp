#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <cmath>

#include "crrm/estimators/closed_form.h"
#include "crrm/estimators/coding_rate.h"
#include "crrm/estimators/participation_ratio.h"
#include "crrm/estimators/spectrum.h"

namespace crrm {

namespace {

at::Tensor blocks(int64_t count, int64_t size) {
  return at::kron(at::eye(count, at::kDouble), at::ones({size, size}, at::kDouble) / size);
}

at::Tensor axes(int64_t dimensions) {
  return at::eye(dimensions, at::kDouble);
}

ClosedForm check(std::string name, double expected, double tolerance, std::string source,
                 std::function<double()> compute) {
  return {"spectrum", std::move(name), expected, tolerance, std::move(source), std::move(compute)};
}

const ClosedFormRegistration kRegistration({
    check("effective rank of the identity, n = 20", 20, 1e-9, "equal singular values",
          [] { return *effective_rank(spectrum(axes(20))).value; }),
    check("effective rank of uniform attention, n = 20", 1, 1e-9, "one singular value",
          [] { return *effective_rank(spectrum(blocks(1, 20))).value; }),
    check("effective rank of attention within 4 equal blocks", 4, 1e-9,
          "four equal singular values",
          [] { return *effective_rank(spectrum(blocks(4, 5))).value; }),
    check("stable rank of diag(2, 1, 1)", 1.5, 1e-12, "6 / 4",
          [] {
            return *stable_rank(spectrum(at::diag(at::tensor({2.0, 1.0, 1.0})))).value;
          }),
    check("participation ratio of 500 Gaussian rows of 500 features, plain", 250, 2.5,
          "n d / (n + d); 1 %",
          [] {
            const at::Tensor x =
                at::randn({500, 500}, at::detail::createCPUGenerator(1), at::kDouble);
            return *participation_ratio(x, SampledAxes::none).value;
          }),
    check("participation ratio of 500 Gaussian rows of 500 features, corrected", 500, 10,
          "the identity's; 2 %, five standard errors",
          [] {
            const at::Tensor x =
                at::randn({500, 500}, at::detail::createCPUGenerator(1), at::kDouble);
            return *participation_ratio(x).value;
          }),
    check("coding rate of 10 axes", 5 * std::log(3.0), 1e-9, "d / 2 ln 3",
          [] { return *coding_rate(axes(10)).value; }),
    check("coding rate of 100 axes", 50 * std::log(3.0), 1e-8, "d / 2 ln 3",
          [] { return *coding_rate(axes(100)).value; }),
    check("coding rate within classes of 10 axes, each a class", std::log(21.0) / 2, 1e-9,
          "1/2 ln(1 + 2 d)",
          [] { return *coding_rate_reduction(axes(10), at::arange(10)).within.value; }),
});

}  // namespace

}  // namespace crrm
