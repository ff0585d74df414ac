#include "platform/aws_port.h"

#include "base/json.h"

namespace securebase::platform {

bool AwsPort::answer_now(const http::Request& request, http::Response& response) {
  if (gateway_.recognises(request)) return gateway_.answer_now(request, response);
  response.status = 501;
  response.headers.add("Content-Type", "application/json");
  response.body =
      base::Json::object({{"__type", "NotImplemented"},
                          {"message",
                           "This version of SecureBase answers REST APIs on this port "
                           "(/restapis/{api}/{stage}/_user_request_/{path}, or the Host of an API), and no calls "
                           "of AWS APIs yet. `securebase` has the same as commands: see `securebase --help`."}})
          .dump();
  return true;
}

net::Task<http::Response> AwsPort::answer(http::Request& request) { return gateway_.answer(request); }

}  // namespace securebase::platform
