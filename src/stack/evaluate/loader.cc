#include "stack/evaluate/loader.h"

#include <fmt/format.h>

#include <algorithm>

#include "stack/evaluate/resource_key.h"

namespace securebase::stack {

namespace {

constexpr std::size_t kMostRunning = 600;  // nodes that wait for one another: bounds the recursion

std::string block_context(const BlockSyntax& block) {
  std::string text = block.type;
  for (const auto& label : block.labels) text += " " + in_quotes(label);
  return text;
}

// Attributes and blocks that do not refer to objects, or only name them.
bool is_meta(std::string_view name) {
  return name == "provider" || name == "providers" || name == "depends_on" || name == "lifecycle" ||
         name == "provisioner" || name == "connection" || name == "source" || name == "version";
}

template <class Table>
std::vector<std::string> names_in(const Table& table) {
  std::vector<std::string> names;
  for (const auto& [name, declared] : table) names.push_back(name);
  return names;
}

}  // namespace

Loader::Loader(const Inputs& inputs, const Catalogue& catalogue) : inputs_(inputs), catalogue_(catalogue) {
  functions_.root = inputs.directory;
  functions_.readable = inputs.readable;
  functions_.programs = inputs.programs;
  functions_.clock = inputs.clock;
  functions_.files = &files_;
}

Result<Stack, Diagnostics> Loader::load() {
  stack_.directory = inputs_.directory;
  stack_.account = inputs_.account;
  read_module_index();
  root_ = std::make_unique<Module>();
  root_->path = ".";
  root_->config = config_at(inputs_.directory, ".");
  if (root_->config && !diagnostics_.has_errors() && read_variable_values(*root_->config) && read_providers(*root_)) {
    stack_.region = root_->providers["aws"].region;
    visit_all(*root_);
  }
  if (diagnostics_.has_errors()) return diagnostics_;
  for (const auto& [name, block] : root_->config->outputs) {
    const Value& value = root_->nodes["output." + name].value;
    const auto description = block->body.value("description");
    const auto* text = description ? description->as<Literal>() : nullptr;
    stack_.outputs.emplace(name, Output{value, text ? text->value.to_text().value_or("") : "", value.sensitive()});
  }
  stack_.warnings = std::move(diagnostics_);
  std::sort(files_.begin(), files_.end());
  files_.erase(std::unique(files_.begin(), files_.end()), files_.end());
  stack_.files.assign(files_.begin(), files_.end());
  return std::move(stack_);
}

bool Loader::visit_all(Module& module) {
  bool right = true;
  for (const auto& [name, block] : module.config->variables) right = run_node(module, "var." + name) && right;
  for (const auto& [name, attribute] : module.config->locals) right = run_node(module, "local." + name) && right;
  for (const auto* block : module.config->in_order) {
    const std::string key = block->type == "module" ? "module." + block->labels[0] : resource_key(*block);
    if (!run_node(module, key)) {
      right = false;
      continue;
    }
    if (block->type != "module") continue;
    for (auto& [instance, child] : module.calls[block->labels[0]].instances) right = visit_all(*child) && right;
  }
  for (const auto& [name, block] : module.config->outputs) right = run_node(module, "output." + name) && right;
  ModuleScope scope(*this, module);
  for (const auto* check : module.config->checks) {
    // A data source of the check that cannot be read is one more thing that the check found.
    const std::size_t said_before = diagnostics_.size();
    bool readable = true;
    for (const auto& nested : check->body.blocks) {
      if (nested.type == "data") readable = run_node(module, resource_key(nested)) && readable;
    }
    diagnostics_.soften(said_before);
    if (readable && touch_body(module, check->body, block_context(*check))) {
      check_rules(module, check->body, "assert", scope, block_context(*check), Severity::kWarning);
    }
  }
  return right;
}

template <class Evaluate>
bool Loader::run(Module& module, const std::string& key, const SourceRange& range, Evaluate evaluate) {
  Module::Node& node = module.nodes[key];
  if (node.state == Module::State::kDone) return true;
  if (node.state == Module::State::kFailed) return false;
  const std::string address = module.address_of(key);
  if (node.state == Module::State::kRunning) {
    const auto first = std::find(running_.begin(), running_.end(), address);
    std::vector<std::string> members(first, running_.end());
    diagnostics_.error("Cycle",
                       members.size() == 1
                           ? fmt::format("{} refers to itself.", address)
                           : fmt::format("These refer to each other in a circle, so that none can be first: {}.",
                                         fmt::join(members, ", ")),
                       range);
    return false;
  }
  if (running_.size() >= kMostRunning) {
    diagnostics_.error("Chain of references too long",
                       fmt::format("More than {} objects refer to one another in a row.", kMostRunning), range);
    return false;
  }
  node.state = Module::State::kRunning;
  running_.push_back(address);
  const bool right = evaluate();
  running_.pop_back();
  Module::Node& after = module.nodes[key];
  after.state = right ? Module::State::kDone : Module::State::kFailed;
  return right;
}

bool Loader::run_node(Module& module, const std::string& key) {
  const auto dot = key.find('.');
  const std::string root = key.substr(0, dot);
  const std::string name = key.substr(dot + 1);
  const ModuleConfig& config = *module.config;
  if (root == "var") {
    return run(module, key, config.variables.at(name)->range, [&] { return run_variable(module, name); });
  }
  if (root == "local")
    return run(module, key, config.locals.at(name)->name_range, [&] { return run_local(module, name); });
  if (root == "output")
    return run(module, key, config.outputs.at(name)->range, [&] { return run_output(module, name); });
  if (root == "module") return run(module, key, config.calls.at(name)->range, [&] { return run_call(module, name); });
  const bool has_word = is_kind_word(root);
  const auto second = has_word ? name.find('.') : std::string::npos;
  const std::string type = has_word ? name.substr(0, second) : root;
  const std::string label = has_word ? name.substr(second + 1) : name;
  const BlockSyntax& block = *config.table_of(root).at(std::pair(type, label));
  return run(module, key, block.range, [&] { return run_resource(module, block); });
}

std::optional<Value> Loader::node_value(Module& module, const std::string& key) {
  if (!run_node(module, key)) return std::nullopt;
  return module.nodes[key].value;
}

bool Loader::undeclared(std::string what, const std::string& name, std::vector<std::string> known,
                        const Reference& reference, const std::string& context) {
  auto& error = diagnostics_.error(fmt::format("Reference to undeclared {}", what),
                                   fmt::format("There is no {} \"{}\" in this module.", what, name), reference.range);
  error.context = context;
  error.suggestion = closest(name, known);
  return false;
}

bool Loader::touch(Module& module, const Reference& reference, const std::string& context) {
  static constexpr std::string_view kAlwaysThere[] = {"each", "count", "self", "path", "terraform"};
  const std::string& root = reference.root;
  if (std::find(std::begin(kAlwaysThere), std::end(kAlwaysThere), root) != std::end(kAlwaysThere)) return true;
  const std::size_t needed = is_kind_word(root) ? 2 : 1;
  const auto word = [&](std::size_t i) {
    return i < reference.steps.size() ? reference.steps[i].key.to_text().value_or("") : std::string();
  };
  if (reference.steps.size() < needed) {
    auto& error = diagnostics_.error(
        "Invalid reference",
        root == "var" || root == "local" || root == "module" || is_kind_word(root)
            ? fmt::format("The \"{}\" object is accessed by name: {}.name.", root, root)
            : fmt::format("A reference to a resource type must be followed by at least one attribute access, "
                          "specifying the resource name; if the text \"{}\" was meant, it needs quotes.",
                          root),
        reference.range);
    error.context = context;
    return false;
  }
  const ModuleConfig& config = *module.config;
  const std::string name = word(0);
  if (root == "var") {
    return config.variables.contains(name)
               ? run_node(module, "var." + name)
               : undeclared("input variable", name, names_in(config.variables), reference, context);
  }
  if (root == "local") {
    return config.locals.contains(name) ? run_node(module, "local." + name)
                                        : undeclared("local value", name, names_in(config.locals), reference, context);
  }
  if (root == "module") {
    if (!config.calls.contains(name)) return undeclared("module", name, names_in(config.calls), reference, context);
    if (!run_node(module, "module." + name)) return false;
    ModuleCall& call = module.calls[name];
    const std::string output = word(call.mode == Expansion::Mode::kSingle ? 1 : 2);
    bool right = true;
    for (auto& [instance, child] : call.instances) {
      if (child->config->outputs.contains(output)) {
        right = run_node(*child, "output." + output) && right;
      } else if (output.empty()) {
        for (const auto& [each, block] : child->config->outputs) right = run_node(*child, "output." + each) && right;
      }
    }
    return right;
  }
  const bool has_word = is_kind_word(root);
  const std::string type = has_word ? name : root;
  const std::string label = has_word ? word(1) : name;
  const auto& table = config.table_of(root);
  const auto check = config.check_of_data.find(std::pair(type, label));
  // Without a context it was seen to before.
  if (root == "data" && check != config.check_of_data.end() && !context.empty() &&
      context != block_context(*check->second)) {
    diagnostics_
        .error("Reference to scoped resource",
               fmt::format("The data source \"{}.{}\" is known inside of {} alone.", type, label,
                           block_context(*check->second)),
               reference.range)
        .context = context;
    return false;
  }
  if (table.contains(std::pair(type, label))) return run_node(module, kind_prefix(root) + type + "." + label);
  std::vector<std::string> known;
  for (const auto& [key, block] : table) known.push_back(key.first + "." + key.second);
  return undeclared(kind_prefix(root).empty() ? "resource" : root + " resource", type + "." + label, std::move(known),
                    reference, context);
}

bool Loader::touch_all(Module& module, const std::vector<Reference>& references, const std::string& context) {
  bool right = true;
  for (const auto& reference : references) right = touch(module, reference, context) && right;
  return right;
}

bool Loader::touch_body(Module& module, const BodySyntax& body, const std::string& context) {
  std::vector<Reference> references;
  for (const auto& attribute : body.attributes) {
    if (!is_meta(attribute.name)) collect_references(*attribute.value, references);
  }
  BodySyntax nested;
  for (const auto& block : body.blocks) {
    if (!is_meta(block.type)) nested.blocks.push_back(block);
  }
  collect_references(nested, references);
  return touch_all(module, references, context) && touch_depends_on(module, body, context);
}

bool Loader::touch_depends_on(Module& module, const BodySyntax& body, const std::string& context) {
  const auto list = body.value("depends_on");
  if (!list) return true;
  std::vector<Reference> references;
  collect_references(*list, references);
  return touch_all(module, references, context);
}

bool Loader::run_local(Module& module, const std::string& name) {
  const ExpressionPtr& expression = module.config->locals.at(name)->value;
  std::vector<Reference> references;
  collect_references(*expression, references);
  if (!touch_all(module, references, "locals")) return false;
  ModuleScope scope(*this, module);
  auto value = Evaluator(scope, diagnostics_).evaluate(*expression);
  if (value) module.nodes["local." + name].value = std::move(*value);
  return value.has_value();
}

bool Loader::run_output(Module& module, const std::string& name) {
  const BlockSyntax& block = *module.config->outputs.at(name);
  const std::string context = block_context(block);
  const ExpressionPtr expression = block.body.value("value");
  if (!expression) {
    diagnostics_
        .error("Missing required argument", "The argument \"value\" is required, but no definition was found.",
               block.range)
        .context = context;
    return false;
  }
  if (!touch_body(module, block.body, context)) return false;
  ModuleScope scope(*this, module);
  auto value = Evaluator(scope, diagnostics_).evaluate(*expression);
  if (!value) return false;
  const auto sensitive = block.body.value("sensitive");
  const bool declared =
      sensitive && Evaluator(scope, diagnostics_).evaluate(*sensitive).value_or(Value()).to_bool().value_or(false);
  if (!module.parent && value->contains_sensitive() && !declared) {
    diagnostics_
        .error("Output refers to sensitive values",
               "To reduce the risk of accidentally exporting sensitive data that was intended to be only "
               "internal, Terraform requires that any root module output containing sensitive data be "
               "explicitly marked as sensitive, to confirm your intent: add sensitive = true.",
               block.range)
        .context = context;
    return false;
  }
  if (declared) value = value->marked();
  check_rules(module, block.body, "precondition", scope, context, Severity::kError);
  module.nodes["output." + name].value = std::move(*value);
  return true;
}

// precondition, postcondition, validation and assert blocks.
void Loader::check_rules(Module& module, const BodySyntax& body, std::string_view type, Scope& scope,
                         const std::string& context, Severity severity) {
  for (const auto& block : body.blocks) {
    if (block.type != type) continue;
    const auto condition = block.body.value("condition");
    const auto message = block.body.value("error_message");
    if (!condition) {
      diagnostics_.error("Missing required argument", "The argument \"condition\" is required.", block.range).context =
          context;
      continue;
    }
    std::vector<Reference> references;
    collect_references(block.body, references);
    if (!touch_all(module, references, context)) continue;
    Evaluator evaluator(scope, diagnostics_);
    const auto holds = evaluator.evaluate(*condition);
    if (!holds || holds->to_bool().value_or(false)) continue;
    const auto text = message ? evaluator.evaluate(*message) : std::nullopt;
    const std::string detail = text && text->sensitive() ? "The error message holds sensitive values and is not shown."
                               : text                    ? text->to_text().value_or("")
                                                         : "The condition does not hold.";
    Diagnostic failed{severity,
                      type == "validation"     ? "Invalid value for variable"
                      : type == "assert"       ? "Check block assertion failed"
                      : type == "precondition" ? "Precondition failed"
                                               : "Postcondition failed",
                      detail,
                      condition->range,
                      context,
                      {}};
    diagnostics_.add(std::move(failed));
  }
}

std::optional<Value> Loader::outputs_of(Module& module) {
  Value::Map outputs;
  for (const auto& [name, block] : module.config->outputs) {
    auto value = node_value(module, "output." + name);
    if (!value) return std::nullopt;
    outputs.emplace(name, std::move(*value));
  }
  return outputs;
}

std::optional<Value> Loader::call_value(ModuleCall& call) {
  Value::List list;
  Value::Map map;
  for (auto& [instance, module] : call.instances) {
    auto outputs = outputs_of(*module);
    if (!outputs) return std::nullopt;
    if (call.mode == Expansion::Mode::kSingle) return outputs;
    if (call.mode == Expansion::Mode::kForEach) {
      map.emplace(instance.key.string(), std::move(*outputs));
    } else {
      list.push_back(std::move(*outputs));
    }
  }
  return call.mode == Expansion::Mode::kForEach ? Value(std::move(map)) : Value(std::move(list));
}

Result<Stack, Diagnostics> load(const Inputs& inputs, const Catalogue& catalogue) {
  return Loader(inputs, catalogue).load();
}

}  // namespace securebase::stack
