#include <fmt/format.h>

#include "aws/aws.h"
#include "aws/constraints.h"
#include "aws/gzip.h"
#include "aws/message.h"
#include "aws/payload.h"
#include "aws/recognise.h"
#include "aws/verify.h"
#include "base/check.h"
#include "base/encoding.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/random.h"

namespace securebase::aws {

namespace {

// Bodies beyond this are decoded on the pool: a megabyte of JSON takes some milliseconds.
constexpr std::size_t kDecodedOnWorker = 64 << 10;
// What is read of a request that is refused before its body was wanted, so that the client, which still writes, gets
// to read why.
constexpr std::size_t kDrainedBytes = std::size_t{128} << 20;
// Of a form that nobody signed.
constexpr std::size_t kUnsignedBytes = 64 << 10;
constexpr std::uint64_t kReservedBytes = 1 << 20;

bool is_streaming(const Operation* operation) {
  return operation && operation->input && operation->input->payload && operation->input->payload->streaming;
}

// The service of a form that nobody signed is not known before it was read.
bool is_s3(const Target& target) { return target.service && target.service->name == "s3"; }

// read_all() of a body whose length was announced, or not (0): memory for all of it is asked for at once, if it is not
// more than what a client may make us hold for an announcement.
net::Task<Result<std::string>> read_announced(http::BodyReader& body, std::size_t limit, std::uint64_t announced) {
  std::string all;
  all.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(announced, kReservedBytes)));
  for (;;) {
    auto piece = co_await body.next();
    if (!piece) co_return piece.error();
    if (piece->empty()) co_return all;
    if (piece->size() > limit - all.size()) {
      co_return Error{Errc::kLimit, fmt::format("the body is longer than {} bytes", limit)};
    }
    all += *piece;
  }
}

net::Task<void> drain(http::BodyReader& body) {
  for (std::size_t drained = 0; drained < kDrainedBytes;) {
    auto piece = co_await body.next();
    if (!piece || piece->empty()) co_return;
    drained += piece->size();
  }
}

}  // namespace

struct Front::Engine {
  // One request on its way. Lives on the frame of answer().
  struct Visit {
    std::string request_id = base::random_uuid();
    Target target;
    std::optional<Claim> claim;
    std::string content_sha256;  // as the client says it; "" when it does not
    bool verified = false;       // the signature was compared
    std::optional<CheckedPayload> payload;
    std::string body;
    // It gets to see `body` first. Until then a form is not taken apart, and the signature perhaps not compared.
    const QuickHandler* quick = nullptr;
  };

  Engine(Settings settings, const Operations& operations, const Identities& identities, net::Pool& pool,
         const base::Clock& clock)
      : settings(std::move(settings)),
        operations(operations),
        pool(pool),
        clock(clock),
        verifier(identities, this->settings.clock_skew) {}

  net::Task<Outcome> carry_out(http::Request& request, Visit& visit);
  Result<Done, Fault> recognise(const http::Request& request, Visit& visit);
  Result<Done, Fault> compare(const http::Request& request, Visit& visit, std::string_view payload_hash);
  Result<Done, Fault> plan(const http::Request& request, Visit& visit);
  net::Task<Result<Done, Fault>> read_body(const http::Request& request, Visit& visit);
  Result<Done, Fault> take_form(Visit& visit) const;
  const QuickHandler* find_quick(Visit& visit) const;
  Result<Done, Fault> settle_operation(Visit& visit) const;
  Result<Value, Fault> decode(const http::Request& request, Visit& visit) const;
  net::Task<Outcome> call(http::Request& request, Visit& visit);

  Fault fault(const Visit& visit, Problem problem, std::string message) const {
    return fault_of(visit.target.service, {problem, std::move(message), {}});
  }

  const Settings settings;
  const Operations& operations;
  net::Pool& pool;
  const base::Clock& clock;
  const Recogniser recogniser;
  Verifier verifier;
  const Constraints constraints;
};

