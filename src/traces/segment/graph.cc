#include "traces/segment/graph.h"

#include <unordered_map>
#include <unordered_set>

namespace securebase::traces {

namespace {

nanoseconds time_of(const Segment& segment) {
  constexpr double kLongest = 1e9;  // seconds; more is nobody's time
  return nanoseconds{static_cast<std::int64_t>(std::min(segment.duration(), kLongest) * 1e9)};
}

Node outside_of(const Segment& call) {
  if (!call.origin.empty()) return {call.name, call.origin};
  if (call.sql) return {call.name, "Database::SQL"};
  if (call.name_space == "aws") return {call.name, "AWS::" + call.name};
  return {call.name, "remote"};
}

class SegmentCounter {
 public:
  SegmentCounter(const std::vector<Segment>& tops, const ParentLookup& lookup, Counts& counts)
      : tops_(tops), lookup_(lookup), counts_(counts) {
    for (const auto& top : tops_) {
      remember(top, top.subsegment ? lookup_(top.parent_id) : std::optional(node_of(top)));
      if (!top.subsegment && !top.parent_id.empty()) called_.insert(top.parent_id);
    }
  }

  void count() {
    for (const auto& top : tops_) {
      if (!top.subsegment) {
        auto from = service_of(top.parent_id);
        const Node to = node_of(top);
        if (!from) from = Node{to.name, "client"};
        add(*from, to, top);
      }
      count_calls(top);
    }
  }

 private:
  void remember(const Segment& segment, const std::optional<Node>& service) {
    if (service) services_.emplace(segment.id, *service);
    for (const auto& inner : segment.subsegments) remember(inner, inner.subsegment ? service : node_of(inner));
  }

  std::optional<Node> service_of(const std::string& id) const {
    if (id.empty()) return std::nullopt;
    const auto found = services_.find(id);
    return found != services_.end() ? std::optional(found->second) : lookup_(id);
  }

  void count_calls(const Segment& segment) {
    if (segment.subsegment && !segment.name_space.empty() && !called_.contains(segment.id)) {
      if (const auto from = service_of(segment.id)) add(*from, outside_of(segment), segment);
    }
    for (const auto& inner : segment.subsegments) count_calls(inner);
  }

  void add(const Node& from, const Node& to, const Segment& segment) {
    if (segment.in_progress) return;
    counts_.edge(from, to).add(time_of(segment), segment.fault, segment.error, segment.throttle);
  }

  const std::vector<Segment>& tops_;
  const ParentLookup& lookup_;
  Counts& counts_;
  std::unordered_map<std::string, Node> services_;  // by the ids of segments and subsegments
  std::unordered_set<std::string> called_;          // subsegments whose callee has a segment of its own
};

}  // namespace

Node node_of(const Segment& segment) { return {segment.name, segment.origin}; }

void count_segments(const std::vector<Segment>& tops, const ParentLookup& lookup, Counts& counts) {
  SegmentCounter(tops, lookup, counts).count();
}

}  // namespace securebase::traces
