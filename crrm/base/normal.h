// Quantiles of the standard normal law, for intervals.
#pragma once

namespace crrm {

inline constexpr double kNormal975 = 1.959963984540054;  ///< of 0.975: two-sided 95 %
inline constexpr double kNormal995 = 2.575829303548901;  ///< of 0.995: two-sided 99 %

}  // namespace crrm
