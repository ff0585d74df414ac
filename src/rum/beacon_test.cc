#include "rum/beacon.h"

#include <gmock/gmock.h>

#include <gtest/gtest.h>
#include <set>

#include "rum/page.h"
#include "store/encodings.h"

namespace securebase::rum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kTrace = "1-5759e988-bd862e3fe1be46a994272793";

TEST(Script, StaysAFewHundredBytes) {
  EXPECT_LE(script(1).size(), 1400u);
  EXPECT_LE(store::gzip(script(1)).size(), 830u);
  EXPECT_LE(store::brotli(script(1)).size(), 760u);
}

TEST(Script, RunsForItsShareOfPageLoads) {
  EXPECT_TRUE(script(1).starts_with("(()=>{"));
  EXPECT_TRUE(script(0.25).starts_with("Math.random()<0.25&&(()=>{"));
}

TEST(Script, SendsToTheBeaconsPath) { EXPECT_THAT(script(1), HasSubstr("\"" + std::string(kBeaconPath) + "\"")); }

TEST(Beacon, IsReadWhole) {
  const auto beacon = parse_beacon(
      R"({"p":"/invoices","t":12,"f":90.5,"l":120,"d":95,"o":180,"i":40,"c":0.01,"e":2,"x":["1-5759e988-bd862e3fe1be46a994272793"]})");
  ASSERT_TRUE(beacon) << beacon.error().message;
  EXPECT_EQ(beacon->path, "/invoices");
  EXPECT_EQ(beacon->timings, (Timings{12, 90.5, 120, 95, 180, 40, 0.01}));
  EXPECT_EQ(beacon->script_errors, 2u);
  EXPECT_THAT(beacon->traces, ElementsAre(kTrace));
}

TEST(Beacon, MayLeaveOutAllButThePage) {
  const auto beacon = parse_beacon(R"({"p":"/","l":null})");
  ASSERT_TRUE(beacon);
  EXPECT_EQ(beacon->timings, Timings{});
}

TEST(Beacon, NamesEachTraceOnce) {
  const auto beacon =
      parse_beacon(R"({"p":"/","x":["1-5759e988-bd862e3fe1be46a994272793","1-5759e988-bd862e3fe1be46a994272793"]})");
  ASSERT_TRUE(beacon);
  EXPECT_THAT(beacon->traces, ElementsAre(kTrace));
}

TEST(Beacon, IsRefusedBeyondItsBounds) {
  for (const std::string text : {
           R"()",
           R"([])",
           R"({})",
           R"({"p":"x"})",
           R"({"p":"/a b"})",
           R"({"p":"/\u0001"})",
           R"({"p":"/","q":1})",
           R"({"p":"/","tt":1})",
           R"({"p":"/","t":-1})",
           R"({"p":"/","t":3600001})",
           R"({"p":"/","t":1e999})",
           R"({"p":"/","t":"12"})",
           R"({"p":"/","c":1001})",
           R"({"p":"/","e":-1})",
           R"({"p":"/","e":0.5})",
           R"({"p":"/","x":"1-5759e988-bd862e3fe1be46a994272793"})",
           R"({"p":"/","x":["1-5759E988-bd862e3fe1be46a994272793"]})",
           R"({"p":"/","x":["1-5759e988-bd862e3fe1be46a99427279"]})",
           R"({"p":"/","x":["1-5759e988xbd862e3fe1be46a994272793"]})",
           R"({"p":"/","x":[1]})",
       }) {
    EXPECT_FALSE(parse_beacon(text)) << text;
  }
  EXPECT_FALSE(parse_beacon("{\"p\":\"/" + std::string(kPathBytes, 'a') + "\"}"));
  EXPECT_FALSE(parse_beacon("{\"p\":\"/\"}" + std::string(kBeaconBytes, ' ')));
  std::string nine = "{\"p\":\"/\",\"x\":[";
  for (std::size_t i = 0; i <= kTraces; ++i) nine += (i ? ",\"" : "\"") + std::string(kTrace) + "\"";
  EXPECT_FALSE(parse_beacon(nine + "]}"));
}

TEST(Page, IsThePathWithoutIdentifiers) {
  for (const auto& [path, page] : std::initializer_list<std::pair<std::string, std::string>>{
           {"/", "/"},
           {"/invoices", "/invoices"},
           {"/invoices/", "/invoices"},
           {"//invoices//42", "/invoices/{id}"},
           {"/tickets/7f3c2a10-5b1e-4c7a-9d0e-1f2a3b4c5d6e/comments", "/tickets/{id}/comments"},
           {"/blobs/deadbeef01", "/blobs/{id}"},
           {"/decade/facade", "/decade/facade"},  // words of hexadecimal letters
           {"/a/caf%C3%A9", "/a/{id}"},
           {"/a/b/c/d/e/f/g/h", "/a/b/c/d/e/f/..."},
           {"/" + std::string(41, 'x'), "/{id}"},
       }) {
    EXPECT_EQ(page_of(path), page) << path;
  }
}

TEST(Pages, AreFew) {
  const base::TimePoint now{std::chrono::hours{1}};
  Pages pages(2);
  EXPECT_EQ(pages.admit("/a", now), "/a");
  EXPECT_EQ(pages.admit("/b", now), "/b");
  EXPECT_EQ(pages.admit("/c", now), "(other)");
  EXPECT_EQ(pages.admit("/a", now), "/a");
}

TEST(Pages, AreThoseThatAreVisitedAndNotThoseThatAStrangerMadeUp) {
  base::TimePoint now{std::chrono::hours{1}};
  Pages pages(3);
  pages.admit("/", now);
  for (const char* made_up : {"/x", "/y"}) EXPECT_EQ(pages.admit(made_up, now), made_up);
  const auto a_round = [&] {
    for (int i = 0; i < 2000; ++i) EXPECT_EQ(pages.admit("/z" + std::to_string(i), now), Pages::kOther);
    for (int i = 0; i < 20; ++i) {
      pages.admit("/", now);
      pages.admit("/cart", now);
    }
  };
  a_round();
  EXPECT_EQ(pages.admit("/cart", now), Pages::kOther);
  now += Pages::kRound;
  EXPECT_EQ(pages.admit("/cart", now), "/cart");
  EXPECT_EQ(pages.admit("/", now), "/");
  EXPECT_EQ(pages.admit("/x", now), Pages::kOther) << "nobody went there again";
}

TEST(Pages, MakeNoMoreNamesThanTheirSeriesMayBe) {
  base::TimePoint now{std::chrono::hours{1}};
  Pages pages(2);
  std::set<std::string> names;
  for (int round = 0; round < 50; ++round, now += Pages::kRound) {
    for (int i = 0; i < 100; ++i) names.insert(pages.admit("/p" + std::to_string(round), now));
    names.insert(pages.admit("/p" + std::to_string(round - 1), now));
  }
  EXPECT_LE(names.size(), 2 * Pages::kNamesAPlace + 1);
}

}  // namespace
}  // namespace securebase::rum
