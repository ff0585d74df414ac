// Templates, variables, expressions, JSONPath and CSV: what values become.
#include <gmock/gmock.h>

#include "load/artillery/csv.h"
#include "load/artillery/expression.h"
#include "load/artillery/json_path.h"
#include "load/artillery/template.h"

namespace securebase::load::artillery {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

Variables variables(const char* json) {
  auto shared = std::make_shared<SharedVariables>();
  shared->values = *base::Json::parse(json)->as_object();
  return Variables(shared);
}

std::string filled(std::string_view text, const Variables& with) {
  auto compiled = Template::compile(text);
  return compiled ? compiled->text(with) : "error: " + compiled.error().message;
}

TEST(ArtilleryTemplate, FillsNamesAndPaths) {
  const auto with = variables(R"({"name":"Ada","a":{"b":["x",{"c-d":7}]},"a.b":"whole","list":[1,2],"none":null})");
  EXPECT_EQ(filled("hello {{ name }}!", with), "hello Ada!");
  EXPECT_EQ(filled("{{a.b[0]}}", with), "x") << "a path, since it differs from the name a.b";
  EXPECT_EQ(filled("{{ a.b }}", with), "whole");
  EXPECT_EQ(filled("{{{ a['b'][1][\"c-d\"] }}}", with), "7");
  EXPECT_EQ(filled("<{{ list }}> <{{ none }}> <{{ missing.x }}>", with), "<[1,2]> <null> <undefined>");
  EXPECT_EQ(filled("{{ 1 + 1 }} {{ }} {{ open", with), "{{ 1 + 1 }} {{ }} {{ open");
}

TEST(ArtilleryTemplate, KeepsTheTypeOfOneVariableAlone) {
  const auto with = variables(R"({"n":5,"yes":true,"o":{"k":[1]}})");
  const auto value = [&](const char* text) { return Template::compile(text)->value(with); };
  EXPECT_EQ(value("{{ n }}"), base::Json(5));
  EXPECT_EQ(value("{{yes}}"), base::Json(true));
  EXPECT_EQ(value("{{ o }}").dump(), R"({"k":[1]})");
  EXPECT_EQ(value(" {{ n }}"), base::Json(" 5"));
  EXPECT_TRUE(value("{{ missing }}").is_null());
}

TEST(ArtilleryTemplate, CallsFunctions) {
  const auto with = variables("{}");
  EXPECT_THAT(filled("{{ $randomString() }}", with), MatchesRegex("[A-Za-z0-9]{10}"));
  EXPECT_THAT(filled("/{{ $randomString( 3 ) }}/{{$randomNumber(7,7)}}", with), MatchesRegex("/[A-Za-z0-9]{3}/7"));
  EXPECT_THAT(filled("{{ $internetEmail() }}", with), HasSubstr("@example.com"));
  EXPECT_THAT(filled("{{ $randomStrin(3) }}", with), HasSubstr("did you mean $randomString?"));
  EXPECT_THAT(filled("{{ $randomNumber(one) }}", with), HasSubstr("takes whole numbers"));
  for (int i = 0; i < 200; ++i) {
    const int number = std::stoi(filled("{{ $randomNumber(-2, 2) }}", with));
    EXPECT_TRUE(number >= -2 && number <= 2) << number;
  }
}

TEST(ArtilleryTemplate, FillsJsonWithItsKeysAndLeavesOutWhatIsUndefined) {
  const auto with = variables(R"({"id":7,"key":"k"})");
  const auto compiled = TemplateValue::compile(
      *base::Json::parse(R"({"{{ key }}":"{{ id }}","a":[{"b":"x{{ id }}"},"{{ no }}"],"no":"{{ no }}"})"));
  std::string text;
  compiled->append_json(with, text);
  EXPECT_EQ(text, R"({"k":7,"a":[{"b":"x7"},null]})");
  EXPECT_EQ(compiled->value(with).dump(), text);
}

TEST(ArtilleryVariables, OwnOnesStandBeforeSharedOnesAndAreSetByPath) {
  auto with = variables(R"({"a":1,"user":{"name":"x"}})");
  with.set("a", 2);
  with.set_path("user.tags[1]", "t");
  EXPECT_EQ(with.find("a")->integer_or(0), 2);
  EXPECT_EQ(with.find("user")->dump(), R"({"name":"x","tags":[null,"t"]})");
  with.erase("a");
  EXPECT_EQ(with.find("a")->integer_or(0), 1);
  with.set_path("user.tags[999999]", 1);
  EXPECT_LT(with.find("user")->dump().size(), 100U) << "an index far away makes no huge list";
}

base::Json evaluated(std::string_view text, const char* json = "{}") {
  const auto with = variables(json);
  const auto expression = Expression::parse(text);
  if (!expression) return "error: " + expression.error().message;
  return expression->evaluate([&](std::string_view name) { return with.find(parse_path(name)); });
}

TEST(ArtilleryExpression, ComputesAndCompares) {
  EXPECT_EQ(evaluated("1 + 2 * 3 ^ 2"), base::Json(19));
  EXPECT_EQ(evaluated("(1 + 2) * -3"), base::Json(-9));
  EXPECT_EQ(evaluated("n % 3 == 1 and not (n > 10)", R"({"n":7})"), base::Json(1));
  EXPECT_EQ(evaluated("plan == \"pro\" or n", R"({"plan":"free","n":0})"), base::Json(0));
  EXPECT_EQ(evaluated("x in (\"a\", \"b\")", R"({"x":"b"})"), base::Json(1));
  EXPECT_EQ(evaluated("x not in (1, 2)", R"({"x":2})"), base::Json(0));
  EXPECT_EQ(evaluated("name ~= \"^A\"", R"({"name":"Ada"})"), base::Json(1));
  EXPECT_EQ(evaluated("n > 3 ? \"big\" : \"small\"", R"({"n":4})"), base::Json("big"));
  EXPECT_EQ(evaluated("max(1, n, 3) + round(1.5)", R"({"n":2})"), base::Json(5));
  EXPECT_EQ(evaluated("user.age >= 18", R"({"user":{"age":18}})"), base::Json(1));
  EXPECT_EQ(evaluated("\"5\" == 5"), base::Json(1)) << "as JavaScript's ==";
  EXPECT_TRUE(evaluated("missing").is_null());
  EXPECT_EQ(evaluated("missing < 5"), base::Json(0));
}

// What filtrex 2.2.3 and 0.5.4, which Artillery uses, make of them.
TEST(ArtilleryExpression, BindsAsFiltrexDoes) {
  const std::pair<const char*, int> all[] = {{"not x == z", 0},      {"not x < 3", 1},
                                             {"not x + 1", 1},       {"not y and x", 1},
                                             {"not (x == 3)", 1},    {"-x ^ 2", 1},
                                             {"2 ^ 3 ^ 2", 64},      {"not not x", 1},
                                             {"x == 1 == 1", 1},     {"1 < 2 < 3", 1},
                                             {"x or y and z", 1},    {"x and y or z", 3},
                                             {"not x in (1, 2)", 0}, {"x == 1 and not z == 3", 0}};
  for (const auto& [text, value] : all) {
    EXPECT_EQ(evaluated(text, R"({"x":1,"y":0,"z":3})"), base::Json(value)) << text;
  }
  EXPECT_FALSE(truthy(evaluated("a and b", R"({"a":"x","b":"y"})"))) << "Number('y')";
}

TEST(ArtilleryExpression, SaysWhereItIsWrong) {
  EXPECT_THAT(evaluated("a &&  b").string_or(""), HasSubstr("column 3"));
  EXPECT_THAT(evaluated("a == ").string_or(""), HasSubstr("expected a value, and the end came"));
  EXPECT_THAT(evaluated("rond(1)").string_or(""), HasSubstr("did you mean round?"));
  EXPECT_THAT(evaluated("\"open").string_or(""), HasSubstr("not closed"));
  EXPECT_THAT(evaluated(std::string(500, '(')).string_or(""), HasSubstr("at most 100 levels"));
  std::string chain = "1";
  for (int i = 0; i < 500; ++i) chain += " or 1";
  EXPECT_THAT(evaluated(chain).string_or(""), HasSubstr("at most 100 levels"));
}

TEST(ArtilleryExpression, TakesTheLongestKnownName) {
  const std::vector<std::string> names = {"m./v1/x.p95", "m./v1/x", "a.p9"};
  const auto expression = Expression::parse("m./v1/x.p95 < 5 and a.p95 < 1", names);
  ASSERT_TRUE(expression) << expression.error().message;
  EXPECT_THAT(expression->names(), ElementsAre("m./v1/x.p95", "a.p95"));
}

std::string searched(std::string_view path, std::string_view document) {
  const auto parsed = JsonPath::parse(path);
  if (!parsed) return "error: " + parsed.error().message;
  const auto found = parsed->search(*base::Json::parse(document));
  return found ? base::Json(base::Json::Array(found->begin(), found->end())).dump() : "error: " + found.error().message;
}

constexpr std::string_view kStore = R"({"store":{"book":[
  {"category":"reference","title":"Sayings","price":8.95},
  {"category":"fiction","title":"Sword","price":12.99,"isbn":"0-553"},
  {"category":"fiction","title":"Moby","price":8.99,"isbn":"0-395"}],"bicycle":{"price":19.95,"a b":1}}})";

