// JSON configuration syntax: objects are bodies, arrays are several of them, strings are templates.
// https://developer.hashicorp.com/terraform/language/syntax/json
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "stack/syntax/json_places.h"
#include "stack/syntax/parser.h"

namespace securebase::stack {

namespace {

using base::Json;

constexpr unsigned kMostNesting = 100;

class JsonSyntax {
 public:
  JsonSyntax(std::shared_ptr<const SourceFile> file, Diagnostics& diagnostics, const SyntaxLimits& limits)
      : diagnostics_(diagnostics), limits_(limits), file_(std::move(file)) {}

  std::optional<BodySyntax> file_body(const Json& json) {
    const JsonPlace places = json_places(file_);
    BodySyntax body;
    body.range = places.range;
    body.from_json = true;
    if (!json.as_object()) return fail("The file must hold one JSON object.", places.range);
    for (std::size_t i = 0; i < json.as_object()->size(); ++i) {
      const auto& [type, content] = (*json.as_object())[i];
      if (type == "//") continue;
      const std::size_t labels = type == "resource" || type == "data" || type == "ephemeral"                      ? 2
                                 : type == "locals" || type == "terraform" || type == "moved" || type == "import" ? 0
                                                                                                                  : 1;
      if (!add_blocks(body, type, content, places.inner[i], labels, {})) return std::nullopt;
    }
    return body;
  }

 private:
  struct Label {
    std::string text;
    SourceRange range;
  };

  std::nullopt_t fail(std::string detail, const SourceRange& range) {
    diagnostics_.error("Invalid JSON configuration", std::move(detail), range);
    return std::nullopt;
  }

  bool add_blocks(BodySyntax& into, const std::string& type, const Json& content, const JsonPlace& place,
                  std::size_t labels, std::vector<Label> have) {
    if (const auto* list = content.as_array()) {
      for (std::size_t i = 0; i < list->size(); ++i) {
        if (!add_blocks(into, type, (*list)[i], place.inner[i], labels, have)) return false;
      }
      return true;
    }
    const auto* object = content.as_object();
    if (!object) return fail(fmt::format("\"{}\" must be a JSON object.", type), place.range), false;
    if (labels > have.size()) {
      for (std::size_t i = 0; i < object->size(); ++i) {
        const auto& [label, inner] = (*object)[i];
        if (label == "//") continue;
        auto next = have;
        next.push_back({label, place.inner[i].name});
        if (!add_blocks(into, type, inner, place.inner[i], labels, std::move(next))) return false;
      }
      return true;
    }
    BlockSyntax block;
    block.type = type;
    for (auto& label : have) {
      block.labels.push_back(std::move(label.text));
      block.label_ranges.push_back(label.range);
    }
    // What names the block: its last label, or its type's own name.
    block.range = !block.label_ranges.empty() ? block.label_ranges.back() : place.name.file ? place.name : place.range;
    block.body.range = place.range;
    block.body.from_json = true;
    // Blocks that the language itself knows are blocks; those of resource types are sorted out by declaration.
    for (std::size_t i = 0; i < object->size(); ++i) {
      const auto& [name, value] = (*object)[i];
      const JsonPlace& at = place.inner[i];
      if (name == "//") continue;
      const bool is_block =
          (name == "lifecycle" || name == "validation" || name == "provisioner" || name == "connection" ||
           name == "precondition" || name == "postcondition" || name == "assert" || name == "default_tags") &&
          (value.as_object() || value.as_array());
      if (name == "dynamic" && value.as_object()) {
        if (!add_blocks(block.body, name, value, at, 1, {})) return false;
      } else if (is_block || (type == "dynamic" && name == "content")) {
        if (!add_blocks(block.body, name, value, at, name == "provisioner" ? 1 : 0, {})) return false;
      } else {
        ExpressionPtr made = expression(value, at, 0, keeps_strings(type, name));
        if (!made) return false;
        block.body.attributes.push_back({name, at.name, std::move(made)});
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

  ExpressionPtr expression(const Json& json, const JsonPlace& place, unsigned depth, bool bare) {
    if (depth > kMostNesting) {
      (void)fail("Values may be nested 100 levels deep.", place.range);
      return nullptr;
    }
    unsigned deepest = 0;
    const auto make = [&](Expression::Node node) {
      return std::make_shared<const Expression>(Expression{place.range, std::move(node), deepest + 1});
    };
    if (const auto* text = json.as_string()) return string(*text, place.range, place.has_escapes, bare);
    if (const auto* list = json.as_array()) {
      Tuple tuple;
      for (std::size_t i = 0; i < list->size(); ++i) {
        auto element = expression((*list)[i], place.inner[i], depth + 1, bare);
        if (!element) return nullptr;
        deepest = std::max(deepest, element->depth);
        tuple.elements.push_back(std::move(element));
      }
      return make(std::move(tuple));
    }
    if (const auto* object = json.as_object()) {
      ObjectLiteral literal;
      for (std::size_t i = 0; i < object->size(); ++i) {
        const auto& [name, one] = (*object)[i];
        if (name == "//") continue;
        auto value = expression(one, place.inner[i], depth + 1, bare);
        // A name's own escapes are rare; as text of its own it is right either way.
        auto key = value ? string(name, place.inner[i].name, true, false) : nullptr;
        if (!key) return nullptr;
        deepest = std::max({deepest, key->depth, value->depth});
        literal.items.push_back({std::move(key), std::move(value)});
      }
      return make(std::move(literal));
    }
    return make(Literal{Value::from_json(json)});
  }

  // Read where it stands, so that errors point into the file. With escapes the text in the file is not the value: then
  // the value is read behind as many empty lines as put it on the line where it begins.
  ExpressionPtr string(const std::string& text, const SourceRange& place, bool has_escapes, bool bare) {
    SourceRange part = place;
    if (has_escapes) {
      const std::string above(place.start.line - 1, '\n');
      part.file = std::make_shared<const SourceFile>(SourceFile{file_->name, above + text});
      part.start.byte = static_cast<std::uint32_t>(above.size());
      part.end.byte = static_cast<std::uint32_t>(part.file->text.size());
    }
    return bare ? parse_expression(part, diagnostics_, limits_) : parse_template(part, diagnostics_, limits_);
  }

  Diagnostics& diagnostics_;
  const SyntaxLimits& limits_;
  const std::shared_ptr<const SourceFile> file_;
};

}  // namespace

std::optional<BodySyntax> parse_json_file(std::shared_ptr<const SourceFile> file, Diagnostics& diagnostics,
                                          const SyntaxLimits& limits) {
  const auto json = base::Json::parse(file->text);
  if (!json) {
    Position stopped;
    (void)json_places(file, &stopped);
    diagnostics.error("Invalid JSON configuration", fmt::format("{}: {}.", file->name, json.error().message),
                      {file, stopped, stopped});
    return std::nullopt;
  }
  return JsonSyntax(std::move(file), diagnostics, limits).file_body(*json);
}

}  // namespace securebase::stack
