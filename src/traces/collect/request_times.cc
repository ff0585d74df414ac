#include "traces/collect/request_times.h"

#include <algorithm>
#include <unordered_map>

namespace securebase::traces {

using telemetry::Span;
using H = telemetry::Hop;

namespace {

constexpr std::size_t kNone = ~std::size_t{0};

// The place of each span's parent among them. `entry` is above those whose parent is none of them: an authorizer is
// asked before its gateway begins.
std::vector<std::size_t> parents_of(std::span<const Span> spans, const Span* entry) {
  std::vector<std::size_t> parents(spans.size(), kNone);
  std::unordered_map<std::uint64_t, std::size_t> places;
  const bool many = spans.size() > 24;  // of few, comparing each with each is quicker
  for (std::size_t i = 0; many && i < spans.size(); ++i) places.emplace(spans[i].id, i);
  const std::size_t top = entry ? static_cast<std::size_t>(entry - spans.data()) : kNone;
  for (std::size_t i = 0; i < spans.size(); ++i) {
    if (i == top) continue;
    if (many) {
      const auto found = places.find(spans[i].parent);
      parents[i] = found == places.end() ? kNone : found->second;
    } else {
      for (std::size_t k = 0; k < spans.size(); ++k) {
        if (spans[k].id == spans[i].parent) parents[i] = k;
      }
    }
    if (parents[i] == kNone || parents[i] == i) parents[i] = top;
  }
  return parents;
}

// Within an authorizer's call everything is the authorizer's; the same goes for the start of its instance.
Part part_within(std::span<const Span> spans, const std::vector<std::size_t>& parents, std::size_t at) {
  const auto hop = spans[at].hop;
  for (std::size_t steps = 0; at != kNone && steps <= spans.size(); ++steps, at = parents[at]) {
    if (spans[at].hop == H::kAuthorizer) return Part::kAuthorizer;
  }
  return part_of(hop);
}

}  // namespace

RequestTimes times_of(std::span<const Span> spans, const Span& entry) {
  RequestTimes times;
  times.total = entry.end - entry.begin;
  times.throttle = entry.status == 429;
  times.error = entry.status >= 400 && entry.status < 500;
  times.fault = entry.failed || entry.status >= 500;
  if (spans.size() == 1) {
    times.own[static_cast<std::size_t>(part_of(entry.hop))] = times.total;
    return times;
  }
  const auto parents = parents_of(spans, &entry);
  std::vector<std::pair<base::SteadyPoint, base::SteadyPoint>> children;
  for (std::size_t i = 0; i < spans.size(); ++i) {
    const Span& span = spans[i];
    times.cold = times.cold || span.cold;
    // What began before who waited for it (an instance's start) or ended after counts as far as it was waited for.
    auto begin = span.begin;
    auto end = span.end;
    if (parents[i] != kNone && spans[parents[i]].id == span.parent) {
      begin = std::max(begin, spans[parents[i]].begin);
      end = std::min(end, spans[parents[i]].end);
    }
    if (end <= begin) continue;
    children.clear();
    for (std::size_t k = 0; k < spans.size(); ++k) {
      if (parents[k] == i) children.emplace_back(std::max(spans[k].begin, begin), std::min(spans[k].end, end));
    }
    std::sort(children.begin(), children.end());
    nanoseconds own = end - begin;
    auto covered = begin;
    for (const auto& [from, to] : children) {
      if (to <= covered) continue;
      own -= to - std::max(from, covered);
      covered = to;
    }
    times.own[static_cast<std::size_t>(part_within(spans, parents, i))] += own;
  }
  return times;
}

void append_route(std::string& out, std::span<const Span> spans, const Span& entry) {
  const Span* says = &entry;
  for (const auto& span : spans) {
    if (span.hop == H::kGateway && !span.route.view().empty()) says = &span;
  }
  if (says->hop == H::kInvoke) {
    out.append("function ").append(says->name.view());
    return;
  }
  out.append(says->method).append(says->method.empty() ? "" : " ");
  out.append(says->route.view().empty() ? "(no route)" : says->route.view());
}

std::optional<Node> node_of(H hop, std::string_view name) {
  const auto node = [name](const char* type) { return Node{std::string(name), type}; };
  switch (hop) {
    case H::kEdge:
      return node("AWS::CloudFront::Distribution");
    case H::kGateway:
      return node("AWS::ApiGateway::Stage");
    case H::kInvoke:
      return node("AWS::Lambda");
    case H::kFunction:
      return node("AWS::Lambda::Function");
    case H::kOriginBucket:
      return node("AWS::S3::Bucket");
    case H::kOriginHttp:
    case H::kUpstream:
      return node("remote");
    case H::kSql:
      return Node{"PostgreSQL", "Database::SQL"};
    case H::kCache:
      return Node{"Redis", "Database::Redis"};
    case H::kFlight:
    case H::kOriginApi:
    case H::kAuthorizer:
    case H::kInit:
      return std::nullopt;
  }
  return std::nullopt;
}

void count_edges(std::span<const Span> spans, Counts& counts) {
  const Span* entry = nullptr;
  for (const auto& span : spans) entry = span.entry ? &span : entry;
  const auto parents = parents_of(spans, entry);
  for (std::size_t i = 0; i < spans.size(); ++i) {
    const Span& span = spans[i];
    auto to = node_of(span.hop, span.name.view());
    if (!to) continue;
    // The nearest hop above that is a service.
    std::optional<Node> from;
    std::size_t above = parents[i];
    for (std::size_t steps = 0; !from && above != kNone && steps <= spans.size(); ++steps, above = parents[above]) {
      from = node_of(spans[above].hop, spans[above].name.view());
    }
    if (!from) from = Node{to->name, "client"};
    const bool fault = span.failed || span.status >= 500;
    counts.edge(*from, *to)
        .add(span.end - span.begin, fault, span.status >= 400 && span.status < 500, span.status == 429);
  }
}

}  // namespace securebase::traces
