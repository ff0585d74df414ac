#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "base/json.h"
#include "stack/evaluate/loader.h"

namespace securebase::stack {

namespace {

namespace fs = std::filesystem;

constexpr unsigned kMostModuleDepth = 32;

bool is_local(std::string_view source) {
  return source == "." || source == ".." || source.starts_with("./") || source.starts_with("../");
}

std::string constant_text(const BodySyntax& body, std::string_view name) {
  const auto expression = body.value(name);
  const auto* literal = expression ? expression->as<Literal>() : nullptr;
  return literal ? literal->value.to_text().value_or("") : "";
}

}  // namespace

// What `terraform init` left: where it put the modules that are not local.
void Loader::read_module_index() {
  const fs::path path = inputs_.directory / ".terraform/modules/modules.json";
  std::error_code failure;
  if (!fs::exists(path, failure)) return;
  const auto text = base::read_file(path, 16 << 20);
  const auto json = text ? base::Json::parse(*text) : Result<base::Json>(text.error());
  if (!json) return;
  files_.push_back(path.string());
  const auto* modules = (*json)["Modules"].as_array();
  if (!modules) return;
  for (const auto& one : *modules) {
    module_index_.emplace(std::string(one["Key"].string_or("")), fs::path(std::string(one["Dir"].string_or("."))));
  }
}

std::shared_ptr<const ModuleConfig> Loader::config_at(const fs::path& directory, const std::string& shown) {
  const fs::path key = directory.lexically_normal();
  const auto found = configs_.find(key);
  if (found != configs_.end()) return found->second;
  auto config = read_module(directory, shown, files_, diagnostics_);
  configs_.emplace(key, config);
  return config;
}

std::shared_ptr<const ModuleConfig> Loader::source_of(const Module& module, const BlockSyntax& call, std::string& path,
                                                      const std::string& config_key) {
  const std::string source = constant_text(call.body, "source");
  const auto* attribute = call.body.attribute("source");
  const SourceRange range = attribute ? attribute->value->range : call.range;
  const std::string context = fmt::format("module {}", in_quotes(call.labels[0]));
  if (source.empty()) {
    diagnostics_
        .error("Missing required argument", "The argument \"source\" is required, and is a text without references.",
               range)
        .context = context;
    return nullptr;
  }
  if (is_local(source)) {
    path = (fs::path(module.path) / source).lexically_normal().string();
  } else if (const auto found = module_index_.find(config_key); found != module_index_.end()) {
    path = found->second.lexically_normal().string();
  } else {
    const std::string version = constant_text(call.body, "version");
    diagnostics_
        .error(
            "Module not installed",
            fmt::format(
                "The module {} comes from \"{}\"{}, and nothing is downloaded here. Either run `terraform init` in {} "
                "once (what it leaves in .terraform/modules is read), or copy the module beside your files and "
                "write source = \"./modules/{}\".",
                module.address_of("module." + call.labels[0]), source, version.empty() ? "" : " " + version,
                inputs_.directory.string(), call.labels[0]),
            range)
        .context = context;
    return nullptr;
  }
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  std::error_code failure;
  if (!fs::is_directory(inputs_.directory / path, failure)) {
    diagnostics_
        .error("Unreadable module directory",
               fmt::format("The directory {} of the module does not exist.",
                           (inputs_.directory / path).lexically_normal().string()),
               range)
        .context = context;
    return nullptr;
  }
  return config_at(inputs_.directory / path, path);
}

bool Loader::run_call(Module& module, const std::string& name) {
  const BlockSyntax& block = *module.config->calls.at(name);
  const std::string context = fmt::format("module {}", in_quotes(name));
  if (module.depth >= kMostModuleDepth) {
    diagnostics_
        .error("Modules nested too deeply",
               fmt::format("Modules may be nested {} levels deep; does this one call itself?", kMostModuleDepth),
               block.range)
        .context = context;
    return false;
  }
  const std::string config_key = module.config_key.empty() ? name : module.config_key + "." + name;
  std::string path;
  const auto config = source_of(module, block, path, config_key);
  if (!config) return false;
  std::vector<std::string> inputs;
  for (const auto& [input, declared] : config->variables) inputs.push_back(input);
  static constexpr std::string_view kMeta[] = {"source", "version", "count", "for_each", "providers", "depends_on"};
  bool right = true;
  for (const auto& attribute : block.body.attributes) {
    if (config->variables.contains(attribute.name) ||
        std::find(std::begin(kMeta), std::end(kMeta), attribute.name) != std::end(kMeta)) {
      continue;
    }
    auto& error = diagnostics_.error("Unsupported argument",
                                     fmt::format("An argument named \"{}\" is not expected here: the module in {} has "
                                                 "no such variable.",
                                                 attribute.name, path),
                                     attribute.name_range);
    error.context = context;
    error.suggestion = closest(attribute.name, inputs);
    right = false;
  }
  std::vector<Reference> references;
  for (const auto* meta : {"count", "for_each"}) {
    if (const auto expression = block.body.value(meta)) collect_references(*expression, references);
  }
  if (!right || !touch_all(module, references, context) || !touch_depends_on(module, block.body, context)) return false;
  ModuleScope scope(*this, module);
  Evaluator evaluator(scope, diagnostics_);
  auto expansion = expand(block.body, evaluator, diagnostics_);
  if (!expansion) return false;
  ModuleCall& call = module.calls[name];
  call.mode = expansion->mode;
  for (auto& instance : expansion->instances) {
    auto child = std::make_unique<Module>();
    child->config = config;
    child->parent = &module;
    child->call = &block;
    child->instance = instance;
    child->address = module.address_of("module." + name + instance.address_part());
    child->config_key = config_key;
    child->path = path;
    child->depth = module.depth + 1;
    if (!read_providers(*child)) return false;
    call.instances.emplace_back(std::move(instance), std::move(child));
  }
  return true;
}

bool Loader::read_providers(Module& module) {
  if (!module.parent) {
    module.providers["aws"] = {inputs_.region, Value()};
  } else {
    module.providers = module.parent->providers;
    const auto passed = module.call->body.value("providers");
    const auto* literal = passed ? passed->as<ObjectLiteral>() : nullptr;
    for (std::size_t i = 0; literal && i < literal->items.size(); ++i) {
      const Reference from = as_reference(*literal->items[i].value);
      const auto* plain = literal->items[i].key->as<Literal>();
      const std::string to = plain ? plain->value.to_text().value_or("") : as_reference(*literal->items[i].key).text();
      const auto found = module.parent->providers.find(from.text());
      if (found != module.parent->providers.end()) module.providers[to] = found->second;
    }
  }
  for (const auto* block : module.config->providers) {
    const std::string alias = constant_text(block->body, "alias");
    const std::string key = block->labels[0] + (alias.empty() ? "" : "." + alias);
    const std::string context = fmt::format("provider {}", in_quotes(block->labels[0]));
    ProviderSettings& settings = module.providers[key];
    settings.region = module.providers["aws"].region;
    if (block->labels[0] != "aws") continue;
    // Other settings (credentials, endpoints, retries) are about a cloud that is not asked here.
    BodySyntax relevant;
    for (const auto& attribute : block->body.attributes) {
      if (attribute.name == "region") relevant.attributes.push_back(attribute);
    }
    for (const auto& nested : block->body.blocks) {
      if (nested.type == "default_tags") relevant.blocks.push_back(nested);
    }
    if (!touch_body(module, relevant, context)) return false;
    ModuleScope scope(*this, module);
    Evaluator evaluator(scope, diagnostics_);
    const auto body = evaluate_body(relevant, block->range, evaluator, diagnostics_);
    if (!body) return false;
    if (const auto region = (*body)["region"].to_text()) settings.region = *region;
    for (const auto* tags : body->blocks_named("default_tags")) settings.default_tags = (*tags)["tags"];
  }
  return true;
}

}  // namespace securebase::stack
