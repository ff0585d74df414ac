#include "stack/registry.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "base/random.h"
#include "stack/declare.h"
#include "stack/plan.h"

namespace securebase::stack {
namespace {

struct MadeRule {
  std::string path;
  std::int64_t ttl = 0;
};
struct MadeCache {
  std::string name;
  std::int64_t size = 1;
  std::optional<std::string> note;
  std::vector<MadeRule> rules;
  std::map<std::string, std::string> tags;
};

Catalogue catalogue() {
  const auto rule = block<MadeRule>("rule")
                        .required("path", &MadeRule::path, "Which.")
                        .attribute("ttl", &MadeRule::ttl, 60, at_least(0), "How long.");
  Catalogue all;
  all.add(resource<MadeCache>("aws_example_cache", "edge", "A cache.")
              .required("name", &MadeCache::name, "Its name.")
              .attribute("size", &MadeCache::size, 1, between(1, 9), "Its size.")
              .attribute("note", &MadeCache::note, std::nullopt, "A word.")
              .attribute("tags", &MadeCache::tags, {}, "Labels.")
              .nested(rule, &MadeCache::rules, "Rules.")
              .computed("id", [](const MadeCache& c) { return c.name; })
              .computed("label", [](const MadeCache& c) { return c.name + "/" + std::to_string(c.size); }));
  return all;
}

const char* const kFiles = R"(
provider "aws" {
  default_tags { tags = { team = "web" } }
}
resource "aws_example_cache" "main" {
  name = "main"
  size = 2
  rule { path = "/a" }
}
)";

struct RegistryTest : testing::Test {
  std::filesystem::path directory = std::filesystem::temp_directory_path() / ("registry-" + base::random_hex(8));
  Catalogue known = catalogue();
  Stack files;

  void SetUp() override { files = load_files(kFiles); }
  void TearDown() override { std::filesystem::remove_all(directory); }

  Stack load_files(const char* text) {
    std::filesystem::create_directories(directory / "stack");
    std::ofstream(directory / "stack" / "main.tf") << text;
    Inputs inputs;
    inputs.directory = directory / "stack";
    auto loaded = load(inputs, known);
    if (!loaded) ADD_FAILURE() << render(loaded.error());
    return loaded ? std::move(*loaded) : Stack();
  }
  Stack over(const Registry& registry) {
    auto all = registry.over(files, known, {});
    if (!all) ADD_FAILURE() << render(all.error());
    return all ? std::move(all->stack) : Stack();
  }
  static const MadeCache* cache(const Stack& stack, std::string_view name) {
    for (const auto& found : stack.all<MadeCache>("aws_example_cache")) {
      if (found.value.name == name) return &found.value;
    }
    return nullptr;
  }
};

TEST_F(RegistryTest, WhatTheApiMakesIsDecodedByTheSameDeclaration) {
  auto registry = Registry().with(
      {create("aws_example_cache", "x", {{"name", "x"}, {"rule", Value::list({Value::map({{"path", "/b"}})})}})},
      files);
  ASSERT_TRUE(registry);
  const auto stack = over(*registry);
  const auto* made = cache(stack, "x");
  ASSERT_TRUE(made);
  EXPECT_EQ(made->size, 1);
  ASSERT_EQ(made->rules.size(), 1u);
  EXPECT_EQ(made->rules[0].ttl, 60);
  const auto* resource = stack.find(R"(api.aws_example_cache["x"])");
  ASSERT_TRUE(resource);
  EXPECT_EQ(resource->origin, Resource::Origin::kApi);
  EXPECT_EQ(resource->attributes["label"].to_text(), "x/1");
  EXPECT_TRUE(cache(stack, "main"));
}

TEST_F(RegistryTest, WhatDoesNotFitTheDeclarationIsTheFilesOwnError) {
  auto registry = Registry().with({create("aws_example_cache", "x", {{"name", "x"}, {"size", 10}})}, files);
  ASSERT_TRUE(registry);
  auto all = registry->over(files, known, {});
  ASSERT_FALSE(all);
  EXPECT_NE(render(all.error()).find("size"), std::string::npos);
  auto misspelt = Registry().with({create("aws_example_cache", "x", {{"name", "x"}, {"siz", 2}})}, files);
  EXPECT_FALSE(misspelt->over(files, known, {}));
}

TEST_F(RegistryTest, AChangeOfTheFilesResourceIsDriftThatCanBeTakenBack) {
  auto registry =
      Registry().with({update("aws_example_cache.main", {{"size", 5}, {"tags", Value::map({{"a", "b"}})}})}, files);
  ASSERT_TRUE(registry);
  const auto changed = over(*registry);
  ASSERT_TRUE(cache(changed, "main"));
  EXPECT_EQ(cache(changed, "main")->size, 5);
  EXPECT_EQ(cache(changed, "main")->rules.size(), 1u);
  const auto* resource = changed.find("aws_example_cache.main");
  EXPECT_EQ(resource->attributes["label"].to_text(), "main/5");
  EXPECT_EQ(resource->attributes["tags_all"], Value::map({{"a", "b"}, {"team", "web"}}));

  const auto back = diff(applied(changed), over(registry->without_drift()));
  ASSERT_EQ(back.changes.size(), 1u);
  EXPECT_EQ(back.changes[0].action, Change::Action::kUpdate);
  EXPECT_EQ(applied(over(registry->without_drift())), applied(files));
}

TEST_F(RegistryTest, NullTakesAnAttributeBackToItsDefault) {
  auto registry = Registry().with({update("aws_example_cache.main", {{"size", nullptr}})}, files);
  EXPECT_EQ(cache(over(*registry), "main")->size, 1);
  auto made = Registry().with({create("aws_example_cache", "x", {{"name", "x"}, {"note", "n"}})}, files);
  made = made->with({update(api_address("aws_example_cache", "x"), {{"note", nullptr}})}, over(*made));
  EXPECT_FALSE(cache(over(*made), "x")->note);
}

TEST_F(RegistryTest, ARemovedResourceOfTheFilesIsCreatedAgainByAnApply) {
  auto registry = Registry().with({remove("aws_example_cache.main")}, files);
  const auto without = over(*registry);
  EXPECT_FALSE(cache(without, "main"));
  const auto back = diff(applied(without), over(registry->without_drift()));
  ASSERT_EQ(back.changes.size(), 1u);
  EXPECT_EQ(back.changes[0].action, Change::Action::kCreate);
  // Made anew by the API meanwhile: the files' own counts after an apply.
  registry = registry->with({create("aws_example_cache", "main", {{"name", "main"}})}, without);
  ASSERT_TRUE(registry);
  EXPECT_EQ(over(*registry).resources.size(), 1u);
  auto applied_again = registry->without_drift().over(files, known, {});
  ASSERT_TRUE(applied_again);
  EXPECT_EQ(applied_again->superseded, std::vector<std::string>{R"(api.aws_example_cache["main"])"});
  EXPECT_TRUE(registry->without_drift().without(applied_again->superseded).made().empty());
}

TEST_F(RegistryTest, AMadeResourceGoesWithoutATrace) {
  auto registry = Registry().with({create("aws_example_cache", "x", {{"name", "x"}})}, files);
  registry = registry->with({remove(api_address("aws_example_cache", "x"))}, over(*registry));
  ASSERT_TRUE(registry);
  EXPECT_EQ(*registry, Registry());
}

TEST_F(RegistryTest, RefusesWhatIsThereAndWhatIsNot) {
  const auto made = Registry().with({create("aws_example_cache", "x", {{"name", "x"}})}, files);
  const auto twice = made->with({create("aws_example_cache", "x", {{"name", "x"}})}, over(*made));
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code, Errc::kConflict);
  const auto missing = Registry().with({update("aws_example_cache.none", {})}, files);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::kNotFound);
}

