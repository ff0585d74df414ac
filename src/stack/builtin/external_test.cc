#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>

#include "base/file.h"
#include "base/random.h"
#include "stack/builtin/program.h"
#include "stack/stack.h"

namespace securebase::stack {
namespace {

using testing::HasSubstr;

class External : public testing::Test {
 protected:
  External() { std::filesystem::create_directories(top_); }
  ~External() override { std::filesystem::remove_all(top_); }

  Result<Stack, Diagnostics> load(const std::string& text, bool allowed = true) {
    EXPECT_TRUE(base::replace_file(top_ / "main.tf", text));
    Inputs inputs;
    inputs.directory = top_;
    inputs.programs = allowed;
    return stack::load(inputs, Catalogue());
  }

  std::string errors(const std::string& text, bool allowed = true) {
    const auto loaded = load(text, allowed);
    return loaded ? "no error" : render(loaded.error());
  }

  const std::filesystem::path top_ = std::filesystem::temp_directory_path() / ("external-" + base::random_hex(12));
};

TEST_F(External, AsksByJsonAndTakesTheAnswer) {
  std::filesystem::create_directories(top_ / "inner");
  EXPECT_TRUE(base::replace_file(top_ / "inner/ask.sh", "printf '{\"got\":\"%s\"}' \"$(tr -d '{}\\\"')\"\n"));
  const auto loaded = load(R"(
    data "external" "a" {
      program     = ["sh", "ask.sh"]
      working_dir = "inner"
      query       = { region = "eu-west-1", count = 3, absent = null }
    }
    output "x" { value = data.external.a.result.got }
  )");
  ASSERT_TRUE(loaded) << render(loaded.error());
  EXPECT_EQ(loaded->outputs.at("x").value, Value("count:3,region:eu-west-1"));
}

TEST_F(External, RunsNothingThatIsNotAllowed) {
  EXPECT_THAT(errors("data \"external\" \"a\" {\n  program = [\"touch\", \"made\"]\n}\n", false),
              HasSubstr("--allow-programs"));
  EXPECT_FALSE(std::filesystem::exists(top_ / "made"));
}

TEST_F(External, SaysWhatAProgramComplainedOf) {
  const auto said =
      errors("data \"external\" \"a\" {\n  program = [\"sh\", \"-c\", \"echo no such region >&2; exit 3\"]\n}\n");
  EXPECT_THAT(said, HasSubstr("status 3:\nno such region"));
  EXPECT_THAT(said, HasSubstr("main.tf:1:1"));
}

TEST_F(External, RefusesAnswersThatAreNoStrings) {
  EXPECT_THAT(errors("data \"external\" \"a\" {\n  program = [\"echo\", \"{\\\"n\\\":1}\"]\n}\n"),
              HasSubstr("the member \"n\" is no string"));
  EXPECT_THAT(errors("data \"external\" \"a\" {\n  program = [\"echo\", \"hello\"]\n}\n"),
              HasSubstr("It answered: hello"));
  EXPECT_THAT(errors("data \"external\" \"a\" {\n  program = [\"no-such-program\"]\n}\n"),
              HasSubstr("there is no such program"));
}

TEST(Program, IsKilledWithItsChildrenAtItsLimits) {
  const auto started = std::chrono::steady_clock::now();
  ProgramCall call{{"sh", "-c", "sleep 60 & sleep 60"}, "", "/", std::chrono::milliseconds{50}, 100};
  const auto late = run_program(call);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::kTimeout);
  call.time = std::chrono::seconds{60};
  call.command = {"sh", "-c", "yes"};
  const auto large = run_program(call);
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, Errc::kLimit);
  // A child that stays behind with the pipes open is not waited for.
  call.command = {"sh", "-c", "sleep 60 & echo done; yes | head -c 100000 >&2"};
  const auto left = run_program(call);
  ASSERT_TRUE(left) << left.error().message;
  EXPECT_EQ(left->output, "done\n");
  EXPECT_EQ(left->status, 0);
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds{50});
}

}  // namespace
}  // namespace securebase::stack
