#include <fmt/format.h>

#include <algorithm>

#include "stack/builtin/builtin.h"
#include "stack/decode.h"
#include "stack/evaluate/loader.h"
#include "stack/evaluate/resource_key.h"
#include "stack/provider/asked.h"
#include "stack/provider/generated.h"
#include "stack/provider/schema.h"

namespace securebase::stack {

namespace {

using Mode = Declaration::Mode;

const std::set<std::string_view> kMeta = {"count",     "for_each",    "provider",   "depends_on",
                                          "lifecycle", "provisioner", "connection", "timeouts"};

// "aws_msk_" of aws_msk_topic.
std::string service_prefix(std::string_view type) {
  const auto provider = type.find('_');
  const auto service = provider == std::string_view::npos ? provider : type.find('_', provider + 1);
  return service == std::string_view::npos ? std::string() : std::string(type.substr(0, service + 1));
}

// The types that `type` may be a misspelling of: where its service is a known one, those of that service alone.
std::vector<std::string> types_of_service(std::string_view type, std::vector<std::string> types) {
  const std::string prefix = service_prefix(type);
  const auto is_other = [&](const std::string& one) { return !one.starts_with(prefix); };
  if (!prefix.empty() && !std::all_of(types.begin(), types.end(), is_other)) std::erase_if(types, is_other);
  return types;
}

// Attributes whose values nobody wants to see in a plan, of types that no room declares.
bool is_secret(std::string_view name) {
  return name.ends_with("password") || name == "secret_string" || name == "secret_binary" || name == "auth_token" ||
         name == "private_key" || name.ends_with("private_key_pem") || name == "secret_key";
}

// The object with those inside it, open as far as the provider may know more names than are listed here: `provider` is
// null where it is not listed at all. Blocks only, since what is missing in a map that the file writes is missing.
Value opened(const Value& object, const ProviderBlock* provider, const std::string& address) {
  Value::Map members = object.members();
  for (auto& [name, value] : members) {
    const ProviderBlock* block = nullptr;
    if (provider && !provider->open) {
      const auto found = provider->blocks.find(name);
      if (found == provider->blocks.end()) continue;
      block = &found->second;
    }
    if (!value.is_list() || value.size() == 0 || !value.elements()[0].is_map()) continue;
    Value::List list;
    for (const auto& one : value.elements()) {
      list.push_back(one.is_map() ? opened(one, block, fmt::format("{}.{}[{}]", address, name, list.size())) : one);
    }
    value = Value(std::move(list)).marked(value.sensitive());
  }
  return Value(std::move(members)).marked(object.sensitive()).opened({address, provider != nullptr && !provider->open});
}

void hide_secrets(Value::Map& attributes) {
  for (auto& [name, value] : attributes) {
    if (is_secret(name) && !value.is_null()) value = value.marked();
  }
}

}  // namespace

const ProviderSettings& Loader::settings_for(Module& module, const BlockSyntax& block, const std::string& type) {
  const auto chosen = block.body.value("provider");
  if (chosen) {
    const auto found = module.providers.find(as_reference(*chosen).text());
    if (found != module.providers.end()) return found->second;
  }
  if (type.starts_with("aws_")) return module.providers["aws"];
  static const ProviderSettings kNone;
  return kNone;
}

// An alias that nobody configured would silently mean another region.
bool Loader::has_provider(Module& module, const BlockSyntax& block, const std::string& context) {
  const auto chosen = block.body.value("provider");
  const Reference reference = chosen ? as_reference(*chosen) : Reference();
  if (reference.steps.empty() || module.providers.contains(reference.text())) return true;
  std::vector<std::string> known;
  for (const auto& [name, settings] : module.providers) known.push_back(name);
  auto& error = diagnostics_.error(
      "Provider configuration not present",
      fmt::format("There is no provider configuration \"{}\" {}.", reference.text(),
                  module.parent ? "in this module, and its call passes none of that name" : "in this module"),
      chosen->range);
  error.context = context;
  error.suggestion = closest(reference.text(), known);
  return false;
}

bool Loader::run_resource(Module& module, const BlockSyntax& block) {
  const std::string& type = block.labels[0];
  // What an ephemeral resource gives is what the data source of its name reads, or what the resource makes up; it is
  // secret, and nothing of it is in the stack.
  const bool is_ephemeral = block.type == "ephemeral";
  const bool reads = block.type == "data" ||
                     (is_ephemeral && (catalogue_.find(Mode::kData, type) || provider_type(Mode::kData, type)));
  const Mode mode = reads ? Mode::kData : Mode::kResource;
  Resource prototype;
  prototype.mode = mode;
  prototype.type = type;
  prototype.name = block.labels[1];
  const std::string context = words_for(prototype);
  if (!catalogue_.find(mode, type) && provider_of(type) && !provider_type(mode, type)) {
    // As with arguments: near to a known type it is a misspelling of that, else it may be newer than the list.
    const std::string suggestion = closest(type, types_of_service(type, provider_types(mode)));
    if (!suggestion.empty()) {
      diagnostics_
          .error(mode == Mode::kData ? "Invalid data source" : "Invalid resource type",
                 fmt::format("The provider \"{}\" does not support {} \"{}\".", type.substr(0, type.find('_')),
                             mode == Mode::kData ? "data source" : "resource type", type),
                 block.range)
          .suggestion = suggestion;
      return false;
    }
  }
  if (!touch_body(module, block.body, context) || !has_provider(module, block, context)) return false;
  if (const auto* lifecycle = block.body.block("lifecycle")) {
    for (const auto& rule : lifecycle->body.blocks) {
      if (rule.type == "precondition" && !touch_body(module, rule.body, context)) return false;
    }
  }
  std::vector<std::string> depends_on;
  std::vector<Reference> references;
  collect_references(block.body, references);
  for (const auto& reference : references) {
    static constexpr std::string_view kNone[] = {"each", "count", "self", "path", "terraform"};
    if (std::find(std::begin(kNone), std::end(kNone), reference.root) != std::end(kNone)) continue;
    depends_on.push_back(module.address_of(node_of(reference)));
  }
  std::sort(depends_on.begin(), depends_on.end());
  depends_on.erase(std::unique(depends_on.begin(), depends_on.end()), depends_on.end());

  ModuleScope outer(*this, module);
  Evaluator outer_evaluator(outer, diagnostics_);
  const auto expansion = expand(block.body, outer_evaluator, diagnostics_);
  if (!expansion) return false;
  Value::List list;
  Value::Map map;
  bool right = true;
  for (const auto& instance : expansion->instances) {
    Resource resource = prototype;
    resource.key = instance.key;
    resource.module = module.address;
    resource.address = module.address_of(resource_key(block) + instance.address_part());
    resource.depends_on = depends_on;
    resource.module_directory = module.config->directory;
    resource.declaration = catalogue_.find(mode, type);
    ModuleScope scope(*this, module, &instance);
    Evaluator evaluator(scope, diagnostics_);
    const auto* lifecycle = block.body.block("lifecycle");
    const std::size_t said_before = diagnostics_.size();
    if (lifecycle) check_rules(module, lifecycle->body, "precondition", scope, context, Severity::kError);
    auto body = evaluate_body(block.body, block.range, evaluator, diagnostics_, kMeta);
    if (!body || diagnostics_.size() != said_before) {
      right = false;
      continue;
    }
    resource.body = std::move(*body);
    auto value = finish(module, resource, block);
    if (!value) {
      right = false;
      continue;
    }
    if (is_ephemeral) value = value->marked();
    resource.attributes = *value;
    if (lifecycle) {
      ModuleScope with_self(*this, module, &instance, &*value);
      check_rules(module, lifecycle->body, "postcondition", with_self, context, Severity::kError);
    }
    if (expansion->mode == Expansion::Mode::kForEach) {
      map.emplace(instance.key.string(), *value);
    } else {
      list.push_back(*value);
    }
    if (!is_ephemeral) stack_.resources.push_back(std::move(resource));
  }
  if (!right) return false;
  Value& whole = module.nodes[resource_key(block)].value;
  switch (expansion->mode) {
    case Expansion::Mode::kSingle:
      whole = list[0];
      break;
    case Expansion::Mode::kCount:
      whole = Value(std::move(list));
      break;
    case Expansion::Mode::kForEach:
      whole = Value(std::move(map));
      break;
  }
  return true;
}

// All attributes of a resource, in this order of rank: what was written, what its room or the reader computes, the
// declared defaults, and what the provider would have made up.
std::optional<Value> Loader::finish(Module& module, Resource& resource, const BlockSyntax& block) {
  const ProviderSettings& settings = settings_for(module, block, resource.type);
  resource.region = settings.region.empty() ? inputs_.region : settings.region;
  resource.default_tags = settings.default_tags;
  const Context context = context_of(resource, inputs_.account, inputs_.derive_secret, stack_.resources);
  const ProviderBlock* provider = provider_type(resource.mode, resource.type);
  Value::Map attributes;
  for (const auto& nested : block.body.blocks) {
    if (nested.type != "provisioner" || nested.labels.empty()) continue;
    stack_.findings.push_back({Finding::Kind::kNotHonoured, resource.address, "provisioner." + nested.labels[0],
                               "no program is run when a resource is made", nested.range});
  }
  if (resource.declaration) {
    auto made = decode(resource, context, diagnostics_, stack_.findings);
    if (!made) return std::nullopt;
    attributes = std::move(*made);
  } else {
    attributes = written_attributes(resource);
    if (provider && !check_names(resource, *provider)) return std::nullopt;
    const Builtin builtin = find_builtin(resource.mode, resource.type);
    if (builtin) {
      auto computed = builtin({resource, context, functions_, diagnostics_});
      if (!computed) return std::nullopt;
      for (auto& [name, value] : *computed) attributes.insert_or_assign(name, std::move(value));
    } else if (resource.mode == Mode::kResource) {
      stack_.findings.push_back({Finding::Kind::kNotHonoured, resource.address, "",
                                 provider                     ? ""
                                 : provider_of(resource.type) ? "not among the types known here: newer than they are"
                                                              : "its provider is not known here",
                                 resource.range()});
    }
    const bool is_read = resource.mode == Mode::kData && provider && !builtin;
    const Resource* meant = is_read ? meant_by(resource, stack_.resources) : nullptr;
    if (meant) {
      const auto take = [&](const std::string& name) {
        Value& value = attributes[name];
        if (value.is_null()) value = attribute_for(resource, name, *meant);
      };
      for (const auto& [name, known] : provider->attributes) take(name);
      for (const auto& [name, known] : provider->blocks) take(name);
    } else if (is_read && block.type == "data") {
      stack_.findings.push_back({Finding::Kind::kNotHonoured, resource.address, "",
                                 "nobody is asked: what it does not say itself is made up here", resource.range()});
    }
    hide_secrets(attributes);
  }
  if (provider) {
    complete(attributes, *provider, resource.mode, resource.type, context);
  } else if (!attributes.contains("id")) {
    attributes.emplace("id", context.id(20, "abcdefghijklmnopqrstuvwxyz0123456789"));
  }
  const Value whole = opened(Value(std::move(attributes)), provider, resource.address);
  Value::Open open = *whole.open();
  open.type = resource.type;
  open.read = block.type == "data" || (block.type == "ephemeral" && provider_type(Mode::kData, resource.type));
  return whole.opened(std::move(open));
}

namespace {

// Names that the provider does not list: an error when one looks like a misspelling, else it may be newer than the
// list.
class NameCheck {
 public:
  NameCheck(const Resource& resource, Diagnostics& diagnostics, std::vector<Finding>& findings)
      : resource_(resource), diagnostics_(diagnostics), findings_(findings) {}

