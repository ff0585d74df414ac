#include "secrets/secrets.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <set>

#include "base/encoding.h"
#include "base/file.h"
#include "base/random.h"
#include "secrets/api.h"
#include "secrets/config.h"
#include "secrets/manager.h"
#include "secrets/master_key.h"
#include "secrets/seal.h"
#include "secrets/users.h"
#include "secrets/vault.h"

namespace securebase::secrets {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kRootName = "platform/root-credentials";
constexpr std::string_view kUsersName = "platform/users";

class FileSecrets final : public Secrets {
 public:
  FileSecrets(Settings settings, MasterKey master)
      : clock_(settings.clock),
        account_(settings.account),
        master_(std::move(master)),
        sealer_(master_),
        vault_(settings.directory / "sealed", master_, sealer_),
        manager_(vault_, mutex_, clock_) {}

  Result<Done> load() {
    const std::lock_guard lock(mutex_);
    if (auto loaded = vault_.load(); !loaded) return loaded;
    if (auto loaded = load_root(); !loaded) return loaded;
    users_ = std::make_unique<Users>(root_, account_, sealer_, clock_,
                                     [this](const Secret& text) { return put(kUsersName, text); });
    auto users = current_of(kUsersName);
    return users ? users_->load(*users) : Done{};
  }

  std::string derive(std::string_view address, std::size_t length, std::string_view alphabet) const override {
    return master_.derive(address, length, alphabet);
  }

  Result<Done> apply(std::shared_ptr<const Config> config) override {
    const std::lock_guard lock(mutex_);
    std::set<std::string_view> wanted;
    for (const auto& declared : config->secrets) {
      wanted.insert(declared.name);
      if (auto put_back = put_back_one(declared, *config); !put_back) return put_back;
    }
    std::vector<std::string> gone;
    for (const auto& [name, secret] : vault_.all()) {
      if (secret.origin == StoredSecret::Origin::kStack && !wanted.contains(name)) gone.push_back(name);
    }
    for (const auto& name : gone) {
      if (auto erased = vault_.erase(name); !erased) return erased;
    }
    roles_ = config->roles;
    return Done{};
  }

  Result<Secret> value(std::string_view name_or_arn) const override {
    const std::lock_guard lock(mutex_);
    return current_of(name_or_arn);
  }

  Result<Done> put(std::string_view name, const Secret& value) override {
    if (!name.starts_with("platform/")) {
      return Error{Errc::kDenied, fmt::format("\"{}\" is not a name of the platform's own secrets", name)};
    }
    const std::lock_guard lock(mutex_);
    return put_own(name, value);
  }

  Result<Done> keep(std::string_view name, const std::string& arn, const Secret& value) override {
    if (name.find('!') == std::string_view::npos) {
      return Error{Errc::kDenied, fmt::format("\"{}\" is not a name of a service's secrets: it has no '!'", name)};
    }
    const std::lock_guard lock(mutex_);
    StoredSecret secret;
    if (const auto* found = vault_.find(name); found && found->arn == arn) {
      auto read = vault_.read(name);
      if (!read) return read.error();
      const auto* current = read->holder(kCurrent);
      if (current && current->value.reveal() == value.reveal()) return Done{};
      secret = std::move(*read);
    } else {
      secret.name = name;
      secret.arn = arn;
      secret.created = clock_.now();
    }
    secret.changed = clock_.now();
    secret.add({base::random_uuid(), {}, false, clock_.now(), value}, {std::string(kCurrent)});
    return vault_.write(secret);
  }

  const RootCredentials& root() const override { return root_; }

  const aws::Identities& identities() const override { return *users_; }
  Result<User> create_user(std::string_view name) override { return users_->create(name); }
  std::vector<User> users() const override { return users_->list(); }
  Result<Done> delete_user(std::string_view name) override { return users_->remove(name); }
  Result<User> rotate_user(std::string_view name) override { return users_->rotate(name); }

  std::optional<Role> role(std::string_view arn) const override {
    const std::lock_guard lock(mutex_);
    for (const auto& role : roles_) {
      if (role.arn == arn) return role;
    }
    return std::nullopt;
  }

  void add_operations(aws::Operations& operations) override {
    add_sts_operations(operations, *users_, *this);
    add_manager_operations(operations, manager_);
  }

