#include "traces/filter/filter.h"

#include "traces/test_support.h"

namespace securebase::traces {
namespace {

// web calls api, which fails for a tenant and calls a database.
Trace a_trace() {
  Trace trace;
  Segment web;
  web.id = "1";
  web.name = "web";
  web.origin = "AWS::CloudFront::Distribution";
  web.begin = 100;
  web.end = 101;
  web.http = {"GET", "http://a/v1/customers", "curl", "10.0.0.1", 502};
  web.fault = true;
  Segment api;
  api.id = "2";
  api.parent_id = "1";
  api.name = "api";
  api.begin = 100.1;
  api.end = 100.3;
  api.fault = true;
  api.user = "jo";
  api.annotations = {{"tenant", std::string("a")}, {"size", 3.0}, {"big", true}, {"cached", false}};
  api.exceptions.push_back({"KeyError", "no such key", false});
  Segment db;
  db.id = "3";
  db.name = "orders";
  db.subsegment = true;
  db.name_space = "remote";
  db.begin = 100.1;
  db.end = 100.2;
  api.subsegments.push_back(db);
  trace.segments = {web, api};
  return trace;
}

TEST(Filter, JudgesAsTheDeveloperGuideSays) {
  const auto trace = a_trace();
  const std::pair<const char*, bool> kCases[] = {
      {"", true},
      {"  ", true},
      {"fault", true},
      {"ok", false},
      {"!ok", true},
      {"NOT fault", false},
      {"error = false", true},
      {"responsetime > 0.9 AND responsetime <= 1", true},
      {"duration >= 2", false},
      {"http.status = 502", true},
      {"http.status != 200", true},
      {"http.url CONTAINS \"/v1\"", true},
      {"http.url BEGINSWITH 'http://b'", false},
      {"http.url ENDSWITH \"customers\" and http.method = \"GET\"", true},
      {"http.useragent = \"curl\" AND http.clientip = \"10.0.0.1\"", true},
      {"user = \"jo\"", true},
      {"user = \"jim\" OR fault", true},
      {"(user = \"jim\" OR ok) AND fault", false},
      {"annotation.tenant = \"a\"", true},
      {"annotation.tenant != \"a\"", false},
      {"annotation[tenant] = \"b\"", false},
      {"annotation[\"tenant\"] BEGINSWITH \"a\"", true},
      {"annotation.size > 2", true},
      {"annotation.size = \"3\"", false},
      {"annotation.big = true", true},
      {"annotation.big", true},
      {"annotation.nowhere", false},
      {"service(\"api\")", true},
      {"service(\"nobody\")", false},
      {"service(\"api\") { fault }", true},
      {"service(\"api\") { responsetime > 0.5 }", false},
      {"service(\"web\") { annotation.tenant = \"a\" }", false},
      {"service(id(name: \"web\", type: \"AWS::CloudFront::Distribution\")) { fault }", true},
      {"service(id(type: \"AWS::Lambda\"))", false},
      {"service() { !fault }", true},
      {"service(\"orders\") { ok }", true},
      {"edge(\"web\", \"api\")", true},
      {"edge(\"api\", \"web\")", false},
      {"edge(\"web\", \"api\") { fault }", true},
      {"edge(\"api\", \"orders\") { error }", false},
      {"!service(\"nobody\") AND message CONTAINS \"key\"", true},
      {"root = true AND remote", true},
      {"partial", false},
      {"inferred", true},
      {"service(\"orders\") { inferred }", true},
      {"service(\"web\") { inferred }", false},
      {"fault !partial responsetime <3", true},  // AND may be left out
      {"fault !(partial) ok", false},
      {"http.url AND responseTime > 0.5", true},
      {"user CONTAINS \"\"", true},
      {"availabilityzone CONTAINS \"\"", false},
      {"!availabilityzone", true},
      {"availabilityzone != \"us-east-1a\"", true},
      {"message != \"another\"", true},
      {"message != \"no such key\"", false},
      {"name = \"KeyError\"", true},
      {"name != \"KeyError\"", false},
      {"annotation.cached", false},  // it is set, and false
      {"!annotation.cached", true},
      {"annotation.cached = false", true},
      {"!annotation.nowhere", true},
  };
  for (const auto& [text, holds] : kCases) {
    const auto filter = Filter::parse(text);
    ASSERT_TRUE(filter) << text << ": " << filter.error().message;
    EXPECT_EQ(filter->matches(trace), holds) << text;
  }
}

bool holds_for(const Trace& trace, const char* text) {
  const auto filter = Filter::parse(text);
  EXPECT_TRUE(filter) << text;
  return filter && filter->matches(trace);
}

// "If an error occurs downstream, but is handled by your application and not returned to the user, a search for error
// will not find it."
TEST(Filter, AKeywordAloneAsksHowTheRootAnswered) {
  auto trace = a_trace();
  trace.segments[0].fault = false;
  trace.segments[0].http.status = 200;
  EXPECT_FALSE(holds_for(trace, "fault"));
  EXPECT_TRUE(holds_for(trace, "ok"));
  EXPECT_TRUE(holds_for(trace, "service() { fault }"));
  EXPECT_TRUE(holds_for(trace, "service(\"api\") { fault }"));
  trace.segments[1].http = {"POST", "http://inside/", "python", "127.0.0.1", 429};
  trace.segments[1].error = trace.segments[1].throttle = true;
  for (const char* text : {"error", "throttle", "http.method = \"POST\"", "http.url CONTAINS \"inside\"",
                           "http.status = 429", "http.clientip = \"127.0.0.1\""}) {
    EXPECT_FALSE(holds_for(trace, text)) << text;
  }
  EXPECT_TRUE(holds_for(trace, "service(\"api\") { throttle AND http.method = \"POST\" }"));
}

TEST(Filter, AStatusThatNobodyGaveIsNoNumber) {
  auto trace = a_trace();
  trace.segments[0].http = {};
  EXPECT_FALSE(holds_for(trace, "http.status < 400"));
  EXPECT_FALSE(holds_for(trace, "http.status = 0"));
}

TEST(Filter, OfATraceOfWhichOnlySubsegmentsCameTheFirstStandsForAll) {
  Trace trace;
  trace.segments = a_trace().segments[1].subsegments;
  trace.segments[0].fault = true;
  EXPECT_TRUE(holds_for(trace, "fault AND responsetime > 0.05"));
}

TEST(Filter, AWrongOneSaysWhereAndWhatMayBeMeant) {
  const std::pair<const char*, const char*> kCases[] = {
      {"falt", "did you mean fault?"},
      {"http.stauts = 500", "did you mean http.status?"},
      {"status = 500", "did you mean http.status?"},
      {"responsetime", "expected an operator"},
      {"responsetime > x", "expected a number"},
      {"http.url = /v1", "a text in quotes"},
      {"http.url = \"/v1", "closing quote"},
      {"http.url > \"/v1\"", "texts compare by"},
      {"fault AND", "expected a keyword, and it ends here"},
      {"(fault", "expected )"},
      {"fault fautl", "did you mean fault?"},
      {"fault }", "at 7: expected AND, OR"},
      {"group.arn = \"arn:x\"", "not judged here"},
      {"service(\"a\" { fault }", "expected )"},
      {"service(\"a\") { fault", "expected }"},
      {"edge(\"a\")", "the service that is called"},
      {"rootcause.fault.service = \"a\"", "not judged here"},
      {"fault = 3", "= true or = false"},
  };
  for (const auto& [text, says] : kCases) {
    const auto filter = Filter::parse(text);
    ASSERT_FALSE(filter) << text;
    EXPECT_THAT(filter.error().message, testing::HasSubstr(says)) << text;
  }
  EXPECT_FALSE(Filter::parse(std::string(3000, ' ')));
  EXPECT_FALSE(Filter::parse(std::string(100, '(') + "ok" + std::string(100, ')')));
}

}  // namespace
}  // namespace securebase::traces
