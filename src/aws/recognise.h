// Which service and operation a request is for: by the scope of its signature, the target header, the path of the RPC
// protocol, Action and Version, or the paths of the REST services. Constant after construction, any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "aws/authorization.h"
#include "aws/message.h"
#include "aws/routes.h"

namespace securebase::aws {

class Recogniser {
 public:
  Recogniser();

  // Fills the target as far as the head tells. The operation of a query request whose Action stands in the body is
  // still missing then (wants_form()), and its service too when nobody signed it. What nobody else knows is S3's.
  void take_head(Target& target, const http::Request& request, const std::optional<Authorization>& authorization) const;
  static bool wants_form(const Target& target) {
    return target.protocol == Protocol::kQuery && target.operation_name.empty();
  }
  // Reads Action and Version out of the form.
  void take_form(Target& target) const;

  // The path in which a bucket that stands in the host is the first segment: "/key" of bucket.s3.amazonaws.com is
  // "/bucket/key". nullopt: the host names no bucket.
  static std::optional<std::string> path_of_virtual_host(std::string_view authority, std::string_view path);

 private:
  bool take_target_header(Target& target, const http::Request& request) const;
  bool take_rpc_path(Target& target, const http::Request& request) const;
  bool take_action(Target& target, const std::vector<Parameter>& parameters) const;
  void take_route(Target& target, const http::Request& request) const;

  std::map<std::string_view, const Service*> by_signing_name_;
  std::map<std::string_view, const Service*> by_target_prefix_;
  std::map<std::string_view, Routes> routes_;  // of REST services, by name
  const Service* s3_;
};

}  // namespace securebase::aws