// What the head says: service, operation where it is there, who calls.
Result<Done, Fault> Front::Engine::recognise(const http::Request& request, Visit& visit) {
  auto query = parse_form(request.query);
  if (query) visit.target.query = std::move(*query);
  auto authorization = parse_authorization(request, visit.target.query);
  recogniser.take_head(visit.target, request, authorization ? *authorization : std::nullopt);
  if (!query) return fault_of(*visit.target.service, {query.error()});
  if (!authorization) {
    const bool unsupported = authorization.error().code == Errc::kUnsupported;
    return fault(visit, unsupported ? Problem::kUnsupportedSignature : Problem::kIncompleteSignature,
                 authorization.error().message);
  }
  if (!*authorization) return Done{};
  auto claim = verifier.identify(std::move(**authorization), *visit.target.service, clock.now());
  if (!claim) return fault_of(visit.target.service, claim.error());
  visit.claim = std::move(*claim);
  visit.content_sha256 = request.headers.get("x-amz-content-sha256").value_or("");
  if (visit.content_sha256.empty() && visit.target.service->name == "s3") {
    if (!visit.claim->authorization.presigned) {
      return Fault{"InvalidRequest", "Missing required header for this request: x-amz-content-sha256", 400, {}};
    }
    visit.content_sha256 = kUnsignedPayload;
  }
  return Done{};
}

Result<Done, Fault> Front::Engine::compare(const http::Request& request, Visit& visit, std::string_view payload_hash) {
  auto same = verifier.compare(*visit.claim, *visit.target.service, request, visit.target.query, payload_hash);
  if (!same) return fault_of(visit.target.service, same.error());
  visit.verified = true;
  return Done{};
}

// Sets up the reader of the body. Compares the signature already where the client said the body's hash.
Result<Done, Fault> Front::Engine::plan(const http::Request& request, Visit& visit) {
  if (visit.claim && !visit.content_sha256.empty()) {
    if (auto same = compare(request, visit, visit.content_sha256); !same) return same;
  }
  const bool s3 = is_s3(visit.target);
  if (visit.content_sha256 == kUnsignedPayload && !s3) {
    return fault(visit, Problem::kPayloadHashMismatch, "UNSIGNED-PAYLOAD is for Amazon S3 only.");
  }
  auto plan = plan_payload(request, visit.content_sha256,
                           visit.target.operation_name == "CompleteMultipartUpload" ? ChecksumHeaders::kOfSomethingElse
                                                                                    : ChecksumHeaders::kOfTheBody);
  if (!plan) return fault_of(visit.target.service, plan.error());
  if (plan->signed_chunks) {
    if (!visit.claim) return fault(visit, Problem::kNotSigned, "Chunks are signed, and the request is not.");
    plan->signing_key = visit.claim->signing_key;
    plan->time = visit.claim->authorization.time;
    plan->scope = visit.claim->authorization.scope();
    plan->seed_signature = visit.claim->authorization.signature;
  }
  visit.payload.emplace(request.body, std::move(*plan));
  return Done{};
}

net::Task<Result<Done, Fault>> Front::Engine::read_body(const http::Request& request, Visit& visit) {
  const std::size_t limit = visit.claim ? settings.body_bytes : kUnsignedBytes;
  if (request.content_length.value_or(0) > limit) {
    co_return fault(
        visit, Problem::kTooLarge,
        fmt::format("Request must be smaller than {} bytes; this one has {}", limit, *request.content_length));
  }
  auto body = co_await read_announced(*visit.payload, limit, request.content_length.value_or(0));
  if (!body) {
    if (visit.payload->trouble()) co_return fault_of(visit.target.service, *visit.payload->trouble());
    const bool too_large = body.error().code == Errc::kLimit;
    co_return fault(visit, too_large ? Problem::kTooLarge : Problem::kIncompleteBody, body.error().message);
  }
  visit.body = std::move(*body);
  const bool packed =
      !is_s3(visit.target) && http::equal_ignoring_case(request.headers.get("Content-Encoding").value_or(""), "gzip");
  if (!packed) visit.quick = find_quick(visit);
  // A body that is read quickly is hashed where it is read, on the pool: it goes through one core's cache only.
  if (visit.claim && !visit.verified && !visit.quick) {
    auto same = compare(request, visit, base::hex(base::sha256(visit.body)));
    if (!same) co_return same;
  }
  if (packed) {
    auto text = gunzip(visit.body, settings.body_bytes);
    if (!text) {
      if (text.error().code == Errc::kLimit) co_return fault(visit, Problem::kTooLarge, text.error().message);
      co_return fault(visit, Problem::kIncompleteBody, text.error().message);
    }
    visit.body = std::move(*text);
  }
  co_return Done{};
}

