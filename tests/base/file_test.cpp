#include "crrm/base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "crrm/base/error.h"

namespace crrm {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class File : public testing::Test {
 protected:
  void SetUp() override {
    const testing::TestInfo& info = *testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::temp_directory_path() /
              (std::string("crrm_file_") + info.name() + "_" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  size_t entries() const {
    return static_cast<size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  fs::path folder_;
};

/// Runs `act` and gives the fault of the error E that it must throw.
template <typename E, typename Act>
Fault fault_of(Act act) {
  try {
    act();
  } catch (const E& error) {
    return error.fault();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

TEST_F(File, ReadsBackEveryByte) {
  std::string content;
  for (int i = 0; i < 3'000'000; ++i) content += static_cast<char>(i * 31 % 256);
  write_file(folder_ / "a.bin", content);
  EXPECT_TRUE(read_file(folder_ / "a.bin") == content);
  write_file(folder_ / "a.bin", "");
  EXPECT_EQ(read_file(folder_ / "a.bin"), "");
  EXPECT_EQ(entries(), 1u);
}

TEST_F(File, MissingAndFolderAreNamed) {
  const Fault missing = fault_of<InputError>([&] { read_file(folder_ / "none"); });
  EXPECT_EQ(missing.file, (folder_ / "none").string());
  EXPECT_THAT(missing.found, HasSubstr("No such file"));
  const Fault folder = fault_of<InputError>([&] { read_file(folder_); });
  EXPECT_EQ(folder.file, folder_.string());
  EXPECT_EQ(folder.found, "a folder");
}

TEST_F(File, UnreadableIsNamed) {
  if (::geteuid() == 0) GTEST_SKIP() << "root reads everything";
  write_file(folder_ / "a", "x");
  fs::permissions(folder_ / "a", fs::perms::none);
  const Fault fault = fault_of<InputError>([&] { read_file(folder_ / "a"); });
  EXPECT_THAT(fault.found, HasSubstr("Permission denied"));
}

TEST_F(File, WriteIntoMissingFolderNamesTheReason) {
  const Fault fault = fault_of<WriteError>([&] { write_file(folder_ / "none" / "a", "x"); });
  EXPECT_EQ(fault.file, (folder_ / "none" / "a").string());
  EXPECT_THAT(fault.found, HasSubstr("No such file or directory"));
}

TEST_F(File, WriteOverFolderFailsAndLeavesNothing) {
  fs::create_directory(folder_ / "sub");
  const Fault fault = fault_of<WriteError>([&] { write_file(folder_ / "sub", "x"); });
  EXPECT_THAT(fault.found, HasSubstr("Is a directory"));
  EXPECT_EQ(entries(), 1u);
}

// The rename is what fails here: a name of 300 bytes is too long for the file system.
TEST_F(File, FailedRenameRemovesTheTemporaryFile) {
  const fs::path path = folder_ / std::string(300, 'n');
  const Fault fault = fault_of<WriteError>([&] { write_file(path, "x"); });
  EXPECT_THAT(fault.found, HasSubstr("rename: File name too long"));
  EXPECT_EQ(entries(), 0u);
}

TEST_F(File, DeviceIsNotReplaced) {
  const Fault fault = fault_of<WriteError>([&] { write_file("/dev/null", "x"); });
  EXPECT_THAT(fault.found, HasSubstr("Invalid argument"));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(File, WriteFollowsLinksAndKeepsPermissions) {
  write_file(folder_ / "target", "old");
  fs::permissions(folder_ / "target", fs::perms::owner_read | fs::perms::owner_write);
  fs::create_symlink("target", folder_ / "link");
  write_file(folder_ / "link", "new");
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
  EXPECT_EQ(read_file(folder_ / "target"), "new");
  EXPECT_EQ(fs::status(folder_ / "target").permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(File, NewFilesObeyTheUmask) {
  const mode_t old = ::umask(027);
  write_file(folder_ / "a", "x");
  ::umask(old);
  EXPECT_EQ(static_cast<int>(fs::status(folder_ / "a").permissions()), 0640);
}

// FIPS 180-2, appendix B (three examples), and the empty text.
TEST_F(File, HashesAsInTheStandard) {
  EXPECT_EQ(sha256_text("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_text("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256_text(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  // 1,000,000 times "a" comes in several blocks where the file is longer than one.
  write_file(folder_ / "a", std::string(1'000'000, 'a'));
  EXPECT_EQ(sha256_file(folder_ / "a"),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  write_file(folder_ / "b", std::string(3'000'001, 'b'));
  EXPECT_EQ(sha256_file(folder_ / "b"), sha256_text(std::string(3'000'001, 'b')));
  EXPECT_EQ(fault_of<InputError>([&] { sha256_file(folder_); }).found, "a folder");
}

TEST_F(File, FreeBytesOfAPathThatIsStillToBeMade) {
  const uint64_t here = free_bytes(folder_);
  EXPECT_GT(here, 0u);
  EXPECT_GT(free_bytes(folder_ / "not" / "yet"), here / 2);
  EXPECT_LT(free_bytes(folder_ / "not" / "yet"), here * 2 + 1);
}

}  // namespace
}  // namespace crrm
