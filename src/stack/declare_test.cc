#include "stack/declare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace securebase::stack {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// The example at the head of declare.h, laid out as there.
// clang-format off
struct Rule { std::string path; std::chrono::seconds ttl{}; std::optional<std::int64_t> most; };
enum class Reach { kRegion, kGlobal };
struct Cache { std::string name; Reach scope{}; std::vector<Rule> rules; std::map<std::string, std::string> tags; };

const auto kRule = stack::block<Rule>("rule")
    .required("path", &Rule::path, "Which requests it is about.")
    .attribute("ttl", &Rule::ttl, 1h, between(0s, 24h), "How long a response is kept.")
        .effect("empties the cache")
    .attribute("most", &Rule::most, std::nullopt, at_least(1), "How many are kept; any number when not set.");
const auto kCache = stack::resource<Cache>("aws_example_cache", "edge", "Responses kept near the viewer.")
    .required("name", &Cache::name, matches("[a-z][a-z0-9-]*"), "Its name.").replaces()
    .attribute("scope", &Cache::scope, Reach::kRegion,
               one_of<Reach>({{"REGION", Reach::kRegion}, {"GLOBAL", Reach::kGlobal}}), "Where it is.")
    .attribute("tags", &Cache::tags, {}, "Labels.")
    .nested(kRule, &Cache::rules, at_least(1), "What is kept, and how long; the first that fits counts.")
    .known("price_class", "one machine has one price")
    .computed("id", [](const Cache& cache, const Context&) { return cache.name; })
    .computed("arn", [](const Cache& cache, const Context& c) { return c.arn("example", "cache/" + cache.name); });
// clang-format on

struct ReadOne {
  Cache cache;
  Diagnostics diagnostics;
  std::vector<Finding> findings;
  std::string errors() const { return render(diagnostics); }
};

ReadOne read(const Value& attributes, const std::vector<Value>& rules) {
  Body body = Body::from_value(attributes, {});
  for (const auto& rule : rules) body.blocks.push_back({"rule", {}, Body::from_value(rule, {})});
  ReadOne out;
  Reading reading{out.diagnostics, out.findings, "aws_example_cache.main", "resource \"aws_example_cache\" \"main\""};
  const auto object = kCache.declaration().make();
  kCache.declaration().read(object.get(), body, reading);
  out.cache = *std::static_pointer_cast<Cache>(object);
  return out;
}

TEST(Declare, FillsMembersAndLeavesDefaultsWhereNothingIsSaid) {
  const auto got = read(Value::map({{"name", "portal"}, {"scope", "GLOBAL"}, {"tags", Value::map({{"a", 1}})}}),
                        {Value::map({{"path", "/a"}}), Value::map({{"path", "/b"}, {"ttl", "60"}, {"most", 5}})});
  ASSERT_TRUE(got.diagnostics.empty()) << got.errors();
  EXPECT_EQ(got.cache.name, "portal");
  EXPECT_EQ(got.cache.scope, Reach::kGlobal);
  EXPECT_EQ(got.cache.tags.at("a"), "1");
  ASSERT_EQ(got.cache.rules.size(), 2u);
  EXPECT_EQ(got.cache.rules[0].ttl, 1h);
  EXPECT_FALSE(got.cache.rules[0].most);
  EXPECT_EQ(got.cache.rules[1].ttl, 60s);
  EXPECT_EQ(got.cache.rules[1].most, 5);
}

