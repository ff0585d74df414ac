#include "secrets/users.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace securebase::secrets {
namespace {

using namespace std::chrono_literals;

class UsersTest : public testing::Test {
 protected:
  Users users() {
    return Users({"AKIAROOT", Secret("root's key")}, "123456789012", sealer_, clock_,
                 [this](const Secret& text) -> Result<Done> {
                   if (disk_is_full_) return Error{Errc::kIo, "no space left"};
                   kept_ = text;
                   return Done{};
                 });
  }

  base::ManualClock clock_;
  const MasterKey master_{Secret(std::string(32, 'k'))};
  const Sealer sealer_{master_};
  Secret kept_;
  bool disk_is_full_ = false;
};

TEST_F(UsersTest, AreFoundByTheirKeysUntilTheyGo) {
  Users all = users();
  const auto made = all.create("ci");
  ASSERT_TRUE(made);
  const auto found = all.find(made->access_key_id);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->identity.arn, "arn:aws:iam::123456789012:user/ci");
  EXPECT_EQ(found->secret_access_key, made->secret_access_key.reveal());
  EXPECT_EQ(all.find("AKIAROOT")->identity.arn, "arn:aws:iam::123456789012:root");
  EXPECT_TRUE(all.list().at(0).secret_access_key.reveal().empty()) << "shown once";
  const auto rotated = all.rotate("ci");
  EXPECT_FALSE(all.find(made->access_key_id));
  EXPECT_TRUE(all.find(rotated->access_key_id));
  ASSERT_TRUE(all.remove("ci"));
  EXPECT_FALSE(all.find(rotated->access_key_id));
  EXPECT_EQ(all.remove("ci").error().code, Errc::kNotFound);
}

TEST_F(UsersTest, AreThereAgainFromWhatWasKept) {
  Users before = users();
  const auto made = before.create("ci");
  Users after = users();
  ASSERT_TRUE(after.load(kept_));
  EXPECT_EQ(after.find(made->access_key_id)->identity.user_id, made->id);
}

TEST_F(UsersTest, DoNotCountBeforeTheyAreOnDisk) {
  Users all = users();
  disk_is_full_ = true;
  EXPECT_EQ(all.create("ci").error().code, Errc::kIo);
  EXPECT_TRUE(all.list().empty());
}

TEST_F(UsersTest, HaveNamesThatIamWouldTake) {
  Users all = users();
  for (const auto* name : {"", "a b", "root/x", "ü"}) EXPECT_FALSE(all.create(name)) << name;
  EXPECT_FALSE(all.create("root"));
  ASSERT_TRUE(all.create("a.b@c"));
  EXPECT_EQ(all.create("a.b@c").error().code, Errc::kConflict);
}

TEST_F(UsersTest, HoldSessionsAsLongAsTheirKeyAndTheirTime) {
  Users all = users();
  const auto made = all.create("ci");
  const auto identity = all.find(made->access_key_id)->identity;
  const auto session = all.make_session(identity, made->access_key_id, 3600s);
  const auto found = all.find_session(session.access_key_id, session.session_token);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->identity.arn, identity.arn);
  EXPECT_EQ(found->secret_access_key, session.secret_access_key.reveal());
  EXPECT_EQ(found->expires, std::chrono::floor<std::chrono::seconds>(clock_.now()) + 3600s);
  EXPECT_FALSE(all.find(session.access_key_id)) << "not without its token";
  EXPECT_FALSE(all.find_session("ASIAOTHER", session.session_token)) << "a token is of one key";
  auto changed = session.session_token;
  changed[changed.size() / 2] ^= 1;
  EXPECT_FALSE(all.find_session(session.access_key_id, changed));
  EXPECT_EQ(all.parent_of(found->identity, session.session_token), made->access_key_id);
  ASSERT_TRUE(all.rotate("ci"));
  EXPECT_FALSE(all.find_session(session.access_key_id, session.session_token));
}

}  // namespace
}  // namespace securebase::secrets
