#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "base/json.h"
#include "stack/evaluate/loader.h"
#include "stack/syntax/parser.h"
#include "stack/type.h"

namespace securebase::stack {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostValuesFileBytes = 4 << 20;

std::string context_of(const std::string& name) { return fmt::format("variable {}", in_quotes(name)); }

bool says_true(const BodySyntax& body, std::string_view name, bool fallback) {
  const auto expression = body.value(name);
  const auto* literal = expression ? expression->as<Literal>() : nullptr;
  return literal ? literal->value.to_bool().value_or(fallback) : fallback;
}

// A variable without a type, or of a primitive one, takes text as it is; others take an expression.
bool takes_text(const BlockSyntax& block) {
  const auto type = block.body.value("type");
  if (!type) return true;
  const auto* word = type->as<Variable>();
  const auto* legacy = type->as<Literal>();
  const std::string name = word ? word->name : legacy ? legacy->value.to_text().value_or("") : "";
  return name == "string" || name == "number" || name == "bool";
}

std::vector<std::string> names_of(const ModuleConfig& config) {
  std::vector<std::string> names;
  for (const auto& [name, block] : config.variables) names.push_back(name);
  return names;
}

}  // namespace

bool Loader::take_text(const std::string& name, const std::string& text, const std::string& origin,
                       const BlockSyntax& block) {
  if (takes_text(block)) {
    given_.insert_or_assign(name, Value(text));
    return true;
  }
  const auto source = std::make_shared<const SourceFile>(SourceFile{origin, text});
  const auto expression = parse_expression(source, diagnostics_);
  const auto value = expression ? evaluate_constant(*expression, diagnostics_) : std::nullopt;
  if (value) given_.insert_or_assign(name, *value);
  return value.has_value();
}

bool Loader::read_values_file(const fs::path& path, const ModuleConfig& root) {
  const std::string shown = path.lexically_proximate(inputs_.directory).string();
  files_.push_back(path.string());
  auto text = base::read_file(path, kMostValuesFileBytes);
  if (!text) {
    diagnostics_.error("Failed to read variables file", text.error().message + ".");
    return false;
  }
  const auto file = std::make_shared<const SourceFile>(SourceFile{shown, std::move(*text)});
  const auto unknown = [&](const std::string& name, const SourceRange& range) {
    auto& warning = diagnostics_.warning("Value for undeclared variable",
                                         fmt::format("The root module does not declare a variable named \"{}\", but a "
                                                     "value was found in {}.",
                                                     name, shown),
                                         range);
    warning.suggestion = closest(name, names_of(root));
  };
  if (path.extension() == ".json") {
    const auto json = base::Json::parse(file->text);
    if (!json || !json->is_object()) {
      diagnostics_.error("Invalid variables file",
                         fmt::format("{}: {}.", shown, json ? "one JSON object is required" : json.error().message));
      return false;
    }
    for (const auto& [name, value] : *json->as_object()) {
      if (root.variables.contains(name)) {
        given_.insert_or_assign(name, Value::from_json(value));
      } else {
        unknown(name, {});
      }
    }
    return true;
  }
  const auto body = parse_file(file, diagnostics_);
  if (!body) return false;
  for (const auto& block : body->blocks) {
    diagnostics_.error("Unexpected block", "A variables file holds values only: name = value.", block.range);
    return false;
  }
  bool right = true;
  for (const auto& attribute : body->attributes) {
    auto value = evaluate_constant(*attribute.value, diagnostics_);
    right = right && value.has_value();
    if (!root.variables.contains(attribute.name)) {
      unknown(attribute.name, attribute.name_range);
    } else if (value) {
      given_.insert_or_assign(attribute.name, std::move(*value));
    }
  }
  return right;
}

