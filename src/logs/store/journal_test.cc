#include "logs/store/journal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/descriptor.h"
#include "base/random.h"

namespace securebase::logs {
namespace {

// A pipe takes bytes and cannot be synced: a disk that fails.
TEST(Journal, TakesNothingMoreAfterASyncThatFailed) {
  const auto path = std::filesystem::temp_directory_path() / ("journal-test-" + base::random_hex(8));
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const base::Descriptor reader(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  auto journal = Journal::begin(path, 1);
  ASSERT_TRUE(journal) << journal.error().message;
  ASSERT_TRUE((*journal)->append("record"));
  EXPECT_FALSE((*journal)->broken());
  EXPECT_FALSE((*journal)->sync());
  EXPECT_TRUE((*journal)->broken());
  EXPECT_TRUE((*journal)->dirty());
  EXPECT_FALSE((*journal)->append("record"));
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace securebase::logs
