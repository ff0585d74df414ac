// This platform's hops as segments.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "traces/collect/request_times.h"
#include "traces/segment/segment.h"

namespace securebase::traces {

namespace {

using H = telemetry::Hop;
using base::Json;

constexpr std::size_t kTallest = 100;
constexpr std::size_t kMostDocuments = 2000;  // of a trace, each of up to 64 KB

std::string id_text(std::uint64_t id) { return id == 0 ? std::string() : fmt::format("{:016x}", id); }

bool is_segment(H kind) {
  return kind == H::kEdge || kind == H::kGateway || kind == H::kInvoke || kind == H::kFunction;
}

Segment segment_of(const Hop& hop) {
  Segment out;
  out.id = id_text(hop.id);
  out.parent_id = id_text(hop.parent);
  out.subsegment = !is_segment(hop.kind);
  out.begin = seconds_of(hop.begin);
  out.end = seconds_of(hop.end());
  out.name = hop.name;
  const auto node = node_of(hop.kind, hop.name);
  if (node && node->type != "remote") out.origin = node->type;
  switch (hop.kind) {
    case H::kFlight:
      out.name = "wait for another's fetch";
      break;
    case H::kAuthorizer:
      out.name = "authorizer " + hop.name;
      break;
    case H::kInit:
      out.name = "Initialization";
      break;
    case H::kSql:
    case H::kCache:
      out.name = node->name;
      out.name_space = "remote";
      out.sql = hop.kind == H::kSql;
      out.annotations.emplace_back("calls", static_cast<double>(hop.calls));
      break;
    case H::kOriginBucket:
      out.name_space = "aws";
      break;
    case H::kOriginHttp:
    case H::kUpstream:
      out.name_space = "remote";
      break;
    default:
      break;
  }
  if (hop.kind == H::kEdge || hop.kind == H::kGateway) {
    out.http.method = hop.method;
    // The gateway's name is its API's and its stage's, which is no host.
    out.http.url = hop.kind == H::kEdge ? fmt::format("{}://{}{}", hop.tls ? "https" : "http", hop.name, hop.subject)
                                        : hop.subject;
    if (!hop.route.empty()) out.annotations.emplace_back("route", hop.route);
  } else if (!hop.subject.empty() && hop.kind != H::kFunction) {
    out.http.method = hop.method;
    out.http.url = hop.subject;
  } else if (hop.kind == H::kFunction) {
    out.annotations.emplace_back("request_id", hop.subject);
    out.annotations.emplace_back("cold_start", hop.cold);
  }
  out.http.status = hop.status;
  out.fault = hop.failed || hop.status >= 500;
  out.error = hop.status >= 400 && hop.status < 500;
  out.throttle = hop.status == 429;
  return out;
}

// Puts each subsegment into the segment or subsegment that it names as its parent, wherever that is; those whose
// parent is not here stay at the top.
void put_in_places(std::vector<Segment>& all) {
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < all.size(); ++i) places.emplace(all[i].id, i);
  std::vector<std::vector<std::size_t>> children(all.size());
  std::vector<bool> inside(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!all[i].subsegment) continue;
    const auto parent = places.find(all[i].parent_id);
    if (parent == places.end() || parent->second == i) continue;
    // A circle of foreign documents has no top, and a tower of them no end: their members stay where they are.
    std::size_t at = parent->second;
    bool circle = false;
    for (std::size_t steps = 0;; ++steps) {
      circle = at == i || steps > kTallest;
      const auto next = all[at].subsegment ? places.find(all[at].parent_id) : places.end();
      if (circle || next == places.end()) break;
      at = next->second;
    }
    if (circle) continue;
    inside[i] = true;
    children[parent->second].push_back(i);
  }
  std::vector<Segment> tops;
  const auto take = [&](auto&& self, std::size_t i) -> Segment {
    Segment segment = std::move(all[i]);
    for (const auto child : children[i]) segment.subsegments.push_back(self(self, child));
    return segment;
  };
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!inside[i]) tops.push_back(take(take, i));
  }
  all = std::move(tops);
}

// A subsegment of a document may be the place of others that came on their own.
void flatten_into(Segment segment, std::vector<Segment>& out) {
  auto inner = std::move(segment.subsegments);
  segment.subsegments.clear();
  out.push_back(std::move(segment));
  for (auto& each : inner) {
    each.subsegment = true;
    flatten_into(std::move(each), out);
  }
}

}  // namespace

