// What the edge's tests share: the engine before an origin that does what a test says.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "edge/engine.h"
#include "net/worker.h"

namespace securebase::edge {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

struct FakeTicket final : Ticket {
  std::string principal;
};

// Knows callers by "Authorization: <name>" when it has a gate.
class FakeOrigin final : public Origin {
 public:
  bool gate = false;
  std::set<std::string> open_paths;
  std::function<http::Response(const OriginRequest&, const Caller&)> answers;
  std::vector<OriginRequest> seen;
  net::Event* hold = nullptr;  // fetches wait for it
  std::optional<Error> failure;

  bool has_gate() const override { return gate; }
  bool admit_now(const http::Request& request, Caller& caller) override {
    if (!gate || open_paths.contains(std::string(request.path))) return Origin::admit_now(request, caller);
    const auto who = request.headers.get("Authorization");
    if (!who) {
      caller.verdict = Caller::Verdict::kRefused;
      caller.refusal.emplace();
      caller.refusal->status = 401;
      caller.refusal->body = "{\"message\":\"Unauthorized\"}";
      return true;
    }
    auto ticket = std::make_unique<FakeTicket>();
    ticket->principal = *who;
    caller.verdict = Caller::Verdict::kPrincipal;
    caller.principal = ticket->principal;
    caller.ticket = std::move(ticket);
    return true;
  }
  net::Task<Result<http::Response>> fetch(OriginRequest& request, Caller& caller) override {
    seen.push_back(request);
    if (hold) {
      auto done = co_await hold->after(hold->ticket());
      static_cast<void>(done);
    }
    if (failure) co_return *failure;
    co_return answers(request, caller);
  }
};

// A body of `pieces` times `piece_bytes`, made as it is read; counts what is made and whether it was let go.
struct Making {
  std::size_t made = 0;
  bool gone = false;
};
class MadeBody final : public http::BodyReader {
 public:
  MadeBody(std::size_t pieces, std::size_t piece_bytes, Making& making)
      : left_(pieces), piece_(piece_bytes, 'x'), making_(making) {}
  ~MadeBody() override { making_.gone = true; }
  net::Task<Result<std::string_view>> next() override {
    if (left_ == 0) co_return std::string_view();
    --left_;
    // Each piece says where it stands.
    const auto number = std::to_string(left_);
    piece_.replace(0, number.size(), number);
    making_.made += piece_.size();
    co_return std::string_view(piece_);
  }

 private:
  std::size_t left_;
  std::string piece_;
  Making& making_;
};

struct Answer {
  int status = 0;
  std::string body;
  std::optional<std::uint64_t> length;  // as it would be declared
  http::Headers headers;
  std::string x_cache() const { return std::string(headers.get("X-Cache").value_or("")); }
};

inline Behaviour behaviour_of(std::string pattern) {
  Behaviour made;
  made.pattern = std::move(pattern);
  made.allowed = ~0U;
  made.cached = method_bit(http::Method::kGet) | method_bit(http::Method::kHead);
  made.gzip = made.brotli = true;
  made.key_prefix = "E1\n" + made.pattern + "\n";
  return made;
}

class EdgeTest : public ::testing::Test {
 protected:
  EdgeTest() : worker_(0), pool_(1, 64) {
    config_.id = "E1";
    config_.domain_name = "d1.cloudfront.net";
    config_.via = "1.1 d1.cloudfront.net (CloudFront)";
    config_.origins.push_back({});
    config_.origins[0].domain_name = "api.example.com";
    config_.behaviours.push_back(behaviour_of("*"));
    origin_.answers = [](const OriginRequest&, const Caller&) {
      http::Response response;
      response.headers.add("Cache-Control", "max-age=300, public");
      response.body = "hello";
      return response;
    };
  }

  Engine& engine() {
    if (engine_) return *engine_;
    EngineDoors doors{tags_,
                      pool_,
                      registry_,
                      nullptr,
                      clock_,
                      make_origin_,
                      [this](const std::vector<std::string>& tags) { told_ = tags; }};
    engine_ = std::make_unique<Engine>(settings_, std::move(doors));
    auto config = std::make_shared<Config>();
    config->distributions.push_back(config_);
    engine_->apply(config);
    return *engine_;
  }

  // Configured anew at the next request; what is stored goes.
  void configure_again() { engine_.reset(); }

