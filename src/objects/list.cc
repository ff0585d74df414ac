// Keys in the order of their bytes, in pages, with what lies behind a delimiter put together (S3 API, ListObjectsV2).
#include "objects/shelf.h"

namespace securebase::objects {

namespace {

// The first key that does not begin with `prefix` and lies behind those that do; empty: there can be none.
std::string behind(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xff) prefix.pop_back();
  if (!prefix.empty()) prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

}  // namespace

std::vector<std::shared_ptr<const ObjectInfo>> Objects::list(std::string_view bucket, std::string_view prefix,
                                                             std::string_view after, std::size_t limit) const {
  return list_page(bucket, prefix, {}, after, limit).objects;
}

Listing Objects::list_page(std::string_view bucket, std::string_view prefix, std::string_view delimiter,
                           std::string_view after, std::size_t limit) const {
  Listing page;
  const std::shared_lock lock(impl_->reading);
  const auto shelf = impl_->shelves.find(bucket);
  if (shelf == impl_->shelves.end()) return page;
  const auto& keys = shelf->second.objects;
  auto at = after < prefix ? keys.lower_bound(prefix) : keys.upper_bound(after);
  while (at != keys.end() && at->first.starts_with(prefix)) {
    const auto cut = delimiter.empty() ? std::string::npos : at->first.find(delimiter, prefix.size());
    const auto common = cut == std::string::npos ? std::string() : at->first.substr(0, cut + delimiter.size());
    const bool seen = !common.empty() && common == after;
    if (!seen && page.objects.size() + page.prefixes.size() >= limit) {
      page.truncated = limit > 0;
      return page;
    }
    if (common.empty()) {
      page.objects.push_back(at->second.info);
      page.last = at->first;
      ++at;
      continue;
    }
    if (!seen) {
      page.prefixes.push_back(common);
      page.last = common;
    }
    const auto next = behind(common);
    at = next.empty() ? keys.end() : keys.lower_bound(next);
  }
  return page;
}

}  // namespace securebase::objects
