#include "cli/load_options.h"

#include <gmock/gmock.h>

namespace securebase::cli {
namespace {

using testing::HasSubstr;

// What a command with the options of `run` says to these words, which CLI11 takes in reverse; "": nothing.
std::string said_to(std::vector<std::string> words) {
  CLI::App command;
  const auto options = std::make_shared<LoadOptions>();
  std::filesystem::path state;
  add_common(command, options, state);
  add_fleet_options(command, options->fleet);
  command.add_option("--rate", options->rate);
  command.add_option("--users", options->users);
  command.add_option("--connections", options->connections);
  add_duration(command, "--duration", options->duration, "", "30s");
  add_duration(command, "--warm-up", options->warm_up, "", "0s", kAnyTime);
  std::reverse(words.begin(), words.end());
  try {
    command.parse(std::move(words));
  } catch (const CLI::ParseError& wrong) {
    return wrong.what();
  }
  const auto fit = check_options(command);
  return fit ? "" : fit.error().message;
}

TEST(LoadOptions, ThatWouldHaveNoEffectAreRefused) {
  EXPECT_THAT(said_to({"-X", "PUT", "--scenario", "a.json"}), HasSubstr("--method has no effect beside --scenario"));
  EXPECT_THAT(said_to({"-d", "x", "--scenario", "a.json"}), HasSubstr("--body has no effect beside --scenario"));
  EXPECT_THAT(said_to({"--connections", "5"}), HasSubstr("--connections needs --rate"));
  EXPECT_THAT(said_to({"--users", "5", "--rate", "5"}), HasSubstr("--users has no effect beside --rate"));
  EXPECT_THAT(said_to({"--think", "1s", "--rate", "5"}), HasSubstr("--think has no effect beside --rate"));
  EXPECT_THAT(said_to({"--cacert", "a.pem", "--insecure"}), HasSubstr("--cacert has no effect beside --insecure"));
  EXPECT_THAT(said_to({"--token-file", "a"}), HasSubstr("--token-file needs --worker"));
  EXPECT_EQ(said_to({"-X", "PUT", "-d", "x", "--users", "5", "--think", "1s", "--warm-up", "0s"}), "");
  EXPECT_EQ(said_to({"--rate", "5", "--connections", "5", "--worker", "a:1", "--token-file", "a"}), "");
}

TEST(LoadOptions, HaveTimesThatCanBe) {
  EXPECT_NE(said_to({"--warm-up", "-5s"}), "");
  EXPECT_NE(said_to({"--duration", "0s"}), "");
  EXPECT_NE(said_to({"--duration", "1000d"}), "");
  EXPECT_NE(said_to({"--timeout", "-1s"}), "");
  EXPECT_EQ(said_to({"--duration", "250ms"}), "");
}

}  // namespace
}  // namespace securebase::cli
