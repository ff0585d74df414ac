#include "secrets/vault.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "base/check.h"
#include "base/durable.h"
#include "base/encoding.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"

namespace securebase::secrets {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kFileBytes = std::size_t{16} << 20;  // 150 versions of 64 KiB, in base64
constexpr std::size_t kUnlabelled = 20;                    // versions kept that have no label

constexpr std::pair<StoredSecret::Origin, std::string_view> kOrigins[] = {
    {StoredSecret::Origin::kStack, "stack"},
    {StoredSecret::Origin::kApi, "api"},
    {StoredSecret::Origin::kPlatform, "platform"},
};

std::int64_t micros(base::TimePoint time) { return time.time_since_epoch().count(); }
base::TimePoint time_from(const base::Json& json) {
  return base::TimePoint{std::chrono::microseconds{json.integer_or(0)}};
}

base::Json to_json(const StoredSecret& secret) {
  auto tags = base::Json::object();
  for (const auto& [key, value] : secret.tags) tags.set(key, value);
  auto versions = base::Json::array();
  for (const auto& version : secret.versions) {
    auto stages = base::Json::array();
    for (const auto& stage : version.stages) stages.push_back(stage);
    versions.push_back(base::Json::object({{"id", version.id},
                                           {"stages", stages},
                                           {"binary", version.is_binary},
                                           {"created", micros(version.created)},
                                           {"value", base::base64(version.value.reveal())}}));
  }
  auto json = base::Json::object({{"name", secret.name},
                                  {"arn", secret.arn},
                                  {"description", secret.description},
                                  {"kms_key_id", secret.kms_key_id},
                                  {"tags", tags},
                                  {"created", micros(secret.created)},
                                  {"changed", micros(secret.changed)},
                                  {"versions", versions}});
  for (const auto& [origin, word] : kOrigins) {
    if (origin == secret.origin) json.set("origin", word);
  }
  if (secret.delete_at) json.set("delete_at", micros(*secret.delete_at));
  return json;
}

std::optional<StoredSecret> from_json(const base::Json& json) {
  StoredSecret secret;
  secret.name = json["name"].string_or("");
  secret.arn = json["arn"].string_or("");
  secret.description = json["description"].string_or("");
  secret.kms_key_id = json["kms_key_id"].string_or("");
  secret.created = time_from(json["created"]);
  secret.changed = time_from(json["changed"]);
  if (json.find("delete_at")) secret.delete_at = time_from(json["delete_at"]);
  for (const auto& [origin, word] : kOrigins) {
    if (json["origin"].string_or("") == word) secret.origin = origin;
  }
  if (const auto* tags = json["tags"].as_object()) {
    for (const auto& [key, value] : *tags) secret.tags.emplace_back(key, value.string_or(""));
  }
  const auto* versions = json["versions"].as_array();
  if (secret.name.empty() || !versions) return std::nullopt;
  for (const auto& one : *versions) {
    auto value = base::from_base64(one["value"].string_or(""));
    if (!value) return std::nullopt;
    StoredVersion version{std::string(one["id"].string_or("")),
                          {},
                          one["binary"].bool_or(false),
                          time_from(one["created"]),
                          Secret(std::move(*value))};
    if (const auto* stages = one["stages"].as_array()) {
      for (const auto& stage : *stages) version.stages.emplace_back(stage.string_or(""));
    }
    secret.versions.push_back(std::move(version));
  }
  return secret;
}

}  // namespace

bool StoredVersion::has(std::string_view stage) const {
  return std::find(stages.begin(), stages.end(), stage) != stages.end();
}

const StoredVersion* StoredSecret::find(std::string_view version_id) const {
  const auto at = std::find_if(versions.begin(), versions.end(),
                               [version_id](const StoredVersion& version) { return version.id == version_id; });
  return at == versions.end() ? nullptr : &*at;
}

const StoredVersion* StoredSecret::holder(std::string_view stage) const {
  const auto at = std::find_if(versions.begin(), versions.end(),
                               [stage](const StoredVersion& version) { return version.has(stage); });
  return at == versions.end() ? nullptr : &*at;
}

