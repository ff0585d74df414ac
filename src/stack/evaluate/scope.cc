#include <fmt/format.h>

#include <algorithm>

#include "stack/evaluate/loader.h"
#include "stack/evaluate/resource_key.h"

namespace securebase::stack {

std::optional<Value> ModuleScope::resolve(const Reference& reference, std::size_t& consumed, Diagnostics& diagnostics) {
  const std::string& root = reference.root;
  const std::string first = reference.steps.empty() ? "" : reference.steps[0].key.to_text().value_or("");
  consumed = 0;
  if (root == "var" || root == "local") {
    consumed = 1;
    return loader_.touch(module_, reference, "") ? loader_.node_value(module_, root + "." + first) : std::nullopt;
  }
  if (root == "module") return of_module(reference, consumed, diagnostics);
  if (root == "each" || root == "count") return of_instance(reference, diagnostics);
  if (root == "self") {
    if (self_) return *self_;
    diagnostics.error("Invalid \"self\" reference", "\"self\" is known in postconditions of a resource only.",
                      reference.range);
    return std::nullopt;
  }
  if (root == "path") {
    return Value::map({{"module", module_.path},
                       {"root", "."},
                       {"cwd", std::filesystem::absolute(loader_.inputs().directory).lexically_normal().string()}});
  }
  if (root == "terraform") {
    return Value::map({{"workspace", loader_.inputs().workspace}, {"applying", false}});
  }
  return of_resource(reference, consumed);
}

std::optional<Value> ModuleScope::of_instance(const Reference& reference, Diagnostics& diagnostics) {
  const bool has_key = instance_ && !instance_->key.is_null();
  if (reference.root == "count" && has_key && instance_->key.is_number())
    return Value::map({{"index", instance_->key}});
  if (reference.root == "each" && has_key && instance_->key.is_string()) {
    return Value::map({{"key", instance_->key}, {"value", instance_->each_value}});
  }
  diagnostics.error(
      fmt::format("Reference to \"{}\" in context without {}", reference.root,
                  reference.root == "count" ? "count" : "for_each"),
      reference.root == "count"
          ? "The \"count\" object can only be used in \"module\", \"resource\", and \"data\" blocks, and "
            "only when the \"count\" argument is set."
          : "The \"each\" object can be used only in \"module\" or \"resource\" blocks, and only when the "
            "\"for_each\" argument is set.",
      reference.range);
  return std::nullopt;
}

std::optional<Value> ModuleScope::of_module(const Reference& reference, std::size_t& consumed,
                                            Diagnostics& diagnostics) {
  if (!loader_.touch(module_, reference, "")) return std::nullopt;
  ModuleCall& call = module_.calls[reference.steps[0].key.to_text().value_or("")];
  consumed = 1;
  Module* chosen = call.mode == Expansion::Mode::kSingle ? call.instances[0].second.get() : nullptr;
  if (!chosen && reference.steps.size() > 1) {
    for (auto& [instance, module] : call.instances) {
      if (instance.key.to_text() == reference.steps[1].key.to_text()) chosen = module.get();
    }
    if (!chosen) return loader_.call_value(call);  // and the index error comes from what has no such element
    consumed = 2;
  }
  if (!chosen) return loader_.call_value(call);
  if (consumed >= reference.steps.size()) return loader_.outputs_of(*chosen);
  const auto& step = reference.steps[consumed];
  const std::string name = step.key.to_text().value_or("");
  if (!chosen->config->outputs.contains(name)) {
    std::vector<std::string> names;
    for (const auto& [known, block] : chosen->config->outputs) names.push_back(known);
    auto& error = diagnostics.error("Unsupported attribute",
                                    fmt::format("This object does not have an attribute named \"{}\": {} has no such "
                                                "output.",
                                                name, chosen->address),
                                    step.range);
    error.suggestion = closest(name, names);
    return std::nullopt;
  }
  ++consumed;
  return loader_.node_value(*chosen, "output." + name);
}

std::optional<Value> ModuleScope::of_resource(const Reference& reference, std::size_t& consumed) {
  const bool has_word = is_kind_word(reference.root);
  if (!loader_.touch(module_, reference, "")) return std::nullopt;
  const std::size_t at = has_word ? 1 : 0;
  const std::string type = has_word ? reference.steps[0].key.to_text().value_or("") : reference.root;
  const std::string name = reference.steps[at].key.to_text().value_or("");
  consumed = at + 1;
  return loader_.node_value(module_, fmt::format("{}{}.{}", kind_prefix(reference.root), type, name));
}

void ModuleScope::read_unlisted(const Value::Open& open, std::string_view name, const SourceRange& range) {
  auto& findings = loader_.stack_.findings;
  const bool told = std::any_of(findings.begin(), findings.end(), [&](const Finding& one) {
    return one.address == open.address && one.attribute == name;
  });
  if (told) return;
  findings.push_back({Finding::Kind::kNote, open.address, std::string(name),
                      "read, and not among the names known here: newer than they are, or misspelt; its value here is "
                      "its address",
                      range});
}

}  // namespace securebase::stack