Result<Done, Fault> Front::Engine::take_form(Visit& visit) const {
  auto& target = visit.target;
  auto form = parse_form(visit.body);
  if (!form) return fault(visit, Problem::kIncompleteBody, form.error().message);
  for (const auto& one : target.query) {
    if (!one.name.starts_with("X-Amz-")) target.form.push_back(one);
  }
  target.form.insert(target.form.end(), std::make_move_iterator(form->begin()), std::make_move_iterator(form->end()));
  if (Recogniser::wants_form(target)) recogniser.take_form(target);
  visit.body.clear();
  return Done{};
}

// Of a form whose first parameter is Action, which settles the operation; null when there is none.
const QuickHandler* Front::Engine::find_quick(Visit& visit) const {
  auto& target = visit.target;
  if (!visit.claim || !target.service) return nullptr;
  if (target.protocol == Protocol::kCbor || target.protocol == Protocol::kJson) {
    const auto body = target.protocol == Protocol::kCbor ? QuickBody::kCbor : QuickBody::kJson;
    return target.operation ? operations.find_quick(target.service->name, target.operation->name, body) : nullptr;
  }
  constexpr std::string_view kAction = "Action=";
  const std::string_view body(visit.body);
  if (target.protocol != Protocol::kQuery || !target.query.empty() || !body.starts_with(kAction)) return nullptr;
  const auto name = body.substr(kAction.size(), body.find('&') - kAction.size());
  const auto* operation = target.service->find(name);
  if (!operation) return nullptr;
  const auto* quick = operations.find_quick(target.service->name, operation->name, QuickBody::kForm);
  if (!quick) return nullptr;
  target.operation_name = name;
  target.operation = operation;
  return quick;
}

// The operation has to be known now, and may come without a signature only where the model says so.
Result<Done, Fault> Front::Engine::settle_operation(Visit& visit) const {
  auto& target = visit.target;
  if (!visit.quick) visit.quick = find_quick(visit);
  if (target.protocol == Protocol::kQuery && !visit.quick) {
    if (auto taken = take_form(visit); !taken) return taken;
  }
  if (!target.service) {
    return Fault{"InvalidAction", "The form names no Action and Version of a service that is known here.", 400, {}};
  }
  if (!visit.claim && !(target.operation && target.operation->is_unsigned)) {
    return fault(visit, Problem::kNotSigned,
                 is_s3(target) ? "Access Denied" : "Request is missing Authentication Token");
  }
  if (target.operation_name.empty()) {
    return Fault{"MissingAction", "The request must contain the parameter Action.", 400, {}};
  }
  if (!target.operation) {
    return fault(visit, Problem::kUnknownOperation,
                 fmt::format("{} (API version {}) has no operation {}", target.service->id, target.service->version,
                             target.operation_name));
  }
  if (std::holds_alternative<std::monostate>(operations.find(target.service->name, target.operation->name))) {
    return fault(visit, Problem::kNotBuilt,
                 fmt::format("SecureBase does not answer {} of {}: docs/aws-apis.md lists what it does",
                             target.operation->name, target.service->id));
  }
  return Done{};
}

Result<Value, Fault> Front::Engine::decode(const http::Request& request, Visit& visit) const {
  const Service& service = *visit.target.service;
  auto input = decode_input(visit.target, request, visit.body);
  if (!input) return fault_of(service, {input.error()});
  if (const auto* shape = visit.target.operation->input) {
    const auto complaints = constraints.check(*input, *shape, service);
    if (!complaints.empty()) return fault_of(service, complaints);
  }
  return std::move(*input);
}

