#include "platform/state.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/random.h"

namespace securebase::platform {
namespace {

namespace fs = std::filesystem;

class StateTest : public testing::Test {
 protected:
  ~StateTest() override { fs::remove_all(folder_); }
  const fs::path folder_ = fs::temp_directory_path() / ("securebase-state-" + base::random_hex(8));
};

TEST_F(StateTest, IsMadeWithItsParents) {
  auto state = State::open(folder_ / "a" / "b");
  ASSERT_TRUE(state) << state.error().message;
  EXPECT_TRUE(fs::is_directory(folder_ / "a" / "b"));
  EXPECT_EQ(state->of("tls"), folder_ / "a" / "b" / "tls");
}

TEST_F(StateTest, BelongsToOnePlatformAtATime) {
  {
    auto first = State::open(folder_);
    ASSERT_TRUE(first);
    auto second = State::open(folder_);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::kConflict);
    EXPECT_NE(second.error().message.find(std::to_string(getpid())), std::string::npos) << second.error().message;
  }
  EXPECT_TRUE(State::open(folder_)) << "the lock went with its holder";
}

TEST_F(StateTest, IsOfTheUserWhoBeganIt) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  ASSERT_TRUE(State::open(folder_));
  ASSERT_EQ(chown((folder_ / "lock").c_str(), 65534, 65534), 0);
  const auto state = State::open(folder_);
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code, Errc::kDenied);
  EXPECT_NE(state.error().message.find("nobody"), std::string::npos) << state.error().message;
}

TEST_F(StateTest, AFileInItsPlaceIsAnErrorThatNamesIt) {
  fs::create_directories(folder_);
  const fs::path file = folder_ / "file";
  fclose(fopen(file.c_str(), "w"));
  auto state = State::open(file);
  ASSERT_FALSE(state);
  EXPECT_NE(state.error().message.find(file.native()), std::string::npos) << state.error().message;
  EXPECT_NE(state.error().message.find("--state"), std::string::npos) << state.error().message;
}

}  // namespace
}  // namespace securebase::platform
