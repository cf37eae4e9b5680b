// Amounts as people write them ("15M", "50%", "2MB", "4ms"), and numbers as people read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace crrm {

struct Amount {
  enum class Unit { count, percent, bytes, milliseconds };

  double value = 0;  ///< in units of `unit`: 50 for "50%", 2e6 for "2MB", 4 for "4ms"
  Unit unit = Unit::count;
};

/// Reads a number and its unit: none, k, M, G, T (counts, powers of 1000); % ; B, kB, MB, GB, TB
/// (powers of 1000), KiB, MiB, GiB, TiB (powers of 1024); us, ms, s. Upper and lower case of the
/// unit are alike, except that a space between number and unit is the only other liberty.
/// @param option what the error names as its file, e.g. "--macs".
/// @param taken  the units that it may have, which the error offers; at least one.
/// @throws InputError unless the number is finite and positive and the unit is one of these.
Amount parse_amount(std::string_view text, const std::string& option = "",
                    const std::vector<Amount::Unit>& taken = {
                        Amount::Unit::count, Amount::Unit::percent, Amount::Unit::bytes,
                        Amount::Unit::milliseconds});

/// Three significant digits and a power of 1000: "17", "999", "1.5 k", "40.8 M", "4.09 G".
std::string format_count(double count);

/// Powers of 1000: "512 B", "1.5 kB", "44.6 MB".
std::string format_bytes(double bytes);

/// @param seconds >= 0. "3.4 ms", "3.4 s", "2 min 05 s", "1 h 02 min", "3 d 04 h".
std::string format_duration(double seconds);

/// @param fraction 1 = 100 %. "49.8 %"; `digits` after the point.
std::string format_percent(double fraction, int digits = 1);

}  // namespace crrm