net::Task<Outcome> Front::Engine::call(http::Request& request, Visit& visit) {
  static const Identity nobody;
  Call call{.service = visit.target.service->name,
            .operation = visit.target.operation->name,
            .identity = visit.claim ? visit.claim->identity : nobody,
            .region = visit.claim ? std::string_view(visit.claim->authorization.region) : settings.region,
            .account = settings.account,
            .request_id = visit.request_id,
            .now = clock.now(),
            .input = {},
            .request = request,
            .payload = is_streaming(visit.target.operation) ? &*visit.payload : nullptr};
  const auto& either = operations.find(call.service, call.operation);
  if (const auto* handler = std::get_if<aws::Handler>(&either)) {
    auto work = [&]() -> Outcome {
      if (visit.quick) {
        if (!visit.verified) {
          auto same = compare(request, visit, base::hex(base::sha256(visit.body)));
          if (!same) return same.error();
        }
        if (auto done = (*visit.quick)(call, visit.body)) return std::move(*done);
        if (visit.target.protocol == Protocol::kQuery) {
          if (auto taken = take_form(visit); !taken) return taken.error();
        }
      }
      auto input = decode(request, visit);
      if (!input) return input.error();
      call.input = std::move(*input);
      return (*handler)(call);
    };
    auto outcome = co_await pool.run(work);
    if (!outcome) co_return fault(visit, Problem::kBusy, outcome.error().message);
    co_return std::move(*outcome);
  }
  check(!visit.claim || visit.verified, "a signature was compared before the operation begins");
  if (visit.body.size() > kDecodedOnWorker) {
    auto work = [&] { return decode(request, visit); };
    auto input = co_await pool.run(work);
    if (!input) co_return fault(visit, Problem::kBusy, input.error().message);
    if (!*input) co_return input->error();
    call.input = std::move(**input);
  } else {
    auto input = decode(request, visit);
    if (!input) co_return input.error();
    call.input = std::move(*input);
  }
  auto outcome = co_await std::get<WorkerHandler>(either)(call);
  co_return outcome;
}

net::Task<Outcome> Front::Engine::carry_out(http::Request& request, Visit& visit) {
  if (auto done = recognise(request, visit); !done) co_return done.error();
  // Nobody who did not sign gets to make us read: unless the form says which operation it is, or it needs none.
  const bool may_be_unsigned =
      Recogniser::wants_form(visit.target) || (visit.target.operation && visit.target.operation->is_unsigned);
  if (!visit.claim && !may_be_unsigned) {
    co_return fault(visit, Problem::kNotSigned,
                    is_s3(visit.target) ? "Access Denied" : "Request is missing Authentication Token");
  }
  if (auto done = plan(request, visit); !done) co_return done.error();
  const bool streaming = is_streaming(visit.target.operation);
  if (!streaming) {
    auto read = co_await read_body(request, visit);
    if (!read) co_return read.error();
  }
  if (auto done = settle_operation(visit); !done) co_return done.error();
  auto outcome = co_await call(request, visit);
  // The bytes were not what they were said to be: that is the reason, whatever the handler made of it.
  if (visit.payload->trouble()) co_return fault_of(visit.target.service, *visit.payload->trouble());
  co_return outcome;
}

Front::Front(Settings settings, const Operations& operations, const Identities& identities, net::Pool& pool,
             const base::Clock& clock)
    : engine_(std::make_unique<Engine>(std::move(settings), operations, identities, pool, clock)) {}

Front::~Front() = default;

net::Task<http::Response> Front::answer(http::Request& request) {
  Engine::Visit visit;
  auto outcome = co_await engine_->carry_out(request, visit);
  if (outcome) {
    co_return encode_output(visit.target, std::move(*outcome), visit.request_id, request.method);
  }
  const auto& fault = outcome.error();
  base::log(base::Level::kDebug, "aws", "{} {}: {}: {}", visit.target.service ? visit.target.service->name : "?",
            visit.target.operation_name, fault.code, fault.message);
  // A client that waits for "100 Continue" has not begun, and is better told at once.
  if (request.body && !request.headers.has("Expect")) co_await drain(*request.body);
  co_return encode_fault(visit.target, fault, visit.request_id, request.method);
}

}  // namespace securebase::aws
