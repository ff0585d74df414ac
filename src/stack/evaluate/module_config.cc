#include "stack/evaluate/module_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/file.h"
#include "stack/evaluate/meta_blocks.h"
#include "stack/functions/text.h"
#include "stack/syntax/parser.h"

namespace securebase::stack {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostSourceBytes = 4 << 20;

bool is_override(std::string_view stem) { return stem == "override" || stem.ends_with("_override"); }

struct Source {
  fs::path path;
  bool json = false;
  bool overrides = false;
};

std::vector<Source> sources_in(const fs::path& directory, std::error_code& failure) {
  std::vector<Source> found;
  for (fs::directory_iterator entry(directory, failure), end; !failure && entry != end; entry.increment(failure)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with('.') || name.starts_with('#') || name.ends_with('~')) continue;
    const bool json = name.ends_with(".tf.json");
    if (!json && !name.ends_with(".tf")) continue;
    found.push_back({entry->path(), json, is_override(name.substr(0, name.size() - (json ? 8 : 3)))});
  }
  std::sort(found.begin(), found.end(), [](const Source& a, const Source& b) {
    return std::pair(a.overrides, a.path) < std::pair(b.overrides, b.path);
  });
  return found;
}

class BodyCollector {
 public:
  BodyCollector(ModuleConfig& config, Diagnostics& diagnostics) : config_(config), diagnostics_(diagnostics) {}

  void add(BodySyntax& body, bool overrides) {
    overrides_ = overrides;
    for (const auto& attribute : body.attributes) {
      diagnostics_.error("Unsupported argument",
                         fmt::format("An argument named \"{}\" is not expected here.", attribute.name),
                         attribute.name_range);
    }
    for (auto& block : body.blocks) add(block);
  }

 private:
  void add(BlockSyntax& block) {
    check_meta_block(block, diagnostics_);
    const auto& labels = block.labels;
    if (block.type == "resource" || block.type == "data" || block.type == "ephemeral") {
      if (!has_labels(block, {"type", "name"})) return;
      auto& table = block.type == "data"        ? config_.data
                    : block.type == "ephemeral" ? config_.ephemerals
                                                : config_.resources;
      const std::string_view words = block.type == "data"        ? "data source"
                                     : block.type == "ephemeral" ? "ephemeral resource"
                                                                 : "resource";
      if (declare(table, std::pair(labels[0], labels[1]), block, std::string(words))) {
        config_.in_order.push_back(&block);
      }
    } else if (block.type == "variable") {
      if (has_labels(block, {"name"})) declare(config_.variables, labels[0], block, "variable");
    } else if (block.type == "output") {
      if (has_labels(block, {"name"})) declare(config_.outputs, labels[0], block, "output");
    } else if (block.type == "module") {
      if (has_labels(block, {"name"}) && declare(config_.calls, labels[0], block, "module")) {
        config_.in_order.push_back(&block);
      }
    } else if (block.type == "locals") {
      add_locals(block);
    } else if (block.type == "provider") {
      if (has_labels(block, {"name"})) config_.providers.push_back(&block);
    } else if (block.type == "check") {
      if (has_labels(block, {"name"})) add_check(block);
    } else {
      // They change what Terraform does with its state, of which there is none here.
      static constexpr std::array kWithoutEffect = {"terraform", "moved", "import", "removed"};
      if (std::find(kWithoutEffect.begin(), kWithoutEffect.end(), block.type) != kWithoutEffect.end()) return;
      static const std::vector<std::string> kTypes = {"resource", "data",   "ephemeral", "variable", "output",
                                                      "module",   "locals", "provider",  "check",    "terraform",
                                                      "moved",    "import", "removed"};
      auto& error =
          diagnostics_.error("Unsupported block type",
                             fmt::format("Blocks of type \"{}\" are not expected here.", block.type), block.range);
      error.suggestion = closest(block.type, kTypes);
    }
  }

  bool has_labels(const BlockSyntax& block, std::initializer_list<std::string_view> names) {
    if (block.labels.size() != names.size()) {
      const bool missing = block.labels.size() < names.size();
      diagnostics_.error(missing ? fmt::format("Missing {} for {}", *(names.begin() + block.labels.size()), block.type)
                                 : fmt::format("Extraneous label for {}", block.type),
                         fmt::format("All {} blocks must have {} label{} ({}).", block.type, names.size(),
                                     names.size() == 1 ? "" : "s", fmt::join(names, ", ")),
                         block.range);
      return false;
    }
    for (std::size_t i = 0; i < block.labels.size(); ++i) {
      if (is_identifier(block.labels[i])) continue;
      diagnostics_.error("Invalid name",
                         "A name must start with a letter or underscore and may contain only letters, digits, "
                         "underscores, and dashes.",
                         block.label_ranges[i]);
      return false;
    }
    return true;
  }

