#include "secrets/manager.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/hash.h"
#include "base/random.h"

namespace securebase::secrets {

namespace {

using aws::Call;
using aws::Fault;
using aws::Outcome;
using aws::Value;

constexpr std::size_t kMaxSecrets = 10'000;
constexpr std::size_t kMaxTags = 50;
constexpr std::size_t kMaxStages = 20;
constexpr std::chrono::hours kLongestRecovery{30 * 24};

Fault not_found(std::string_view what = "the specified secret") {
  return {"ResourceNotFoundException", fmt::format("Secrets Manager can't find {}.", what), 0, {}};
}
Fault bad_parameter(std::string message) { return {"InvalidParameterException", std::move(message), 0, {}}; }
Fault bad_request(std::string message) { return {"InvalidRequestException", std::move(message), 0, {}}; }
Fault exists(std::string message) { return {"ResourceExistsException", std::move(message), 0, {}}; }
Fault internal(const Error& error) { return {"InternalServiceError", error.message, 500, {}}; }

bool is_own(const StoredSecret& secret) { return secret.origin == StoredSecret::Origin::kPlatform; }

// What a call brings as a value. nullopt: none.
struct Brought {
  Secret value;
  bool is_binary = false;
};

Result<std::optional<Brought>, Fault> brought_by(const Call& call) {
  const auto* text = call.input["SecretString"].as_string();
  const auto* bytes = call.input["SecretBinary"].as_blob();
  if (text && bytes) return bad_parameter("You can't specify both SecretString and SecretBinary.");
  if (text) return std::optional(Brought{Secret(*text), false});
  if (bytes) return std::optional(Brought{Secret(bytes->bytes), true});
  return std::optional<Brought>();
}

// The token is the version's id: who sends it again with the same value means the same version. True: it is new.
Result<bool, Fault> put_version(StoredSecret& secret, const Call& call, Brought brought,
                                const std::vector<std::string>& stages, base::TimePoint now) {
  const std::string id(call.input["ClientRequestToken"].string_or(""));
  if (const auto* held = secret.find(id)) {
    if (held->is_binary == brought.is_binary &&
        base::equal_in_constant_time(held->value.reveal(), brought.value.reveal())) {
      return false;
    }
    return exists(
        fmt::format("You can't use ClientRequestToken {} because that value is already in use for a version "
                    "of secret {}.",
                    id, secret.arn));
  }
  secret.add({id, {}, brought.is_binary, now, std::move(brought.value)}, stages);
  return true;
}

std::string version_id_of(const Call& call) { return std::string(call.input["ClientRequestToken"].string_or("")); }

Value stages_of(const StoredVersion& version) {
  Value::List stages;
  for (const auto& stage : version.stages) stages.push_back(stage);
  return stages;
}

Value tags_of(const StoredSecret& secret) {
  Value::List tags;
  for (const auto& [key, value] : secret.tags) tags.push_back(Value::structure({{"Key", key}, {"Value", value}}));
  return tags;
}

Result<Done, Fault> set_tags(StoredSecret& secret, const Value& tags) {
  for (const auto& tag : tags.elements()) {
    const std::string key(tag["Key"].string_or(""));
    const std::string value(tag["Value"].string_or(""));
    const auto held =
        std::find_if(secret.tags.begin(), secret.tags.end(), [&key](const auto& one) { return one.first == key; });
    if (held != secret.tags.end()) {
      held->second = value;
    } else {
      secret.tags.emplace_back(key, value);
    }
  }
  if (secret.tags.size() > kMaxTags) {
    return bad_parameter(fmt::format("A secret can have at most {} tags.", kMaxTags));
  }
  return Done{};
}

// What DescribeSecret and ListSecrets have in common.
Value words_of(const StoredSecret& secret, std::string_view stages_member) {
  Value described = Value::structure({{"ARN", secret.arn},
                                      {"Name", secret.name},
                                      {"LastChangedDate", secret.changed},
                                      {"CreatedDate", secret.created},
                                      {"Tags", tags_of(secret)}});
  if (!secret.description.empty()) described.set("Description", secret.description);
  if (!secret.kms_key_id.empty()) described.set("KmsKeyId", secret.kms_key_id);
  if (secret.delete_at) described.set("DeletedDate", *secret.delete_at);
  Value versions = Value::structure();
  for (const auto& version : secret.versions) {
    if (!version.stages.empty()) versions.set(version.id, stages_of(version));
  }
  described.set(stages_member, std::move(versions));
  return described;
}

bool equal_ignoring_case(char a, char b) {
  return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
}

bool contains_word(std::string_view text, std::string_view word) {
  return std::search(text.begin(), text.end(), word.begin(), word.end(), equal_ignoring_case) != text.end();
}

// "all" looks everywhere. Names and tags match from their beginning, with their case; descriptions anywhere, without.
bool matches(const StoredSecret& secret, std::string_view key, std::string_view wanted) {
  const bool all = key == "all";
  if ((all || key == "name") && secret.name.starts_with(wanted)) return true;
  if ((all || key == "description") && contains_word(secret.description, wanted)) return true;
  for (const auto& [tag, value] : secret.tags) {
    if ((all || key == "tag-key") && tag.starts_with(wanted)) return true;
    if ((all || key == "tag-value") && value.starts_with(wanted)) return true;
  }
  return false;
}

// Every filter has to match, each by one of its values; "!" before a value turns it around.
bool passes(const StoredSecret& secret, const Value& filters) {
  return std::all_of(filters.elements().begin(), filters.elements().end(), [&secret](const Value& filter) {
    const auto& values = filter["Values"].elements();
    return std::any_of(values.begin(), values.end(), [&](const Value& value) {
      auto wanted = value.string_or("");
      const bool negated = wanted.starts_with('!');
      if (negated) wanted.remove_prefix(1);
      return matches(secret, filter["Key"].string_or(""), wanted) != negated;
    });
  });
}

}  // namespace

void Manager::sweep() {
  std::vector<std::string> over;
  for (const auto& [name, secret] : vault_.all()) {
    if (secret.delete_at && *secret.delete_at <= clock_.now()) over.push_back(name);
  }
  // What cannot be deleted now is tried again at the next look.
  for (const auto& name : over) static_cast<void>(vault_.erase(name).has_value());
}

Result<StoredSecret, Fault> Manager::find(const Call& call) {
  sweep();
  const auto* found = vault_.find(call.input["SecretId"].string_or(""));
  if (!found || is_own(*found)) return not_found();
  auto secret = vault_.read(found->name);
  if (!secret) return internal(secret.error());
  return std::move(*secret);
}

Result<StoredSecret, Fault> Manager::find_usable(const Call& call) {
  auto secret = find(call);
  if (secret && secret->delete_at) {
    return bad_request("You can't perform this operation on the secret because it was marked for deletion.");
  }
  return secret;
}

Result<Done, Fault> Manager::write(StoredSecret& secret) {
  secret.changed = clock_.now();
  if (auto written = vault_.write(secret); !written) return internal(written.error());
  return Done{};
}

Outcome Manager::create(const Call& call) {
  const std::lock_guard lock(mutex_);
  sweep();
  const std::string name(call.input["Name"].string_or(""));
  if (name.starts_with("platform/")) return bad_parameter("Names that begin with platform/ are SecureBase's own.");
  auto brought = brought_by(call);
  if (!brought) return brought.error();
  const auto answer = [&](const StoredSecret& secret) {
    auto output = Value::structure({{"ARN", secret.arn}, {"Name", secret.name}});
    if (*brought) output.set("VersionId", version_id_of(call));
    return output;
  };
  if (const auto* held = vault_.find(name)) {
    if (held->delete_at) {
      return bad_request(
          "You can't create this secret because a secret with this name is already scheduled for deletion.");
    }
    auto secret = vault_.read(name);
    if (!secret) return internal(secret.error());
    // The same call once more, after its answer was lost.
    if (*brought && secret->find(version_id_of(call))) {
      auto output = answer(*secret);
      auto put = put_version(*secret, call, std::move(**brought), {}, clock_.now());
      if (!put) return put.error();
      return output;
    }
    return exists(fmt::format("The operation failed because the secret {} already exists.", name));
  }
  if (vault_.all().size() >= kMaxSecrets) {
    return Fault{"LimitExceededException", fmt::format("There are {} secrets already.", kMaxSecrets), 0, {}};
  }
  StoredSecret secret;
  secret.name = name;
  constexpr std::string_view kSuffix = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  secret.arn = fmt::format("arn:aws:secretsmanager:{}:{}:secret:{}-{}", call.region, call.account, name,
                           base::random_text(6, kSuffix));
  secret.description = call.input["Description"].string_or("");
  secret.kms_key_id = call.input["KmsKeyId"].string_or("");
  secret.created = clock_.now();
  if (auto set = set_tags(secret, call.input["Tags"]); !set) return set.error();
  auto output = answer(secret);
  if (*brought) {
    auto put = put_version(secret, call, std::move(**brought), {std::string(kCurrent)}, clock_.now());
    if (!put) return put.error();
  }
  if (auto written = write(secret); !written) return written.error();
  return output;
}

Outcome Manager::get_value(const Call& call) {
  const std::lock_guard lock(mutex_);
  auto secret = find_usable(call);
  if (!secret) return secret.error();
  const auto id = call.input["VersionId"].string_or("");
  const auto stage = call.input["VersionStage"].string_or(id.empty() ? kCurrent : std::string_view());
  const auto* version = id.empty() ? secret->holder(stage) : secret->find(id);
  if (!version) {
    return not_found(id.empty() ? fmt::format("the specified secret value for staging label: {}", stage)
                                : fmt::format("the specified secret value for VersionId: {}", id));
  }
  if (!stage.empty() && !version->has(stage)) {
    return bad_request("You provided a VersionStage that is not associated to the provided VersionId.");
  }
  auto output = Value::structure({{"ARN", secret->arn}, {"Name", secret->name}, {"VersionId", version->id}});
  if (version->is_binary) {
    output.set("SecretBinary", aws::Blob{version->value.reveal()});
  } else {
    output.set("SecretString", version->value.reveal());
  }
  output.set("VersionStages", stages_of(*version));
  output.set("CreatedDate", version->created);
  return output;
}

Outcome Manager::put_value(const Call& call) {
  const std::lock_guard lock(mutex_);
  auto brought = brought_by(call);
  if (!brought) return brought.error();
  if (!*brought) return bad_request("You must provide either SecretString or SecretBinary.");
  auto secret = find_usable(call);
  if (!secret) return secret.error();
  std::vector<std::string> stages;
  for (const auto& stage : call.input["VersionStages"].elements()) stages.emplace_back(stage.string_or(""));
  if (stages.empty()) stages.emplace_back(kCurrent);
  if (stages.size() > kMaxStages) return bad_parameter(fmt::format("More than {} staging labels.", kMaxStages));
  const auto id = version_id_of(call);
  auto fresh = put_version(*secret, call, std::move(**brought), stages, clock_.now());
  if (!fresh) return fresh.error();
  if (*fresh) {
    if (auto written = write(*secret); !written) return written.error();
  }
  return Value::structure({{"ARN", secret->arn},
                           {"Name", secret->name},
                           {"VersionId", id},
                           {"VersionStages", stages_of(*secret->find(id))}});
}

Outcome Manager::update(const Call& call) {
  const std::lock_guard lock(mutex_);
  auto brought = brought_by(call);
  if (!brought) return brought.error();
  auto secret = find_usable(call);
  if (!secret) return secret.error();
  if (const auto* text = call.input["Description"].as_string()) secret->description = *text;
  if (const auto* text = call.input["KmsKeyId"].as_string()) secret->kms_key_id = *text;
  auto output = Value::structure({{"ARN", secret->arn}, {"Name", secret->name}});
  if (*brought) {
    auto put = put_version(*secret, call, std::move(**brought), {std::string(kCurrent)}, clock_.now());
    if (!put) return put.error();
    output.set("VersionId", version_id_of(call));
  }
  if (auto written = write(*secret); !written) return written.error();
  return output;
}

Outcome Manager::update_stage(const Call& call) {
  const std::lock_guard lock(mutex_);
  auto secret = find_usable(call);
  if (!secret) return secret.error();
  const auto stage = call.input["VersionStage"].string_or("");
  const auto from = call.input["RemoveFromVersionId"].string_or("");
  const auto to = call.input["MoveToVersionId"].string_or("");
  const auto* holder = secret->holder(stage);
  if (!to.empty() && !secret->find(to)) return not_found(fmt::format("the specified secret version: {}", to));
  if (!from.empty() && (!holder || holder->id != from)) {
    return bad_parameter(
        fmt::format("The parameter RemoveFromVersionId can't be {}: it does not hold {}.", from, stage));
  }
  if (holder && from.empty() && holder->id != to) {
    return bad_parameter(
        fmt::format("The staging label {} is held by version {}; name it in RemoveFromVersionId.", stage, holder->id));
  }
  if (to.empty() && stage == kCurrent) return bad_parameter("You can't remove AWSCURRENT, only move it.");
  if (to.empty()) {
    secret->remove_stage(stage);
  } else {
    secret->move_stage(stage, to);
  }
  if (auto written = write(*secret); !written) return written.error();
  return Value::structure({{"ARN", secret->arn}, {"Name", secret->name}});
}

Outcome Manager::describe(const Call& call) {
  const std::lock_guard lock(mutex_);
  auto secret = find(call);
  if (!secret) return secret.error();
  return words_of(*secret, "VersionIdsToStages");
}

Outcome Manager::list(const Call& call) {
  Value::List secrets;
  {
    const std::lock_guard lock(mutex_);
    sweep();
    const bool with_deleted = call.input["IncludePlannedDeletion"].bool_or(false);
    for (const auto& [name, secret] : vault_.all()) {
      if (is_own(secret) || (secret.delete_at && !with_deleted) || !passes(secret, call.input["Filters"])) continue;
      secrets.push_back(words_of(secret, "SecretVersionsToStages"));
    }
  }
  auto page = aws::paginate(call, Value::structure({{"SecretList", std::move(secrets)}}), "Name");
  if (!page) return page.error();
  return std::move(*page);
}

Outcome Manager::list_versions(const Call& call) {
  const std::lock_guard lock(mutex_);
  auto secret = find(call);
  if (!secret) return secret.error();
  const bool deprecated = call.input["IncludeDeprecated"].bool_or(false);
  Value::List versions;
  for (const auto& version : secret->versions) {
    if (version.stages.empty() && !deprecated) continue;
    versions.push_back(Value::structure(
        {{"VersionId", version.id}, {"VersionStages", stages_of(version)}, {"CreatedDate", version.created}}));
  }
  auto page = aws::paginate(
      call, Value::structure({{"Versions", std::move(versions)}, {"ARN", secret->arn}, {"Name", secret->name}}),
      "VersionId");
  if (!page) return page.error();
  return std::move(*page);
}

Outcome Manager::remove(const Call& call) {
  const bool at_once = call.input["ForceDeleteWithoutRecovery"].bool_or(false);
  const auto* window = call.input.find("RecoveryWindowInDays");
  if (at_once && window) {
    return bad_parameter("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.");
  }
  const std::chrono::hours recovery = window ? std::chrono::hours(24 * window->integer_or(0)) : kLongestRecovery;
  if (window && (recovery < std::chrono::hours(7 * 24) || recovery > kLongestRecovery)) {
    return bad_parameter("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).");
  }
  const std::lock_guard lock(mutex_);
  auto secret = at_once ? find(call) : find_usable(call);
  if (!secret) {
    // Gone is gone, as AWS has it when no recovery was asked for.
    if (!at_once || secret.error().code != "ResourceNotFoundException") return secret.error();
    const auto name = call.input["SecretId"].string_or("");
    return Value::structure(
        {{"ARN", fmt::format("arn:aws:secretsmanager:{}:{}:secret:{}", call.region, call.account, name)},
         {"Name", name},
         {"DeletionDate", clock_.now()}});
  }
  const auto when = at_once ? clock_.now() : clock_.now() + recovery;
  if (at_once) {
    if (auto erased = vault_.erase(secret->name); !erased) return internal(erased.error());
  } else {
    secret->delete_at = when;
    if (auto written = write(*secret); !written) return written.error();
  }
  return Value::structure({{"ARN", secret->arn}, {"Name", secret->name}, {"DeletionDate", when}});
}

Outcome Manager::restore(const Call& call) {
  const std::lock_guard lock(mutex_);
  auto secret = find(call);
  if (!secret) return secret.error();
  secret->delete_at.reset();
  if (auto written = write(*secret); !written) return written.error();
  return Value::structure({{"ARN", secret->arn}, {"Name", secret->name}});
}

Outcome Manager::tag(const Call& call) {
  const std::lock_guard lock(mutex_);
  auto secret = find_usable(call);
  if (!secret) return secret.error();
  if (auto set = set_tags(*secret, call.input["Tags"]); !set) return set.error();
  if (auto written = write(*secret); !written) return written.error();
  return aws::Answer();
}

Outcome Manager::untag(const Call& call) {
  const std::lock_guard lock(mutex_);
  auto secret = find_usable(call);
  if (!secret) return secret.error();
  for (const auto& key : call.input["TagKeys"].elements()) {
    std::erase_if(secret->tags, [&key](const auto& tag) { return tag.first == key.string_or(""); });
  }
  if (auto written = write(*secret); !written) return written.error();
  return aws::Answer();
}

}  // namespace securebase::secrets