TEST(ArtilleryJsonPath, FindsWhatThePathsOfTheTradeFind) {
  EXPECT_EQ(searched("$.store.book[0].title", kStore), R"(["Sayings"])");
  EXPECT_EQ(searched("store.book[0].title", kStore), R"(["Sayings"])");
  EXPECT_EQ(searched("$['store'][\"bicycle\"]['a b']", kStore), "[1]");
  EXPECT_EQ(searched("$.store.book[*].price", kStore), "[8.95,12.99,8.99]");
  EXPECT_EQ(searched("$..price", kStore), "[8.95,12.99,8.99,19.95]");
  EXPECT_EQ(searched("$..book[2].title", kStore), R"(["Moby"])");
  EXPECT_EQ(searched("$.store.book[-1:].title", kStore), R"(["Moby"])");
  EXPECT_EQ(searched("$..book[(@.length-1)].title", kStore), R"(["Moby"])");
  EXPECT_EQ(searched("$..book[0,1].title", kStore), R"(["Sayings","Sword"])");
  EXPECT_EQ(searched("$..book[:2].title", kStore), R"(["Sayings","Sword"])");
  EXPECT_EQ(searched("$..book[?(@.isbn)].title", kStore), R"(["Sword","Moby"])");
  EXPECT_EQ(searched("$..book[?(@.price<10 && @.category === 'fiction')].title", kStore), R"(["Moby"])");
  EXPECT_EQ(searched("$..book[?(!@.isbn || @.title =~ /^sw/i)].title", kStore), R"(["Sayings","Sword"])");
  EXPECT_EQ(searched("$.store.book.length", kStore), "[3]");
  EXPECT_EQ(searched("$.store.book[?(@.title.length > 5)].title", kStore), R"(["Sayings"])");
  EXPECT_EQ(searched("$", "[1]"), "[[1]]");
  EXPECT_EQ(searched("$[1]", "[1,2]"), "[2]");
  EXPECT_EQ(searched("$.store.car", kStore), "[]");
}

