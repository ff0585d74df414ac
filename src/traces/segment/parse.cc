#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "traces/segment/segment.h"

namespace securebase::traces {

namespace {

using base::Json;

constexpr std::size_t kMostAnnotations = 50;
constexpr std::size_t kMostSubsegments = 2000;
constexpr int kMostLevels = 16;
constexpr std::size_t kLongestName = 200;
constexpr std::size_t kMostLinks = 100;
constexpr double kOldest = 30.0 * 86400;
constexpr double kNewest = 86400;

bool is_id(std::string_view text) {
  return text.size() == 16 && text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

// "Letters, numbers, whitespace, and _ . : / % & # = + \ - @"; other characters are left out, as X-Ray does.
std::string clean_name(std::string_view name) {
  std::string clean;
  for (const char c : name.substr(0, kLongestName)) {
    const bool taken = static_cast<unsigned char>(c) >= 0x80 || std::isalnum(static_cast<unsigned char>(c)) ||
                       std::string_view(" _.:/%&#=+\\-@").find(c) != std::string_view::npos;
    if (taken) clean += c;
  }
  return clean;
}

std::string lower_id(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

bool is_annotation_key(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '-';
  });
}

class SegmentReader {
 public:
  explicit SegmentReader(double now) : now_(now) {}

  std::optional<SegmentRefusal> read(const Json& json, int level, Segment& out) {
    const auto refuse = [&](std::string code, std::string message) {
      return SegmentRefusal{std::string(json["id"].string_or("")), std::move(code), std::move(message)};
    };
    if (!json.is_object()) return refuse("ParseError", "a segment is a JSON object");
    if (level > kMostLevels) return refuse("ParseError", fmt::format("more than {} levels", kMostLevels));
    if (++count_ > kMostSubsegments)
      return refuse("ParseError", fmt::format("more than {} segments", kMostSubsegments));
    out.id = json["id"].string_or("");
    if (out.id.empty()) return refuse("MissingId", "id is missing");
    if (!is_id(out.id)) return refuse("InvalidId", fmt::format("id has 16 hex digits, not \"{}\"", out.id));
    out.id = lower_id(out.id);
    out.parent_id = lower_id(json["parent_id"].string_or(""));
    if (!out.parent_id.empty() && !is_id(out.parent_id)) {
      return refuse("InvalidId", fmt::format("parent_id has 16 hex digits, not \"{}\"", out.parent_id));
    }
    out.name = clean_name(json["name"].string_or(""));
    if (out.name.empty()) return refuse("MissingName", "name is missing");
    out.begin = json["start_time"].number_or(NAN);
    if (!json["start_time"].is_number()) return refuse("MissingStartTime", "start_time is seconds since the epoch");
    out.in_progress = json["in_progress"].bool_or(false);
    out.end = json["end_time"].number_or(out.begin);
    if (!out.in_progress && !json["end_time"].is_number()) {
      return refuse("MissingEndTime", "end_time is missing, and in_progress is not true");
    }
    if (!std::isfinite(out.begin) || !std::isfinite(out.end) || out.begin < now_ - kOldest ||
        out.begin > now_ + kNewest || out.end > now_ + kNewest) {
      return refuse("InvalidTime", fmt::format("start_time {} is not within the last 30 days", out.begin));
    }
    out.end = std::max(out.end, out.begin);
    out.subsegment = level > 0 || json["type"].string_or("") == "subsegment";
    // Nothing calls itself: a segment that says so is one that nobody is known to have called.
    if (out.parent_id == out.id) out.parent_id.clear();
    out.origin = json["origin"].string_or("").substr(0, kLongestName);
    // SDKs say "local" of what is no call of anything outside.
    const auto name_space = json["namespace"].string_or("");
    if (name_space == "aws" || name_space == "remote") out.name_space = name_space;
    out.fault = json["fault"].bool_or(false);
    out.error = json["error"].bool_or(false);
    out.throttle = json["throttle"].bool_or(false);
    out.user = json["user"].string_or("");
    out.sql = json["sql"].is_object();
    read_http(json["http"], out);
    read_rest(json, out);
    if (const auto* inner = json["subsegments"].as_array()) {
      out.subsegments.resize(inner->size());
      for (std::size_t i = 0; i < inner->size(); ++i) {
        if (auto refusal = read((*inner)[i], level + 1, out.subsegments[i])) return refusal;
        if (out.subsegments[i].parent_id.empty()) out.subsegments[i].parent_id = out.id;
      }
    }
    return std::nullopt;
  }

