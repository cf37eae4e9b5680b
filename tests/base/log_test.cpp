#include "crrm/base/log.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "crrm/base/error.h"
#include "crrm/base/file.h"

namespace crrm {
namespace {

namespace fs = std::filesystem;

const fs::path kPath = fs::temp_directory_path() / ("crrm_log_" + std::to_string(::getpid()));

TEST(JsonLog, EachLineIsInTheFileAtOnceAndOpeningAppends) {
  fs::remove(kPath);
  JsonLog log(kPath);
  log.write({{"step", 1}, {"text", "two\nlines"}});
  EXPECT_EQ(read_file(kPath), "{\"step\":1,\"text\":\"two\\nlines\"}\n");
  JsonLog again(kPath);
  again.write({{"step", 2}});
  EXPECT_EQ(read_file(kPath), "{\"step\":1,\"text\":\"two\\nlines\"}\n{\"step\":2}\n");
  fs::remove(kPath);
}

TEST(JsonLog, BadTextAndInfinityStayJson) {
  fs::remove(kPath);
  JsonLog log(kPath);
  log.write({{"name", "\xff"}, {"loss", std::numeric_limits<double>::infinity()}});
  const nlohmann::json line = nlohmann::json::parse(read_file(kPath));
  EXPECT_EQ(line["name"], "\xEF\xBF\xBD");
  EXPECT_TRUE(line["loss"].is_null());
  fs::remove(kPath);
}

TEST(JsonLog, NamesAFileThatCannotBeOpenedOrWritten) {
  try {
    JsonLog log("/no/such/folder/log.jsonl");
    ADD_FAILURE() << "opened";
  } catch (const WriteError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("/no/such/folder/log.jsonl"));
    EXPECT_THAT(error.what(), testing::HasSubstr("No such file or directory"));
  }
  try {
    JsonLog full("/dev/full");
    full.write({{"step", 1}});
    ADD_FAILURE() << "written";
  } catch (const WriteError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("No space left on device"));
  }
}

}  // namespace
}  // namespace crrm
