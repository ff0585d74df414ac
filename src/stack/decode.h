// From what is written to a resource that its room understands: the same for files and for what an API asks, so that
// both meet the same checks and the same errors.
#pragma once

#include <optional>

#include "stack/stack.h"

namespace securebase::stack {

using DeriveSecret =
    std::function<std::string(std::string_view address, std::size_t length, std::string_view alphabet)>;

// What the computed attributes of `resource` follow from; its address, region and body are set. `others` are those that
// it may refer to; they outlive the context.
Context context_of(const Resource& resource, const std::string& account, DeriveSecret derive_secret,
                   const std::vector<Resource>& others);

// What its body sets, and `tags_all` where it takes tags.
Value::Map written_attributes(const Resource& resource);

// Sets `decoded`, and gives all attributes, in this order of rank: what is written, what its room computes, and the
// declared defaults. nullopt: the diagnostics say why. `resource` has a declaration.
std::optional<Value::Map> decode(Resource& resource, const Context& context, Diagnostics& diagnostics,
                                 std::vector<Finding>& findings);

// `resource "aws_s3_bucket" "portal"`, for messages.
std::string words_for(const Resource& resource);

}  // namespace securebase::stack
