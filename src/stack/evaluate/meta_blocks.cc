#include "stack/evaluate/meta_blocks.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

namespace securebase::stack {

namespace {

struct Shape {
  std::string_view type;
  std::vector<std::string> arguments;
  std::vector<std::string> blocks;
};

const Shape* shape_of(std::string_view type) {
  static const std::vector<Shape> kShapes = {
      {"variable",
       {"type", "default", "description", "sensitive", "nullable", "ephemeral", "deprecated", "const"},
       {"validation"}},
      {"output",
       {"value", "description", "sensitive", "depends_on", "ephemeral", "deprecated", "type"},
       {"precondition", "postcondition"}},
      {"check", {"depends_on"}, {"data", "assert"}},
      {"validation", {"condition", "error_message"}, {}},
      {"precondition", {"condition", "error_message"}, {}},
      {"postcondition", {"condition", "error_message"}, {}},
      {"assert", {"condition", "error_message"}, {}},
      {"lifecycle",
       {"create_before_destroy", "prevent_destroy", "ignore_changes", "replace_triggered_by", "destroy", "enabled"},
       {"precondition", "postcondition", "action_trigger"}},
      {"moved", {"from", "to"}, {}},
      {"import", {"to", "id", "identity", "provider", "for_each"}, {}},
      {"removed", {"from"}, {"lifecycle", "provisioner", "connection"}},
      {"terraform",
       {"required_version", "experiments", "language"},
       {"required_providers", "backend", "cloud", "provider_meta", "encryption", "state_store"}},
  };
  const auto found =
      std::find_if(kShapes.begin(), kShapes.end(), [&](const Shape& shape) { return shape.type == type; });
  return found == kShapes.end() ? nullptr : &*found;
}

class MetaBlockCheck {
 public:
  MetaBlockCheck(const BlockSyntax& outermost, Diagnostics& diagnostics) : diagnostics_(diagnostics) {
    context_ = outermost.type;
    for (const auto& label : outermost.labels) context_ += fmt::format(" \"{}\"", label);
  }

  void check(const BlockSyntax& block) {
    const Shape* shape = shape_of(block.type);
    if (!shape) return;
    for (const auto& attribute : block.body.attributes) {
      if (has(shape->arguments, attribute.name)) continue;
      unknown("Unsupported argument", fmt::format("An argument named \"{}\" is not expected here.", attribute.name),
              attribute.name_range, closest(attribute.name, shape->arguments));
    }
    for (const auto& nested : block.body.blocks) {
      // dynamic "validation" and the like do not exist; what is not known is told by its own name.
      if (has(shape->blocks, nested.type)) {
        check(nested);
        continue;
      }
      unknown("Unsupported block type", fmt::format("Blocks of type \"{}\" are not expected here.", nested.type),
              nested.range, closest(nested.type, shape->blocks));
    }
  }

 private:
  static bool has(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  }

  void unknown(std::string summary, std::string detail, const SourceRange& range, std::string suggestion) {
    auto& said = suggestion.empty() ? diagnostics_.warning(std::move(summary), std::move(detail), range)
                                    : diagnostics_.error(std::move(summary), std::move(detail), range);
    said.context = context_;
    said.suggestion = std::move(suggestion);
  }

  Diagnostics& diagnostics_;
  std::string context_;
};

}  // namespace

void check_meta_block(const BlockSyntax& block, Diagnostics& diagnostics) {
  MetaBlockCheck check(block, diagnostics);
  if (block.type == "resource" || block.type == "data" || block.type == "ephemeral") {
    for (const auto& nested : block.body.blocks) {
      if (nested.type == "lifecycle") check.check(nested);
    }
    return;
  }
  check.check(block);
}

}  // namespace securebase::stack