  using Fields = std::vector<std::pair<std::string, std::string>>;
  net::Task<void> ask(Answer& answer, std::string method, std::string path, Fields fields) {
    http::Request request;
    request.method = http::method_from(method);
    request.method_name = method;
    request.scheme = scheme_;
    request.authority = authority_;
    request.target = path;
    const auto query = path.find('?');
    request.path = std::string_view(path).substr(0, query);
    if (query != std::string::npos) request.query = std::string_view(path).substr(query + 1);
    request.peer_address = "192.0.2.1";
    request.trace = trace_;
    request.body = body_;
    for (const auto& [name, value] : fields) request.headers.add(name, value);
    http::Response response;
    if (!engine().answer_now(request, response)) {
      response = http::Response();
      response = co_await engine().answer(request);
    } else {
      ++at_once_;
    }
    answer.status = response.prepared ? response.prepared->status : response.status;
    if (response.prepared) {
      answer.headers = response.prepared->headers;
      answer.body = response.prepared->body.bytes();
    } else if (response.body.is_stream()) {
      answer.length = response.body.length();
      const auto stream = response.body.take_stream();
      auto all = co_await http::read_all(*stream, 1 << 26);
      EXPECT_TRUE(all) << (all ? "" : all.error().message);
      if (all) answer.body = *all;
    } else {
      answer.body = response.body.bytes();
    }
    for (const auto& field : response.headers.fields()) answer.headers.add(field.name, field.value);
    if (!answer.length) answer.length = answer.body.size();
    if (method == "HEAD") answer.body.clear();
  }
  Answer get_with_body(std::string path, std::string method = "GET") {
    Making making;
    MadeBody body(1, 10, making);
    body_ = &body;
    auto answer = get(std::move(path), {}, std::move(method));
    body_ = nullptr;
    return answer;
  }
  Answer get(std::string path, Fields fields = {}, std::string method = "GET") {
    Answer answer;
    worker_.run_until_done(ask(answer, std::move(method), std::move(path), std::move(fields)));
    worker_.run_until_done(settled());
    return answer;
  }
  net::Task<void> ask_all(std::vector<Answer>& answers) {
    for (auto& answer : answers) worker_.tasks().spawn(ask(answer, "GET", "/a", {}));
    co_return;
  }
  // Until nothing but this runs: what a request began behind itself is over.
  net::Task<void> settled() {
    while (worker_.tasks().running() > 1) {
      auto slept = co_await net::sleep_for(std::chrono::microseconds(50));
      if (!slept) co_return;
    }
  }

  // The test owns the origin; the engine owns this.
  struct Shared final : Origin {
    explicit Shared(FakeOrigin& to) : to(to) {}
    bool has_gate() const override { return to.has_gate(); }
    bool admit_now(const http::Request& request, Caller& caller) override { return to.admit_now(request, caller); }
    net::Task<Result<http::Response>> fetch(OriginRequest& request, Caller& caller) override {
      return to.fetch(request, caller);
    }
    FakeOrigin& to;
  };

  OriginMaker make_origin_ = [this](const OriginConfig&) { return std::make_unique<Shared>(origin_); };
  std::string scheme_ = "http";
  std::string authority_ = "d1.cloudfront.net";
  telemetry::TraceContext trace_;
  http::BodyReader* body_ = nullptr;  // of the request
  Settings settings_;
  net::Worker worker_;
  net::Pool pool_;
  store::Tags tags_;
  telemetry::Registry registry_;
  base::ManualClock clock_;
  FakeOrigin origin_;
  DistributionConfig config_;
  std::unique_ptr<Engine> engine_;
  std::vector<std::string> told_;
  int at_once_ = 0;
};

// Two tenants and the guide's literal configuration: the key is customer_id alone, Authorization is not in it, the
// function says public, and an authorizer stands in front.

class TwoTenants : public EdgeTest {
 protected:
  TwoTenants() {
    origin_.gate = true;
    config_.behaviours[0].key_queries = {Selection::Kind::kSome, {"customer_id"}};
    config_.behaviours[0].ttl = {0s, 300s, 300s};
    origin_.answers = [](const OriginRequest&, const Caller& caller) {
      http::Response response;
      response.headers.add("Cache-Control", "max-age=300, public");
      response.headers.add("Cache-Tag", "customer:" + std::string(caller.principal));
      response.body = "secret of " + std::string(caller.principal);
      return response;
    };
  }
};

}  // namespace securebase::edge
