#include "platform/aws_port.h"

namespace securebase::platform {

bool AwsPort::answer_now(const http::Request& request, http::Response& response) {
  return gateway_.recognises(request) && gateway_.answer_now(request, response);
}

net::Task<http::Response> AwsPort::answer(http::Request& request) {
  if (gateway_.recognises(request)) return gateway_.answer(request);
  if (notify_.recognises(request)) return notify_.answer(request);
  if (code_.recognises(request)) return code_.answer(request);
  return front_.answer(request);
}

}  // namespace securebase::platform
