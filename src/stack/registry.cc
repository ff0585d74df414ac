#include "stack/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/file.h"
#include "stack/decode.h"
#include "stack/provider/generated.h"
#include "stack/provider/schema.h"

namespace securebase::stack {

namespace {

using base::Json;

constexpr int kVersion = 1;

Json json_of(const Value::Map& attributes) { return Value(attributes).to_json(); }

Value::Map attributes_from(const Json& json) {
  const Value value = Value::from_json(json);
  return value.is_map() ? value.members() : Value::Map();
}

void set_all(Value::Map& attributes, const Value::Map& changes) {
  for (const auto& [name, value] : changes) attributes.insert_or_assign(name, value);
}

// Attributes that are null are as good as not written.
Value::Map without_nulls(Value::Map attributes) {
  std::erase_if(attributes, [](const auto& one) { return one.second.is_null(); });
  return attributes;
}

Body body_of(Value::Map attributes, const SourceRange& range) {
  Body body = Body::from_value(Value(without_nulls(std::move(attributes))), range);
  body.from_json = true;  // its blocks are written as attributes
  return body;
}

bool finish(Resource& resource, const Stack& stack, const DeriveSecret& derive_secret, Diagnostics& problems,
            std::vector<Finding>& findings) {
  const Context context = context_of(resource, stack.account, derive_secret, stack.resources);
  auto attributes = decode(resource, context, problems, findings);
  if (!attributes) return false;
  if (const ProviderBlock* provider = provider_type(resource.mode, resource.type)) {
    complete(*attributes, *provider, resource.mode, resource.type, context);
  }
  resource.attributes = Value(std::move(*attributes));
  return true;
}

// Type and id: two resources that share them are one thing.
std::pair<std::string, std::string> identity_of(const Resource& resource) {
  return {resource.type, resource.attributes["id"].to_text().value_or(resource.address)};
}

}  // namespace

std::string api_address(std::string_view type, std::string_view key) {
  return fmt::format("api.{}[{}]", type, in_quotes(key));
}

Edit create(std::string type, std::string key, Value::Map attributes) {
  std::string address = api_address(type, key);
  return {Edit::Kind::kCreate, std::move(address), std::move(type), std::move(key), std::move(attributes)};
}

Edit update(std::string address, Value::Map attributes) {
  return {Edit::Kind::kUpdate, std::move(address), {}, {}, std::move(attributes)};
}

Edit remove(std::string address) { return {Edit::Kind::kRemove, std::move(address), {}, {}, {}}; }

Result<Registry> Registry::open(const std::filesystem::path& file) {
  Registry made;
  std::error_code failure;
  if (!std::filesystem::exists(file, failure)) return made;
  auto text = base::read_file(file);
  if (!text) return text.error();
  const auto damaged = [&](std::string_view why) {
    return Error{Errc::kMalformed,
                 fmt::format("{} is no registry of resources ({}). It records what was made through the AWS APIs: "
                             "restore it from a backup, or move it away to do without",
                             file.native(), why)};
  };
  auto json = Json::parse(*text);
  if (!json) return damaged(json.error().message);
  if ((*json)["version"].integer_or(0) != kVersion) return damaged(fmt::format("expected version {}", kVersion));
  if (const auto* all = (*json)["made"].as_object()) {
    for (const auto& [address, entry] : *all) {
      made.made_.emplace(address, Made{std::string(entry["type"].string_or("")),
                                       std::string(entry["key"].string_or("")), attributes_from(entry["attributes"])});
    }
  }
  if (const auto* all = (*json)["drift"].as_object()) {
    for (const auto& [address, entry] : *all) {
      made.drift_.emplace(address, Drift{entry["removed"].bool_or(false), attributes_from(entry["attributes"])});
    }
  }
  return made;
}

Result<Done> Registry::save(const std::filesystem::path& file) const {
  Json made = Json::object();
  for (const auto& [address, entry] : made_) {
    made.set(address,
             Json::object({{"type", entry.type}, {"key", entry.key}, {"attributes", json_of(entry.attributes)}}));
  }
  Json drift = Json::object();
  for (const auto& [address, entry] : drift_) {
    drift.set(address, Json::object({{"removed", entry.removed}, {"attributes", json_of(entry.attributes)}}));
  }
  if (auto directory = base::make_directory(file.parent_path(), 0700); !directory) return directory;
  return base::replace_file(
      file, Json::object({{"version", kVersion}, {"made", std::move(made)}, {"drift", std::move(drift)}}).dump(), 0600);
}

Result<Registry> Registry::with(const std::vector<Edit>& edits, const Stack& current) const {
  Registry next = *this;
  std::set<std::string> there;
  for (const auto& resource : current.resources) there.insert(resource.address);
  for (const auto& edit : edits) {
    if (edit.kind == Edit::Kind::kCreate) {
      if (!there.insert(edit.address).second) {
        return Error{Errc::kConflict, fmt::format("{} is there already", edit.address)};
      }
      next.made_.insert_or_assign(edit.address, Made{edit.type, edit.key, without_nulls(edit.attributes)});
      continue;
    }
    if (!there.contains(edit.address)) return Error{Errc::kNotFound, fmt::format("there is no {}", edit.address)};
    const auto made = next.made_.find(edit.address);
    if (edit.kind == Edit::Kind::kRemove) {
      there.erase(edit.address);
      if (made != next.made_.end()) {
        next.made_.erase(made);
      } else {
        next.drift_.insert_or_assign(edit.address, Drift{true, {}});
      }
    } else if (made != next.made_.end()) {
      set_all(made->second.attributes, edit.attributes);
      made->second.attributes = without_nulls(std::move(made->second.attributes));
    } else {
      set_all(next.drift_[edit.address].attributes, edit.attributes);
    }
  }
  return next;
}

Registry Registry::without_drift() const {
  Registry made;
  made.made_ = made_;
  return made;
}

Registry Registry::without(const std::vector<std::string>& made) const {
  Registry rest = *this;
  for (const auto& address : made) rest.made_.erase(address);
  return rest;
}

Result<Registry::Overlaid, Diagnostics> Registry::over(const Stack& files, const Catalogue& catalogue,
                                                       const DeriveSecret& derive_secret) const {
  Overlaid all{files, {}};
  Stack& stack = all.stack;
  Diagnostics problems;
  for (auto& resource : stack.resources) {
    const auto found = drift_.find(resource.address);
    if (found == drift_.end() || found->second.removed || !resource.declaration) continue;
    auto attributes = resource.body.as_value().members();
    set_all(attributes, found->second.attributes);
    resource.body = body_of(std::move(attributes), resource.range());
    std::vector<Finding> said_before;  // the files' own findings are in the stack already
    finish(resource, stack, derive_secret, problems, said_before);
  }
  std::erase_if(stack.resources, [&](const Resource& resource) {
    const auto found = drift_.find(resource.address);
    return found != drift_.end() && found->second.removed;
  });

  std::set<std::pair<std::string, std::string>> of_files;
  for (const auto& resource : stack.resources) of_files.insert(identity_of(resource));
  for (const auto& [address, made] : made_) {
    Resource resource;
    resource.origin = Resource::Origin::kApi;
    resource.address = address;
    resource.type = made.type;
    resource.name = made.key;
    resource.region = stack.region;
    resource.module_directory = stack.directory;
    resource.declaration = catalogue.find(Declaration::Mode::kResource, made.type);
    if (!resource.declaration) {
      problems.error("Unknown resource type",
                     fmt::format("The registry has {}, whose type this version of SecureBase does not know.", address));
      continue;
    }
    resource.body = body_of(made.attributes, {});
    if (!finish(resource, stack, derive_secret, problems, stack.findings)) continue;
    if (of_files.contains(identity_of(resource))) {
      all.superseded.push_back(address);
      continue;
    }
    stack.resources.push_back(std::move(resource));
  }
  if (problems.has_errors()) return problems;
  return all;
}

}  // namespace securebase::stack
