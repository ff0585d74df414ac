#include "secrets/secrets.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>

#include "base/encoding.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/random.h"
#include "secrets/api.h"
#include "secrets/config.h"
#include "secrets/master_key.h"
#include "secrets/seal.h"
#include "secrets/users.h"

namespace securebase::secrets {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kRootName = "platform/root-credentials";
constexpr std::string_view kUsersName = "platform/users";
constexpr std::string_view kSuffix = ".sealed";

// One version of one secret, as it stands in the index. Its value is read from the file when somebody asks.
struct Stored {
  std::string file;  // name in the directory
  std::string name;
  std::string arn;  // empty for the platform's own
  std::string version_id;
  std::string origin;         // "stack", "platform", "service"
  std::int64_t sequence = 0;  // the highest of a name is its current version, the next lower one its previous
};

class FileSecrets final : public Secrets {
 public:
  FileSecrets(Settings settings, MasterKey master)
      : clock_(settings.clock),
        directory_(settings.directory / "sealed"),
        account_(settings.account),
        master_(std::move(master)),
        sealer_(master_),
        name_key_(master_.key_for("file names")) {}

  Result<Done> load() {
    auto files = base::files_below(directory_);
    if (!files) return files.error();
    for (const auto& file : *files) {
      // What a crash left half written bears another ending.
      if (file.extension() != kSuffix) continue;
      auto content = read(file.native());
      if (!content) return content.error();
      const auto& json = content->first;
      insert({file.native(), std::string(json["name"].string_or("")), std::string(json["arn"].string_or("")),
              std::string(json["version"].string_or("")), std::string(json["origin"].string_or("")),
              json["sequence"].integer_or(0)});
    }
    if (auto loaded = load_root(); !loaded) return loaded;
    users_ = std::make_unique<Users>(root_, account_, sealer_, clock_,
                                     [this](const Secret& text) { return put(kUsersName, text); });
    auto users = value(kUsersName);
    return users ? users_->load(*users) : Done{};
  }

  std::string derive(std::string_view address, std::size_t length, std::string_view alphabet) const override {
    return master_.derive(address, length, alphabet);
  }

  Result<Done> apply(std::shared_ptr<const Config> config) override {
    const std::lock_guard lock(mutex_);
    std::set<std::string_view> wanted;
    for (const auto& version : config->versions) {
      wanted.insert(version.name);
      const auto* current = find(version.name);
      if (current != nullptr && current->version_id == version.version_id && current->arn == version.arn) continue;
      if (auto stored = store(version.name, version.arn, version.version_id, "stack", version.value); !stored) {
        return stored;
      }
    }
    roles_ = config->roles;
    std::vector<std::string> gone;
    for (const auto& [name, versions] : index_) {
      if (versions.back().origin == "stack" && !wanted.contains(name)) gone.push_back(name);
    }
    for (const auto& name : gone) {
      if (auto dropped = drop(name, 0); !dropped) return dropped;
    }
    return Done{};
  }

  Result<Secret> value(std::string_view name_or_arn) const override {
    const std::lock_guard lock(mutex_);
    const auto* stored = find(name_or_arn);
    if (stored == nullptr) return Error{Errc::kNotFound, fmt::format("there is no secret \"{}\"", name_or_arn)};
    auto content = read(stored->file);
    if (!content) return content.error();
    return std::move(content->second);
  }

  Result<Done> put(std::string_view name, const Secret& value) override {
    if (!name.starts_with("platform/")) {
      return Error{Errc::kDenied, fmt::format("\"{}\" is not a name of the platform's own secrets", name)};
    }
    const std::lock_guard lock(mutex_);
    if (auto stored = store(name, "", base::random_uuid(), "platform", value); !stored) return stored;
    return drop(std::string(name), 1);
  }