TEST(Declare, SaysWhatIsWrongAndWhatWasProbablyMeant) {
  const Value rule = Value::map({{"path", "/"}});
  EXPECT_THAT(read(Value::map({}), {rule}).errors(), HasSubstr("The argument \"name\" is required"));
  EXPECT_THAT(read(Value::map({{"name", "Portal"}}), {rule}).errors(), HasSubstr("expected matches [a-z]"));
  EXPECT_THAT(read(Value::map({{"name", "a"}, {"scoep", "REGION"}}), {rule}).errors(),
              HasSubstr("\"scoep\" is not expected here. Did you mean \"scope\"?"));
  EXPECT_THAT(read(Value::map({{"name", "a"}, {"scope", "MOON"}}), {rule}).errors(),
              HasSubstr("expected one of REGION, GLOBAL, got \"MOON\""));
  EXPECT_THAT(read(Value::map({{"name", "a"}}), {}).errors(), HasSubstr("At least 1 \"rule\" block is required"));
  EXPECT_THAT(read(Value::map({{"name", "a"}}), {Value::map({{"path", "/"}, {"ttl", 86'401}})}).errors(),
              HasSubstr("\"rule.ttl\": expected 0 s to 86400 s, got 86401"));
  EXPECT_THAT(read(Value::map({{"name", "a"}}), {Value::map({{"path", "/"}, {"ttl", "soon"}})}).errors(),
              HasSubstr("number required"));
  EXPECT_THAT(read(Value::map({{"name", "a"}, {"rule", Value::map({{"path", "/"}})}}), {rule}).errors(),
              HasSubstr("write \"rule { ... }\" without the equals sign"));
}

TEST(Declare, ListsWhatIsKnownAndNotHonoured) {
  const auto got = read(Value::map({{"name", "a"}, {"price_class", "PriceClass_100"}}), {Value::map({{"path", "/"}})});
  EXPECT_FALSE(got.diagnostics.has_errors());
  ASSERT_EQ(got.findings.size(), 1u);
  EXPECT_EQ(got.findings[0].attribute, "price_class");
  EXPECT_EQ(got.findings[0].reason, "one machine has one price");
}

TEST(Declare, TakesNullForNotWritten) {
  const auto got = read(Value::map({{"name", "a"}, {"price_class", {}}, {"scope", {}}}), {Value::map({{"path", "/"}})});
  EXPECT_FALSE(got.diagnostics.has_errors()) << got.errors();
  EXPECT_TRUE(got.findings.empty());
  EXPECT_THAT(read(Value::map({{"name", "a"}, {"scoep", {}}}), {Value::map({{"path", "/"}})}).errors(),
              HasSubstr("Did you mean \"scope\"?"));
}

TEST(Declare, WritesWhatItRead) {
  const auto got = read(Value::map({{"name", "a"}}), {Value::map({{"path", "/"}})});
  const Value written = kCache.declaration().write(&got.cache);
  EXPECT_EQ(written, Value::map({{"name", "a"},
                                 {"scope", "REGION"},
                                 {"tags", Value::map()},
                                 {"rule", Value::list({Value::map({{"path", "/"}, {"ttl", 3600}, {"most", {}}})})}}));
}

TEST(Declare, ComputesWhatOthersReferTo) {
  const auto got = read(Value::map({{"name", "a"}}), {Value::map({{"path", "/"}})});
  const auto& computed = kCache.declaration().computed;
  EXPECT_EQ(computed[1].value(&got.cache, Context{}), "arn:aws:example:us-east-1:123456789012:cache/a");
  Context context;
  context.address = "aws_example_cache.main";
  EXPECT_EQ(context.id(13), context.id(13));
  context.pinned_id = "E1234ABCD";
  EXPECT_EQ(context.id(13), "E1234ABCD");
}

TEST(Declare, IsItsOwnDocumentation) {
  const auto page = kCache.declaration().page();
  EXPECT_THAT(page, HasSubstr("| `name` | string | required | matches [a-z][a-z0-9-]* | Its name. A change makes"));
  EXPECT_THAT(page, HasSubstr("| `ttl` | number of seconds | `3600` | 0 s to 86400 s | How long a response is kept. A "
                              "change empties the cache. |"));
  EXPECT_THAT(page, HasSubstr("`price_class` (one machine has one price)"));
}

}  // namespace
}  // namespace securebase::stack
