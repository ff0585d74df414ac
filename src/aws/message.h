// Whole messages: an input from a request, a response from an answer or a fault, in any of the protocols.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "aws/aws.h"
#include "aws/complaint.h"
#include "aws/form.h"
#include "aws/model.h"
#include "net/http/message.h"

namespace securebase::aws {

// What a request turned out to ask for.
struct Target {
  const Service* service = nullptr;
  const Operation* operation = nullptr;  // null: none that the model has
  std::string operation_name;            // as the client called it
  Protocol protocol = Protocol::kQuery;
  std::vector<Parameter> labels;  // of the path
  std::vector<Parameter> query;   // decoded
  std::vector<Parameter> form;    // of the query protocol: all parameters, Action and Version too
  bool query_compatible = false;  // the client wants the query protocol's error code in a header, too
};

// `body` is empty where the payload is a stream. Does not check constraints. An idempotency token that is missing is
// made up, as the services' clients would. Takes the form out of the target.
Result<Value, Complaint> decode_input(Target& target, const http::Request& request, std::string_view body);

http::Response encode_output(const Target& target, Answer answer, std::string_view request_id, http::Method method);

// `target.service` and the operation may be null.
http::Response encode_fault(const Target& target, const Fault& fault, std::string_view request_id, http::Method method);

}  // namespace securebase::aws
