// Invoke: on the worker of the connection, from the request to the instance without another thread.
#include <fmt/format.h>

#include "base/encoding.h"
#include "base/json.h"
#include "functions/api/lambda_api.h"

namespace securebase::functions {

namespace {

using aws::Fault;
using aws::Value;
using net::Task;
using Kind = InvokeOutcome::Kind;

constexpr std::chrono::seconds kTailTime{1};  // the log is written by a thread that nobody waits for longer than this

// A payload that is one of Lambda's own refusals says "message" or "Message".
std::string message_in(const std::string& payload) {
  auto json = base::Json::parse(payload);
  if (!json) return payload;
  for (const char* name : {"message", "Message", "errorMessage"}) {
    if (const auto text = (*json)[name].string_or(""); !text.empty()) return std::string(text);
  }
  return payload;
}

Fault refusal(const InvokeOutcome& outcome) {
  Fault fault;
  fault.message = message_in(outcome.payload);
  fault.members = Value::structure({{"Type", "User"}});
  switch (outcome.kind) {
    case Kind::kThrottled: {
      fault.code = "TooManyRequestsException";
      fault.status = 429;
      auto json = base::Json::parse(outcome.payload);
      if (json) fault.members.set("Reason", std::string((*json)["Reason"].string_or("")));
      return fault;
    }
    case Kind::kNotFound:
      fault.code = "ResourceNotFoundException";
      fault.status = 404;
      return fault;
    case Kind::kTooLarge:
      fault.code = "RequestEntityTooLargeException";  // the model has another word, which Lambda does not use
      fault.status = 413;
      return fault;
    default:
      fault.code = "ServiceException";
      fault.status = 500;
      fault.members = Value::structure({{"Type", "Service"}});
      return fault;
  }
}

Fault not_enqueued(const Error& error) {
  if (error.code == Errc::kLimit) return {"RequestEntityTooLargeException", error.message, 413, {}};
  if (error.code == Errc::kUnavailable) {  // the queue is full
    return {"TooManyRequestsException", error.message, 429,
            Value::structure({{"Reason", "CallerRateLimitExceeded"}, {"Type", "User"}})};
  }
  return {"ServiceException", error.message, 500, Value::structure({{"Type", "Service"}})};
}

// The payload as it came; {} where there is none, as Lambda has it.
std::string take_event(Value& input) {
  Value payload = input["Payload"];
  if (auto* blob = payload.as_blob(); blob && !blob->bytes.empty()) return std::move(blob->bytes);
  if (const auto* text = payload.as_string(); text && !text->empty()) return *text;
  return "{}";
}

aws::Answer answer_of(InvokeOutcome outcome, std::string log) {
  Value output = Value::structure({{"StatusCode", 200}, {"ExecutedVersion", outcome.executed_version}});
  if (outcome.kind == Kind::kFunctionError) output.set("FunctionError", "Unhandled");
  if (!log.empty()) output.set("LogResult", base::base64(log));
  output.set("Payload", aws::Blob{std::move(outcome.payload)});
  return aws::Answer(std::move(output));
}

}  // namespace

Task<aws::Outcome> LambdaApi::invoke(aws::Call& call) {
  const Named name = named(call);
  const std::string type(call.input["InvocationType"].string_or("RequestResponse"));
  std::string event = take_event(call.input);
  if (!base::Json::parse(event)) {
    co_return Fault{"InvalidRequestContentException",
                    "Could not parse request body into json: the payload is no JSON document", 400,
                    Value::structure({{"Type", "User"}})};
  }
  const std::string whole = name.whole();
  if (!doors_.functions.knows(whole)) {
    const auto stack = doors_.changes.current();
    co_return Fault{"ResourceNotFoundException",
                    fmt::format("Function not found: {}function:{}", arn_prefix(*stack), whole), 404,
                    Value::structure({{"Type", "User"}})};
  }
  if (type == "DryRun") {
    aws::Answer answer(Value::structure({{"StatusCode", 204}}));
    answer.status = 204;
    co_return answer;
  }
  if (type == "Event") {
    const auto keep = [this, &whole, &event] { return doors_.functions.enqueue(whole, std::move(event)); };
    auto kept = co_await doors_.pool.run(keep);
    if (!kept) co_return Fault{"ServiceException", kept.error().message, 500, {}};
    if (!*kept) co_return not_enqueued(kept->error());
    aws::Answer answer(Value::structure({{"StatusCode", 202}}));
    answer.status = 202;
    co_return answer;
  }

  InvokeOptions options;
  options.trace = call.request.trace;
  if (const auto* context = call.input["ClientContext"].as_string()) {
    options.client_context = base::from_base64(*context).value_or("");
  }
  const bool wants_log = call.input["LogType"].string_or("") == "Tail";
  if (wants_log) options.log_tail.emplace();
  const auto tail = options.log_tail;
  auto outcome = co_await doors_.functions.invoke(whole, std::move(event), std::move(options));
  if (outcome.kind != Kind::kOk && outcome.kind != Kind::kFunctionError) co_return refusal(outcome);
  std::string log;
  if (wants_log) {
    auto came = co_await net::with_timeout(kTailTime, tail->wait());
    if (came) log = std::move(*came);
  }
  co_return answer_of(std::move(outcome), std::move(log));
}

}  // namespace securebase::functions