 private:
  static void read_http(const Json& http, Segment& out) {
    const auto& request = http["request"];
    out.http.method = request["method"].string_or("");
    out.http.url = request["url"].string_or("");
    out.http.user_agent = request["user_agent"].string_or("");
    out.http.client_ip = request["client_ip"].string_or("");
    out.http.status = http["response"]["status"].integer_or(0);
    // A status says as much as the flags, where the sender set none (developer guide: 4xx, 429, 5xx).
    if (out.http.status >= 500) out.fault = true;
    if (out.http.status >= 400 && out.http.status < 500) out.error = true;
    if (out.http.status == 429) out.throttle = true;
  }

  static void read_rest(const Json& json, Segment& out) {
    const auto& aws = json["aws"];
    out.resource_arn = aws["resource_arn"].string_or("");
    out.instance_id = aws["ec2"]["instance_id"].string_or("");
    out.availability_zone = aws["ec2"]["availability_zone"].string_or("");
    if (const auto* annotations = json["annotations"].as_object()) {
      for (const auto& [key, value] : *annotations) {
        if (out.annotations.size() >= kMostAnnotations) break;
        if (!is_annotation_key(key)) continue;
        if (value.is_bool()) {
          out.annotations.emplace_back(key, value.bool_or(false));
        } else if (value.is_number()) {
          out.annotations.emplace_back(key, value.number_or(0));
        } else if (const auto* text = value.as_string()) {
          out.annotations.emplace_back(key, *text);
        }
      }
    }
    if (const auto* links = json["links"].as_array()) {
      for (const auto& link : *links) {
        const auto trace = TraceId::parse(link["trace_id"].string_or(""));
        const auto linked_id = lower_id(link["id"].string_or(""));
        if (trace && is_id(linked_id) && out.links.size() < kMostLinks) out.links.push_back({*trace, linked_id});
      }
    }
    if (const auto* exceptions = json["cause"]["exceptions"].as_array()) {
      for (const auto& one : *exceptions) {
        out.exceptions.push_back({std::string(one["type"].string_or("")), std::string(one["message"].string_or("")),
                                  one["remote"].bool_or(false)});
      }
    }
  }

  const double now_;
  std::size_t count_ = 0;
};

}  // namespace

Result<ParsedSegment, SegmentRefusal> parse_segment(std::string_view text, base::TimePoint now) {
  if (text.size() > kSegmentBytes) {
    return SegmentRefusal{
        "", "SegmentTooLarge",
        fmt::format("a segment document has at most {} bytes, this one {}", kSegmentBytes, text.size())};
  }
  auto json = Json::parse(text);
  if (!json) return SegmentRefusal{"", "ParseError", json.error().message};
  const std::string id(json->is_object() ? (*json)["id"].string_or("") : "");
  const auto trace_text = (*json)["trace_id"].string_or("");
  if (trace_text.empty()) return SegmentRefusal{id, "MissingTraceId", "trace_id is missing"};
  const auto trace = TraceId::parse(trace_text);
  if (!trace) {
    return SegmentRefusal{id, "InvalidTraceId",
                          fmt::format("trace_id reads 1-<8 hex digits>-<24 hex digits>, not \"{}\"", trace_text)};
  }
  ParsedSegment parsed{*trace, {}};
  const double seconds = std::chrono::duration<double>(now.time_since_epoch()).count();
  if (auto refusal = SegmentReader(seconds).read(*json, 0, parsed.segment)) return *std::move(refusal);
  if (parsed.segment.subsegment && parsed.segment.parent_id.empty()) {
    return SegmentRefusal{id, "MissingParentId", "a subsegment that is sent on its own has a parent_id"};
  }
  return parsed;
}

}  // namespace securebase::traces
