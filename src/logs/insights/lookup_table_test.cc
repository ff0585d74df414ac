#include "logs/insights/lookup_table.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "logs/store/test_directory.h"

namespace securebase::logs::insights {
namespace {

TEST(LookupTable, ReadsCsvAsRfc4180HasIt) {
  const auto table = LookupTable::parse("\xef\xbb\xbfid,name,note\r\n1,Ann,\"a, \"\"b\"\"\nc\"\r\n\n2,,x", {});
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_EQ((*table)->rows(), 2U);
  EXPECT_EQ((*table)->text(0, 2), "a, \"b\"\nc");
  EXPECT_EQ((*table)->text(1, 1), "");
  EXPECT_EQ((*table)->column("name"), 1U);
  EXPECT_FALSE((*table)->column("Name"));
}

TEST(LookupTable, SaysWhatIsWrongAndWhere) {
  const auto why = [](std::string text) {
    const auto table = LookupTable::parse(std::move(text), {.bytes = 100, .columns = 2});
    return table ? "" : table.error().message;
  };
  EXPECT_EQ(why(""), "its first line has to have the names of its columns");
  EXPECT_EQ(why("a,b\n1\n"), "line 2: 1 fields, where the first line has 2 names");
  EXPECT_EQ(why("a,b\n1,\"2"), "line 2: a quote is not closed, or more follows it");
  EXPECT_EQ(why("a,b,c\n"), "line 1: more than 2 columns");
  EXPECT_NE(why(std::string(101, 'a')), "");
}

TEST(LookupTable, IsFoundByAllOfItsKeysTheFirstRow) {
  const auto table = LookupTable::parse("a,b,c\n1,2,first\n1,2,second\n12,,third\n", {});
  ASSERT_TRUE(table);
  const LookupIndex index(*table, {0, 1});
  const auto find = [&](std::vector<std::string> texts) { return index.find(texts); };
  EXPECT_EQ(find({"1", "2"}), 0U);
  EXPECT_EQ(find({"12", ""}), 2U);
  EXPECT_FALSE(find({"1", ""}));
  EXPECT_FALSE(find({"", "12"}));
}

TEST(LookupTables, AreFilesThatMayChange) {
  const TestDirectory directory;
  const LookupTables tables(directory.path());
  EXPECT_EQ(tables.find("users").error().code, Errc::kNotFound);
  EXPECT_EQ(tables.find("../users").error().code, Errc::kMalformed);
  ASSERT_TRUE(base::replace_file(directory.path() / "users.csv", "id\n1\n", 0640));
  ASSERT_TRUE(tables.find("users"));
  EXPECT_EQ((*tables.find("users"))->rows(), 1U);
  ASSERT_TRUE(base::replace_file(directory.path() / "users.csv", "id\n1\n2\n", 0640));
  EXPECT_EQ((*tables.find("users"))->rows(), 2U);
}

}  // namespace
}  // namespace securebase::logs::insights