  Result<Done> keep(std::string_view name, const std::string& arn, const Secret& value) override {
    if (name.find('!') == std::string_view::npos) {
      return Error{Errc::kDenied, fmt::format("\"{}\" is not a name of a service's secrets: it has no '!'", name)};
    }
    const std::lock_guard lock(mutex_);
    if (const auto* current = find(name); current != nullptr && current->arn == arn) {
      auto content = read(current->file);
      if (!content) return content.error();
      if (content->second.reveal() == value.reveal()) return Done{};
    }
    return store(name, arn, base::random_uuid(), "service", value);
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

  void add_operations(aws::Operations& operations) override { add_sts_operations(operations, *users_, *this); }

 private:
  // The newest version of the secret; null when there is none.
  const Stored* find(std::string_view name_or_arn) const {
    if (const auto by_name = index_.find(name_or_arn); by_name != index_.end()) return &by_name->second.back();
    for (const auto& [name, versions] : index_) {
      if (!versions.back().arn.empty() && versions.back().arn == name_or_arn) return &versions.back();
    }
    return nullptr;
  }

  void insert(Stored stored) {
    auto& versions = index_[stored.name];
    const auto after =
        std::upper_bound(versions.begin(), versions.end(), stored.sequence,
                         [](std::int64_t sequence, const Stored& one) { return sequence < one.sequence; });
    versions.insert(after, std::move(stored));
  }

  // What the file says, and the value in it.
  Result<std::pair<base::Json, Secret>> read(const std::string& file) const {
    auto bytes = base::read_file(directory_ / file, std::size_t{1} << 20);
    if (!bytes) return bytes.error();
    auto text = sealer_.open(*bytes, file);
    if (!text) return text.error().within("reading " + (directory_ / file).native());
    // "header\nvalue": the header is JSON in one line, the value is any bytes.
    const auto line = text->reveal().find('\n');
    auto header = base::Json::parse(std::string_view(text->reveal()).substr(0, line));
    if (line == std::string::npos || !header) {
      return Error{Errc::kMalformed, fmt::format("{} does not hold a secret", (directory_ / file).native())};
    }
    return std::pair{std::move(*header), Secret(text->reveal().substr(line + 1))};
  }

  Result<Done> store(std::string_view name, const std::string& arn, const std::string& version_id,
                     const std::string& origin, const Secret& value) {
    const auto* current = find(name);
    Stored stored{"", std::string(name), arn, version_id, origin, current == nullptr ? 1 : current->sequence + 1};
    stored.file = hashed(fmt::format("{}\n{}", name, stored.sequence)) + std::string(kSuffix);
    const auto header = base::Json::object({{"name", stored.name},
                                            {"arn", arn},
                                            {"version", version_id},
                                            {"origin", origin},
                                            {"sequence", stored.sequence},
                                            {"created", base::iso8601(clock_.now())}});
    const Secret text(header.dump() + '\n' + value.reveal());
    if (auto written = base::replace_file(directory_ / stored.file, sealer_.seal(text.reveal(), stored.file), 0600);
        !written) {
      return written;
    }
    insert(std::move(stored));
    return drop(std::string(name), 2);  // current and previous
  }

  // Deletes all but the `kept` newest versions.
  Result<Done> drop(const std::string& name, std::size_t kept) {
    const auto found = index_.find(name);
    if (found == index_.end()) return Done{};
    auto& versions = found->second;
    while (versions.size() > kept) {
      std::error_code failure;
      fs::remove(directory_ / versions.front().file, failure);
      if (failure) return system_error(failure.value(), "delete", (directory_ / versions.front().file).native());
      versions.erase(versions.begin());
    }
    if (versions.empty()) index_.erase(found);
    return Done{};
  }

  Result<Done> load_root() {
    const std::lock_guard lock(mutex_);
    const auto* stored = find(kRootName);
    if (stored == nullptr) {
      constexpr std::string_view kIdAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
      constexpr std::string_view kKeyAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
      root_ = {"AKIA" + base::random_text(16, kIdAlphabet), Secret(base::random_text(40, kKeyAlphabet))};
      const Secret value(root_.access_key_id + '\n' + root_.secret_access_key.reveal());
      return store(kRootName, "", base::random_uuid(), "platform", value);
    }
    auto content = read(stored->file);
    if (!content) return content.error();
    const auto& text = content->second.reveal();
    const auto line = text.find('\n');
    if (line == std::string::npos) return Error{Errc::kMalformed, "the stored root credentials cannot be read"};
    root_ = {text.substr(0, line), Secret(text.substr(line + 1))};
    return Done{};
  }

  std::string hashed(std::string_view text) const {
    return base::hex(base::hmac_sha256(name_key_.reveal(), text)).substr(0, 40);
  }

  const base::Clock& clock_;
  const fs::path directory_;
  const std::string account_;
  const MasterKey master_;
  const Sealer sealer_;
  const Secret name_key_;
  RootCredentials root_;  // constant after load(), as is the next
  std::unique_ptr<Users> users_;
  mutable std::mutex mutex_;
  std::vector<Role> roles_;
  std::map<std::string, std::vector<Stored>, std::less<>> index_;  // by name; versions from old to new, never empty
};

}  // namespace

Result<std::unique_ptr<Secrets>> Secrets::open(Settings settings) {
  if (auto made = base::make_directory(settings.directory / "sealed", 0700); !made) return made.error();
  auto files = base::files_below(settings.directory / "sealed");
  if (!files) return files.error();
  const bool sealed =
      std::any_of(files->begin(), files->end(), [](const fs::path& file) { return file.extension() == kSuffix; });
  auto master = MasterKey::open(settings.directory / "master.key",
                                sealed ? MasterKey::WhenMissing::kRefuse : MasterKey::WhenMissing::kMake);
  if (!master) return master.error();
  auto secrets = std::make_unique<FileSecrets>(std::move(settings), std::move(*master));
  if (auto loaded = secrets->load(); !loaded) return loaded.error();
  return std::unique_ptr<Secrets>(std::move(secrets));
}

}  // namespace securebase::secrets
