// An API of this platform: its authorizer is asked before anything is looked up, and not again when it answers.
#include "edge/origin.h"
#include "gateway/gateway.h"

namespace securebase::edge {

namespace {

struct GatewayTicket final : Ticket {
  gateway::Admission admission;
};

class GatewayOrigin final : public Origin {
 public:
  explicit GatewayOrigin(gateway::Gateway& gateway) : gateway_(gateway) {}

  bool has_gate() const override { return true; }

  bool admit_now(const http::Request& request, Caller& caller) override {
    // The ticket of an earlier request on this worker is used again, so that a hit does not allocate.
    auto* ticket = dynamic_cast<GatewayTicket*>(caller.ticket.get());
    if (!ticket) {
      auto made = std::make_unique<GatewayTicket>();
      ticket = made.get();
      caller.ticket = std::move(made);
    }
    if (!gateway_.admit_now(request, ticket->admission)) return false;
    settle(*ticket, caller);
    return true;
  }

  net::Task<Caller> admit(const http::Request& request) override {
    auto ticket = std::make_unique<GatewayTicket>();
    ticket->admission = co_await gateway_.admit(request);
    Caller caller;
    settle(*ticket, caller);
    caller.ticket = std::move(ticket);
    co_return caller;
  }

  net::Task<Result<http::Response>> fetch(OriginRequest& request, Caller& caller) override {
    auto* ticket = dynamic_cast<GatewayTicket*>(caller.ticket.get());
    check(ticket != nullptr, "a request to an API was admitted before it is answered");
    const std::string target = request.target();
    http::Request asked;
    asked.method = request.method;
    asked.method_name = request.method_name;
    asked.scheme = request.scheme;
    asked.authority = request.authority;
    asked.target = target;
    asked.path = request.path;
    asked.query = request.query;
    for (const auto& field : request.headers.fields()) asked.headers.add_view(field.name, field.value);
    asked.body = request.body;
    asked.content_length = request.content_length;
    asked.peer_address = request.peer_address;
    asked.peer_port = request.peer_port;
    asked.tls_version = request.tls_version;
    asked.received = request.received;
    asked.trace = request.trace;
    auto response = co_await gateway_.answer(asked, std::move(ticket->admission));
    co_return response;
  }

 private:
  static void settle(GatewayTicket& ticket, Caller& caller) {
    caller.route = ticket.admission.route();
    switch (ticket.admission.verdict()) {
      case gateway::Admission::Verdict::kRefused:
        caller.verdict = Caller::Verdict::kRefused;
        caller.refusal = ticket.admission.take_refusal();
        return;
      case gateway::Admission::Verdict::kPublic:
        caller.verdict = Caller::Verdict::kPublic;
        caller.principal = {};
        return;
      case gateway::Admission::Verdict::kPrincipal:
        caller.verdict = Caller::Verdict::kPrincipal;
        caller.principal = ticket.admission.principal();
        return;
    }
  }

  gateway::Gateway& gateway_;
};

}  // namespace

std::unique_ptr<Origin> make_gateway_origin(const OriginConfig&, gateway::Gateway& gateway) {
  return std::make_unique<GatewayOrigin>(gateway);
}

}  // namespace securebase::edge
