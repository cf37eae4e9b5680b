#include "crrm/base/amount.h"

#include <gmock/gmock.h>

#include <limits>

#include "crrm/base/error.h"

namespace crrm {
namespace {

using testing::HasSubstr;

TEST(ParseAmount, ReadsEveryUnit) {
  struct Case {
    const char* text;
    double value;
    Amount::Unit unit;
  };
  const std::vector<Case> cases = {
      {"30000", 30000, Amount::Unit::count},       {"15M", 15e6, Amount::Unit::count},
      {"1.5k", 1500, Amount::Unit::count},         {"4.09G", 4.09e9, Amount::Unit::count},
      {"2e6", 2e6, Amount::Unit::count},           {"50%", 50, Amount::Unit::percent},
      {"50 %", 50, Amount::Unit::percent},         {"2MB", 2e6, Amount::Unit::bytes},
      {"2 mb", 2e6, Amount::Unit::bytes},          {"2MiB", 2097152, Amount::Unit::bytes},
      {"512B", 512, Amount::Unit::bytes},          {"4ms", 4, Amount::Unit::milliseconds},
      {"250us", 0.25, Amount::Unit::milliseconds}, {"2s", 2000, Amount::Unit::milliseconds}};
  for (const Case& c : cases) {
    const Amount amount = parse_amount(c.text);
    EXPECT_DOUBLE_EQ(amount.value, c.value) << c.text;
    EXPECT_EQ(amount.unit, c.unit) << c.text;
  }
}

TEST(ParseAmount, RefusesWhatIsNoAmountNamingOptionAndText) {
  for (const std::string text : {"", "M", "abc", "15Q", "15M%", "15  M", " 15", "0", "-3", "0%",
                                 "nan", "inf", "1e999", "15,5M", "+5"}) {
    try {
      parse_amount(text, "--macs");
      ADD_FAILURE() << "\"" << text << "\" was taken";
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr("--macs")) << text;
      EXPECT_THAT(error.fault().found, HasSubstr("\"" + text + "\"")) << text;
      EXPECT_THAT(error.fault().expected, HasSubstr("15M, 50%, 2MB or 4ms"));
    }
  }
}

TEST(ParseAmount, OffersTheUnitsThatAreTaken) {
  const std::vector<Amount::Unit> taken = {Amount::Unit::count, Amount::Unit::percent};
  EXPECT_EQ(parse_amount("50%", "--macs", taken).value, 50);
  for (const std::string text : {"2MB", "4ms", "0%", "50X"}) {
    try {
      parse_amount(text, "--macs", taken);
      ADD_FAILURE() << "\"" << text << "\" was taken";
    } catch (const InputError& error) {
      EXPECT_EQ(error.fault().expected, "a positive number with a unit: 15M or 50%");
      EXPECT_THAT(error.fault().found, HasSubstr("\"" + text + "\""));
    }
  }
}

TEST(ParseAmount, NamesTheUnknownUnit) {
  try {
    parse_amount("15Q");
    ADD_FAILURE() << "taken";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("unknown unit \"Q\""));
  }
}

TEST(FormatCount, ThreeDigitsAndAPowerOfAThousand) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(17), "17");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1000), "1 k");
  EXPECT_EQ(format_count(40812345), "40.8 M");
  EXPECT_EQ(format_count(999499), "999 k");
  EXPECT_EQ(format_count(999500), "1 M");  // never "1000 k" or "1e+03 k"
  EXPECT_EQ(format_count(4.089e9), "4.09 G");
  EXPECT_EQ(format_count(-1500), "-1.5 k");
  EXPECT_EQ(format_count(7.2e16), "72000 T");
}

TEST(FormatBytes, CountsInPowersOfAThousand) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(512), "512 B");
  EXPECT_EQ(format_bytes(1500), "1.5 kB");
  EXPECT_EQ(format_bytes(44629120), "44.6 MB");
}

TEST(FormatDuration, CarriesIntoTheNextUnit) {
  EXPECT_EQ(format_duration(0.0034), "3.4 ms");
  EXPECT_EQ(format_duration(3.4), "3.4 s");
  EXPECT_EQ(format_duration(59.96), "1 min 00 s");
  EXPECT_EQ(format_duration(125), "2 min 05 s");
  EXPECT_EQ(format_duration(3599.6), "1 h 00 min");
  EXPECT_EQ(format_duration(3720), "1 h 02 min");
  EXPECT_EQ(format_duration(86399), "1 d 00 h");
  EXPECT_EQ(format_duration(100 * 3600.0), "4 d 04 h");
  EXPECT_EQ(format_duration(std::numeric_limits<double>::infinity()), "unknown");
}

TEST(FormatPercent, TakesAFraction) {
  EXPECT_EQ(format_percent(0.498), "49.8 %");
  EXPECT_EQ(format_percent(0.9173, 2), "91.73 %");
  EXPECT_EQ(format_percent(1, 0), "100 %");
}

}  // namespace
}  // namespace crrm
