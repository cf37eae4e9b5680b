// Damage done to an archive that NumPy wrote (tests/data/data/make_fixtures.py).
#include "crrm/data/zip.h"

#include <gmock/gmock.h>

#include "data_files.h"

namespace crrm {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

/// deflated.npz with `bytes` at `offset` from the last occurrence of `mark`.
std::string damaged(const std::string& mark, size_t offset, const std::string& bytes) {
  std::string archive = fixture("deflated.npz");
  archive.replace(archive.rfind(mark) + offset, bytes.size(), bytes);
  return archive;
}

/// The error of reading every entry.
std::string zip_error(const std::string& bytes) {
  try {
    const ZipArchive archive(bytes, "a.npz");
    for (const std::string& name : archive.names()) archive.extract(name);
  } catch (const InputError& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

const std::string kEnd = "PK\5\6";
const std::string kCentral = "PK\1\2";  // its last occurrence is y_test.npy

TEST(Zip, ListsItsEntries) {
  const ZipArchive archive(fixture("deflated.npz"), "a.npz");
  EXPECT_THAT(archive.names(),
              ElementsAre("x_train.npy", "y_train.npy", "x_test.npy", "y_test.npy"));
  EXPECT_FALSE(archive.has("x.npy"));
  try {
    archive.extract("x.npy");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("expected  x.npy"), HasSubstr("x_train.npy, y_train")));
  }
}

TEST(Zip, EndOfDirectoryIsChecked) {
  const std::string whole = fixture("deflated.npz");
  EXPECT_THAT(zip_error(""), HasSubstr("end of central directory"));
  EXPECT_THAT(zip_error(whole.substr(0, whole.size() - 1)), HasSubstr("may be cut off"));
  EXPECT_THAT(zip_error(damaged(kEnd, 10, std::string("\5\0", 2))), HasSubstr("entry 4 of 5"));
  EXPECT_THAT(zip_error(damaged(kEnd, 16, "\xff\xff\xff\xff")), HasSubstr("entry 0 of 4"));
}

TEST(Zip, DirectoryEntriesAreChecked) {
  EXPECT_THAT(zip_error(damaged(kCentral, 28, "\xff\xff")), HasSubstr("a name of 65535 bytes"));
  EXPECT_THAT(zip_error(damaged(kCentral, 8, "\x01")), HasSubstr("encrypted"));
  EXPECT_THAT(zip_error(damaged(kCentral, 10, "\x0c")), HasSubstr("method 12"));
  EXPECT_THAT(zip_error(damaged(kCentral, 24, "\xff\xff\xff\xff")), HasSubstr("ZIP64"));
  EXPECT_THAT(zip_error(damaged(kCentral, 24, "\xfe\xff\xff\xff")),
              AllOf(HasSubstr("y_test.npy"), HasSubstr("4294967294 when unpacked")));
  EXPECT_THAT(zip_error(damaged(kCentral, 20, "\xfe\xff\xff\xff")),
              HasSubstr("4294967294 bytes, "));
  EXPECT_THAT(zip_error(damaged(kCentral, 42, "\xfe\xff\xff\xff")),
              AllOf(HasSubstr("a local header"), HasSubstr("none at byte 4294967294")));
}

TEST(Zip, ContentIsChecked) {
  EXPECT_THAT(zip_error(damaged(kCentral, 16, "\1\2\3\4")), HasSubstr("CRC-32 04030201"));
  EXPECT_THAT(zip_error(damaged(kCentral, 24, std::string("\1\0\0\0", 4))),
              HasSubstr("at most 1 bytes when unpacked"));
  EXPECT_THAT(zip_error(damaged(kCentral, 24, std::string("\0\1\0\0", 4))),
              HasSubstr("256 bytes when unpacked"));
  EXPECT_THAT(zip_error(damaged(kCentral, 20, std::string("\4\0\0\0", 4))),
              testing::AnyOf(HasSubstr("cut off"), HasSubstr("sizes that fit")));
  EXPECT_THAT(zip_error(damaged("PK\3\4", 28, "\xff\xff")), HasSubstr("until the end of the file"));
}

// No single damaged byte may do worse than an InputError.
TEST(Zip, EveryByteMayBeDamaged) {
  const std::string whole = fixture("deflated.npz");
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string archive = whole;
    archive[i] = static_cast<char>(archive[i] ^ 0xff);
    try {
      const ZipArchive read(archive, "a.npz");
      for (const std::string& name : read.names()) read.extract(name);
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr("expected")) << i;
    }
  }
}

}  // namespace
}  // namespace crrm
