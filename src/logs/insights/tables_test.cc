// Every rule of the language for what makes, brings or sums tables.
#include "base/file.h"
#include "logs/insights/semantics_cases.h"
#include "logs/store/test_directory.h"

namespace securebase::logs::insights {
namespace {

TEST(InsightsTables, PatternAndDiff) {
  const std::vector<const char*> events = {
      R"({"@message":"took 12 ms for user a1","t":1})", R"({"@message":"took 7 ms for user b2","t":2})",
      R"({"@message":"cannot connect to 10.0.0.1:5432","t":3})", R"({"@message":"took 9.5 ms for user 7f","t":-5})",
      R"({"@message":"2026-11-27T01:02:03Z started","t":4})"};
  expect_rows({
      {"filter @timestamp >= 1795737600000 | pattern @message",
       events,
       {"@pattern=took <*> ms for user <*> @sampleCount=2 @ratio=0.5",
        "@pattern=<*> started @sampleCount=1 @ratio=0.25",
        "@pattern=cannot connect to <*> @sampleCount=1 @ratio=0.25"}},
      {"pattern @message | filter @sampleCount > 1 | display @pattern", events, {"@pattern=took <*> ms for user <*>"}},
      {"pattern @message | sort @sampleCount | limit 1 | display @sampleCount", events, {"@sampleCount=1"}},
      {"stats count(*) as n by p | diff",
       {R"({"p":"x"})", R"({"p":"x"})"},
       {"p=x n=2 n_previous=0 n_difference=2 @differenceDescription=new"}},
  });
  // The tests look at 49 hours, so the windows overlap: what is now lies behind the earlier one.
  expect_rows({{"stats count(*) as n by p | diff previousDay",
                {R"({"p":"x","t":1500})", R"({"p":"x","t":1510})", R"({"p":"x","t":-1441})", R"({"p":"y","t":-1470})"},
                {"p=x n=2 n_previous=1 n_difference=1 @differenceDescription=more",
                 "p=y n=0 n_previous=1 n_difference=-1 @differenceDescription=gone"}}});
}

TEST(InsightsTables, SubqueriesJoinsAndSources) {
  const std::vector<const char*> events = {
      R"({"group":"g","user":"ann","ms":5})", R"({"group":"g","user":"bob","ms":7})", R"({"group":"g","ms":9})",
      R"({"group":"h","id":"ann","city":"Ulm"})", R"({"group":"h","id":"eve","city":"Bonn"})"};
  expect_rows({
      {"filter user in (SOURCE 'h' | fields id) | fields ms", events, {"ms=5"}},
      {"filter user not in (SOURCE 'h' | stats count(*) by id | display id) | fields ms", events, {"ms=7", "ms=9"}},
      {"fields user, ms | join left=a right=b where a.user=b.id (SOURCE 'h' | fields id, city) | fields user, city, "
       "b.city, a.ms",
       events,
       {"user=ann city=Ulm b.city=Ulm a.ms=5"}},
      {"fields user, ms | join type=left left=a right=b where b.id=a.user (SOURCE 'h' | fields id, city) | sort ms "
       "desc",
       events,
       {"ms=9", "user=bob ms=7", "user=ann ms=5 b.id=ann b.city=Ulm"}},
      {"SOURCE 'h' | fields city | sort city", events, {"city=Bonn", "city=Ulm"}},
      {"SOURCE logGroups(namePrefix: ['h']) | stats count(*) as n", events, {"n=2"}},
  });
}

TEST(InsightsTables, AddTotals) {
  const std::vector<const char*> events = {R"({"a":1,"b":2.5,"c":"x"})", R"({"a":"3","c":"y"})", R"({"c":"z"})"};
  expect_rows({
      {"fields a, b | addtotals", events, {"a=1 b=2.5 Total=3.5", "a=3 Total=3", ""}},
      {"fields a, b, c | addtotals b | display c, Total", events, {"c=x Total=2.5", "c=y", "c=z"}},
      {"fields a | addtotals fieldname=Sum | sort Sum desc | display Sum", events, {"Sum=3", "Sum=1", ""}},
      {"fields a, b | addtotals row=false col=true",
       events,
       {"a=1 b=2.5", "a=3", "", "a=4 b=2.5"},
       "the sums of columns are the last row"},
      {"fields a, b | addtotals col=true a", events, {"a=1 b=2.5 Total=1", "a=3 Total=3", "", "a=4 Total=4"}},
      {"fields a, b | limit 1 | addtotals col=true", events, {"a=1 b=2.5 Total=3.5", "a=1 b=2.5 Total=3.5"}},
      {"stats count(*) as n, sum(a) as s by c | addtotals row=false col=true n, s",
       events,
       {"c=x n=1 s=1", "c=y n=1 s=3", "c=z n=1", "n=3 s=4"}},
      {"stats count(*) as n by c | addtotals col=true row=false n | filter isPresent(c) | stats sum(n) as m",
       events,
       {"m=3"}},
      {"fields @timestamp, a | addtotals | display Total", events, {"Total=1", "Total=3", ""}, "a time is no number"},
      {"fields row | addtotals row", {R"({"row":2})"}, {"row=2 Total=2"}, "a field may be called as an option is"},
      {"addtotals row=maybe", {}, {"malformed: row is true or false, not \"maybe\""}},
  });
}

TEST(InsightsTables, Lookup) {
  const TestDirectory directory;
  const LookupTables tables(directory.path());
  ASSERT_TRUE(base::replace_file(directory.path() / "users.csv",
                                 "id,region,name,team\n7,eu,Ann,red\n7,us,Bob,\n8,eu,Eve,blue\n7,eu,Zoe,grey\n", 0640));
  const std::vector<const char*> events = {R"({"user":7,"r":"eu"})", R"({"user":"8","r":"eu","team":"own"})",
                                           R"({"user":9,"r":"eu","team":"own"})", R"({"r":"eu"})"};
  expect_rows(
      {
          {"lookup users id as user OUTPUT name, team | fields user",
           events,
           {"user=7 name=Ann team=red", "user=8 name=Eve team=blue", "user=9", ""},
           "the first row; what the events have under that name is hidden"},
          {"lookup users id as user, region as r output name | stats count(*) as n by name",
           events,
           {"n=2", "name=Ann n=1", "name=Eve n=1"}},
          {"fields concat(user, '') as u | lookup users id as u OUTPUT team | filter team = 'red' | display u, team",
           events,
           {"u=7 team=red"}},
          {"stats count(*) as n by user | lookup users id as user OUTPUT name | sort name desc | limit 1",
           events,
           {"user=8 n=1 name=Eve"}},
          {"lookup users nobody as user OUTPUT name",
           {},
           {"malformed: the lookup table users has no column \"nobody\""}},
          {"lookup users id as user",
           {},
           {"malformed: expected \"OUTPUT\" and columns of the lookup table, got the end of "
            "the query"}},
      },
      &tables);
  EXPECT_THAT(run(source_of({}, {}), "lookup users id as a OUTPUT name"),
              testing::ElementsAre("malformed: there is no lookup table users"));
}

}  // namespace
}  // namespace securebase::logs::insights
