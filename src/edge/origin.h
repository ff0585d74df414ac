// Where responses come from, behind one interface: a bucket, an API of this platform, any HTTP server. And who asks: an
// origin that has a gate says for whom a request is before anything is looked up.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "edge/config.h"
#include "net/http/message.h"
#include "net/task.h"
#include "net/tls.h"

namespace securebase::gateway {
class Gateway;
}
namespace securebase::objects {
class Objects;
}

namespace securebase::edge {

// What a gate found out and wants back when the request is answered. Opaque to the engine.
struct Ticket {
  virtual ~Ticket() = default;
};

struct Caller {
  enum class Verdict { kRefused, kPublic, kPrincipal };
  Verdict verdict = Verdict::kPublic;
  std::string_view principal;  // lives as long as the ticket
  std::string_view route;      // the path that the gate matches the request by, "/v1/customers/{id}"; likewise
  std::optional<http::Response> refusal;
  std::unique_ptr<Ticket> ticket;
};

// A request as the origin gets it: owned, for it may outlive the viewer's connection.
struct OriginRequest {
  http::Method method = http::Method::kGet;
  std::string method_name = "GET";
  std::string scheme = "http";  // the viewer's
  std::string authority;
  std::string path;  // with the origin's path in front
  std::string query;
  http::Headers headers;
  http::BodyReader* body = nullptr;  // the viewer's: only while the viewer is there
  std::optional<std::uint64_t> content_length;
  std::string peer_address;
  std::uint16_t peer_port = 0;
  std::string tls_version;
  base::SteadyPoint received;
  telemetry::TraceContext trace;

  std::string target() const { return query.empty() ? path : path + "?" + query; }
};

class Origin {
 public:
  virtual ~Origin() = default;
  // As gateway::Gateway: false when it would have to wait. Without a gate everybody is kPublic. `request` is the
  // viewer's with all its fields; its authority and path are the origin's.
  virtual bool admit_now(const http::Request& request, Caller& caller);
  virtual net::Task<Caller> admit(const http::Request& request);
  virtual bool has_gate() const { return false; }
  // Errors: kUnavailable and kMalformed become 502, kTimeout 504. `request` lives until the body has been read.
  virtual net::Task<Result<http::Response>> fetch(OriginRequest& request, Caller& caller) = 0;
  virtual void close_on_worker() {}
};

std::unique_ptr<Origin> make_bucket_origin(const OriginConfig& config, objects::Objects& objects);
std::unique_ptr<Origin> make_gateway_origin(const OriginConfig& config, gateway::Gateway& gateway);
std::unique_ptr<Origin> make_http_origin(const OriginConfig& config, std::shared_ptr<const net::TlsClient> tls);

}  // namespace securebase::edge
