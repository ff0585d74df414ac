// aws_secretsmanager_secret and aws_secretsmanager_secret_version. random_password and its like are the Terraform
// reader's own: they ask Context::derive_secret, which is Secrets::derive.
#include <fmt/format.h>

#include <cctype>
#include <cstdlib>
#include <map>
#include <optional>

#include "base/encoding.h"
#include "base/hash.h"
#include "secrets/config.h"
#include "secrets/secrets.h"

namespace securebase::secrets {

namespace {

struct SecretResource {
  std::optional<std::string> name;
  std::string name_prefix;
  std::string description;
  std::map<std::string, std::string> tags;
};

struct VersionResource {
  std::string secret_id;
  std::optional<std::string> secret_string;
  std::optional<std::string> secret_string_wo;  // the same, which Terraform does not keep
  std::optional<std::string> secret_binary;
  std::vector<std::string> version_stages;
};

std::string name_of(const SecretResource& secret, const stack::Context& context) {
  if (secret.name) return *secret.name;
  return (secret.name_prefix.empty() ? "terraform-" : secret.name_prefix) +
         base::hex(base::sha256(context.address)).substr(0, 26);
}

std::string arn_of(const SecretResource& secret, const stack::Context& context) {
  // Secrets Manager adds six characters, so that a secret made anew under an old name has an ARN of its own.
  return context.arn("secretsmanager", fmt::format("secret:{}-{}", name_of(secret, context),
                                                   base::hex(base::sha256("suffix\n" + context.address)).substr(0, 6)));
}

std::string text_of(const VersionResource& version) {
  return version.secret_string.value_or(version.secret_string_wo.value_or(""));
}

// A new value is a new version. It must not tell the value, so it is derived with the master key.
std::string version_of(const VersionResource& version, const stack::Context& context) {
  const std::string value = text_of(version) + '\n' + version.secret_binary.value_or("");
  const std::string seed = context.address + "\nversion\n" + base::hex(base::sha256(value));
  const std::string digits = context.derive_secret ? context.derive_secret(seed, 32, "0123456789abcdef")
                                                   : base::hex(base::sha256(context.address)).substr(0, 32);
  return fmt::format("{}-{}-{}-{}-{}", digits.substr(0, 8), digits.substr(8, 4), digits.substr(12, 4),
                     digits.substr(16, 4), digits.substr(20));
}

auto secret_block() {
  return stack::resource<SecretResource>("aws_secretsmanager_secret", "secrets", "A secret; its value is a version.")
      .attribute("name", &SecretResource::name, std::nullopt, stack::matches("[A-Za-z0-9/_+=.@-]{1,512}"), "Its name.")
      .replaces()
      .attribute("name_prefix", &SecretResource::name_prefix, "", "Begins the name when no name is given.")
      .replaces()
      .attribute("description", &SecretResource::description, "", "What it is for.")
      .attribute("tags", &SecretResource::tags, {}, "Labels.")
      .known("kms_key_id", "secrets are sealed with the state directory's master key")
      .known("recovery_window_in_days", "a secret that the files no longer hold is deleted at once")
      .known("force_overwrite_replica_secret", "one machine has no replicas")
      .known("policy", "resource policies are not evaluated here")
      .known("replica", "one machine has no replicas")
      .computed("name", name_of)
      .computed("arn", arn_of)
      .computed("id", arn_of)
      .rule("Either name or name_prefix is set, not both.",
            [](const SecretResource& secret) { return !secret.name || secret.name_prefix.empty(); });
}

auto version_block() {
  return stack::resource<VersionResource>("aws_secretsmanager_secret_version", "secrets", "The value of a secret.")
      .required("secret_id", &VersionResource::secret_id, "The secret, by ARN or name.")
      .replaces()
      .attribute("secret_string", &VersionResource::secret_string, std::nullopt, stack::length(1, 65'536), "Its text.")
      .sensitive()
      .attribute("secret_string_wo", &VersionResource::secret_string_wo, std::nullopt, stack::length(1, 65'536),
                 "Its text, which no plan and no state shows.")
      .sensitive()
      .known("secret_string_wo_version", "the text is compared by itself")
      .attribute("secret_binary", &VersionResource::secret_binary, std::nullopt, "Its bytes, in base64.")
      .sensitive()
      .attribute("version_stages", &VersionResource::version_stages, {},
                 "Labels; the version is AWSCURRENT in any case.")
      .computed("arn", [](const VersionResource& version) { return version.secret_id; })
      .computed("version_id", version_of)
      .computed("id", [](const VersionResource& version,
                         const stack::Context& c) { return version.secret_id + "|" + version_of(version, c); })
      .rule("Exactly one of secret_string, secret_string_wo and secret_binary is set.",
            [](const VersionResource& version) {
              return version.secret_string.has_value() + version.secret_string_wo.has_value() +
                         version.secret_binary.has_value() ==
                     1;
            });
}

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace

void declare(stack::Catalogue& catalogue) {
  catalogue.add(secret_block());
  catalogue.add(version_block());
}

Result<std::shared_ptr<const Config>, stack::Diagnostics> configure(const stack::Stack& stack) {
  stack::Diagnostics wrong;
  auto config = std::make_shared<Config>();
  std::map<std::string, std::pair<std::string, std::string>> known;  // by ARN and by name: name and ARN
  for (const auto& found : stack.all<SecretResource>("aws_secretsmanager_secret")) {
    const std::pair<std::string, std::string> secret{found.resource.attributes["name"].string(),
                                                     found.resource.attributes["arn"].string()};
    if (secret.first.starts_with("platform/")) {
      wrong.error("Reserved name", "Names that begin with \"platform/\" are the platform's own.",
                  found.resource.range());
    }
    if (!known.emplace(secret.first, secret).second) {
      wrong.error("Secret declared twice", fmt::format("There is another secret \"{}\" in these files.", secret.first),
                  found.resource.range());
    }
    known.emplace(secret.second, secret);
    config->secrets.push_back(
        {secret.first, secret.second, found.value.description, {found.value.tags.begin(), found.value.tags.end()}});
  }
  for (const auto& resource : stack.resources) {
    if (resource.type != "aws_iam_role") continue;
    const auto text = [&resource](std::string_view name) { return resource.attributes[name].to_text().value_or(""); };
    Role role{text("arn"), text("name"), text("unique_id"), std::chrono::hours(1)};
    // Roles' ids are drawn from their addresses, so that they stay.
    if (!role.id.starts_with("AROA")) role.id = "AROA" + upper(base::hex(base::sha256(resource.address)).substr(0, 16));
    const auto longest = text("max_session_duration");
    if (!longest.empty()) role.longest_session = std::chrono::seconds(std::atoll(longest.c_str()));
    if (!role.arn.empty()) config->roles.push_back(std::move(role));
  }
  std::map<std::string, std::string> versions;  // by secret: address
  for (const auto& found : stack.all<VersionResource>("aws_secretsmanager_secret_version")) {
    const auto secret = known.find(found.value.secret_id);
    if (secret == known.end()) {
      wrong.error(
          "No such secret",
          fmt::format("secret_id \"{}\" names no aws_secretsmanager_secret of these files.", found.value.secret_id),
          found.resource.range());
      continue;
    }
    const auto& [name, arn] = secret->second;
    if (const auto [other, fresh] = versions.emplace(name, found.resource.address); !fresh) {
      wrong.error(
          "Secret with two values",
          fmt::format("{} gives secret \"{}\" a value, too; one of them would win by chance.", other->second, name),
          found.resource.range());
    }
    Version version{name, arn, found.resource.attributes["version_id"].string(), {}, false};
    if (found.value.secret_binary) {
      auto bytes = base::from_base64(*found.value.secret_binary);
      if (!bytes) wrong.error("Not base64", "secret_binary is written in base64.", found.resource.range());
      version.value = Secret(bytes.value_or(""));
      version.is_binary = true;
    } else {
      version.value = Secret(text_of(found.value));
    }
    config->versions.push_back(std::move(version));
  }
  if (wrong.has_errors()) return wrong;
  return std::shared_ptr<const Config>(std::move(config));
}

}  // namespace securebase::secrets