 private:
  // Under the lock, as all below.
  Result<Secret> current_of(std::string_view name_or_arn) const {
    const auto* found = vault_.find(name_or_arn);
    if (!found) return Error{Errc::kNotFound, fmt::format("there is no secret \"{}\"", name_or_arn)};
    auto secret = vault_.read(found->name);
    if (!secret) return secret.error();
    const auto* current = secret->holder(kCurrent);
    if (!current) return Error{Errc::kNotFound, fmt::format("the secret \"{}\" has no value yet", found->name)};
    return current->value;
  }

  // What the stack says of a secret holds again: that it is there, what is said of it, and its value if the stack has
  // one. Versions that the API put stay beside it.
  Result<Done> put_back_one(const Declared& declared, const Config& config) {
    const auto* found = vault_.find(declared.name);
    StoredSecret secret;
    if (found && found->arn == declared.arn) {
      auto read = vault_.read(declared.name);
      if (!read) return read.error();
      secret = std::move(*read);
    }
    const bool fresh = secret.name.empty();
    const auto version = std::find_if(config.versions.begin(), config.versions.end(),
                                      [&declared](const Version& one) { return one.name == declared.name; });
    const bool has_value = version != config.versions.end();
    const auto* current = secret.holder(kCurrent);
    const bool value_stands = !has_value || (current && current->id == version->version_id);
    const bool words_stand = secret.description == declared.description && secret.tags == declared.tags &&
                             !secret.delete_at && secret.origin == StoredSecret::Origin::kStack;
    if (!fresh && value_stands && words_stand) return Done{};
    if (fresh) secret.created = clock_.now();
    secret.name = declared.name;
    secret.arn = declared.arn;
    secret.description = declared.description;
    secret.tags = declared.tags;
    secret.origin = StoredSecret::Origin::kStack;
    secret.delete_at.reset();
    secret.changed = clock_.now();
    if (!value_stands) {
      if (secret.find(version->version_id)) {
        secret.move_stage(kCurrent, version->version_id);
      } else {
        secret.add({version->version_id, {}, version->is_binary, clock_.now(), version->value},
                   {std::string(kCurrent)});
      }
    }
    return vault_.write(secret);
  }

  Result<Done> put_own(std::string_view name, const Secret& value) {
    StoredSecret secret;
    secret.name = name;
    secret.origin = StoredSecret::Origin::kPlatform;
    secret.created = secret.changed = clock_.now();
    secret.add({base::random_uuid(), {}, false, clock_.now(), value}, {});
    return vault_.write(secret);
  }

  Result<Done> load_root() {
    if (!vault_.find(kRootName)) {
      constexpr std::string_view kIdAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
      constexpr std::string_view kKeyAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
      root_ = {"AKIA" + base::random_text(16, kIdAlphabet), Secret(base::random_text(40, kKeyAlphabet))};
      return put_own(kRootName, Secret(root_.access_key_id + '\n' + root_.secret_access_key.reveal()));
    }
    auto content = current_of(kRootName);
    if (!content) return content.error();
    const auto& text = content->reveal();
    const auto line = text.find('\n');
    if (line == std::string::npos) return Error{Errc::kMalformed, "the stored root credentials cannot be read"};
    root_ = {text.substr(0, line), Secret(text.substr(line + 1))};
    return Done{};
  }

  const base::Clock& clock_;
  const std::string account_;
  const MasterKey master_;
  const Sealer sealer_;
  RootCredentials root_;  // constant after load(), as is the next
  std::unique_ptr<Users> users_;
  mutable std::mutex mutex_;
  Vault vault_;
  std::vector<Role> roles_;
  Manager manager_;
};

}  // namespace

Result<std::unique_ptr<Secrets>> Secrets::open(Settings settings) {
  for (const auto& directory : {settings.directory, settings.directory / "sealed"}) {
    if (auto made = base::make_directory(directory, 0700); !made) return made.error();
  }
  auto files = base::files_below(settings.directory / "sealed");
  if (!files) return files.error();
  const bool sealed = std::any_of(files->begin(), files->end(), Vault::is_sealed);
  auto master = MasterKey::open(settings.directory / "master.key",
                                sealed ? MasterKey::WhenMissing::kRefuse : MasterKey::WhenMissing::kMake);
  if (!master) return master.error();
  auto secrets = std::make_unique<FileSecrets>(std::move(settings), std::move(*master));
  if (auto loaded = secrets->load(); !loaded) return loaded.error();
  return std::unique_ptr<Secrets>(std::move(secrets));
}

}  // namespace securebase::secrets