// Later ones win: environment, terraform.tfvars, *.auto.tfvars, -var-file, -var.
bool Loader::read_variable_values(const ModuleConfig& root) {
  bool right = true;
  for (const auto& [name, text] : inputs_.environment) {
    constexpr std::string_view kPrefix = "TF_VAR_";
    if (!name.starts_with(kPrefix)) continue;
    const auto declared = root.variables.find(name.substr(kPrefix.size()));
    if (declared == root.variables.end()) continue;
    right = take_text(declared->first, text, name, *declared->second) && right;
  }
  std::vector<fs::path> files;
  std::error_code failure;
  for (const auto* name : {"terraform.tfvars", "terraform.tfvars.json"}) {
    if (fs::exists(inputs_.directory / name, failure)) files.push_back(inputs_.directory / name);
  }
  std::vector<fs::path> automatic;
  for (fs::directory_iterator entry(inputs_.directory, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    const std::string name = entry->path().filename().string();
    if (name.ends_with(".auto.tfvars") || name.ends_with(".auto.tfvars.json")) automatic.push_back(entry->path());
  }
  std::sort(automatic.begin(), automatic.end());
  files.insert(files.end(), automatic.begin(), automatic.end());
  files.insert(files.end(), inputs_.variable_files.begin(), inputs_.variable_files.end());
  for (const auto& file : files) right = read_values_file(file, root) && right;
  for (const auto& [name, text] : inputs_.variables) {
    const auto declared = root.variables.find(name);
    if (declared != root.variables.end()) {
      right = take_text(name, text, "-var " + name, *declared->second) && right;
      continue;
    }
    auto& error = diagnostics_.error("Value for undeclared variable",
                                     fmt::format("A variable named \"{}\" was assigned on the command line, but the "
                                                 "root module does not declare it.",
                                                 name));
    error.suggestion = closest(name, names_of(root));
    right = false;
  }
  return right;
}

// nullopt with `given`: an error; without: no value was given.
std::optional<Value> Loader::given_value(Module& module, const std::string& name, const BlockSyntax& block,
                                         bool& given) {
  given = true;
  if (!module.parent) {
    const auto found = given_.find(name);
    if (found != given_.end()) return found->second;
  } else if (const auto expression = module.call->body.value(name)) {
    std::vector<Reference> references;
    collect_references(*expression, references);
    if (!touch_all(*module.parent, references, fmt::format("module {}", in_quotes(module.call->labels[0]))))
      return std::nullopt;
    ModuleScope scope(*this, *module.parent, &module.instance);
    return Evaluator(scope, diagnostics_).evaluate(*expression);
  }
  given = false;
  (void)block;
  return std::nullopt;
}

bool Loader::run_variable(Module& module, const std::string& name) {
  const BlockSyntax& block = *module.config->variables.at(name);
  const std::string context = context_of(name);
  bool given = false;
  auto value = given_value(module, name, block, given);
  if (given && !value) return false;
  SourceRange range = block.range;
  if (given && module.parent) range = module.call->body.value(name)->range;
  const auto fallback = block.body.value("default");
  const bool nullable = says_true(block.body, "nullable", true);
  if (!given || (value->is_null() && !nullable && fallback)) {
    if (!fallback) {
      const bool root = !module.parent;
      diagnostics_
          .error(root ? "No value for required variable" : "Missing required argument",
                 root ? fmt::format("The root module input variable \"{0}\" is not set, and has no default "
                                    "value. Give it with -var {0}=..., in terraform.tfvars, or as TF_VAR_{0} "
                                    "in the environment.",
                                    name)
                      : fmt::format("The argument \"{}\" is required, but no definition was found.", name),
                 root ? block.range : module.call->range)
          .context = root ? context : fmt::format("module {}", in_quotes(module.call->labels[0]));
      return false;
    }
    value = evaluate_constant(*fallback, diagnostics_);
    range = fallback->range;
    if (!value) return false;
  }
  if (value->is_null() && !nullable) {
    diagnostics_
        .error("Required variable not set",
               fmt::format("The variable \"{}\" must not be null (nullable = false).", name), range)
        .context = context;
    return false;
  }
  if (const auto constraint = block.body.value("type")) {
    const auto type = Type::parse(*constraint, diagnostics_);
    if (!type) return false;
    auto converted = type->convert(*value);
    if (!converted) {
      diagnostics_
          .error("Invalid value for input variable",
                 fmt::format("The given value is not suitable for {} declared at {}: {}.",
                             module.address_of("var." + name), block.range.text(), converted.error()),
                 range)
          .context = context;
      return false;
    }
    value = std::move(*converted);
  }
  if (says_true(block.body, "sensitive", false)) value = value->marked();
  Module::Node& node = module.nodes["var." + name];
  node.value = std::move(*value);
  node.state = Module::State::kDone;  // its validation refers to it
  const std::size_t errors_before = diagnostics_.size();
  ModuleScope scope(*this, module);
  check_rules(module, block.body, "validation", scope, context, Severity::kError);
  return diagnostics_.size() == errors_before;
}

}  // namespace securebase::stack