// Each held against jsonpath-plus 10.
TEST(ArtilleryJsonPath, ComparesAsJavaScriptDoes) {
  constexpr std::string_view kList = R"([{"n":"a","v":"12"},{"n":"b","v":9},{"n":"c","v":null},{"n":"d"}])";
  EXPECT_EQ(searched("$[?(@.v > '10')].n", kList), R"(["a"])");
  EXPECT_EQ(searched("$[?(@.v > 10)].n", kList), R"(["a"])");
  EXPECT_EQ(searched("$[?(@.v < 10)].n", kList), R"(["b","c"])");
  EXPECT_EQ(searched("$[?(@.v == 12)].n", kList), R"(["a"])");
  EXPECT_EQ(searched("$[?(@.v === 12)].n", kList), "[]");
  EXPECT_EQ(searched("$[?(@.v == null)].n", kList), R"(["c","d"])");
  EXPECT_EQ(searched("$[?(@.v === null)].n", kList), R"(["c"])");
  EXPECT_EQ(searched("$[?(@.v === undefined)].n", kList), R"(["d"])");
  EXPECT_EQ(searched("$[?(@.v !== undefined)].n", kList), R"(["a","b","c"])");
  EXPECT_EQ(searched("$[-1]", "[1,2]"), "[]") << "only slices count from the end";
  EXPECT_EQ(searched("$[a,b]", R"({"a":1,"b":2})"), "[1,2]");
  EXPECT_EQ(searched("$[?(@.n.includes('b'))].v", kList), "[9]");
  EXPECT_EQ(searched("$[?(@.includes('b'))]", R"([["a"],["b"]])"), R"([["b"]])");
  EXPECT_EQ(searched("$[?(@.startsWith('a.'))]", R"(["a.b","axb"])"), R"(["a.b"])");
  EXPECT_EQ(searched("$[?(@.endsWith('b'))]", R"(["a.b","ba"])"), R"(["a.b"])");
  EXPECT_EQ(searched("$[?(/^a/.test(@.n))].v", kList), R"(["12"])");
}

