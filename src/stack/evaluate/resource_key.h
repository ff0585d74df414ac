// The node of a resource, data or ephemeral block in its module's graph: aws_s3_bucket.portal, data.aws_region.current,
// ephemeral.random_password.db.
#pragma once

#include <string>
#include <string_view>

#include "stack/syntax/ast.h"

namespace securebase::stack {

// Words before type and name in a reference; a managed resource has none.
inline bool is_kind_word(std::string_view word) { return word == "data" || word == "ephemeral"; }

// "data.", "ephemeral." or "".
inline std::string kind_prefix(std::string_view block_type) {
  return is_kind_word(block_type) ? std::string(block_type) + "." : std::string();
}

inline std::string resource_key(const BlockSyntax& block) {
  return kind_prefix(block.type) + block.labels[0] + "." + block.labels[1];
}

}  // namespace securebase::stack
