#include "k6/gjson.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

namespace securebase::k6 {
namespace {

// The example that the documentation of GJSON uses, made anew.
constexpr std::string_view kPeople =
    R"({"name":{"first":"Tom","last":"A"},"age":37,"children":["Sara","Alex","Jack"],"fav.movie":"D",
  "friends":[{"first":"Dale","last":"M","age":44,"nets":["ig","fb"]},{"first":"Roger","last":"C","age":68,"nets":["fb"]},{"first":"Jane","last":"M","age":47,"nets":[]}]})";

std::string at(std::string_view path) {
  auto value = base::Json::parse(kPeople);
  auto found = gjson(*value, path);
  if (!found) return "error: " + found.error().message;
  return *found ? (*found)->dump() : "nothing";
}

TEST(GJson, FollowsNamesAndIndexes) {
  EXPECT_EQ(at("name.last"), R"("A")");
  EXPECT_EQ(at("age"), "37");
  EXPECT_EQ(at("children.1"), R"("Alex")");
  EXPECT_EQ(at("children.#"), "3");
  EXPECT_EQ(at("fav\\.movie"), R"("D")");
  EXPECT_EQ(at("child*.2"), R"("Jack")");
  EXPECT_EQ(at("c?ildren.0"), R"("Sara")");
  EXPECT_EQ(at("children.9"), "nothing");
  EXPECT_EQ(at("name.middle"), "nothing");
}

TEST(GJson, GathersAndAsks) {
  EXPECT_EQ(at("friends.#.first"), R"(["Dale","Roger","Jane"])");
  EXPECT_EQ(at("friends.#(last==\"M\").first"), R"("Dale")");
  EXPECT_EQ(at("friends.#(last==\"M\")#.first"), R"(["Dale","Jane"])");
  EXPECT_EQ(at("friends.#(age>45)#.last"), R"(["C","M"])");
  EXPECT_EQ(at("friends.#(first%\"D*\").last"), R"("M")");
  EXPECT_EQ(at("friends.#(nets.#(==\"ig\"))#.first"), R"(["Dale"])");
  EXPECT_EQ(at("children|@reverse|0"), R"("Jack")");
  EXPECT_EQ(at("name.@keys"), R"(["first","last"])");
}

TEST(GJson, PathsThatAreNoneAreErrors) {
  EXPECT_EQ(at("friends.#(age>1").substr(0, 6), "error:");
  EXPECT_EQ(at("").substr(0, 6), "error:");
  EXPECT_EQ(at("{a,b}").substr(0, 6), "error:");
  EXPECT_EQ(at("name.").substr(0, 6), "error:");
  std::string deep = "a";
  for (int i = 0; i < 200; ++i) deep += ".a";
  EXPECT_EQ(at(deep), "nothing");
}

}  // namespace
}  // namespace securebase::k6