std::vector<Segment> segments_of(const HopRecord& record) {
  std::vector<Segment> all;
  // An instance's start is shown where its function is.
  const auto function = std::find_if(record.hops.begin(), record.hops.end(),
                                     [&](const Hop& hop) { return hop.kind == H::kFunction && hop.cold; });
  for (const auto& hop : record.hops) {
    all.push_back(segment_of(hop));
    if (hop.kind != H::kInit || function == record.hops.end()) continue;
    for (const auto& other : record.hops) {
      if (other.kind == H::kFunction && other.cold && other.parent == hop.parent)
        all.back().parent_id = id_text(other.id);
    }
  }
  put_in_places(all);
  return all;
}

Json to_json(const Segment& segment, const TraceId* trace) {
  Json out = Json::object({{"id", segment.id}, {"name", segment.name}, {"start_time", segment.begin}});
  if (trace) out.set("trace_id", trace->text());
  if (segment.in_progress) {
    out.set("in_progress", true);
  } else {
    out.set("end_time", segment.end);
  }
  if (!segment.parent_id.empty() && trace) out.set("parent_id", segment.parent_id);
  if (trace && segment.subsegment) out.set("type", "subsegment");
  if (!segment.origin.empty()) out.set("origin", segment.origin);
  if (!segment.name_space.empty()) out.set("namespace", segment.name_space);
  if (!segment.http.url.empty() || segment.http.status != 0) {
    Json http = Json::object();
    if (!segment.http.url.empty()) {
      http.set("request", Json::object({{"method", segment.http.method}, {"url", segment.http.url}}));
    }
    if (segment.http.status != 0) http.set("response", Json::object({{"status", segment.http.status}}));
    out.set("http", std::move(http));
  }
  if (segment.fault) out.set("fault", true);
  if (segment.error) out.set("error", true);
  if (segment.throttle) out.set("throttle", true);
  if (segment.sql) out.set("sql", Json::object({{"database_type", segment.name}}));
  if (!segment.annotations.empty()) {
    Json annotations = Json::object();
    for (const auto& [key, value] : segment.annotations) {
      std::visit([&](const auto& one) { annotations.set(key, one); }, value);
    }
    out.set("annotations", std::move(annotations));
  }
  if (!segment.subsegments.empty()) {
    Json inner = Json::array();
    for (const auto& each : segment.subsegments) inner.push_back(to_json(each, nullptr));
    out.set("subsegments", std::move(inner));
  }
  return out;
}

std::vector<Segment> linked(std::vector<Segment> segments) {
  std::vector<Segment> all;
  for (auto& segment : segments) flatten_into(std::move(segment), all);
  put_in_places(all);
  return all;
}

Trace assemble(const TraceId& id, const Records& records) {
  Trace trace;
  trace.id = id;
  trace.begin = WallTime::max();
  std::vector<Segment> all;
  for (const auto& record : records.hops) {
    if (!record.hops.empty()) trace.begin = std::min(trace.begin, record.hops.front().begin);
    trace.reasons |= record.reasons;
    for (auto& segment : segments_of(record)) {
      trace.documents.emplace_back(segment.id, to_json(segment, &id).dump());
      flatten_into(std::move(segment), all);
    }
  }
  for (const auto& document : records.documents) {
    trace.begin = std::min(trace.begin, document.begin);
    if (trace.documents.size() >= kMostDocuments) break;
    // Taken once already; its age is no question any more.
    auto parsed = parse_segment(document.json, std::chrono::floor<std::chrono::microseconds>(document.begin));
    if (!parsed) continue;
    // A document that was in progress, and then came whole: the whole one counts.
    const auto known = std::find_if(trace.documents.begin(), trace.documents.end(),
                                    [&](const auto& one) { return one.first == parsed->segment.id; });
    if (known == trace.documents.end()) {
      trace.documents.emplace_back(parsed->segment.id, document.json);
      flatten_into(std::move(parsed->segment), all);
      continue;
    }
    const auto old =
        std::find_if(all.begin(), all.end(), [&](const Segment& one) { return one.id == parsed->segment.id; });
    if (old == all.end() || (!old->in_progress && parsed->segment.in_progress)) continue;
    known->second = document.json;
    std::vector<Segment> fresh;
    flatten_into(std::move(parsed->segment), fresh);
    *old = std::move(fresh.front());
    for (std::size_t i = 1; i < fresh.size(); ++i) {
      const auto same = std::find_if(all.begin(), all.end(), [&](const Segment& one) { return one.id == fresh[i].id; });
      if (same == all.end()) {
        all.push_back(std::move(fresh[i]));
      } else {
        *same = std::move(fresh[i]);
      }
    }
  }
  put_in_places(all);
  std::stable_sort(all.begin(), all.end(), [](const Segment& a, const Segment& b) { return a.begin < b.begin; });
  trace.segments = std::move(all);
  return trace;
}

}  // namespace securebase::traces
