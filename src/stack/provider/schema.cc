#include "stack/provider/schema.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <set>

// The lists go into the program as they are; the compiler is told their folder by this room's CMakeLists.txt.
__asm__(
    ".pushsection .rodata\n"
    ".global securebase_aws_names\n"
    "securebase_aws_names:\n"
    ".incbin \"" SECUREBASE_PROVIDER_NAMES
    "/aws_names.txt\"\n"
    ".byte 0\n"
    ".global securebase_small_names\n"
    "securebase_small_names:\n"
    ".incbin \"" SECUREBASE_PROVIDER_NAMES
    "/small_names.txt\"\n"
    ".byte 0\n"
    ".popsection\n");
extern "C" const char securebase_aws_names[];
extern "C" const char securebase_small_names[];

namespace securebase::stack {

namespace {

using Mode = Declaration::Mode;

// One line's content, read to the brace that closes the block it is in.
void read_block(std::string_view& text, ProviderBlock& into) {
  while (!text.empty()) {
    if (text.front() == ' ') {
      text.remove_prefix(1);
      continue;
    }
    if (text.front() == '}') {
      text.remove_prefix(1);
      return;
    }
    if (text.front() == '~') {
      into.open = true;
      text.remove_prefix(1);
      continue;
    }
    const std::size_t end = std::min(text.find_first_of(":*{"), text.size());
    const std::string name(text.substr(0, end));
    text.remove_prefix(end);
    const bool computed_block = text.starts_with("*{");
    if (computed_block) text.remove_prefix(1);
    if (text.starts_with('{')) {
      text.remove_prefix(1);
      ProviderBlock& block = into.blocks[name];
      block.computed = computed_block;
      read_block(text, block);
      continue;
    }
    ProviderBlock::Attribute attribute;
    const char kind = text.size() > 1 ? text[1] : 'a';
    using Type = ProviderBlock::Type;
    attribute.type = kind == 's'   ? Type::kString
                     : kind == 'n' ? Type::kNumber
                     : kind == 'b' ? Type::kBool
                     : kind == 'l' ? Type::kList
                     : kind == 'm' ? Type::kMap
                                   : Type::kAny;
    text.remove_prefix(std::min<std::size_t>(2, text.size()));
    if (text.starts_with('*')) {
      attribute.computed = true;
      text.remove_prefix(1);
    } else if (text.starts_with('+')) {
      attribute.filled = true;
      text.remove_prefix(1);
    }
    into.attributes.emplace(name, attribute);
  }
}

class Lists {
 public:
  Lists() {
    add(securebase_aws_names, "aws_");
    add(securebase_small_names, "");
  }

  const ProviderBlock* find(Mode mode, std::string_view type) {
    const auto line = lines_.find(std::pair(mode, std::string(type)));
    if (line == lines_.end()) return nullptr;
    const std::lock_guard lock(mutex_);
    auto& block = read_[line->first];
    if (!block) {
      block = std::make_unique<ProviderBlock>();
      std::string_view text = line->second;
      read_block(text, *block);
      // Every resource has an id, and those that bear tags show them with the provider's default ones.
      block->attributes.emplace("id", ProviderBlock::Attribute{ProviderBlock::Type::kString, false});
      if (block->attributes.contains("tags")) {
        block->attributes.emplace("tags_all", ProviderBlock::Attribute{ProviderBlock::Type::kMap, false});
      }
    }
    return block.get();
  }

  std::vector<std::string> types(Mode mode) const {
    std::vector<std::string> all;
    for (const auto& [key, line] : lines_) {
      if (key.first == mode) all.push_back(key.second);
    }
    return all;
  }

  bool has_provider(std::string_view type) const { return providers_.contains(type.substr(0, type.find('_'))); }

 private:
  void add(std::string_view list, std::string_view prefix) {
    while (!list.empty()) {
      const std::size_t end = std::min(list.find('\n'), list.size());
      const std::string_view line = list.substr(0, end);
      list.remove_prefix(std::min(end + 1, list.size()));
      if (line.size() < 3) continue;
      const std::size_t space = std::min(line.find(' ', 2), line.size());
      std::string type(prefix);
      type += line.substr(2, space - 2);
      providers_.insert(type.substr(0, type.find('_')));
      lines_.emplace(std::pair(line[0] == 'r' ? Mode::kResource : Mode::kData, std::move(type)), line.substr(space));
    }
  }

  std::map<std::pair<Mode, std::string>, std::string_view> lines_;
  std::set<std::string, std::less<>> providers_;
  std::mutex mutex_;
  std::map<std::pair<Mode, std::string>, std::unique_ptr<ProviderBlock>> read_;
};

Lists& lists() {
  static Lists made;
  return made;
}

}  // namespace

std::vector<std::string> ProviderBlock::names() const {
  std::vector<std::string> all;
  for (const auto& [name, attribute] : attributes) all.push_back(name);
  for (const auto& [name, block] : blocks) all.push_back(name);
  return all;
}

const ProviderBlock* provider_type(Mode mode, std::string_view type) { return lists().find(mode, type); }

std::vector<std::string> provider_types(Mode mode) { return lists().types(mode); }

bool provider_of(std::string_view type) { return lists().has_provider(type); }

}  // namespace securebase::stack
