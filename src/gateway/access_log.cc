#include "gateway/access_log.h"

#include <fmt/format.h>

#include "base/json.h"

namespace securebase::gateway {
namespace {

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

std::string milliseconds(std::chrono::microseconds time) {
  return std::to_string(std::chrono::round<std::chrono::milliseconds>(time).count());
}

// "-" is what API Gateway writes for what there is not.
std::string value_of(const Call& call, const Answered& answered, std::string_view name) {
  if (name == "status") return std::to_string(answered.status);
  if (name == "responseLength") return answered.length ? std::to_string(*answered.length) : "-";
  if (name == "responseLatency") return milliseconds(answered.latency);
  if (name == "integrationStatus" || name == "integration.status" || name == "integration.integrationStatus") {
    return answered.integration_status ? std::to_string(*answered.integration_status) : "-";
  }
  if (name == "integrationLatency" || name == "integration.latency") {
    return answered.integration_latency ? milliseconds(*answered.integration_latency) : "-";
  }
  if (name == "error.message" || name == "error.messageString" || name == "integrationErrorMessage") {
    return answered.error_message.empty() ? "-" : std::string(answered.error_message);
  }
  if (name == "error.responseType") return answered.error_type.empty() ? "-" : std::string(answered.error_type);
  if (!call.resource && (name.starts_with("resource"))) return "-";
  if (!call.stage) return "-";
  return context_value(call, name).value_or("-");
}

}  // namespace

LogFormat::LogFormat(std::string_view format) {
  constexpr std::string_view kMark = "$context.";
  while (!format.empty()) {
    const auto at = format.find(kMark);
    if (at != 0) pieces_.push_back({std::string(format.substr(0, at)), false});
    if (at == std::string_view::npos) return;
    format.remove_prefix(at + kMark.size());
    std::size_t end = 0;
    while (end < format.size() &&
           (is_name(format[end]) || (format[end] == '.' && end + 1 < format.size() && is_name(format[end + 1])))) {
      ++end;
    }
    pieces_.push_back({std::string(format.substr(0, end)), true});
    format.remove_prefix(end);
  }
}

std::string LogFormat::line(const Call& call, const Answered& answered) const {
  std::string out, quoted;
  for (const auto& piece : pieces_) {
    if (!piece.variable) {
      for (const char c : piece.text) out += c == '\n' || c == '\r' ? ' ' : c;
      continue;
    }
    quoted.clear();
    base::append_json_string(quoted, value_of(call, answered, piece.text));
    out += std::string_view(quoted).substr(1, quoted.size() - 2);
  }
  return out;
}

}  // namespace securebase::gateway
