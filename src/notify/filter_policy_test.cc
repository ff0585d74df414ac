#include "notify/filter_policy.h"

#include <gtest/gtest.h>

namespace securebase::notify {
namespace {

using Verdict = FilterPolicy::Verdict;

Verdict judge_body(std::string_view policy, std::string_view body) {
  auto parsed = FilterPolicy::parse(policy, FilterScope::kMessageBody);
  EXPECT_TRUE(parsed) << policy << ": " << (parsed ? "" : parsed.error().message);
  return parsed ? parsed->judge(Message{}, body) : Verdict::kNoMatch;
}

struct BodyCase {
  std::string_view policy, body;
  bool matches;
};

TEST(FilterPolicy, LetsThroughWhatItsConditionsHoldOf) {
  const BodyCase cases[] = {
      {R"({"store":["a","b"]})", R"({"store":"b"})", true},
      {R"({"store":["a","b"]})", R"({"store":"B"})", false},
      {R"({"store":["a"]})", R"({"shop":"a"})", false},
      {R"({"store":["a"]})", R"({"store":["x","a"]})", true},
      {R"({"store":["a"]})", R"({"store":[["x"],["a"]]})", true},
      {R"({"a":["1"],"b":["2"]})", R"({"a":"1"})", false},
      {R"({"a":["1"],"b":["2"]})", R"({"a":"1","b":"2"})", true},
      {R"({"n":[100]})", R"({"n":100.0})", true},
      {R"({"n":[100]})", R"({"n":"100"})", false},
      {R"({"n":[3.000001]})", R"({"n":3})", true},  // five digits count
      {R"({"t":[true],"z":[null]})", R"({"t":true,"z":null})", true},
      {R"({"s":[{"prefix":"ab"}]})", R"({"s":"abc"})", true},
      {R"({"s":[{"prefix":"ab"}]})", R"({"s":"ba"})", false},
      {R"({"s":[{"suffix":"yz"}]})", R"({"s":"xyz"})", true},
      {R"({"s":[{"equals-ignore-case":"Tennis"}]})", R"({"s":"tENNIS"})", true},
      {R"({"s":[{"wildcard":"a*c*e"}]})", R"({"s":"abbcde"})", true},
      {R"({"s":[{"wildcard":"a*c"}]})", R"({"s":"abcd"})", false},
      {R"({"s":[{"anything-but":"x"}]})", R"({"s":"y"})", true},
      {R"({"s":[{"anything-but":["x","y"]}]})", R"({"s":"y"})", false},
      {R"({"s":[{"anything-but":["x","y"]}]})", R"({"s":["y","z"]})", true},  // one element is enough
      {R"({"s":[{"anything-but":["x"]}]})", R"({"t":"y"})", false},           // the key has to be there
      {R"({"s":[{"anything-but":{"prefix":"or"}}]})", R"({"s":"order"})", false},
      {R"({"s":[{"anything-but":{"suffix":["er","en"]}}]})", R"({"s":"open"})", false},
      {R"({"n":[{"numeric":["=",301.5]}]})", R"({"n":301.5})", true},
      {R"({"n":[{"numeric":[">",0,"<=",150]}]})", R"({"n":150})", true},
      {R"({"n":[{"numeric":[">",0,"<=",150]}]})", R"({"n":0})", false},
      {R"({"n":[{"numeric":["<",10]}]})", R"({"n":"5"})", false},
      {R"({"ip":[{"cidr":"10.0.0.0/24"}]})", R"({"ip":"10.0.0.255"})", true},
      {R"({"ip":[{"cidr":"10.0.0.0/24"}]})", R"({"ip":"10.0.1.0"})", false},
      {R"({"ip":[{"cidr":"2001:db8::/32"}]})", R"({"ip":"2001:db8::1"})", true},
      {R"({"s":[{"exists":true}]})", R"({"s":"anything"})", true},
      {R"({"s":[{"exists":false}]})", R"({"t":1})", true},
      {R"({"s":[{"exists":false}]})", R"({"s":1})", false},
      {R"({"a":{"b":{"c":["x"]}}})", R"({"a":{"b":{"c":"x"}}})", true},
      {R"({"a":{"b":["x"]}})", R"({"a":"x"})", false},
      {R"({"a":{"b":["x"],"c":["y"]}})", R"({"a":[{"b":"x","c":"z"},{"b":"z","c":"y"}]})", false},
      {R"({"a":{"b":["x"],"c":["y"]}})", R"({"a":[{"b":"z"},{"b":"x","c":"y"}]})", true},
      {R"({"$or":[{"a":["1"]},{"b":["2"]}]})", R"({"b":"2"})", true},
      {R"({"$or":[{"a":["1"]},{"b":["2"]}]})", R"({"b":"1"})", false},
      {R"({"s":["x"],"$or":[{"a":["1"]},{"b":["2"]}]})", R"({"s":"y","b":"2"})", false},
      {R"({"$or":[{"a":["1"],"$or":[{"b":["2"]},{"c":["3"]}]},{"d":["4"]}]})", R"({"a":"1","c":"3"})", true},
      {R"({"$or":["a","b"]})", R"({"$or":"b"})", true},  // no list of objects: a name like any other
      {R"({})", R"({"a":1})", true},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(judge_body(one.policy, one.body) == Verdict::kMatches, one.matches) << one.policy << " of " << one.body;
  }
}

TEST(FilterPolicy, LooksAtAttributesByTheirTypes) {
  Message message;
  message.attributes = {{"store", {"String", "example"}},
                        {"price", {"Number.int", "120"}},
                        {"sports", {"String.Array", R"(["rugby","tennis",7,null])"}},
                        {"blob", {"Binary", "\x01\x02"}}};
  const std::pair<std::string_view, bool> cases[] = {
      {R"({"store":["example"]})", true},
      {R"({"price":[{"numeric":[">=",100]}]})", true},
      {R"({"price":["120"]})", false},
      {R"({"sports":["tennis"]})", true},
      {R"({"sports":[7]})", true},
      {R"({"sports":[null]})", true},
      {R"({"sports":[{"anything-but":["rugby"]}]})", true},
      {R"({"blob":[{"exists":true}]})", false},
      {R"({"other":[{"exists":false}]})", true},
      {R"({"$or":[{"store":["x"]},{"price":[120]}]})", true},
  };
  for (const auto& [text, matches] : cases) {
    auto policy = FilterPolicy::parse(text, FilterScope::kMessageAttributes);
    ASSERT_TRUE(policy) << text;
    EXPECT_EQ(policy->judge(message, "") == Verdict::kMatches, matches) << text;
  }
}

TEST(FilterPolicy, SaysWhyNothingWasLetThrough) {
  auto attributes = FilterPolicy::parse(R"({"a":["1"]})", FilterScope::kMessageAttributes);
  EXPECT_EQ(attributes->judge(Message{}, "{}"), Verdict::kNoAttributes);
  EXPECT_EQ(judge_body(R"({"a":["1"]})", "no JSON"), Verdict::kInvalidBody);
  EXPECT_EQ(judge_body(R"({"a":["1"]})", "[1]"), Verdict::kInvalidBody);
}

TEST(FilterPolicy, RefusesWhatSnsRefuses) {
  const std::string_view policies[] = {
      "",
      "[]",
      "{",
      R"({"a":"1"})",
      R"({"a":[]})",
      R"({"a":[["1"]]})",
      R"({"a":[{"unknown":1}]})",
      R"({"a":[{"prefix":1}]})",
      R"({"a":[{"prefix":""}]})",
      R"({"a":[{"prefix":"x","suffix":"y"}]})",
      R"({"a":[{"numeric":[">"]}]})",
      R"({"a":[{"numeric":["~",1]}]})",
      R"({"a":[{"numeric":[">",5,"<",1]}]})",
      R"({"a":[{"numeric":["=",1,"<",2]}]})",
      R"({"a":[{"numeric":["<",1,">",2]}]})",
      R"({"a":[{"numeric":["=",1000000001]}]})",
      R"({"a":[{"exists":"yes"}]})",
      R"({"a":[{"anything-but":[]}]})",
      R"({"a":[{"anything-but":{"numeric":["=",1]}}]})",
      R"({"a":[{"cidr":"10.0.0.0/33"}]})",
      R"({"a":[{"cidr":"10.0.0/8"}]})",
      R"({"a":[{"wildcard":"**"}]})",
      R"({"a":["1"],"b":["1"],"c":["1"],"d":["1"],"e":["1"],"f":["1"]})",
      R"({"a":[1,2,3,4,5,6],"b":[1,2,3,4,5,6],"c":[1,2,3,4,5]})",
  };
  for (const auto text : policies) {
    EXPECT_FALSE(FilterPolicy::parse(text, FilterScope::kMessageBody)) << text;
  }
  EXPECT_FALSE(FilterPolicy::parse(R"({"a":{"b":["1"]}})", FilterScope::kMessageAttributes));
  // 5 * 5 * 6 is 150.
  EXPECT_TRUE(FilterPolicy::parse(R"({"a":[1,2,3,4,5],"b":[1,2,3,4,5],"c":[1,2,3,4,5,6]})", FilterScope::kMessageBody));
}

}  // namespace
}  // namespace securebase::notify
