// A distribution as CloudFront's API shows it, from what the stack says of it.
#pragma once

#include <string>

#include "aws/value.h"
#include "edge/config.h"

namespace securebase::edge {

aws::Value describe(const DistributionConfig& distribution);  // DistributionConfig of the API
// The same for the same configuration, in every run: "E2QWRUHAPOMQZL".
std::string etag_of(const DistributionConfig& distribution);

}  // namespace securebase::edge
