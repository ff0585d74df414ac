// Reading what callers send. Every error is kMalformed and says what was expected and what came.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "lambda/api_request.h"

namespace securebase::lambda {

// The customer of the path ({id}), who must be the one that the authorizer named; kDenied otherwise. `scope` is the
// word that the caller must hold: "read", "write" or "admin".
Result<std::string> authorised_customer(const ApiRequest& request, std::string_view scope);
// The same with the customer of the query (customer_id), by default the caller.
Result<std::string> authorised_customer_of_query(const ApiRequest& request, std::string_view scope);

// Query parameters.
struct Range {
  std::int64_t least, most, by_default;
};
Result<std::int64_t> integer_parameter(const ApiRequest& request, std::string_view name, Range range);
// Empty when absent or empty.
Result<std::string> choice_parameter(const ApiRequest& request, std::string_view name,
                                     std::initializer_list<std::string_view> choices);
// "YYYY-MM-DD", a day that exists.
Result<std::optional<std::string>> date_parameter(const ApiRequest& request, std::string_view name);

// "24h", "30d", "4w": up to 90 days.
struct Period {
  std::string text;
  std::chrono::hours length;
};
Result<Period> parse_period(std::string_view text);
Result<Period> period_parameter(const ApiRequest& request);  // by default 30d

// Members of a JSON body. A character is a code point of Unicode, at most four bytes.
struct TextRule {
  std::size_t least_characters, most_characters;
};
Result<std::string> text_member(const base::Json& body, std::string_view name, TextRule rule,
                                std::optional<std::string_view> by_default = std::nullopt);
Result<std::string> choice_member(const base::Json& body, std::string_view name,
                                  std::initializer_list<std::string_view> choices, std::string_view by_default);

// 1 to 64 letters, digits, '_' or '-': what every id here is made of.
bool is_id(std::string_view text);

// An id in a path. What is none cannot exist: kNotFound, naming `what`.
Result<std::string> id_in_path(const ApiRequest& request, std::string_view name, std::string_view what);

}  // namespace securebase::lambda
