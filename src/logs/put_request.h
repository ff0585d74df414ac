// PutLogEvents as current clients write it (json 1.1), read in one pass from the bytes of the request into what the
// store takes. It takes what is plain and valid; all else (members that it does not know, numbers with fractions,
// anything that is wrong) goes the way of every operation, through the service's model, which finds the words for what
// is wrong.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "logs/store/event.h"

namespace securebase::logs {

// Texts are views into the request, or into `unescaped`.
struct PutRequest {
  std::string_view group;
  std::string_view stream;
  std::vector<Event> events;
  std::unique_ptr<char[]> unescaped;
};

// nullopt: not plain, or not valid as JSON (RFC 8259) and UTF-8. What is read is within the bounds that the model sets;
// the rules for a batch as a whole are the caller's.
std::optional<PutRequest> read_put_request(std::string_view json);

}  // namespace securebase::logs
