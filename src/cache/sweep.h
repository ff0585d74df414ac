// Invalidation of keys that do not carry their tags: raises the tags' generations, then walks the keyspace once for all
// tags that wait, in batches.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cache/cache.h"
#include "cache/client.h"

namespace securebase::cache {

// The prefix rule: does the tag "customer:42" or "invoices:42" tie the key "invoices:42:list"?
bool is_tied(std::string_view key, std::string_view tag);

Result<Receipt> sweep(Client& client, const std::vector<std::string>& tags);

}  // namespace securebase::cache
