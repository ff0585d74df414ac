#include "database/migrations.h"

#include <gtest/gtest.h>

namespace securebase::database {
namespace {

std::vector<Migration> files(std::initializer_list<std::pair<const char*, const char*>> all) {
  std::vector<Migration> made;
  for (const auto& [name, sha256] : all) made.push_back({name, "", sha256});
  return made;
}

std::string names_of(const std::vector<const Migration*>& migrations) {
  std::string names;
  for (const auto* one : migrations) names += one->name + " ";
  return names;
}

TEST(StillToApply, AreThoseThatWereNotInOrder) {
  const auto all = files({{"0001_a.sql", "aa"}, {"0002_b.sql", "bb"}, {"0003_c.sql", "cc"}});
  EXPECT_EQ(names_of(*still_to_apply(all, {})), "0001_a.sql 0002_b.sql 0003_c.sql ");
  EXPECT_EQ(names_of(*still_to_apply(all, {{"0001_a.sql", "aa"}, {"0003_c.sql", "cc"}})), "0002_b.sql ");
}

TEST(StillToApply, AreNoneWhereOneWasChangedOrIsMissing) {
  const auto all = files({{"0001_a.sql", "aa"}, {"0003_c.sql", "cc"}});
  EXPECT_EQ(still_to_apply(all, {{"0001_a.sql", "other"}}).error().code, Errc::kConflict);
  EXPECT_EQ(still_to_apply(all, {{"0002_b.sql", "bb"}}).error().code, Errc::kConflict);
  EXPECT_EQ(still_to_apply({}, {{"0001_a.sql", "aa"}}).error().code, Errc::kConflict) << "another directory";
}

TEST(StillToApply, AreNoneOfFilesThatAreOlderThanTheDatabase) {
  const auto all = files({{"0001_a.sql", "aa"}, {"0002_b.sql", "bb"}});
  const auto left = still_to_apply(all, {{"0001_a.sql", "aa"}, {"0002_b.sql", "bb"}, {"0003_c.sql", "cc"}});
  ASSERT_TRUE(left) << left.error().message;
  EXPECT_TRUE(left->empty());
}

}  // namespace
}  // namespace securebase::database