void StoredSecret::remove_stage(std::string_view stage) {
  for (auto& version : versions) std::erase(version.stages, stage);
}

void StoredSecret::move_stage(std::string_view stage, std::string_view version_id) {
  const auto* before = holder(stage);
  if (before && before->id == version_id) return;
  const std::string left = before ? before->id : "";
  remove_stage(stage);
  for (auto& version : versions) {
    if (version.id == version_id) version.stages.emplace_back(stage);
  }
  if (stage != kCurrent) return;
  remove_stage(kPrevious);
  for (auto& version : versions) {
    if (version.id == left) version.stages.emplace_back(kPrevious);
  }
}

void StoredSecret::add(StoredVersion version, const std::vector<std::string>& stages) {
  const std::string id = version.id;
  version.stages.clear();
  versions.push_back(std::move(version));
  for (const auto& stage : stages) move_stage(stage, id);
  if (!holder(kCurrent)) move_stage(kCurrent, id);
  auto unlabelled = static_cast<std::size_t>(
      std::count_if(versions.begin(), versions.end(), [](const StoredVersion& one) { return one.stages.empty(); }));
  for (auto one = versions.begin(); one != versions.end() && unlabelled > kUnlabelled;) {
    if (!one->stages.empty()) {
      ++one;
      continue;
    }
    one = versions.erase(one);
    --unlabelled;
  }
}

Vault::Vault(fs::path directory, const MasterKey& master, const Sealer& sealer)
    : directory_(std::move(directory)), sealer_(sealer), name_key_(master.key_for("file names")) {}

std::string Vault::file_of(std::string_view name) const {
  return base::hex(base::hmac_sha256(name_key_.reveal(), name)).substr(0, 40) + ".sealed";
}

Result<Done> Vault::load() {
  auto files = base::files_below(directory_);
  if (!files) return files.error();
  for (const auto& file : *files) {
    // What a crash left half written bears another ending.
    if (!is_sealed(file)) continue;
    auto secret = open(file.native());
    if (!secret) return secret.error();
    for (auto& version : secret->versions) version.value = Secret();
    index_[secret->name] = std::move(*secret);
  }
  return Done{};
}

Result<StoredSecret> Vault::open(const std::string& file) const {
  auto bytes = base::read_file(directory_ / file, kFileBytes);
  if (!bytes) return bytes.error();
  auto text = sealer_.open(*bytes, file);
  if (!text) return text.error().within("reading " + (directory_ / file).native());
  auto json = base::Json::parse(text->reveal());
  auto secret = json ? from_json(*json) : std::nullopt;
  if (!secret || file_of(secret->name) != file) {
    return Error{Errc::kMalformed, fmt::format("{} does not hold a secret", (directory_ / file).native())};
  }
  return std::move(*secret);
}

const StoredSecret* Vault::find(std::string_view name_or_arn) const {
  if (const auto by_name = index_.find(name_or_arn); by_name != index_.end()) return &by_name->second;
  if (!name_or_arn.starts_with("arn:")) return nullptr;
  for (const auto& [name, secret] : index_) {
    const std::string_view arn = secret.arn;
    if (arn.empty()) continue;
    if (arn == name_or_arn || (arn.size() > 7 && arn.substr(0, arn.size() - 7) == name_or_arn)) return &secret;
  }
  return nullptr;
}

Result<StoredSecret> Vault::read(std::string_view name) const { return open(file_of(name)); }

Result<Done> Vault::write(const StoredSecret& secret) {
  const std::string file = file_of(secret.name);
  const Secret text(to_json(secret).dump());
  auto written = base::replace_file(directory_ / file, sealer_.seal(text.reveal(), file), 0600);
  if (!written) return written;
  auto& kept = index_[secret.name];
  kept = secret;
  for (auto& version : kept.versions) version.value = Secret();
  return Done{};
}

Result<Done> Vault::erase(std::string_view name) {
  const auto found = index_.find(name);
  if (found == index_.end()) return Done{};
  if (auto removed = base::remove_file(directory_ / file_of(name)); !removed) return removed;
  index_.erase(found);
  return Done{};
}

}  // namespace securebase::secrets
