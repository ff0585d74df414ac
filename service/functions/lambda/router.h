// Which handler answers which method and resource of the API.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "lambda/api_request.h"
#include "lambda/api_response.h"
#include "lambda/serve.h"

namespace securebase::lambda {

// An error becomes the response that response_for() gives it.
using ApiHandler = std::function<Result<ApiResponse>(const ApiRequest& request)>;

struct Route {
  std::string_view method;
  std::string_view resource;  // as in API Gateway: "/v1/customers/{id}"
  ApiHandler answer;
};

class Router {
 public:
  explicit Router(std::vector<Route> routes) : routes_(std::move(routes)) {}

  ApiResponse answer(const ApiRequest& request) const;
  // Takes proxy events; what is none fails the invocation.
  Handler handler() &&;

 private:
  std::vector<Route> routes_;
};

}  // namespace securebase::lambda