TEST(ArtilleryJsonPath, RefusesWhatItCannotDo) {
  for (const char* sum : {"$[?(@.v*2 > 40)]", "$[?(@.v + 1 > 20)]", "$[?(@.v-1 > 20)]"}) {
    EXPECT_THAT(searched(sum, "[]"), HasSubstr("error")) << sum;
  }
  EXPECT_THAT(searched("$.a^", "{}"), HasSubstr("error"));
  EXPECT_THAT(searched("$..book[?(@.price.toFixed() == 1)]", "{}"), HasSubstr("toFixed() is not supported"));
  EXPECT_THAT(searched("$.a[", "{}"), HasSubstr("error"));
  EXPECT_THAT(searched("", "{}"), HasSubstr("empty"));
  std::string deep = "1";
  for (int level = 0; level < 12; ++level) deep = "[" + deep + "," + deep + "]";
  EXPECT_THAT(searched("$..*..*..*..*..*", deep), HasSubstr("too much"));
}

TEST(ArtilleryCsv, ReadsRowsWithQuotesAndCastsNumbers) {
  CsvOptions options;
  auto rows = read_csv("id,name\r\n1,\"a, \"\"b\"\"\nc\"\n\n-2.5,007\n", options);
  ASSERT_TRUE(rows) << rows.error().message;
  ASSERT_EQ(rows->size(), 3U);
  EXPECT_EQ(base::Json((*rows)[1]).dump(), R"([1,"a, \"b\"\nc"])");
  EXPECT_EQ(base::Json((*rows)[2]).dump(), R"([-2.5,7])");
  options.from_line = 2;
  options.cast = false;
  options.delimiters = {";"};
  rows = read_csv("id;name\n1;x", options);
  ASSERT_EQ(rows->size(), 1U);
  EXPECT_EQ(base::Json(rows->front()).dump(), R"(["1","x"])");
}

std::string csv(std::string_view text, const CsvOptions& options = {}) {
  auto rows = read_csv(text, options);
  if (!rows) return rows.error().message;
  base::Json::Array all;
  for (auto& row : *rows) all.emplace_back(std::move(row));
  return base::Json(std::move(all)).dump();
}

// Each held against csv-parse 4.16.
TEST(ArtilleryCsv, CastsAsCsvParseDoes) {
  EXPECT_EQ(csv("007,+49 30,1.5,1e3,0x10,-2, 5,5 ,\"12\",.5,1.,-,+3,Infinity,NaN,1_0,true, "),
            R"([[7,"+49 30",1.5,1000,0,-2,5,5,12,0.5,1,"-",3,"Infinity","NaN","1_0","true"," "]])");
}

TEST(ArtilleryCsv, HasTheOptionsOfCsvParse) {
  CsvOptions o;
  o.ltrim = o.rtrim = true;
  EXPECT_EQ(csv(" a , b ,\"  c \" \n 1,2 , 3", o), R"([["a","b","  c "],[1,2,3]])");
  o = {};
  o.quote = "'";
  EXPECT_EQ(csv("'a,b',c\n", o), R"([["a,b","c"]])");
  o.quote = "";
  EXPECT_EQ(csv("\"a\",b\n", o), R"([["\"a\"","b"]])");
  o = {};
  o.escape = "\\";
  EXPECT_EQ(csv("\"a\\\"b\",c\n", o), R"([["a\"b","c"]])");
  o = {};
  o.comment = "#";
  EXPECT_EQ(csv("#x\na,b#c\n", o), R"([["a","b"]])");
  o = {};
  o.relax = true;
  EXPECT_EQ(csv("a\"b,c\n\"a\"b,d\n", o), R"([["a\"b","c"],["\"a\"b","d"]])");
  o = {};
  o.relax_column_count = true;
  EXPECT_EQ(csv("a,b\nc\nd,e,f\n", o), R"([["a","b"],["c"],["d","e","f"]])");
  o = {};
  o.from = 2;
  EXPECT_EQ(csv("a,b\nc,d\ne,f\n", o), R"([["c","d"],["e","f"]])");
  o.from = 1;
  o.to = 2;
  EXPECT_EQ(csv("a,b\nc,d\ne,f\n", o), R"([["a","b"],["c","d"]])");
  o = {};
  o.from_line = o.to_line = 2;
  EXPECT_EQ(csv("a,b\nc,d\ne,f\n", o), R"([["c","d"]])");
}

TEST(ArtilleryCsv, NamesTheLine) {
  EXPECT_THAT(read_csv("a,b\n1\n", {}).error().message, HasSubstr("line 2: 1 values, where the first row has 2"));
  EXPECT_THAT(read_csv("a\n\"b\n\n", {}).error().message,
              HasSubstr("line 2: the quote that begins here is not closed"));
  EXPECT_THAT(read_csv("a\"b\n", {}).error().message, HasSubstr("line 1"));
}

}  // namespace
}  // namespace securebase::load::artillery
