// The node of a resource or data block in its module's graph: aws_s3_bucket.portal, data.aws_region.current.
#pragma once

#include <string>

#include "stack/syntax/ast.h"

namespace securebase::stack {

inline std::string resource_key(const BlockSyntax& block) {
  return (block.type == "data" ? "data." : "") + block.labels[0] + "." + block.labels[1];
}

}  // namespace securebase::stack
