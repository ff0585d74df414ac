#include "load/distribute/plan.h"

#include <fmt/format.h>

#include <cmath>

#include "base/encoding.h"

namespace securebase::load {

namespace {

using base::Json;

constexpr std::string_view kPlanFormat = "securebase-load-plan/1";
constexpr std::size_t kMostSteps = 10'000;
constexpr std::size_t kMostPhases = 10'000;
constexpr std::int64_t kMostThreads = 256;

Error no_plan(std::string_view what) {
  return Error{Errc::kMalformed, fmt::format("not a plan of {}: {}", kPlanFormat, what)};
}

Json to_json(const Phase& phase) {
  auto json = Json::object({{"kind", static_cast<int>(phase.kind)},
                            {"name", phase.name},
                            {"ns", std::int64_t{phase.duration.count()}},
                            {"rate", phase.rate},
                            {"count", phase.count}});
  if (phase.ramp_to) json.set("ramp_to", *phase.ramp_to);
  if (phase.max_users) json.set("max_users", *phase.max_users);
  return json;
}

Result<Phase> phase_from_json(const Json& json) {
  const auto kind = json["kind"].integer_or(-1);
  if (kind < 0 || kind > static_cast<int>(Phase::Kind::kPause)) return no_plan("a phase has a kind");
  Phase phase;
  phase.kind = static_cast<Phase::Kind>(kind);
  phase.name = json["name"].string_or("");
  phase.duration = std::chrono::nanoseconds{json["ns"].integer_or(0)};
  phase.rate = json["rate"].number_or(0);
  phase.count = static_cast<std::uint64_t>(std::max<std::int64_t>(0, json["count"].integer_or(0)));
  if (json["ramp_to"].is_number()) phase.ramp_to = json["ramp_to"].number_or(0);
  if (json["max_users"].is_integer()) {
    phase.max_users = static_cast<std::uint64_t>(std::max<std::int64_t>(0, json["max_users"].integer_or(0)));
  }
  return phase;
}

Json to_json(const HttpStep& step) {
  return Json::object({{"tls", step.request.origin.tls},
                       {"host", step.request.origin.host},
                       {"port", int{step.request.origin.port}},
                       {"head", base::base64(step.request.head)},
                       {"body", base::base64(step.request.body)},
                       {"is_head", step.request.is_head},
                       {"closes", step.request.closes},
                       {"weight", step.weight},
                       {"endpoint", step.endpoint}});
}

Result<HttpStep> step_from_json(const Json& json) {
  HttpStep step;
  const auto head = base::from_base64(json["head"].string_or(""));
  const auto body = base::from_base64(json["body"].string_or(""));
  const auto port = json["port"].integer_or(0);
  step.weight = json["weight"].number_or(0);
  if (!head || !head->ends_with("\r\n\r\n") || !body || port < 1 || port > 65'535 || !(step.weight > 0) ||
      !std::isfinite(step.weight)) {
    return no_plan("a step has a request, a port and a weight");
  }
  step.request.origin = {json["tls"].bool_or(false), std::string(json["host"].string_or("")),
                         static_cast<std::uint16_t>(port)};
  step.request.head = *head;
  step.request.body = *body;
  step.request.is_head = json["is_head"].bool_or(false);
  step.request.closes = json["closes"].bool_or(false);
  step.endpoint = json["endpoint"].string_or("");
  return step;
}

}  // namespace

Json to_json(const RunSettings& settings) {
  auto phases = Json::array();
  for (const auto& phase : settings.phases) phases.push_back(to_json(phase));
  auto steps = Json::array();
  for (const auto& step : settings.work.steps) steps.push_back(to_json(step));
  auto json = Json::object({{"format", kPlanFormat},
                            {"scenario", settings.scenario},
                            {"target", settings.target},
                            {"loop", settings.work.loop},
                            {"think_ns", std::int64_t{settings.work.think.count()}},
                            {"warm_up_ns", std::int64_t{settings.warm_up.count()}},
                            {"threads", std::uint64_t{settings.threads}},
                            {"share_index", settings.share.index},
                            {"share_of", settings.share.of},
                            {"connect_ms", std::int64_t{settings.limits.connect.count()}},
                            {"first_byte_ms", std::int64_t{settings.limits.first_byte.count()}},
                            {"whole_ms", std::int64_t{settings.limits.whole.count()}},
                            {"verify", settings.tls.verify},
                            {"authorities", settings.tls.authorities_pem}});
  if (settings.pool) json.set("pool", std::uint64_t{*settings.pool});
  json.set("phases", std::move(phases));
  json.set("steps", std::move(steps));
  return json;
}

Result<RunSettings> settings_from_json(const Json& json) {
  if (json["format"].string_or("") != kPlanFormat) return no_plan("both machines need the same version");
  const auto* phases = json["phases"].as_array();
  const auto* steps = json["steps"].as_array();
  if (!phases || phases->size() > kMostPhases || !steps || steps->empty() || steps->size() > kMostSteps) {
    return no_plan("phases and steps are lists of 1 to 10,000");
  }
  RunSettings settings;
  settings.scenario = json["scenario"].string_or("run");
  settings.target = json["target"].string_or("");
  settings.work.loop = json["loop"].bool_or(false);
  settings.work.think = std::chrono::nanoseconds{std::max<std::int64_t>(0, json["think_ns"].integer_or(0))};
  settings.warm_up = std::chrono::nanoseconds{std::max<std::int64_t>(0, json["warm_up_ns"].integer_or(0))};
  constexpr std::chrono::hours kLongest{24 * 366};
  if (settings.work.think > kLongest || settings.warm_up > kLongest) return no_plan("times are below a year");
  const auto threads = json["threads"].integer_or(0);
  const auto index = json["share_index"].integer_or(-1);
  const auto of = json["share_of"].integer_or(0);
  if (threads < 1 || threads > kMostThreads) return no_plan("threads are 1 to 256");
  if (index < 0 || index >= of) return no_plan("a share is one of several");
  settings.threads = static_cast<std::size_t>(threads);
  settings.share.index = static_cast<std::uint64_t>(index);
  settings.share.of = static_cast<std::uint64_t>(of);
  const auto limit = [&](std::string_view name, std::chrono::milliseconds otherwise) {
    return std::chrono::milliseconds{std::clamp<std::int64_t>(json[name].integer_or(otherwise.count()), 1, 86'400'000)};
  };
  settings.limits.connect = limit("connect_ms", settings.limits.connect);
  settings.limits.first_byte = limit("first_byte_ms", settings.limits.first_byte);
  settings.limits.whole = limit("whole_ms", settings.limits.whole);
  settings.tls.verify = json["verify"].bool_or(true);
  settings.tls.authorities_pem = json["authorities"].string_or("");
  if (json["pool"].is_integer())
    settings.pool = static_cast<std::size_t>(std::max<std::int64_t>(0, json["pool"].integer_or(0)));
  for (const auto& one : *phases) {
    auto phase = phase_from_json(one);
    if (!phase) return phase.error();
    settings.phases.push_back(std::move(*phase));
  }
  for (const auto& one : *steps) {
    auto step = step_from_json(one);
    if (!step) return step.error();
    settings.work.steps.push_back(std::move(*step));
  }
  return settings;
}

}  // namespace securebase::load
