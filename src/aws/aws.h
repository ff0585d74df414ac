// The door of the AWS wire protocols: one port on which every service answers, whatever protocol its client speaks.
//
// The public service models, compiled into tables at build time (model.h), decide what is an operation, how its members
// travel (query, json 1.0 and 1.1, rest-json, rest-xml, rpc-v2-cbor), which are required, and how errors look. A room's
// api.cc says only what an operation does:
//
//   void add_operations(aws::Operations& operations, Edge& edge) {
//     operations.add("cloudfront", "CreateInvalidation", [&edge](const aws::Call& call) -> aws::Outcome {
//       auto receipt = edge.invalidate_at(call.input["DistributionId"].string_or(""), ...);
//       if (!receipt) return aws::Fault{"NoSuchDistribution", receipt.error().message};
//       return aws::Value::structure({{"Location", ...}, {"Invalidation", ...}});
//     });
//   }
//
// Threads: Operations is filled at start and constant afterwards. A Handler runs on the pool and may block; a
// WorkerHandler is a task on the worker of the connection and must not.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "aws/value.h"
#include "base/clock.h"
#include "base/result.h"
#include "net/event.h"
#include "net/http/message.h"
#include "net/task.h"

namespace securebase::aws {

// --- who calls ------------------------------------------------------------------------------------------------------

struct Identity {
  std::string access_key_id;
  std::string account;  // "123456789012"
  std::string arn;      // "arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:user/ci"
  std::string user_id;  // the account for the root user, else AIDA...
};

// The keys that requests may be signed with. Any thread.
class Identities {
 public:
  virtual ~Identities() = default;
  struct Found {
    Identity identity;
    std::string secret_access_key;
    std::string session_token;               // empty: a long-lived key; else X-Amz-Security-Token has to be this
    std::optional<base::TimePoint> expires;  // of temporary credentials; after it the call is an ExpiredToken
  };
  // Long-lived keys.
  virtual std::optional<Found> find(std::string_view access_key_id) const = 0;
  // Temporary credentials: who sends `session_token` with that key. The token may carry all that there is to know.
  virtual std::optional<Found> find_session(std::string_view access_key_id, std::string_view session_token) const {
    auto found = find(access_key_id);
    return found && found->session_token == session_token ? found : std::nullopt;
  }
};

// --- an operation ---------------------------------------------------------------------------------------------------

// A failure as its client will read it. `code` is the service's own ("NoSuchBucket", "ResourceNotFoundException"); its
// HTTP status and its place in the body come from the model when the model knows the code.
struct Fault {
  std::string code;
  std::string message;
  int status = 0;  // 0: from the model, else 400
  Value members;   // further members of the error's shape ("Reason", "BucketName")
};

struct Call {
  std::string_view service;    // as the models name it: "cloudwatch", "s3", "secretsmanager"
  std::string_view operation;  // "PutMetricData"
  const Identity& identity;    // of an unsigned operation that allows it: empty
  std::string_view region;     // of the signature
  std::string_view account;    // of this platform
  std::string_view request_id;
  base::TimePoint now;
  // Validated by the model: required members are there, and everything has its type. Members that the model does not
  // know are there too, as they came.
  Value input;
  // The raw request, for what no model says (conditional headers of S3).
  const http::Request& request;
  // Where the input's payload is a stream (PutObject): the bytes as they come, already out of aws-chunked and checked
  // against their checksums at the end. Null otherwise.
  http::BodyReader* payload = nullptr;
};

// What an operation answers. Members that belong into headers, the status or the payload go there by the model.
struct Answer {
  Answer() = default;
  Answer(Value output) : output(std::move(output)) {}  // NOLINT: implicit by design
  Value output;
  // Where the output's payload is a stream (GetObject, Invoke's Payload): its body. Takes the place of that member.
  http::Body payload;
  int status = 0;         // 0: the model's
  http::Headers headers;  // in addition
};

using Outcome = Result<Answer, Fault>;
// On the pool; may block.
using Handler = std::function<Outcome(const Call&)>;
// On the worker; awaits.
using WorkerHandler = std::function<net::Task<Outcome>(Call&)>;

// Answers a request from the bytes of its body, without a Value being made of them: for operations that are called with
// much, often. On the pool; may block. `call` has no input. nullopt: something in it is out of the ordinary; the
// Handler, which every such operation has too, is called with what the model makes of it.
using QuickHandler = std::function<std::optional<Outcome>(const Call& call, std::string_view body)>;
enum class QuickBody {
  kCbor,
  kJson,  // json 1.0 and 1.1
  kForm,  // of the query protocol: all parameters, in a body that begins with Action
};

// What the rooms answer. Filled by hand at start (platform/rooms.cc), constant afterwards.
class Operations {
 public:
  // check()s that the model has this operation and that nobody else answers it.
  void add(std::string_view service, std::string_view operation, Handler handler);
  void add_on_worker(std::string_view service, std::string_view operation, WorkerHandler handler);

  // Of one that add() was told of.
  void add_quick(std::string_view service, std::string_view operation, QuickBody body, QuickHandler handler);

  using Either = std::variant<std::monostate, Handler, WorkerHandler>;
  const Either& find(std::string_view service, std::string_view operation) const;
  // null: it has none.
  const QuickHandler* find_quick(std::string_view service, std::string_view operation, QuickBody body) const;
  // Service and operation, sorted.
  std::vector<std::pair<std::string, std::string>> all() const;

 private:
  void insert(std::string_view service, std::string_view operation, Either handler);
  std::map<std::string, std::map<std::string, Either, std::less<>>, std::less<>> handlers_;  // by service, by operation
  std::map<std::tuple<std::string, std::string, QuickBody>, QuickHandler> quick_;
};

// One page of a list by the operation's token and limit members (paginators-1.json): keeps of `output`'s result list
// what the input asks for, and sets the next token where more is left. Tokens are opaque and stay valid when what was
// listed before changes; `key` names an element ("Name"), by which the list is sorted. A token that is none is a Fault.
Result<Value, Fault> paginate(const Call& call, Value output, std::string_view key);

// --- the port -------------------------------------------------------------------------------------------------------

struct Settings {
  std::string account = "123456789012";
  std::string region = "us-east-1";
  std::chrono::minutes clock_skew{15};             // AWS's own: RequestTimeTooSkewed, SignatureDoesNotMatch beyond
  std::size_t body_bytes = std::size_t{64} << 20;  // of an operation whose payload is no stream; 413 beyond
};

// Port 4566: finds service and operation, verifies the signature (SigV4 in header or query, chunked uploads), decodes,
// calls, encodes. Never fails: what goes wrong is answered in the service's own error shape.
class Front final : public http::Handler {
 public:
  // All outlive it.
  Front(Settings settings, const Operations& operations, const Identities& identities, net::Pool& pool,
        const base::Clock& clock = base::system_clock());
  ~Front() override;
  net::Task<http::Response> answer(http::Request& request) override;

 private:
  struct Engine;
  std::unique_ptr<Engine> engine_;
};

}  // namespace securebase::aws