  // False when it was there already: an error, or in an override file the attributes replace those of the first.
  template <class Table, class Key>
  bool declare(Table& table, const Key& key, BlockSyntax& block, std::string_view what) {
    const auto [found, added] = table.emplace(key, &block);
    if (added) return true;
    if (!overrides_) {
      diagnostics_.error(fmt::format("Duplicate {} \"{}\" configuration", what, block.labels.back()),
                         fmt::format("A {} named \"{}\" was already declared at {}. Names must be unique in a module.",
                                     what, block.labels.back(), found->second->range.text()),
                         block.range);
      return false;
    }
    for (const auto& body : config_.bodies) {
      for (auto& first : body->blocks) {
        if (&first == found->second) override_body(first.body, block.body);
      }
    }
    return false;
  }

  // https://developer.hashicorp.com/terraform/language/files/override
  static void override_body(BodySyntax& into, const BodySyntax& from) {
    for (const auto& attribute : from.attributes) {
      std::erase_if(into.attributes, [&](const auto& old) { return old.name == attribute.name; });
      into.attributes.push_back(attribute);
    }
    for (const auto& block : from.blocks) {
      std::erase_if(into.blocks, [&](const auto& old) { return old.type == block.type; });
    }
    into.blocks.insert(into.blocks.end(), from.blocks.begin(), from.blocks.end());
  }

  void add_check(BlockSyntax& block) {
    config_.checks.push_back(&block);
    for (auto& nested : block.body.blocks) {
      if (nested.type != "data" || !has_labels(nested, {"type", "name"})) continue;
      const std::pair key(nested.labels[0], nested.labels[1]);
      if (declare(config_.data, key, nested, "data source")) config_.check_of_data.emplace(key, &block);
    }
  }

  void add_locals(BlockSyntax& block) {
    for (const auto& attribute : block.body.attributes) {
      const auto [found, added] = config_.locals.emplace(attribute.name, &attribute);
      if (added) continue;
      if (overrides_) {
        found->second = &attribute;
        continue;
      }
      diagnostics_.error("Duplicate local value definition",
                         fmt::format("A local value named \"{}\" was already defined at {}.", attribute.name,
                                     found->second->name_range.text()),
                         attribute.name_range);
    }
    for (const auto& nested : block.body.blocks) {
      diagnostics_.error("Unexpected block", "Blocks are not allowed here: local values are written name = value.",
                         nested.range);
    }
  }

  ModuleConfig& config_;
  Diagnostics& diagnostics_;
  bool overrides_ = false;
};

}  // namespace

std::shared_ptr<const ModuleConfig> read_module(const fs::path& directory, const std::string& shown,
                                                std::vector<std::string>& files, Diagnostics& diagnostics) {
  std::error_code failure;
  const auto sources = sources_in(directory, failure);
  if (failure || sources.empty()) {
    diagnostics.error("No configuration files",
                      failure
                          ? fmt::format("The directory {} cannot be read: {}.", directory.string(), failure.message())
                          : fmt::format("The directory {} contains no Terraform files (*.tf).", directory.string()));
    return nullptr;
  }
  auto config = std::make_shared<ModuleConfig>();
  config->directory = directory;
  std::vector<bool> overrides;
  bool right = true;
  for (const auto& source : sources) {
    files.push_back(source.path.string());
    auto text = base::read_file(source.path, kMostSourceBytes);
    if (!text) {
      diagnostics.error("Failed to read file", text.error().message + ".");
      right = false;
      continue;
    }
    const std::string name = source.path.filename().string();
    const auto file = std::make_shared<const SourceFile>(
        SourceFile{shown.empty() || shown == "." ? name : shown + "/" + name, std::move(*text)});
    if (!is_utf8(file->text)) {
      diagnostics.error("Invalid character encoding", fmt::format("{} is not encoded in UTF-8.", file->name));
      right = false;
      continue;
    }
    auto body = source.json ? parse_json_file(file, diagnostics) : parse_file(file, diagnostics);
    right = right && body.has_value();
    if (!body) continue;
    config->bodies.push_back(std::make_unique<BodySyntax>(std::move(*body)));
    overrides.push_back(source.overrides);
  }
  BodyCollector collector(*config, diagnostics);
  for (std::size_t i = 0; i < config->bodies.size(); ++i) collector.add(*config->bodies[i], overrides[i]);
  return right ? config : nullptr;
}

}  // namespace securebase::stack