  void check(const Body& body, const ProviderBlock& provider, const std::string& path) {
    if (provider.open) return;
    for (const auto& [name, attribute] : body.attributes) {
      if (provider.knows(name)) continue;
      const auto written = attribute.value.is_null() ? Written::kNull : Written::kAttribute;
      unknown(written, name, attribute.name_range, provider, path);
    }
    for (const auto& nested : body.blocks) {
      if (!provider.knows(nested.type)) {
        unknown(Written::kBlock, nested.type, nested.body.range, provider, path);
      } else if (const auto found = provider.blocks.find(nested.type); found != provider.blocks.end()) {
        check(nested.body, found->second, path + nested.type + ".");
      }
    }
  }

 private:
  enum class Written { kAttribute, kNull, kBlock };  // what is null is as good as not written

  void unknown(Written as, const std::string& name, const SourceRange& range, const ProviderBlock& provider,
               const std::string& path) {
    const std::string suggestion = closest(name, provider.names());
    const bool block = as == Written::kBlock;
    if (suggestion.empty()) {
      if (as == Written::kNull) return;
      findings_.push_back({Finding::Kind::kNotHonoured, resource_.address, path + name,
                           "not among the names known here: newer than they are, or misspelt", range});
      return;
    }
    auto& error = diagnostics_.error(block ? "Unsupported block type" : "Unsupported argument",
                                     block ? fmt::format("Blocks of type \"{}\" are not expected here.", name)
                                           : fmt::format("An argument named \"{}\" is not expected here.", name),
                                     range);
    error.context = words_for(resource_);
    error.suggestion = suggestion;
  }

  const Resource& resource_;
  Diagnostics& diagnostics_;
  std::vector<Finding>& findings_;
};

}  // namespace

bool Loader::check_names(const Resource& resource, const ProviderBlock& provider) {
  Diagnostics own;
  NameCheck(resource, own, stack_.findings).check(resource.body, provider, "");
  const bool right = !own.has_errors();
  diagnostics_.append(std::move(own));
  return right;
}

}  // namespace securebase::stack
