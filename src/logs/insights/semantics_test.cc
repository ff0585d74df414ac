// Every rule of the language for rows and groups; tables_test.cc has those for tables.
#include "logs/insights/semantics_cases.h"

namespace securebase::logs::insights {
namespace {

TEST(InsightsSemantics, FieldsAndDisplay) {
  expect_rows({
      {"fields a, b | fields c", {R"({"a":1,"b":"x","c":2})"}, {"a=1 b=x c=2"}, "fields accumulate"},
      {"fields a, b | display c, a", {R"({"a":1,"b":"x","c":2})"}, {"c=2 a=1"}, "display replaces fields"},
      {"display a | display b", {R"({"a":1,"b":"x"})"}, {"b=x"}, "the last display counts"},
      {"fields a * 2 as d, d + 1 as e", {R"({"a":1.5})"}, {"d=3 e=4"}, "ephemeral fields"},
      {"fields a + 1, toUpper( b )", {R"({"a":1,"b":"x"})"}, {"a + 1=2 toUpper( b )=X"}, "named as written"},
      {"filter a = 1",
       {R"({"a":1,"@message":"hello"})"},
       {"@timestamp=2026-11-27 00:00:00.000 @message=hello"},
       "without fields: time and message"},
      {"fields `odd-name`, nested.a.b, list.0.x",
       {R"({"odd-name":"v","nested.a.b":7,"list.0.x":"y"})"},
       {"odd-name=v nested.a.b=7 list.0.x=y"}},
      {"fields a-b", {R"({"a":5,"b":3,"a-b":9})"}, {"a-b=2"}, "a hyphen subtracts"},
      {"fields missing, a", {R"({"a":1})"}, {"a=1"}, "null fields are left out"},
      {"FIELDS a | Limit 1", {R"({"a":1})", R"({"a":2})"}, {"a=1"}, "commands without case"},
      {"fields a # b\n# | filter a = 2\n| limit 5", {R"({"a":1})"}, {"a=1"}, "comments"},
      {"fields a | limit 2",
       {R"({"a":1,"t":1})", R"({"a":2,"t":3})", R"({"a":3,"t":2})"},
       {"a=2", "a=3"},
       "newest first"},
      {"fields unmask(a) as a | unmask b", {R"({"a":1})"}, {"a=1"}},
      {"fields a as x | filter x > 1 | fields x * 10 as x",
       {R"({"a":1})", R"({"a":2})"},
       {"x=20"},
       "in the order in which it is written"},
      {"fields 1/3 as t, 2/1 as u, 0.00001234 * 1 as v, 1e20 as w",
       {R"({})"},
       {"t=0.3333 u=2 v=1.234E-05 w=1e+20"},
       "computed numbers have at most four decimals"},
      {"fields a", {R"({"a":0.123456789})"}, {"a=0.123456789"}, "stored numbers are as they came"},
  });
}

TEST(InsightsSemantics, Comparisons) {
  const std::vector<const char*> events = {R"({"n":"a","s":200})", R"({"n":"b","s":"200"})", R"({"n":"c","s":"9x"})",
                                           R"({"n":"d"})", R"({"n":"e","s":1000})"};
  expect_rows({
      {"fields n | filter s = 200", events, {"n=a", "n=b"}, "a text that is a number counts as one"},
      {"fields n | filter s = '200.0'", events, {"n=a", "n=b"}},
      {"fields n | filter s != 200", events, {"n=c", "n=d", "n=e"}, "!= is true of what is missing"},
      {"fields n | filter s > 300", events, {"n=c", "n=e"}, "else by text: 9x > 300"},
      {"fields n | filter s < 300", events, {"n=a", "n=b"}, "< is false of what is missing"},
      {"fields n | filter s >= 200 and s <= 1000", events, {"n=a", "n=b", "n=e"}},
      {"fields n | filter 300 < s", events, {"n=c", "n=e"}, "a constant may stand first"},
      {"fields n | filter not s = 200", events, {"n=c", "n=d", "n=e"}},
      {"fields n | filter not (s = 200 or s = 1000)", events, {"n=c", "n=d"}},
      {"fields n | filter s in [200, '9x']", events, {"n=a", "n=b", "n=c"}},
      {"fields n | filter s not in [200, '9x']", events, {"n=d", "n=e"}, "not in is true of what is missing"},
      {"fields n | filter s like '00'", events, {"n=a", "n=b", "n=e"}},
      {"fields n | filter s not like '00'", events, {"n=c", "n=d"}, "not like is true of what is missing"},
      {"fields n | filter s like /^[0-9]+x$/", events, {"n=c"}},
      {"fields n | filter s =~ /2.0/", events, {"n=a", "n=b"}},
      {"fields n | filter ispresent(s) and n != 'a'", events, {"n=b", "n=c", "n=e"}},
      {"filterIndex n = 'a' | fields n", events, {"n=a"}, "filterIndex filters"},
      {"fields n | filter s = n", events, {}},
      {"fields n | filter s", events, {"n=a", "n=b", "n=e"}, "a number that is not 0 is true"},
      {"fields n, s > 300 as big", {R"({"n":"a","s":500})", R"({"n":"b","s":5})"}, {"n=a big=1", "n=b big=0"}},
      {"fields m | filter m like 'Error'", {R"({"m":"an Error"})", R"({"m":"an error"})"}, {"m=an Error"}, "with case"},
      {"fields m | filter m like /(?i)ERROR/", {R"({"m":"an Error"})", R"({"m":"nothing"})"}, {"m=an Error"}},
      {"fields m | filter m like /E*/", {R"({"m":"x"})"}, {"m=x"}, "a regular expression, not a glob"},
      {"fields m | filter m like /a|b/", {R"({"m":"xb"})", R"({"m":"c"})"}, {"m=xb"}},
      {"fields ok | filter ok = true",
       {R"({"ok":1})", R"({"ok":"true"})", R"({"ok":0})", R"({"ok":"false"})"},
       {"ok=1", "ok=true"},
       "true is 1 or the word"},
      {"fields ok | filter ok != true", {R"({"ok":1})", R"({"ok":"false"})"}, {"ok=false"}},
      {"fields a | filter a = 'x' and b = 'y' or c = 1",
       {R"({"a":"x","b":"y"})", R"({"a":"z","c":1})", R"({"a":"x"})"},
       {"a=x", "a=z"},
       "and binds closer than or"},
      {"fields n | filter @timestamp > toMillis(dateceil(@timestamp, 1d)) - 86400000 + 1",
       {R"({"n":"a","t":5})"},
       {"n=a"}},
      {"fields n | filter ghost = 1 or ghost like 'x' or ghost in [1]", events, {}, "a field that nobody has"},
      {"fields n | filter ghost != 1", {R"({"n":"a"})"}, {"n=a"}},
  });
}

TEST(InsightsSemantics, NumbersAndTexts) {
  const auto one = [](const char* expression, const char* value) {
    return Case{expression, {R"({"a":"-7.5","b":2,"s":"  xayx ","u":"Grüße","n":"abc","e":"","w":" "})"}, {value}};
  };
  expect_rows({
      one("fields abs(a) as v", "v=7.5"),
      one("fields ceil(a) as v, floor(a) as x", "v=-7 x=-8"),
      one("fields greatest(a, b, n, 3) as v, least(a, b) as x", "v=3 x=-7.5"),
      one("fields log(b) as v, sqrt(16) as x, sqrt(a) as null", "v=0.6931 x=4"),
      one("fields b + a as p, b - a as m, b * a as t, b / 4 as d, 7 % 4 as r, b ^ 3 as q",
          "p=-5.5 m=9.5 t=-15 d=0.5 r=3 q=8"),
      one("fields b / 0 as v, n + 1 as w, 5 % 0 as x, -b as y, ghost * 2 as z", "y=-2"),
      one("fields 2 + 3 * 4 as v, (2 + 3) * 4 as w, 2 ^ 3 ^ 2 as x, -2 ^ 2 as y", "v=14 w=20 x=512 y=-4"),
      one("fields ispresent(a) as v, isPresent(ghost) as x, coalesce(ghost, n, a) as c", "v=1 x=0 c=abc"),
      one("fields isempty(e) as a1, isempty(ghost) as a2, isempty(n) as a3, isblank(w) as a4, isblank(n) as a5",
          "a1=1 a2=1 a3=0 a4=1 a5=0"),
      one("fields concat(n, '-', b, ghost) as v", "v=abc-2"),
      one("fields trim(s) as v, ltrim(s) as l, trim('xxaxx', 'x') as t, rtrim('abcc', 'c') as r",
          "v=xayx l=xayx  t=a r=ab"),
      one("fields strlen(u) as v, strlen(e) as x", "v=5 x=0"),
      one("fields toupper(n) as v, tolower('ABC') as x", "v=ABC x=abc"),
      one("fields substr(u, 2) as v, substr(u, 2, 2) as x, substr(n, 9) as y", "v=üße x=üß y="),
      one("fields replace(n, 'b', 'BB') as v, replace(n, '', 'x') as x", "v=aBBc x=abc"),
      one("fields strcontains(n, 'bc') as v, strcontains(n, 'BC') as x, strcontains(ghost, 'a') as y", "v=1 x=0 y=0"),
      one("fields isValidIp('10.0.0.1') as a1, isValidIpV4('::1') as a2, isValidIpV6('::1') as a3, isValidIp(n) as a4",
          "a1=1 a2=0 a3=1 a4=0"),
      one("fields isIpInSubnet('10.1.2.3', '10.0.0.0/8') as a1, isIpv4InSubnet('11.1.2.3', '10.0.0.0/8') as a2, "
          "isIpv6InSubnet('fd00::1', 'fd00::/8') as a3, isIpv6InSubnet('10.1.2.3', '10.0.0.0/8') as a4, "
          "isIpInSubnet('10.1.2.129', '10.1.2.128/25') as a5, isIpInSubnet(n, '10.0.0.0/8') as a6",
          "a1=1 a2=0 a3=1 a4=0 a5=1 a6=0"),
      {"stats sum(strcontains(@message, 'x')) as n", {R"({"@message":"xy"})", R"({"@message":"y"})"}, {"n=1"}},
  });
}

TEST(InsightsSemantics, Times) {
  expect_rows({
      {"fields bin(5m)", {R"({"t":7})"}, {"bin(5m)=2026-11-27 00:05:00.000"}},
      {"fields bin(300s) as b", {R"({"t":7})"}, {"b=2026-11-27 00:05:00.000"}, "any number: 300s is 5m"},
      {"fields datefloor(@timestamp, 1h) as f, dateceil(@timestamp, 1h) as c",
       {R"({"t":61.5})"},
       {"f=2026-11-27 01:00:00.000 c=2026-11-27 02:00:00.000"}},
      {"fields dateceil(@timestamp, 1h) as c", {R"({"t":60})"}, {"c=2026-11-27 01:00:00.000"}},
      {"fields datefloor(@timestamp, 1w) as w, datefloor(@timestamp, 1mo) as mo, datefloor(@timestamp, 1q) as q, "
       "datefloor(@timestamp, 1y) as y, dateceil(@timestamp, 1month) as n",
       {R"({"t":1})"},
       {"w=2026-11-23 00:00:00.000 mo=2026-11-01 00:00:00.000 q=2026-10-01 00:00:00.000 y=2026-01-01 00:00:00.000 "
        "n=2026-12-01 00:00:00.000"},
       "weeks begin on Monday, months and years by the calendar"},
      {"fields fromMillis(a) as t, toMillis(@timestamp) as m, now() as n",
       {R"({"a":1500})"},
       {"t=1970-01-01 00:00:01.500 m=1795737600000 n=1795740000"}},
      {"fields @timestamp + 1 as n", {R"({})"}, {"n=1795737600001"}, "arithmetic makes numbers of times"},
      {"fields bin(90 seconds) as b", {R"({"t":2})"}, {"b=2026-11-27 00:01:30.000"}},
      {"fields bin(0.5h)",
       {R"({})"},
       {"malformed: \"0.5h\" is not a period: expected a number and ms, s, m, h, d, w, mo, "
        "q or y, such as 5m"}},
  });
}

TEST(InsightsSemantics, Parse) {
  expect_rows({
      {"parse 'user=*, ms=*' as u, ms | display u, ms", {R"({"@message":"x user=ann, ms=12"})"}, {"u=ann ms=12"}},
      {"parse @message \"[*] *\" as level, rest | display level, rest",
       {R"({"@message":"t [ERROR] it broke\n"})", R"({"@message":"no brackets"})"},
       {"level=ERROR rest=it broke", ""},
       "no match: null, not dropped"},
      {"parse f '*-*' as a, b | display a, b", {R"({"f":"1-2-3"})"}, {"a=1 b=2-3"}},
      {"parse @message /user=(?<who>\\w+)( at (?<place>\\w+))?/ | display who, place",
       {R"({"@message":"user=ann at home"})", R"({"@message":"user=bob"})", R"({"@message":"none"})"},
       {"who=ann place=home", "who=bob", ""}},
      {"parse @message /(\\d+) (\\d+)/ as a, b | display a + b", {R"({"@message":"x 3 4"})"}, {"a + b=7"}},
      {"parse @message /x/",
       {R"({})"},
       {"malformed: the expression has no group with a name: (?<name>...), or groups and as ..."}},
      {"fields @message | parse 'ms=*' as ms | filter ms > 9 | sort ms",
       {R"({"@message":"ms=12"})", R"({"@message":"ms=5"})", R"({"@message":"ms=100"})"},
       {"@message=ms=12 ms=12", "@message=ms=100 ms=100"},
       "what is parsed is shown, and is a number where it spells one"},
      {"parse '*' as all | display strlen(all) as n", {R"({"@message":"abc"})"}, {"n=3"}},
      {"parse 'a*b*c' as x, y | display x, y", {R"({"@message":"aabbcc"})"}, {"x=a y=b"}, "the shortest from the left"},
  });
}

TEST(InsightsSemantics, Stats) {
  const std::vector<const char*> events = {R"({"t":0,"p":"/a","d":10,"c":1})", R"({"t":1,"p":"/b","d":"20"})",
                                           R"({"t":6,"p":"/a","d":30,"c":2})", R"({"t":7,"p":"/a","d":"none"})",
                                           R"({"t":8,"d":40})"};
  expect_rows({
      {"stats count(*), count(), count(c), count(d), count(ghost)",
       events,
       {"count(*)=5 count()=5 count(c)=2 count(d)=5 count(ghost)=0"}},
      {"stats sum(d), avg(d), min(d), max(d), stddev(d)",
       events,
       {"sum(d)=100 avg(d)=25 min(d)=10 max(d)=40 stddev(d)=11.1803"},
       "what is no number is skipped"},
      {"stats sum(ghost), avg(ghost), pct(ghost, 50), max(ghost), count(ghost) as n", events, {"n=0"}},
      {"stats pct(d, 50) as p50, pct(d, 95) as p95, pct(d, 0) as p0, pct(d, 100) as p100",
       events,
       {"p50=20 p95=40 p0=10 p100=40"},
       "the value that so many per cent do not exceed"},
      {"stats count_distinct(p) as n, count_distinct(ghost) as g", events, {"n=2 g=0"}},
      {"stats earliest(p) as e, latest(p) as l, sortsFirst(d) as f, sortsLast(d) as s",
       events,
       {"e=/a l=/a f=none s=40"}},
      {"stats latest(@timestamp) as l, min(@timestamp) as m",
       events,
       {"l=2026-11-27 00:08:00.000 m=1795737600000"},
       "min and max are numbers"},
      {"stats count(*) as n by p", events, {"n=1", "p=/a n=3", "p=/b n=1"}, "keys in order, what is missing first"},
      {"stats count(*) as n by bin(5m)",
       events,
       {"bin(5m)=2026-11-27 00:05:00.000 n=3", "bin(5m)=2026-11-27 00:00:00.000 n=2"},
       "newest first"},
      {"stats count(*) as n by bin(5m) as w, p | sort w, n desc",
       events,
       {"w=2026-11-27 00:00:00.000 p=/a n=1", "w=2026-11-27 00:00:00.000 p=/b n=1",
        "w=2026-11-27 00:05:00.000 p=/a n=2", "w=2026-11-27 00:05:00.000 n=1"}},
      {"stats max(d / 10) as m, avg(d) * 60 as a, sum(c) / count(*) as r",
       events,
       {"m=4 a=1500 r=0.6"},
       "expressions inside and around"},
      {"stats avg(d) by p | sort avg(d) desc",
       events,
       {"avg(d)=40", "p=/a avg(d)=20", "p=/b avg(d)=20"},
       "a column is found as it was written"},
      {"stats count( * ) by p | filter count(*) > 1", events, {"p=/a count( * )=3"}},
      {"stats count(*) as n by p | sort n desc | limit 1", events, {"p=/a n=3"}},
      {"stats count(*) as n by tolower(p)", {R"({"p":"X"})", R"({"p":"x"})"}, {"tolower(p)=x n=2"}},
      {"stats count(*) as n by p | fields n * 2 as m, p", events, {"m=2", "m=6 p=/a", "m=2 p=/b"}},
      {"stats count(*) as n by p | display n", events, {"n=1", "n=3", "n=1"}},
      {"filter p = '/z' | stats count(*) as n, sum(d) as s", events, {"n=0"}, "no events: count is 0, the rest null"},
      {"filter p = '/z' | stats count(*) as n by p", events, {}},
      {"stats count(*) as n by s", {R"({"s":5})", R"({"s":"5"})", R"({"s":"x"})"}, {"s=x n=1", "s=5 n=2"}},
      {"stats count(*) as n by bin(5m) as @t | stats max(n) as most by dateceil(@t, 1h)",
       events,
       {"dateceil(@t, 1h)=2026-11-27 01:00:00.000 most=3", "dateceil(@t, 1h)=2026-11-27 00:00:00.000 most=2"},
       "two stats; the second sees what the first defined"},
      {"stats count(*) as n by p | stats sum(n) as all, count(d) as gone", events, {"all=5 gone=0"}},
      {"stats count(*) as n | sort ghost", events, {"n=5"}},
      {"stats avg(d) as a | fields sum(d)",
       events,
       {"malformed: no stats before this has made sum(d): give it a name there and use the name"}},
      {"stats max(d) as most, min(d) as least, most - least as range",
       events,
       {"most=40 least=10 range=30"},
       "a value may be made of those before it"},
      {"stats max(d) as most, most - ghost as range",
       events,
       {"malformed: expected an aggregate, such as count(*), sum(f), avg(f) or pct(f, 95)"}},
      {"stats sum(d > 15) as slow", events, {"slow=4"}},
      {"stats pct(d, 101)", events, {"malformed: expected the percentage as a number from 0 to 100, as in pct(f, 95)"}},
  });
}

TEST(InsightsSemantics, SortAndDedup) {
  const std::vector<const char*> events = {R"({"v":"b2"})", R"({"v":10})", R"({"v":"b10"})", R"({"v":"9"})",
                                           R"({"v":"a"})",  R"({"x":1})",  R"({"v":"-1"})"};
  const auto tie = {R"({"k":1,"n":"old","t":1})", R"({"k":1,"n":"new","t":9})", R"({"k":0,"n":"x","t":5})"};
  expect_rows({
      {"fields v | sort v",
       events,
       {"", "v=a", "v=b2", "v=b10", "v=-1", "v=9", "v=10"},
       "what is no number first, digits by length and value"},
      {"fields v | sort v desc", events, {"v=10", "v=9", "v=-1", "v=b10", "v=b2", "v=a", ""}, "the reverse"},
      {"fields n | sort k desc", tie, {"n=new", "n=old", "n=x"}, "equal ones: newest first"},
      {"fields n | sort k asc, n desc", tie, {"n=x", "n=old", "n=new"}},
      {"fields n | sort k | limit 1", tie, {"n=x"}},
      {"fields n | sort by k desc | limit 2", tie, {"n=new", "n=old"}},
      {"fields n | sort k | head 2", tie, {"n=x", "n=new"}},
      {"fields n | limit 2 | sort n", tie, {"n=new", "n=x"}, "sorted is what the limit left"},
      {"fields n | limit 2 | filter n = 'old'", tie, {}},
      {"fields n | limit 2 | fields k + 1 as k1", tie, {"n=new k1=2", "n=x k1=1"}},
      {"fields n | limit 2 | stats count(*) as c", tie, {"c=2"}},
      {"fields n | sort n | filter k = 1", tie, {"n=new", "n=old"}},
      {"fields n | dedup k", tie, {"n=new", "n=x"}, "the first by time, newest first"},
      {"fields n | sort n desc | dedup k", tie, {"n=x", "n=old"}, "the first by sort"},
      {"fields n | dedup k | limit 1", tie, {"n=new"}},
      {"fields x | dedup v | limit 3",
       {R"({"x":1})", R"({"x":2})", R"({"x":3,"v":1})", R"({"x":4,"v":1})"},
       {"x=1", "x=2", "x=3"},
       "null is never a duplicate"},
      {"fields p | dedup p, s", {R"({"p":1,"s":2})", R"({"p":1,"s":3})", R"({"p":1,"s":2})"}, {"p=1", "p=1"}},
      {"stats count(*) as n by p, s | sort s desc | dedup p",
       {R"({"p":1,"s":2})", R"({"p":1,"s":3})"},
       {"p=1 s=3 n=1"}},
  });
}

TEST(InsightsSemantics, Json) {
  const std::vector<const char*> events = {
      R"x({"@message":"{\"a\":{\"b\":[1,{\"c\":\"x\"}]},\"odd key\":true,\"n\":null,\"items\":[\"p\",{\"q\":2},3]}"})x"};
  expect_rows({
      {"fields jsonParse(@message) as j | display j.a.b[1].c, j.a.b.0, j.`odd key`, j.n, j.ghost.x",
       events,
       {"j.a.b.1.c=x j.a.b.0=1 j.odd key=1"}},
      {"fields jsonParse(@message) as j, j.a as x | display x, jsonStringify(x) as s, jsonStringify('t') as t",
       events,
       {R"(x={"b":[1,{"c":"x"}]} s={"b":[1,{"c":"x"}]} t="t")"}},
      {"fields jsonParse(@message) as j | unnest j.items into item | display item, item.q",
       events,
       {R"(item=p)", R"(item={"q":2} item.q=2)", "item=3"},
       "a row for each element"},
      {"unnest @message into m | display strlen(m) > 0 as n", events, {"n=1"}, "what is no list is a list of one"},
      {"fields jsonParse('not json') as j, jsonParse('5') as f | display j, f", {R"({})"}, {"f=5"}},
      {"fields jsonParse(@message) as j | unnest j.items into i | stats count(*) as n", events, {"n=3"}},
      {"fields jsonParse('[]') as j | unnest j into i | display i", {R"({})"}, {}},
  });
}

TEST(InsightsSemantics, TellsTheSourceWhatItMayLeaveOut) {
  const auto source = source_of({R"({})"}, {});
  run(source,
      "fields @duration | filter @type = 'REPORT' and @message like 'abc' and @initDuration > 0 and "
      "(x = 'y' or z = 1) and s = '5' and not q = 'w' | parse 'v=*' as v | filter v = 'k' and @message like /a+(b) "
      "long+ x/");
  const auto& scan = source.scans().at(0);
  ASSERT_EQ(scan.equal.size(), 1u) << "numbers have several spellings, v is not a field of events";
  EXPECT_EQ(scan.equal[0].field, "@type");
  EXPECT_EQ(scan.equal[0].text, "REPORT");
  EXPECT_THAT(scan.message_contains, testing::ElementsAre("abc", " long"));
  EXPECT_THAT(scan.present, testing::UnorderedElementsAre("@type", "@message", "@initDuration", "s", "@message"));
  EXPECT_THAT(scan.fields, testing::Not(testing::Contains("v")));
}

}  // namespace
}  // namespace securebase::logs::insights
