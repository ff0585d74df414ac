#include "stack/decode.h"

#include <fmt/format.h>

#include "stack/provider/generated.h"
#include "stack/provider/schema.h"

namespace securebase::stack {

namespace {

Value merged_tags(const Value& defaults, const Value& own) {
  Value::Map made = defaults.is_map() ? defaults.members() : Value::Map();
  if (own.is_map()) {
    for (const auto& [name, value] : own.members()) made.insert_or_assign(name, value);
  }
  return made;
}

}  // namespace

std::string words_for(const Resource& resource) {
  return fmt::format("{} {} {}", resource.mode == Declaration::Mode::kData ? "data" : "resource",
                     in_quotes(resource.type), in_quotes(resource.name));
}

Context context_of(const Resource& resource, const std::string& account, DeriveSecret derive_secret,
                   const std::vector<Resource>& others) {
  Context context;
  context.address = resource.address;
  context.account = account;
  context.region = resource.region;
  context.partition = context.region.starts_with("cn-")       ? "aws-cn"
                      : context.region.starts_with("us-gov-") ? "aws-us-gov"
                                                              : "aws";
  context.pinned_id = resource.body["tags"]["securebase:id"].to_text().value_or("");
  context.derive_secret = std::move(derive_secret);
  context.attributes_of = [&others](std::string_view type, std::string_view id) {
    for (const auto& other : others) {
      if (other.type == type && other.attributes["id"].to_text() == id) return other.attributes;
    }
    return Value();
  };
  return context;
}

Value::Map written_attributes(const Resource& resource) {
  const Value written = resource.body.as_value();
  Value::Map attributes = written.members();
  std::erase_if(attributes, [](const auto& one) { return one.second.is_null(); });
  const ProviderBlock* provider = provider_type(resource.mode, resource.type);
  const bool takes_tags = (provider && provider->attributes.contains("tags")) ||
                          (resource.declaration && resource.declaration->attribute("tags"));
  if (takes_tags && !attributes.contains("tags_all")) {
    attributes.insert_or_assign("tags_all", merged_tags(resource.default_tags, resource.body["tags"]));
  }
  return attributes;
}

std::optional<Value::Map> decode(Resource& resource, const Context& context, Diagnostics& diagnostics,
                                 std::vector<Finding>& findings) {
  auto attributes = written_attributes(resource);
  const Declaration& declared = *resource.declaration;
  const std::shared_ptr<void> object = declared.make();
  Diagnostics own;
  Reading reading{own, findings, resource.address, words_for(resource), provider_type(resource.mode, resource.type)};
  declared.read(object.get(), resource.body, reading);
  const bool right = !own.has_errors();
  diagnostics.append(std::move(own));
  if (!right) return std::nullopt;
  for (const auto& attribute : declared.attributes) {
    const auto found = attributes.find(attribute.name);
    if (attribute.sensitive && found != attributes.end()) found->second = found->second.marked();
  }
  for (const auto& computed : declared.computed) {
    if (attributes.contains(computed.name) && !computed.decides) continue;
    attributes.insert_or_assign(computed.name, computed.value(object.get(), context));
  }
  const Value defaults = declared.write(object.get());
  for (const auto& [name, value] : defaults.members()) attributes.emplace(name, value);
  resource.decoded = object;
  return attributes;
}

}  // namespace securebase::stack
