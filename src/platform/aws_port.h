// Port 4566: REST APIs without the edge (the gateway's own addresses), what subscribers of topics follow (links,
// certificates), and the AWS APIs of all services.
#pragma once

#include "aws/aws.h"
#include "functions/code_links.h"
#include "gateway/gateway.h"
#include "net/http/message.h"
#include "notify/notify.h"

namespace securebase::platform {

// What the gateway, notifications and links to code recognise is theirs, all else a call of an AWS API.
class AwsPort final : public http::Handler {
 public:
  // All outlive it.
  AwsPort(gateway::Gateway& gateway, notify::Notify& notify, functions::CodeLinks& code, aws::Front& front)
      : gateway_(gateway), notify_(notify), code_(code), front_(front) {}
  bool answer_now(const http::Request& request, http::Response& response) override;
  net::Task<http::Response> answer(http::Request& request) override;

 private:
  gateway::Gateway& gateway_;
  notify::Notify& notify_;
  functions::CodeLinks& code_;
  aws::Front& front_;
};

}  // namespace securebase::platform
