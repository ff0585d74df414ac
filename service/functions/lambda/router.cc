#include "lambda/router.h"

#include <fmt/format.h>

#include <memory>

namespace securebase::lambda {

ApiResponse Router::answer(const ApiRequest& request) const {
  for (const Route& route : routes_) {
    if (route.method != request.method || route.resource != request.resource) continue;
    auto response = route.answer(request);
    return response ? std::move(*response) : response_for(response.error());
  }
  return message(404, fmt::format("no route {} {}", request.method, request.resource));
}

Handler Router::handler() && {
  return
      [router = std::make_shared<const Router>(std::move(*this))](const Invocation& invocation) -> Result<std::string> {
        auto request = ApiRequest::parse(invocation.event);
        if (!request) return request.error();
        return router->answer(*request).encode();
      };
}

}  // namespace securebase::lambda
