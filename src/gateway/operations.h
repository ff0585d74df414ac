// API Gateway's API (operations.cc): what the configuration in force is, as Values of that API.
#pragma once

#include "aws/aws.h"
#include "gateway/config.h"

namespace securebase::gateway {

// "method.request.querystring.customer_id": what Parameter::parse reads.
std::string to_text(const Parameter& parameter);

aws::Value describe(const Method& method, const Api& api);

}  // namespace securebase::gateway
