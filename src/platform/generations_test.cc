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
        {{"filename", "../code/handler.py"}, {"other", (top_ / "elsewhere" / "secret.txt").native()}, {"path", "/"}});
    stack.resources.push_back(function);
    return stack;
  }
  std::string kept(const Generations& generations, std::uint64_t number, const fs::path& file) {
    const auto directory = generations.kept_source(*generations.find(number)).directory;  // <tree>/.../infra
    auto text = base::read_file(directory.parent_path() / file);
    return text ? *text : "";
  }

  const fs::path top_;
  StackSource source_;
};

TEST_F(GenerationsTest, KeepWhatTheStackWasReadFromAndWhatItsResourcesName) {
  auto generations = open();
  ASSERT_TRUE(generations.keep(stack(), source_, kStart));
  write("infra/main.tf", "two");
  write("code/handler.py", "broken");
  EXPECT_EQ(kept(generations, 1, "infra/main.tf"), "one");
  EXPECT_EQ(kept(generations, 1, "code/handler.py"), "def handler(): pass");
  EXPECT_EQ(kept(generations, 1, "code/unused.txt"), "");
  EXPECT_EQ(generations.all().front().files.size(), 2u);
  const auto source = generations.kept_source(generations.all().front());
  EXPECT_TRUE(source.variables[0].second.starts_with((top_ / "state").native())) << source.variables[0].second;
  EXPECT_EQ(source.variables[1].second, "prod");
}

TEST_F(GenerationsTest, TheSameAgainIsNoNewOne) {
  auto generations = open();
  ASSERT_TRUE(generations.keep(stack(), source_, kStart));
  ASSERT_TRUE(generations.keep(stack(), source_, kStart));
  EXPECT_EQ(generations.all().size(), 1u);
  EXPECT_EQ(generations.earlier(), nullptr);
  write("code/handler.py", "other");
  ASSERT_TRUE(generations.keep(stack(), source_, kStart));
  ASSERT_EQ(generations.all().size(), 2u);
  ASSERT_NE(generations.earlier(), nullptr);
  EXPECT_EQ(generations.earlier()->number, 1u);
}

TEST_F(GenerationsTest, GoingBackTwiceGoesForwardAgain) {
  auto generations = open();
  ASSERT_TRUE(generations.keep(stack(), source_, kStart));
  write("infra/main.tf", "two");
  ASSERT_TRUE(generations.keep(stack(), source_, kStart));
  ASSERT_TRUE(generations.keep_again(*generations.earlier(), kStart));
  EXPECT_EQ(generations.all().back().back_to, 1u);
  EXPECT_EQ(kept(generations, 3, "infra/main.tf"), "one");
  EXPECT_EQ(generations.earlier()->number, 2u);
}

TEST_F(GenerationsTest, AreThereAfterTheNextOpenAndTornOnesAreNot) {
  {
    auto generations = open();
    ASSERT_TRUE(generations.keep(stack(), source_, kStart));
  }
  write("state/2/tree/half", "torn");
  auto again = open();
  ASSERT_EQ(again.all().size(), 1u);
  EXPECT_FALSE(fs::exists(top_ / "state" / "2"));
  EXPECT_EQ(again.all().front().since, kStart);
  EXPECT_EQ(kept(again, 1, "infra/main.tf"), "one");
}

TEST_F(GenerationsTest, AreTenAtMostAndShareWhatDoesNotChange) {
  auto generations = open();
  for (int i = 0; i < 12; ++i) {
    write("infra/main.tf", std::to_string(i));
    ASSERT_TRUE(generations.keep(stack(), source_, kStart));
  }
  ASSERT_EQ(generations.all().size(), Generations::kMost);
  EXPECT_EQ(generations.all().front().number, 3u);
  EXPECT_FALSE(fs::exists(top_ / "state" / "2"));
  const auto directory = generations.kept_source(generations.all().back()).directory;
  EXPECT_EQ(fs::hard_link_count(directory.parent_path() / "code" / "handler.py"), Generations::kMost);
}

}  // namespace
}  // namespace securebase::platform
