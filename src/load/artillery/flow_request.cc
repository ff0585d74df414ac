// One request of a user: condition, hooks, redirects, captures, expectations.
#include <fmt/format.h>

#include <algorithm>

#include "load/artillery/capture.h"
#include "load/artillery/endpoint.h"
#include "load/artillery/expect.h"
#include "load/artillery/flow.h"
#include "load/artillery/flow_state.h"
#include "load/artillery/reading.h"

namespace securebase::load::artillery {
namespace {

constexpr int kMostRedirects = 10;
constexpr std::size_t kMostDynamicEndpoints = 1000;

double in_milliseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

// The parameters of a request as hooks see them after the templates were filled.
base::Json request_json(const RequestStep& step, const Outgoing& request, std::string_view name) {
  base::Json json = step.source;
  json.set("url", request.url_text);
  json.set("method", request.method);
  base::Json::Object headers;
  for (const auto& [field, value] : request.headers) headers.emplace_back(field, value);
  json.set("headers", std::move(headers));
  if (!name.empty()) json.set("name", name);
  if (step.json) {
    if (auto body = base::Json::parse(request.body)) json.set("json", std::move(*body));
  } else if (!request.body.empty() && step.form_data.empty()) {
    json.set("body", request.body);
  }
  return json;
}

base::Json answer_json(const Answer& answer, const Outgoing& request, const std::string& body) {
  base::Json::Object headers;
  base::Json::Array cookies;
  for (const auto& [field, value] : answer.headers()) {
    std::string lower = field;
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    if (lower == "set-cookie") {
      cookies.push_back(value);
    } else {
      const auto known =
          std::find_if(headers.begin(), headers.end(), [&](const auto& one) { return one.first == lower; });
      if (known == headers.end()) {
        headers.emplace_back(std::move(lower), value);
      } else {
        known->second = fmt::format("{}, {}", known->second.string_or(""), value);  // as Node joins them
      }
    }
  }
  if (!cookies.empty()) headers.emplace_back("set-cookie", std::move(cookies));
  return base::Json::object({{"c", answer.status},
                             {"h", std::move(headers)},
                             {"body", body},
                             {"url", request.url_text},
                             {"t", in_milliseconds(answer.times.first_byte - answer.times.sent)},
                             {"T", in_milliseconds(answer.times.last_byte - answer.times.begun)}});
}

bool is_redirect(const Answer& answer) {
  return (answer.status == 301 || answer.status == 302 || answer.status == 303 || answer.status == 307 ||
          answer.status == 308) &&
         answer.header("location").has_value();
}

}  // namespace

ScriptFlow::StepState& ScriptFlow::state_of(const RequestStep& step) {
  auto& state = states_[&step];
  if (!state) {
    state = std::make_unique<StepState>();
    if (config_.endpoints.group_dynamic_urls) state->endpoint = tally_.endpoint(step.endpoint);
    state->same_for_all = same_for_all(config_, step);
  }
  return *state;
}

net::Task<Result<bool>> ScriptFlow::wanted(User& user, const RequestStep& step) {
  if (step.probability && Random::of_thread().between(0, 100) >= std::min(*step.probability, 100.0)) co_return false;
  if (!step.if_true) co_return true;
  if (const auto* expression = std::get_if<Expression>(&*step.if_true)) {
    co_return expression->truthy([&](std::string_view name) { return user.variables.find(parse_path(name)); });
  }
  const std::string& name = std::get<std::string>(*step.if_true);
  if (link_ && link_->processor().has(name)) {
    auto answer = co_await call(user, "if", name, base::Json::object());
    if (answer) co_return (*answer)["b"].bool_or(false);
    if (answer.error().code == Errc::kCancelled) co_return answer.error();
    co_return true;  // as Artillery: a condition that throws holds
  }
  const auto* value = user.variables.find(parse_path(name));
  co_return value != nullptr&& truthy(*value);
}

net::Task<ScriptFlow::Outcome> ScriptFlow::run_request(User& user, const RequestStep& step) {
  auto go = co_await wanted(user, step);
  if (!go) co_return go.error();
  if (!*go) co_return Done{};
  StepState& state = state_of(step);
  std::vector<std::string> hooks;
  hooks.insert(hooks.end(), user.scenario.before_request.begin(), user.scenario.before_request.end());
  hooks.insert(hooks.end(), step.before_request.begin(), step.before_request.end());
  if (hooks.empty() || !link_) {
    auto done = co_await exchange(user, step, state, state.endpoint);
    co_return done;
  }
  // The functions get the request as it stands in the script and may change all of it; what comes of it is read as the
  // script was.
  base::Json parameters = step.source;
  parameters.set("timeout", std::int64_t{config_.timeout.count() / 1000});
  parameters.set("uuid", fmt::format("{}-{}", user.id, step.place.line));
  for (const auto& name : hooks) {
    if (!link_->processor().has(name)) {
      if (warned_.find("|" + name + "|") == std::string::npos) {
        warned_ += "|" + name + "|";
        shared_.print(fmt::format("WARNING: custom function {} could not be found\n", name));
      }
      continue;
    }
    auto message = base::Json::object({{"r", parameters}});
    auto answer = co_await call(user, "before", name, std::move(message));
    if (!answer) co_return answer.error();
    if (const auto* changed = answer->find("r")) parameters = *changed;
  }
  Reading reading(Reading::UnknownKeys::kPassed);
  const std::string method(parameters["method"].string_or(step.method));
  RequestStep changed =
      artillery::read_request(method, Node::from_json(parameters, step.place), "beforeRequest", reading, config_);
  if (reading.failed()) co_return reading.failure();
  changed.before_request.clear();
  StepState once;
  auto done = co_await exchange(user, changed, once, state.endpoint);
  co_return done;
}

net::Task<ScriptFlow::Outcome> ScriptFlow::exchange(User& user, const RequestStep& step, StepState& state,
                                                    Tally::Endpoint& of_step) {
  const bool jar = user.jar_in_use || !step.cookies.empty();
  const bool keep_body = !step.captures.empty() || !step.matches.empty() || !step.after_response.empty() ||
                         (link_ && !user.scenario.after_response.empty()) ||
                         (config_.expect && (!step.expectations.empty() || config_.expect->expect_default_200));
  const Keep keep = keep_body ? Keep::kAll : Keep::kHead;
  Outgoing own;
  Request own_request;
  const Outgoing* outgoing = &own;
  const Request* request = &own_request;
  if (state.same_for_all && !jar && state.request) {
    outgoing = &*state.outgoing;
    request = &*state.request;
  } else {
    auto filled = fill_request(config_, step, user.variables, jar ? &user.session.cookies() : nullptr,
                               shared_.script.file.parent_path(), files_);
    if (!filled) co_return filled.error();
    auto made = make_request(filled->method, filled->url, filled->headers, filled->body);
    if (!made) co_return made.error();
    own = std::move(*filled);
    own_request = std::move(*made);
    if (state.same_for_all && !jar) {
      state.outgoing = std::move(own);
      state.request = std::move(own_request);
      outgoing = &*state.outgoing;
      request = &*state.request;
    }
  }
  Tally::Endpoint* endpoint = &of_step;
  std::optional<Tally::Endpoint> beyond;
  if (!config_.endpoints.group_dynamic_urls) {
    const std::string name =
        endpoint_name(config_.endpoints, config_.target, outgoing->url_text, step.name.text(user.variables));
    const auto known = dynamic_endpoints_.find(name);
    if (known != dynamic_endpoints_.end()) {
      endpoint = known->second.get();
    } else if (dynamic_endpoints_.size() < kMostDynamicEndpoints) {
      auto made = std::make_unique<Tally::Endpoint>(tally_.endpoint(name));
      endpoint = dynamic_endpoints_.emplace(name, std::move(made)).first->second.get();
    } else {
      beyond.emplace();  // without a name: not kept apart
      endpoint = &*beyond;
    }
  }
  auto intended = user.first_request ? user.session.intended() : std::chrono::steady_clock::now();
  user.first_request = false;
  for (int hop = 0;; ++hop) {
    tally_.request_sent();
    auto answer = co_await user.session.send(*request, keep);
    if (!answer.ok()) {
      auto failed = co_await fail_request(user, *endpoint, step, answer.failure);
      co_return failed;
    }
    tally_.answered(answer, intended);
    if (answer.header("set-cookie")) {
      user.session.take_cookies(outgoing->url, answer);
      user.jar_in_use = true;
    }
    if (!step.follow_redirect || !is_redirect(answer)) {
      auto taken = co_await take_answer(user, step, *endpoint, *outgoing, answer);
      co_return taken;
    }
    if (hop == kMostRedirects) co_return Error{Errc::kLimit, "ERR_TOO_MANY_REDIRECTS"};
    auto next = redirected(*outgoing, answer.status, *answer.header("location"));
    if (!next) co_return Error{Errc::kMalformed, fmt::format("Invalid URL - {}", *answer.header("location"))};
    if (user.jar_in_use) {
      std::erase_if(next->headers, [](const auto& one) { return one.first == "cookie"; });
      if (std::string field = user.session.cookies_for(next->url); !field.empty())
        next->headers.emplace_back("cookie", std::move(field));
    }
    auto made = make_request(next->method, next->url, next->headers, next->body);
    if (!made) co_return made.error();
    own = std::move(*next);
    own_request = std::move(*made);
    outgoing = &own;
    request = &own_request;
    intended = std::chrono::steady_clock::now();
  }
}

net::Task<ScriptFlow::Outcome> ScriptFlow::fail_request(User& user, Tally::Endpoint& endpoint, const RequestStep& step,
                                                        Failure failure) {
  if (failure == Failure::kCancelled) co_return Error{Errc::kCancelled, "the run ends"};
  tally_.endpoint_failed(endpoint, failure);
  const std::string code(node_name(failure));
  if (config_.expect && config_.expect->format != ExpectPlugin::Format::kSilent) {
    shared_.print(config_.expect->format == ExpectPlugin::Format::kJson
                      ? base::Json::object({{"ok", false}, {"error", words(failure)}}).dump() + "\n"
                      : fmt::format("Error: {}\n", words(failure)));
  }
  if (link_) {
    for (const auto& name : user.scenario.on_error) {
      if (!link_->processor().has(name)) continue;
      auto message = base::Json::object({{"e", code}, {"r", step.source}});
      auto answer = co_await call(user, "error", name, std::move(message));
      if (!answer) break;
    }
  }
  co_return Error{Errc::kIo, code};
}

net::Task<ScriptFlow::Outcome> ScriptFlow::take_answer(User& user, const RequestStep& step, Tally::Endpoint& endpoint,
                                                       const Outgoing& request, const Answer& answer) {
  tally_.endpoint_answered(endpoint, answer);
  const bool hooks = link_ && (!user.scenario.after_response.empty() || !step.after_response.empty());
  const bool expects = config_.expect && (!step.expectations.empty() || config_.expect->expect_default_200);
  if (step.captures.empty() && step.matches.empty() && !hooks && !expects) co_return Done{};
  const Received received(answer, step.decompress);
  const auto captured = take_captures(step, config_.strict_capture, received, user.variables, nullptr);
  for (int level = 0; level < 2; ++level) {
    const auto& names = level == 0 ? user.scenario.after_response : step.after_response;
    for (const auto& name : names) {
      if (!link_ || !link_->processor().has(name)) continue;
      auto message = base::Json::object({{"r", request_json(step, request, step.name.text(user.variables))},
                                         {"a", answer_json(answer, request, received.body())}});
      auto called = co_await call(user, "after", name, std::move(message));
      if (!called) co_return called.error();
    }
    // Between the scenario's functions and the request's, where the plugin stands in Artillery.
    if (level == 0 && expects) {
      auto held = check_expectations(user, step, request, received);
      if (!held) co_return held;
    }
  }
  co_return captured;
}

ScriptFlow::Outcome ScriptFlow::check_expectations(User& user, const RequestStep& step, const Outgoing& request,
                                                   const Received& received) {
  std::vector<Expected> results;
  for (const auto& expectation : step.expectations)
    results.push_back(check_expectation(expectation, user.variables, received));
  if (step.expectations.empty()) {
    Expectation ok{Expectation::Kind::kStatusCode, {}};
    if (auto value = TemplateValue::compile(200)) ok.value = std::move(*value);
    results.push_back(check_expectation(ok, user.variables, received));
  }
  bool all = true;
  for (const auto& result : results) {
    tally_.expectation(result.ok, result.type);
    all = all && result.ok;
  }
  const std::string name = step.name.text(user.variables);
  const std::string text = format_expectations(config_.expect->format, results, step, name, request.url_text,
                                               user.variables, received, shared_.colour);
  if (!text.empty()) shared_.print(text);
  if (all) return Done{};
  shared_.expectation_failed.store(true, std::memory_order_relaxed);
  if (!config_.expect->failures_as_errors) return Done{};
  return Error{Errc::kConflict,
               fmt::format("Failed expectations for request {}",
                           config_.expect->only_request_names && !name.empty() ? name : request.url_text)};
}

}  // namespace securebase::load::artillery