TEST_F(RegistryTest, IsTheSameAfterARestart) {
  auto registry = Registry().with({create("aws_example_cache", "a \"b\"", {{"name", "x"}, {"size", 3}}),
                                   update("aws_example_cache.main", {{"size", 4}})},
                                  files);
  const auto file = directory / "registry" / "resources.json";
  ASSERT_TRUE(registry->save(file));
  auto again = Registry::open(file);
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, *registry);
  EXPECT_EQ(std::filesystem::status(file).permissions() & std::filesystem::perms::others_read,
            std::filesystem::perms::none);
  ASSERT_TRUE(base::replace_file(file, "{\"version\":1"));
  EXPECT_FALSE(Registry::open(file));
}

TEST_F(RegistryTest, ThePlanTakesBackWhatRoomsSayIsDrift) {
  const auto id = files.find("aws_example_cache.main")->attributes["id"].to_text().value_or("");
  auto plan = diff(applied(files), files);
  ASSERT_TRUE(plan.empty());
  const Change::Attribute size{"size", 5, 2, false, "", false};
  add_drift(plan, {{"aws_example_cache", id, false, {size}}, {"aws_example_cache", "gone from the files", true, {}}},
            files);
  ASSERT_EQ(plan.changes.size(), 1u);
  EXPECT_EQ(plan.changes[0].action, Change::Action::kUpdate);
  EXPECT_EQ(plan.changes[0].address, "aws_example_cache.main");
  EXPECT_NE(render_plan(plan, files).find("size = 5 -> 2"), std::string::npos) << render_plan(plan, files);
  // One that was removed is made again, whatever else the files change of it.
  add_drift(plan, {{"aws_example_cache", id, true, {}}}, files);
  ASSERT_EQ(plan.changes.size(), 1u);
  EXPECT_EQ(plan.changes[0].action, Change::Action::kCreate);
}

TEST(TerraformName, IsTheApisInSmallLetters) {
  EXPECT_EQ(terraform_name("DisplayName"), "display_name");
  EXPECT_EQ(terraform_name("OKActions"), "ok_actions");
  EXPECT_EQ(terraform_name("KmsMasterKeyId"), "kms_master_key_id");
  EXPECT_EQ(terraform_name(""), "");
}

TEST_F(RegistryTest, ThePlanListsWhatTheApiMade) {
  auto registry = Registry().with({create("aws_example_cache", "x", {{"name", "x"}})}, files);
  const auto stack = over(*registry);
  const auto text = render_plan(diff(applied(stack), stack), stack);
  EXPECT_NE(text.find("Made through the AWS APIs, stays:\n  api.aws_example_cache[\"x\"]"), std::string::npos) << text;
  Plan plan;
  plan.beside = {api_address("aws_example_topic", "kept by its room")};
  EXPECT_TRUE(plan.empty());
  EXPECT_NE(render_plan(plan, files).find("stays:\n  api.aws_example_topic[\"kept by its room\"]"), std::string::npos);
}

}  // namespace
}  // namespace securebase::stack
