#include "secrets/secrets.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "base/file.h"
#include "base/random.h"

namespace securebase::secrets {

namespace fs = std::filesystem;

namespace {

struct TemporaryDirectory {
  fs::path path = fs::temp_directory_path() / ("secrets-test-" + base::random_hex(8));
  ~TemporaryDirectory() { fs::remove_all(path); }
};

std::unique_ptr<Secrets> opened(const fs::path& directory) {
  auto secrets = Secrets::open({.directory = directory});
  EXPECT_TRUE(secrets) << secrets.error().message;
  return secrets ? std::move(*secrets) : nullptr;
}

std::vector<fs::path> sealed_files(const fs::path& directory) {
  auto files = base::files_below(directory / "sealed");
  return files ? *files : std::vector<fs::path>{};
}

stack::Stack stack_of(const fs::path& directory, const std::string& text, const Secrets& secrets) {
  fs::create_directories(directory);
  std::ofstream(directory / "main.tf") << text;
  stack::Catalogue catalogue;
  declare(catalogue);
  stack::Inputs inputs;
  inputs.directory = directory;
  inputs.derive_secret = [&](auto address, auto length, auto alphabet) {
    return secrets.derive(address, length, alphabet);
  };
  auto loaded = stack::load(inputs, catalogue);
  EXPECT_TRUE(loaded) << stack::render(loaded.error());
  return loaded ? *loaded : stack::Stack{};
}

const std::string kDatabase = R"(
  resource "aws_secretsmanager_secret" "db" { name = "prod-db" }
  resource "aws_secretsmanager_secret_version" "db" {
    secret_id     = aws_secretsmanager_secret.db.id
    secret_string = jsonencode({ username = "app", password = "very-secret" })
  }
  output "again" {
    value     = jsondecode(aws_secretsmanager_secret_version.db.secret_string).password
    sensitive = true
  }
)";

}  // namespace

TEST(Secrets, KeepWhatTheStackDeclaresUntilItNoLongerDoes) {
  const TemporaryDirectory directory;
  auto secrets = opened(directory.path / "state");
  const auto stack = stack_of(directory.path / "stack", kDatabase, *secrets);
  EXPECT_EQ(stack.outputs.at("again").value.string(), "very-secret");
  auto config = configure(stack);
  ASSERT_TRUE(config) << stack::render(config.error());
  ASSERT_TRUE(secrets->apply(*config));
  const auto before = sealed_files(directory.path / "state");
  ASSERT_TRUE(secrets->apply(*config));
  EXPECT_EQ(sealed_files(directory.path / "state"), before);

  secrets = opened(directory.path / "state");
  const auto arn = stack.find("aws_secretsmanager_secret.db")->attributes["arn"].string();
  EXPECT_TRUE(arn.starts_with("arn:aws:secretsmanager:us-east-1:123456789012:secret:prod-db-")) << arn;
  for (const auto& name : {std::string("prod-db"), arn}) {
    auto value = secrets->value(name);
    ASSERT_TRUE(value) << value.error().message;
    EXPECT_EQ(value->reveal(), R"({"password":"very-secret","username":"app"})");
  }
  const auto empty = stack_of(directory.path / "empty", "", *secrets);
  ASSERT_TRUE(secrets->apply(*configure(empty)));
  EXPECT_FALSE(secrets->value("prod-db"));
  EXPECT_EQ(sealed_files(directory.path / "state").size(), 1U);  // the root credentials
}

TEST(Secrets, OfAServiceStayThroughEveryStackAndChangeOnlyWithTheirValue) {
  const TemporaryDirectory directory;
  auto secrets = opened(directory.path / "state");
  const std::string name = "rds!cluster-1";
  ASSERT_TRUE(secrets->keep(name, "arn:aws:one", Secret("first")));
  const auto files = sealed_files(directory.path / "state");
  ASSERT_TRUE(secrets->keep(name, "arn:aws:one", Secret("first")));
  EXPECT_EQ(sealed_files(directory.path / "state"), files);
  ASSERT_TRUE(secrets->keep(name, "arn:aws:one", Secret("second")));
  secrets = opened(directory.path / "state");
  ASSERT_TRUE(secrets->apply(*configure(stack_of(directory.path / "empty", "", *secrets))));
  EXPECT_EQ(secrets->value("arn:aws:one")->reveal(), "second");
  EXPECT_EQ(secrets->keep("prod-db", "arn:aws:two", Secret("x")).error().code, Errc::kDenied);
}

