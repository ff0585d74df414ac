#include "cli/load_declared.h"

#include <gmock/gmock.h>

namespace securebase::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class DeclaredLoad : public testing::Test {
 protected:
  DeclaredLoad() {
    command_.add_option("--users", users_)->check(CLI::Range(1, 1000));
    command_.add_option("--warm-up", warm_up_)
        ->transform(CLI::AsNumberWithUnit(std::map<std::string, double>{{"s", 1}}));
    command_.add_option("-t,--threshold", thresholds_);
    command_.add_flag("--insecure", insecure_);
    command_.add_option("--state", state_);
  }
  Result<Done> apply(const char* scenarios, std::string_view kind = "run") {
    return apply_declared(command_, *base::Json::parse(scenarios), "checkout", kind, url_);
  }
  CLI::App command_;
  std::uint64_t users_ = 10;
  double warm_up_ = 0;
  std::vector<std::string> thresholds_;
  bool insecure_ = false;
  std::string state_;
  std::string url_;
};

TEST_F(DeclaredLoad, BecomesTheOptionsThatWouldBeTyped) {
  command_.parse(std::vector<std::string>{});
  const auto done = apply(R"({"checkout":{"kind":"run","url":"/api/v1/health","description":"what buyers do","users":50,
    "warm_up":"5s","thresholds":["p95<100ms","errors<1%"],"insecure":true,"threshold":null}})");
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(users_, 50u);
  EXPECT_EQ(warm_up_, 5);
  EXPECT_THAT(thresholds_, ElementsAre("p95<100ms", "errors<1%"));
  EXPECT_TRUE(insecure_);
  EXPECT_EQ(url_, "/api/v1/health");
}

TEST_F(DeclaredLoad, YieldsToWhatWasTyped) {
  command_.parse(std::vector<std::string>{"7", "--users"});  // CLI11 takes them in reverse
  ASSERT_TRUE(apply(R"({"checkout":{"users":50}})"));
  EXPECT_EQ(users_, 7u);
}

TEST_F(DeclaredLoad, SaysWhatIsWrongWithIt) {
  command_.parse(std::vector<std::string>{});
  const auto wrong = [this](const char* scenarios, std::string_view kind = "run") {
    const auto done = apply(scenarios, kind);
    return done ? std::string("nothing") : done.error().message;
  };
  EXPECT_THAT(wrong(R"({"browse":{},"search":{}})"), HasSubstr("browse, search"));
  EXPECT_THAT(wrong("{}"), HasSubstr("which has none"));
  EXPECT_THAT(wrong(R"({"checkout":{"kind":"spike"}})"), HasSubstr("securebase load spike checkout"));
  EXPECT_THAT(wrong(R"({"checkout":{"speed":3}})"), HasSubstr("securebase_load.checkout: speed is no setting"));
  EXPECT_THAT(wrong(R"({"checkout":{"state":"/tmp"}})"), HasSubstr("state is no setting"));
  EXPECT_THAT(wrong(R"({"checkout":{"users":5000}})"), HasSubstr("securebase_load.checkout: users"));
  EXPECT_THAT(wrong(R"({"checkout":{"threshold":{"a":1}}})"), HasSubstr("a text, a number or a list"));
}

TEST(DeclaredScript, IsRunByTheToolWhoseItIs) {
  const auto words = [](const char* scenario) {
    const auto made =
        words_of_script("guide", *base::Json::parse(scenario), "/srv/stack/infra", "http://127.0.0.1:8080");
    return made ? *made : std::vector<std::string>{made.error().message};
  };
  EXPECT_THAT(
      words(R"({"kind":"script","file":"../load/a.yml"})"),
      ElementsAre("securebase", "artillery", "run", "/srv/stack/load/a.yml", "--target", "http://127.0.0.1:8080"));
  EXPECT_THAT(words(R"({"kind":"script","file":"/a.js","url":"/api","description":"d","rate":null})"),
              ElementsAre("securebase", "k6", "run", "/a.js", "-e", "TARGET=http://127.0.0.1:8080/api"));
  EXPECT_THAT(words(R"({"kind":"script","file":"a.ts","url":"https://api.example"})").back(),
              "TARGET=https://api.example");
  EXPECT_THAT(words(R"({"kind":"script"})"), ElementsAre(HasSubstr("securebase_load.guide: a script has a file")));
  EXPECT_THAT(words(R"({"kind":"script","file":"a.py"})"), ElementsAre(HasSubstr("a.py is no script")));
  EXPECT_THAT(words(R"({"kind":"script","file":"a.js","rate":5})"),
              ElementsAre(HasSubstr("rate is no member of a script")));
}

TEST_F(DeclaredLoad, ThatIsAScriptIsNotRunAsAnotherKind) {
  command_.parse(std::vector<std::string>{});
  const auto done = apply(R"({"checkout":{"kind":"script","file":"a.js"}})");
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("securebase load checkout"));
}

}  // namespace
}  // namespace securebase::cli
