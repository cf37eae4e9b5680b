#include "crrm/estimators/estimate.h"

namespace crrm {

std::string_view name_of(Validity validity) {
  switch (validity) {
    case Validity::ok:
      return "ok";
    case Validity::saturated:
      return "saturated";
    case Validity::out_of_range:
      return "out of range";
    case Validity::ties:
      return "ties";
    case Validity::too_few_samples:
      return "too few samples";
  }
  return "";
}

Estimate refuse(Estimate estimate, Validity validity, std::string reason) {
  estimate.value.reset();
  estimate.interval.reset();
  estimate.validity = validity;
  estimate.reason = std::move(reason);
  return estimate;
}

Estimate of_constant(Estimate estimate) {
  estimate.value = 0;
  estimate.interval = Interval{0, 0};
  estimate.assumptions = "one of the variables is constant";
  return estimate;
}

}  // namespace crrm
