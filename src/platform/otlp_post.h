// Posts to a collector of OpenTelemetry's, from outside the workers.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "net/stream.h"
#include "net/tls.h"
#include "net/worker.h"
#include "traces/traces.h"

namespace securebase::platform {

class OtlpPost {
 public:
  // "http://127.0.0.1:4318/v1/traces"; kMalformed: another kind of URL.
  static Result<std::shared_ptr<OtlpPost>> make(const std::string& url, net::Worker& worker);

  // Blocks for ten seconds at most.
  Result<traces::OtlpAnswer> post(std::string body) const;

 private:
  explicit OtlpPost(net::Worker& worker) : worker_(worker) {}

  net::Worker& worker_;
  net::Address origin_;
  std::string authority_;
  std::string target_;
  std::shared_ptr<const net::TlsClient> tls_;  // null: http
};

}  // namespace securebase::platform
