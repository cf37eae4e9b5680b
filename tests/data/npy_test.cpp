#include "crrm/data/npy.h"

#include <gmock/gmock.h>

#include "data_files.h"

namespace crrm {
namespace {

using testing::HasSubstr;

// Their strides would pass 63 bits.
TEST(Npy, EmptyArraysOfHugeExtentAreRefused) {
  const std::string header =
      "{'descr': '|u1', 'fortran_order': False, 'shape': (0, 1099511627776, 1099511627776), }\n";
  std::string bytes("\x93NUMPY\x01\0", 8);
  bytes.push_back(static_cast<char>(header.size()));
  bytes.push_back('\0');
  bytes.append(header);
  try {
    parse_npy(bytes, "x.npy", "x");
    FAIL() << "nothing was thrown";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("shape (0, 1099511627776, 1099511627776)"));
  }
}

}  // namespace
}  // namespace crrm
