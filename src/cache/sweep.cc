#include "cache/sweep.h"

#include <algorithm>
#include <charconv>

namespace securebase::cache {

namespace {

constexpr std::string_view kGenerationPrefix = "tag:";
constexpr std::string_view kEveryKind = "customer";
constexpr const char* kBatch = "1000";

}  // namespace

bool is_tied(std::string_view key, std::string_view tag) {
  const auto colon = tag.find(':');
  if (colon == std::string_view::npos || key.starts_with(kGenerationPrefix)) return false;
  const std::string_view kind = tag.substr(0, colon);
  const std::string_view id = tag.substr(colon + 1);
  if (id.empty()) return false;
  // The id stands behind a colon and ends with the key or at the next one.
  for (auto at = key.find(':'); at != std::string_view::npos; at = key.find(':', at + 1)) {
    const std::string_view rest = key.substr(at + 1);
    const bool here = rest.starts_with(id) && (rest.size() == id.size() || rest[id.size()] == ':');
    if (here && (kind == kEveryKind || key.substr(0, at) == kind)) return true;
  }
  return false;
}

Result<Receipt> sweep(Client& client, const std::vector<std::string>& tags) {
  Receipt receipt;
  // Generations first: what is stored from here on is younger than the invalidation.
  for (const auto& tag : tags) {
    auto raised = client.ask({"INCR", std::string(kGenerationPrefix) + tag});
    if (!raised) return raised.error();
    receipt.tags.push_back({tag, static_cast<std::uint64_t>(raised->integer), 0});
  }
  std::string cursor = "0";
  do {
    auto page = client.ask({"SCAN", cursor, "COUNT", kBatch});
    if (!page) return page.error();
    if (page->elements.size() != 2) return Error{Errc::kMalformed, "Redis answered SCAN with something else"};
    cursor = page->elements[0].text;
    std::vector<std::string> unlink = {"UNLINK"};
    for (const auto& key : page->elements[1].elements) {
      ++receipt.keys_seen;
      const auto tied = std::find_if(receipt.tags.begin(), receipt.tags.end(),
                                     [&](const Receipt::Tag& tag) { return is_tied(key.text, tag.name); });
      if (tied == receipt.tags.end()) continue;
      ++tied->keys;
      unlink.push_back(key.text);
    }
    if (unlink.size() > 1) {
      if (auto gone = client.ask(unlink); !gone) return gone.error();
    }
  } while (cursor != "0");
  return receipt;
}

}  // namespace securebase::cache
