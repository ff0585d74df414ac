// JSON configuration syntax: objects are bodies, arrays are several of them, strings are templates.
// https://developer.hashicorp.com/terraform/language/syntax/json
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "stack/syntax/parser.h"

namespace securebase::stack {

namespace {

using base::Json;

constexpr unsigned kMostDepth = 100;

class JsonSyntax {
 public:
  JsonSyntax(std::shared_ptr<const SourceFile> file, Diagnostics& diagnostics, const SyntaxLimits& limits)
      : diagnostics_(diagnostics), limits_(limits), whole_{std::move(file), {}, {}} {}

  std::optional<BodySyntax> file_body(const Json& json) {
    BodySyntax body;
    body.range = whole_;
    body.from_json = true;
    if (!json.as_object()) return fail("The file must hold one JSON object.");
    for (const auto& [type, content] : *json.as_object()) {
      if (type == "//") continue;
      const std::size_t labels = type == "resource" || type == "data"                                             ? 2
                                 : type == "locals" || type == "terraform" || type == "moved" || type == "import" ? 0
                                                                                                                  : 1;
      if (!add_blocks(body, type, content, labels, {})) return std::nullopt;
    }
    return body;
  }

 private:
  std::nullopt_t fail(std::string detail) {
    diagnostics_.error("Invalid JSON configuration", std::move(detail), whole_);
    return std::nullopt;
  }

  bool add_blocks(BodySyntax& into, const std::string& type, const Json& content, std::size_t labels,
                  std::vector<std::string> have) {
    if (const auto* list = content.as_array()) {
      for (const auto& one : *list) {
        if (!add_blocks(into, type, one, labels, have)) return false;
      }
      return true;
    }
    const auto* object = content.as_object();
    if (!object) return fail(fmt::format("\"{}\" must be a JSON object.", type)), false;
    if (labels > have.size()) {
      for (const auto& [label, inner] : *object) {
        if (label == "//") continue;
        auto next = have;
        next.push_back(label);
        if (!add_blocks(into, type, inner, labels, std::move(next))) return false;
      }
      return true;
    }
    BlockSyntax block;
    block.type = type;
    block.labels = std::move(have);
    block.label_ranges.assign(block.labels.size(), whole_);
    block.range = whole_;
    block.body.range = whole_;
    block.body.from_json = true;
    // Blocks that the language itself knows are blocks; those of resource types are sorted out by declaration.
    for (const auto& [name, value] : *object) {
      if (name == "//") continue;
      const bool is_block =
          (name == "lifecycle" || name == "validation" || name == "provisioner" || name == "connection" ||
           name == "precondition" || name == "postcondition" || name == "assert" || name == "default_tags") &&
          (value.as_object() || value.as_array());
      if (name == "dynamic" && value.as_object()) {
        if (!add_blocks(block.body, name, value, 1, {})) return false;
      } else if (is_block || (type == "dynamic" && name == "content")) {
        if (!add_blocks(block.body, name, value, name == "provisioner" ? 1 : 0, {})) return false;
      } else {
        ExpressionPtr made = expression(value, 0, keeps_strings(type, name));
        if (!made) return false;
        block.body.attributes.push_back({name, whole_, std::move(made)});
      }
    }
    into.blocks.push_back(std::move(block));
    return true;
  }

  // Where a string is an expression in native syntax (a type, a reference) rather than a template.
  static bool keeps_strings(const std::string& block, const std::string& name) {
    return (block == "variable" && name == "type") || name == "depends_on" || name == "provider" ||
           name == "providers" || name == "ignore_changes" || name == "iterator" || name == "replace_triggered_by";
  }

  ExpressionPtr expression(const Json& json, unsigned depth, bool bare) {
    if (depth > kMostDepth) {
      (void)fail("Values may be nested 100 levels deep.");
      return nullptr;
    }
    unsigned deepest = 0;
    const auto make = [&](Expression::Node node) {
      return std::make_shared<const Expression>(Expression{whole_, std::move(node), deepest + 1});
    };
    if (const auto* text = json.as_string()) {
      const auto source = std::make_shared<const SourceFile>(SourceFile{whole_.file->name, *text});
      return bare ? parse_expression(source, diagnostics_, limits_) : parse_template(source, diagnostics_, limits_);
    }
    if (const auto* list = json.as_array()) {
      Tuple tuple;
      for (const auto& one : *list) {
        auto element = expression(one, depth + 1, bare);
        if (!element) return nullptr;
        deepest = std::max(deepest, element->depth);
        tuple.elements.push_back(std::move(element));
      }
      return make(std::move(tuple));
    }
    if (const auto* object = json.as_object()) {
      ObjectLiteral literal;
      for (const auto& [name, one] : *object) {
        if (name == "//") continue;
        auto value = expression(one, depth + 1, bare);
        auto key = value ? expression(Json(name), depth + 1, false) : nullptr;
        if (!key) return nullptr;
        deepest = std::max({deepest, key->depth, value->depth});
        literal.items.push_back({std::move(key), std::move(value)});
      }
      return make(std::move(literal));
    }
    return make(Literal{Value::from_json(json)});
  }

  Diagnostics& diagnostics_;
  const SyntaxLimits& limits_;
  SourceRange whole_;
};

}  // namespace

std::optional<BodySyntax> parse_json_file(std::shared_ptr<const SourceFile> file, Diagnostics& diagnostics,
                                          const SyntaxLimits& limits) {
  const auto json = base::Json::parse(file->text);
  if (!json) {
    diagnostics.error("Invalid JSON configuration", fmt::format("{}: {}.", file->name, json.error().message),
                      {file, {}, {}});
    return std::nullopt;
  }
  return JsonSyntax(std::move(file), diagnostics, limits).file_body(*json);
}

}  // namespace securebase::stack
