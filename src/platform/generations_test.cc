#include "platform/generations.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/file.h"

namespace securebase::platform {
namespace {

namespace fs = std::filesystem;

constexpr base::TimePoint kStart{std::chrono::seconds{1'795'737'600}};

class GenerationsTest : public testing::Test {
 protected:
  GenerationsTest() : top_(fs::temp_directory_path() / ("generations." + std::to_string(getpid()))) {
    fs::remove_all(top_);
    write("infra/main.tf", "one");
    write("code/handler.py", "def handler(): pass");
    write("code/unused.txt", "nobody names this");
    write("elsewhere/secret.txt", "outside of what may be read");
    source_.directory = top_ / "infra";
    source_.file_roots = {top_ / "code"};
    source_.variables = {{"build", (top_ / "code").native()}, {"name", "prod"}};
  }
  ~GenerationsTest() override { fs::remove_all(top_); }

  void write(const fs::path& file, std::string_view text) {
    fs::create_directories((top_ / file).parent_path());
    std::ofstream(top_ / file, std::ios::trunc) << text;
  }
  Generations open() {
    auto opened = Generations::open(top_ / "state");
    EXPECT_TRUE(opened) << opened.error().message;
    return std::move(*opened);
  }
  stack::Stack stack() const {
    stack::Stack stack;
    stack.directory = top_ / "infra";
    stack.files = {top_ / "infra" / "main.tf"};
    stack::Resource function;
    function.module_directory = stack.directory;
    function.attributes = stack::Value::map(
        {{"filename", named_}, {"other", (top_ / "elsewhere" / "secret.txt").native()}, {"path", "/"}});
    stack.resources.push_back(function);
    return stack;
  }
  std::string kept(const Generations& generations, std::uint64_t number, const fs::path& file) {
    auto source = generations.kept_source(*generations.find(number));
    if (!source) return source.error().message;
    auto text = base::read_file(source->directory.parent_path() / file);  // <tree>/.../infra
    return text ? *text : "";
  }
  void keep(Generations& generations) {
    auto number = generations.keep(stack(), source_, kStart);
    ASSERT_TRUE(number) << number.error().message;
    generations.in_force(*number);
  }

  const fs::path top_;
  StackSource source_;
  std::string named_ = "../code/handler.py";
};

TEST_F(GenerationsTest, KeepWhatTheStackWasReadFromAndWhatItsResourcesName) {
  auto generations = open();
  keep(generations);
  write("infra/main.tf", "two");
  write("code/handler.py", "broken");
  EXPECT_EQ(kept(generations, 1, "infra/main.tf"), "one");
  EXPECT_EQ(kept(generations, 1, "code/handler.py"), "def handler(): pass");
  EXPECT_EQ(kept(generations, 1, "code/unused.txt"), "");
  EXPECT_EQ(generations.all().front().files.size(), 2u);
  const auto source = *generations.kept_source(generations.all().front());
  EXPECT_TRUE(source.variables[0].second.starts_with((top_ / "state").native())) << source.variables[0].second;
  EXPECT_EQ(source.variables[1].second, "prod");
}

TEST_F(GenerationsTest, VariablesThatNameWhatIsAroundEverythingAreLeftAlone) {
  source_.variables = {{"root", "/"}, {"top", top_.native()}, {"code", (top_ / "code").native()}};
  auto generations = open();
  keep(generations);
  const auto source = *generations.kept_source(generations.all().front());
  EXPECT_EQ(source.variables[0].second, "/");
  EXPECT_EQ(source.variables[1].second, top_.native());
  EXPECT_NE(source.variables[2].second, (top_ / "code").native());
}

TEST_F(GenerationsTest, VariablesOfTheEnvironmentAreKept) {
  using Environment = std::map<std::string, std::string>;
  source_.environment = Environment({{"TF_VAR_memo", "1"}, {"PATH", "/bin"}});
  auto generations = open();
  keep(generations);
  (*source_.environment)["TF_VAR_memo"] = "2";
  keep(generations);
  ASSERT_EQ(generations.all().size(), 2u);
  const auto source = *generations.kept_source(generations.all().front());
  EXPECT_EQ(source.environment->size(), 1u);
  EXPECT_EQ(source.environment->at("TF_VAR_memo"), "1");
}

TEST_F(GenerationsTest, ADirectoryThatMayBeReadIsKeptWholeWhenAResourceNamesIt) {
  named_ = "../code";
  auto generations = open();
  keep(generations);
  EXPECT_EQ(kept(generations, 1, "code/unused.txt"), "nobody names this");
}

TEST_F(GenerationsTest, LinksAreKeptAsLinks) {
  fs::create_directory_symlink("code", top_ / "current");
  fs::create_symlink("handler.py", top_ / "code" / "link.py");
  source_.file_roots.push_back(top_ / "current");
  named_ = "../code";
  auto generations = open();
  keep(generations);
  const auto directory = generations.kept_source(generations.all().front())->directory.parent_path();
  EXPECT_TRUE(fs::is_symlink(directory / "code" / "link.py"));
  EXPECT_EQ(kept(generations, 1, "code/link.py"), "def handler(): pass");
}

TEST_F(GenerationsTest, AStackThatNamesAKeptFileByItsAbsolutePathCannotGoBack) {
  named_ = (top_ / "code" / "handler.py").native();
  auto generations = open();
  keep(generations);
  const auto refused = generations.check_read_back(generations.all().front(), stack());
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("handler.py by its absolute path"), std::string::npos);
  named_ = "../code/handler.py";
  EXPECT_TRUE(generations.check_read_back(generations.all().front(), stack()));
}

TEST_F(GenerationsTest, WhatIsKeptDamagedIsNotGoneBackTo) {
  auto generations = open();
  keep(generations);
  const auto directory = generations.kept_source(generations.all().front())->directory;
  std::ofstream(directory / "main.tf") << "another";
  EXPECT_EQ(generations.kept_source(generations.all().front()).error().code, Errc::kMalformed);
}

TEST_F(GenerationsTest, TheSameAgainIsNoNewOne) {
  auto generations = open();
  keep(generations);
  keep(generations);
  EXPECT_EQ(generations.all().size(), 1u);
  EXPECT_EQ(generations.earlier(), nullptr);
  write("code/handler.py", "other");
  keep(generations);
  ASSERT_EQ(generations.all().size(), 2u);
  ASSERT_NE(generations.earlier(), nullptr);
  EXPECT_EQ(generations.earlier()->number, 1u);
}

TEST_F(GenerationsTest, GoingBackTwiceGoesForwardAgain) {
  auto generations = open();
  keep(generations);
  write("infra/main.tf", "two");
  keep(generations);
  generations.in_force(*generations.keep_again(*generations.earlier(), kStart));
  EXPECT_EQ(generations.all().back().back_to, 1u);
  EXPECT_EQ(kept(generations, 3, "infra/main.tf"), "one");
  EXPECT_EQ(generations.earlier()->number, 2u);
}

TEST_F(GenerationsTest, WhatCouldNotBeKeptIsBeforeNothing) {
  auto generations = open();
  keep(generations);
  generations.in_force(std::nullopt);
  ASSERT_NE(generations.earlier(), nullptr);
  EXPECT_EQ(generations.earlier()->number, 1u);
}

TEST_F(GenerationsTest, WhatWasKeptForAChangeThatFailedGoes) {
  auto generations = open();
  keep(generations);
  write("infra/main.tf", "two");
  const auto staged = generations.keep(stack(), source_, kStart);
  ASSERT_TRUE(staged);
  generations.drop(*staged);
  EXPECT_EQ(generations.all().size(), 1u);
  EXPECT_FALSE(fs::exists(top_ / "state" / "2"));
  generations.drop(1);  // in force
  EXPECT_EQ(generations.all().size(), 1u);
}

TEST_F(GenerationsTest, AreThereAfterTheNextOpenAndTornOnesAreNot) {
  {
    auto generations = open();
    keep(generations);
  }
  write("state/2/tree/half", "torn");
  write("state/3/generation.json", "{not this version's");
  auto again = open();
  ASSERT_EQ(again.all().size(), 1u);
  EXPECT_FALSE(fs::exists(top_ / "state" / "2"));
  EXPECT_TRUE(fs::exists(top_ / "state" / "3"));  // whose it is, nobody knows
  EXPECT_EQ(again.all().front().since, kStart);
  EXPECT_EQ(kept(again, 1, "infra/main.tf"), "one");
}

TEST_F(GenerationsTest, AreTenAtMostAndShareWhatDoesNotChange) {
  auto generations = open();
  for (int i = 0; i < 12; ++i) {
    write("infra/main.tf", std::to_string(i));
    keep(generations);
  }
  ASSERT_EQ(generations.all().size(), Generations::kMost);
  EXPECT_EQ(generations.all().front().number, 3u);
  EXPECT_FALSE(fs::exists(top_ / "state" / "2"));
  const auto directory = generations.kept_source(generations.all().back())->directory;
  EXPECT_EQ(fs::hard_link_count(directory.parent_path() / "code" / "handler.py"), Generations::kMost);
  // Back to the oldest: its tree goes, that of the new one stays.
  const auto number = generations.keep_again(generations.all().front(), kStart);
  ASSERT_TRUE(number);
  generations.in_force(*number);
  EXPECT_FALSE(fs::exists(top_ / "state" / "3"));
  EXPECT_EQ(kept(generations, *number, "infra/main.tf"), "2");
}

TEST_F(GenerationsTest, NobodyElseReadsThem) {
  auto generations = open();
  keep(generations);
  EXPECT_EQ(fs::status(top_ / "state").permissions() & fs::perms{0077}, fs::perms::none);
}

}  // namespace
}  // namespace securebase::platform
