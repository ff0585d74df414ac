#include "gateway/call.h"

#include <fmt/format.h>

#include <random>

#include "base/encoding.h"
#include "base/random.h"
#include "gateway/principal.h"
#include "telemetry/span.h"

namespace securebase::gateway {
namespace {

std::string decoded(std::string_view text) {
  if (text.find_first_of("%+") == std::string_view::npos) return std::string(text);
  auto plain = base::percent_decode(text, base::Plus::kSpace);
  return plain ? std::move(*plain) : std::string(text);
}

std::mt19937_64& generator() {
  thread_local std::mt19937_64 made(base::random_u64());
  return made;
}

}  // namespace

std::vector<QueryParameter> read_query(std::string_view query) {
  std::vector<QueryParameter> out;
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    const auto value = equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    out.push_back({decoded(pair.substr(0, equals)), decoded(value)});
  }
  return out;
}

std::string_view Call::path_value(std::string_view name) const {
  for (std::size_t i = 0; i < found.parameter_count; ++i) {
    if ((*parameter_names)[i] == name) return found.values[i];
  }
  return {};
}

const std::string* Call::query_value(std::string_view name) const {
  for (auto at = query.rbegin(); at != query.rend(); ++at) {
    if (at->name == name) return &at->value;
  }
  return nullptr;
}

std::string Call::trace_header() const {
  if (request->trace.known()) return telemetry::to_xray_header(request->trace);
  return std::string(request->headers.get("X-Amzn-Trace-Id").value_or(""));
}

std::string common_log_time(base::TimePoint time) {
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  return fmt::format("{:02}/{}/{}:{:02}:{:02}:{:02} +0000", static_cast<unsigned>(date.day()),
                     kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

std::optional<std::string> context_value(const Call& call, std::string_view name) {
  const auto text = [](std::string_view value) { return std::optional(std::string(value)); };
  if (name.starts_with("authorizer.")) {
    const auto wanted = name.substr(11);
    if (!call.principal) return std::nullopt;
    if (wanted == "principalId") return call.principal->principal_id;
    if (wanted == "integrationLatency") return std::to_string(call.authorizer_milliseconds);
    for (const auto& [key, value] : call.principal->context) {
      if (key == wanted) return value;
    }
    return std::nullopt;
  }
  if (name == "requestId") return call.request_id;
  if (name == "extendedRequestId") return call.extended_request_id;
  if (name == "accountId") return call.api->account;
  if (name == "apiId") return call.api->id;
  if (name == "stage") return call.stage->name;
  if (name == "deploymentId") return call.stage->deployment_id;
  if (name == "resourceId" || name == "resourcePath") {
    if (!call.resource) return std::nullopt;  // no route was found
    return name == "resourceId" ? call.resource->id : call.resource->path;
  }
  if (name == "path") return text(call.client_path);
  if (name == "httpMethod") return text(call.request->method_name);
  if (name == "protocol") {
    return fmt::format("HTTP/{}.{}", call.request->version_major, call.request->version_minor);
  }
  if (name == "domainName") return text(call.domain_name);
  if (name == "domainPrefix") return text(call.domain_name.substr(0, call.domain_name.find('.')));
  if (name == "requestTime") return common_log_time(call.time);
  if (name == "requestTimeEpoch") {
    return std::to_string(std::chrono::floor<std::chrono::milliseconds>(call.time).time_since_epoch().count());
  }
  if (name == "identity.sourceIp") return text(call.request->peer_address);
  if (name == "identity.userAgent") {
    if (const auto agent = call.request->headers.get("User-Agent")) return text(*agent);
    return std::nullopt;
  }
  if (name == "xrayTraceId") return call.trace_header();
  return std::nullopt;
}

std::optional<std::string> value_of(const Call& call, const Parameter& parameter) {
  const auto present = [](std::string text) { return text.empty() ? std::nullopt : std::optional(std::move(text)); };
  switch (parameter.from) {
    case Parameter::From::kQuery: {
      const auto* value = call.query_value(parameter.name);
      return value ? present(*value) : std::nullopt;
    }
    case Parameter::From::kMultiQuery: {
      std::string joined;
      for (const auto& each : call.query) {
        if (each.name == parameter.name) joined += (joined.empty() ? "" : ",") + each.value;
      }
      return present(std::move(joined));
    }
    case Parameter::From::kHeader:
    case Parameter::From::kMultiHeader:
      return present(call.request->headers.joined(parameter.name));
    case Parameter::From::kPath:
      return present(std::string(call.path_value(parameter.name)));
    case Parameter::From::kContext: {
      auto value = context_value(call, parameter.name);
      return value ? present(std::move(*value)) : std::nullopt;
    }
    case Parameter::From::kStageVariable: {
      const auto found = call.stage->variables.find(parameter.name);
      return found == call.stage->variables.end() ? std::nullopt : present(found->second);
    }
  }
  return std::nullopt;
}

std::string new_request_id() {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string id(36, '-');
  std::uint64_t bits = 0;
  for (std::size_t i = 0, drawn = 0; i < id.size(); ++i) {
    if (i == 8 || i == 13 || i == 18 || i == 23) continue;
    if (drawn++ % 16 == 0) bits = generator()();
    id[i] = kDigits[bits & 15];
    bits >>= 4;
  }
  id[14] = '4';
  return id;
}

std::string new_extended_request_id() {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string id(16, '=');
  std::uint64_t bits = generator()();
  for (std::size_t i = 0; i < 10; ++i, bits >>= 6) id[i] = kDigits[bits & 63];
  bits = generator()();
  for (std::size_t i = 10; i < 15; ++i, bits >>= 6) id[i] = kDigits[bits & 63];
  return id;
}

}  // namespace securebase::gateway