TEST(Secrets, StandOnDiskWithoutTheirNamesAndValues) {
  const TemporaryDirectory directory;
  auto secrets = opened(directory.path / "state");
  ASSERT_TRUE(secrets->apply(*configure(stack_of(directory.path / "stack", kDatabase, *secrets))));
  for (const auto& file : *base::files_below(directory.path / "state")) {
    const auto path = directory.path / "state" / file;
    const auto bytes = *base::read_file(path);
    EXPECT_EQ(bytes.find("very-secret"), std::string::npos);
    EXPECT_EQ((file.native() + bytes).find("prod-db"), std::string::npos);
    EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  }
}

TEST(Secrets, AreDerivedFromTheMasterKeyAndTheAddress) {
  const TemporaryDirectory directory;
  const auto secrets = opened(directory.path / "a");
  const auto other = opened(directory.path / "b");
  const auto text = secrets->derive("random_password.x", 200, "abc");
  EXPECT_EQ(text.size(), 200U);
  EXPECT_EQ(std::set<char>(text.begin(), text.end()), (std::set<char>{'a', 'b', 'c'}));
  EXPECT_EQ(opened(directory.path / "a")->derive("random_password.x", 200, "abc"), text);
  EXPECT_NE(secrets->derive("random_password.y", 200, "abc"), text);
  EXPECT_NE(other->derive("random_password.x", 200, "abc"), text);
}

TEST(Secrets, MakeRootCredentialsOnce) {
  const TemporaryDirectory directory;
  const auto first = opened(directory.path)->root();
  EXPECT_EQ(first.access_key_id.size(), 20U);
  EXPECT_EQ(first.secret_access_key.reveal().size(), 40U);
  const auto second = opened(directory.path)->root();
  EXPECT_EQ(second.access_key_id, first.access_key_id);
  EXPECT_EQ(second.secret_access_key.reveal(), first.secret_access_key.reveal());
}

TEST(Secrets, RefuseAFileThatWasChangedMovedOrSealedWithAnotherKey) {
  const TemporaryDirectory directory;
  opened(directory.path / "a");
  opened(directory.path / "b");
  const auto file = directory.path / "a" / "sealed" / sealed_files(directory.path / "a").at(0);
  const auto bytes = *base::read_file(file);

  auto changed = bytes;
  changed.back() ^= 1;
  ASSERT_TRUE(base::replace_file(file, changed, 0600));
  auto refused = Secrets::open({.directory = directory.path / "a"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kMalformed);
  EXPECT_NE(refused.error().message.find("was changed or is damaged"), std::string::npos) << refused.error().message;

  fs::remove(file);
  ASSERT_TRUE(base::replace_file(file.parent_path() / "another.sealed", bytes, 0600));
  EXPECT_FALSE(Secrets::open({.directory = directory.path / "a"}));
  fs::remove(file.parent_path() / "another.sealed");

  ASSERT_TRUE(base::replace_file(file, bytes, 0600));
  ASSERT_TRUE(Secrets::open({.directory = directory.path / "a"}));
  fs::copy_file(directory.path / "b" / "master.key", directory.path / "a" / "master.key",
                fs::copy_options::overwrite_existing);
  refused = Secrets::open({.directory = directory.path / "a"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kConflict);

  fs::remove(directory.path / "a" / "master.key");
  refused = Secrets::open({.directory = directory.path / "a"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kConflict);
}

TEST(Secrets, RefuseAMasterKeyThatOthersCanRead) {
  const TemporaryDirectory directory;
  opened(directory.path);
  fs::permissions(directory.path / "master.key", fs::perms::group_read, fs::perm_options::add);
  auto refused = Secrets::open({.directory = directory.path});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kDenied);
}

TEST(Secrets, RefuseADirectoryThatIsAFile) {
  const TemporaryDirectory directory;
  fs::create_directories(directory.path);
  std::ofstream(directory.path / "state") << "x";
  EXPECT_FALSE(Secrets::open({.directory = directory.path / "state"}));
}

TEST(Secrets, RefuseAStackThatGivesASecretTwoValues) {
  const TemporaryDirectory directory;
  const auto secrets = opened(directory.path / "state");
  const auto stack = stack_of(directory.path / "stack", kDatabase + R"(
    resource "aws_secretsmanager_secret_version" "again" {
      secret_id     = "prod-db"
      secret_string = "other"
    })",
                              *secrets);
  EXPECT_FALSE(configure(stack));
}

}  // namespace securebase::secrets
