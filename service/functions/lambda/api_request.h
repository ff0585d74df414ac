// The event of API Gateway's Lambda proxy integration (REST, payload format 1.0) as the handlers read it.
// https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway.html
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace securebase::lambda {

struct ApiRequest {
  using Fields = std::vector<std::pair<std::string, std::string>>;

  std::string method;
  std::string resource;  // "/v1/customers/{id}", as the route was declared
  std::string path;
  Fields headers;  // names in lower case
  Fields path_parameters;
  Fields query;      // the last value of each name
  std::string body;  // decoded when it came as base64
  // What the authorizer found out. Nothing else in a request says who is asking.
  std::string customer_id;
  std::string scope;

  static Result<ApiRequest> parse(std::string_view event);

  // Empty if there is none.
  std::string_view header(std::string_view lower_case_name) const;
  std::string_view path_parameter(std::string_view name) const;
  std::string_view query_parameter(std::string_view name) const;
  // The body as a JSON object; an empty body is an empty object.
  Result<base::Json> json_body() const;
  bool has_scope(std::string_view word) const;
};

}  // namespace securebase::lambda
