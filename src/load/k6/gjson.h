// Paths into JSON as Response.json(path) has them (the syntax of GJSON):
//
//   name.first  children.1  children.#  friends.#.last  friends.#(last=="Craig").first  friends.#(age>40)#.last
//   a\.b (a dot in a name)  ch*ld (? and * match)  a|b (as a dot, but of the whole result)  @reverse @keys @values
#pragma once

#include <optional>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace securebase::k6 {

// nullopt: there is nothing at that path. An error: the path is not one, and where. Limits: 4 KiB, 64 steps.
Result<std::optional<base::Json>> gjson(const base::Json& value, std::string_view path);

}  // namespace securebase::k6
