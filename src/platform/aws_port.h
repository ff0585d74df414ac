// Port 4566: REST APIs without the edge (the gateway's own addresses), and the AWS APIs of all services.
#pragma once

#include "aws/aws.h"
#include "gateway/gateway.h"
#include "net/http/message.h"

namespace securebase::platform {

// What the gateway recognises is its own, all else a call of an AWS API.
class AwsPort final : public http::Handler {
 public:
  // Both outlive it.
  AwsPort(gateway::Gateway& gateway, aws::Front& front) : gateway_(gateway), front_(front) {}
  bool answer_now(const http::Request& request, http::Response& response) override;
  net::Task<http::Response> answer(http::Request& request) override;

 private:
  gateway::Gateway& gateway_;
  aws::Front& front_;
};

}  // namespace securebase::platform
