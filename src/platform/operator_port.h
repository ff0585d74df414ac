// Port 8081, for operators and their machines: /healthz for load balancers, /metrics for Prometheus, OTLP/HTTP for
// programs that push. It is no place for viewers: on loopback unless the operator says otherwise.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "net/event.h"
#include "net/http/message.h"

namespace securebase::platform {

// Asked on the pool; they may block.
struct OperatorAnswers {
  struct Health {
    bool healthy = false;
    base::Json report;
  };
  std::function<Health()> health;
  struct Text {
    std::string content_type;
    std::string text;
  };
  // `accept` is what the scraper said it reads.
  std::function<Text(std::string_view accept)> metrics;
  // OTLP/HTTP: the answer's body, in the content type of the question; `encoding` is the question's Content-Encoding.
  using TakeOtlp = std::function<Result<std::string>(std::string body, std::string content_type, std::string encoding)>;
  TakeOtlp otlp_metrics;
  TakeOtlp otlp_traces;
};

class OperatorPort final : public http::Handler {
 public:
  // `pool` outlives it.
  OperatorPort(OperatorAnswers answers, net::Pool& pool) : answers_(std::move(answers)), pool_(pool) {}
  net::Task<http::Response> answer(http::Request& request) override;

 private:
  // `take` outlives the answer.
  net::Task<http::Response> take_otlp(http::Request& request, const OperatorAnswers::TakeOtlp& take);

  const OperatorAnswers answers_;
  net::Pool& pool_;
};

}  // namespace securebase::platform
