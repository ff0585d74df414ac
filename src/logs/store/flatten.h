// JSON as fields: {"request":{"path":"/x"},"items":[1]} is request.path and items.0.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "logs/store/discover.h"

namespace securebase::logs {

// The first JSON object of a text, from its brace to the brace that closes it; empty if there is none.
std::string_view first_json_object(std::string_view text);

class JsonFlattener {
 public:
  explicit JsonFlattener(Discoverer::Limits limits);
  ~JsonFlattener();

  // Nothing if the text has no JSON object. Null members, empty objects and empty lists are no fields.
  void flatten(std::string_view message, FieldReceiver& into);

 private:
  struct Parser;
  const Discoverer::Limits limits_;
  std::unique_ptr<Parser> parser_;
};

}  // namespace securebase::logs
