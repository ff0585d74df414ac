// Port 4566: REST APIs without the edge (the gateway's own addresses). Calls of AWS APIs find a clear answer that this
// version has none of them.
#pragma once

#include "gateway/gateway.h"
#include "net/http/message.h"

namespace securebase::platform {

class AwsPort final : public http::Handler {
 public:
  explicit AwsPort(gateway::Gateway& gateway) : gateway_(gateway) {}
  bool answer_now(const http::Request& request, http::Response& response) override;
  net::Task<http::Response> answer(http::Request& request) override;

 private:
  gateway::Gateway& gateway_;
};

}  // namespace securebase::platform
