// The node of a resource, data or ephemeral block in its module's graph: aws_s3_bucket.portal, data.aws_region.current,
// ephemeral.random_password.db.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "stack/syntax/ast.h"

namespace securebase::stack {

// Words before type and name in a reference; a managed resource may have one, which is no part of its key.
inline bool is_kind_word(std::string_view word) { return word == "data" || word == "ephemeral" || word == "resource"; }

// "data.", "ephemeral." or "".
inline std::string kind_prefix(std::string_view block_type) {
  return is_kind_word(block_type) && block_type != "resource" ? std::string(block_type) + "." : std::string();
}

inline std::string resource_key(const BlockSyntax& block) {
  return kind_prefix(block.type) + block.labels[0] + "." + block.labels[1];
}

// The key of the node that a reference is about: resource.aws_s3_bucket.portal.arn is about aws_s3_bucket.portal.
inline std::string node_of(Reference reference) {
  auto& steps = reference.steps;
  if (reference.root == "resource" && !steps.empty()) {
    reference.root = steps[0].key.to_text().value_or("");
    steps.erase(steps.begin());
  }
  steps.resize(std::min<std::size_t>(is_kind_word(reference.root) ? 2 : 1, steps.size()));
  return reference.text();
}

}  // namespace securebase::stack
