#include "traces/counts/counts.h"

namespace securebase::traces {

namespace {

constexpr std::uint64_t kCountsFormat = 1;

std::int64_t read_nanoseconds(Bytes& in) { return static_cast<std::int64_t>(in.varint() & 0x7fffffffffffffffULL); }

void put_shares(std::string& out, const Shares& shares) {
  for (const auto& share : shares)
    put_varint(out, static_cast<std::uint64_t>(std::max<std::int64_t>(share.count(), 0)));
}

void put_route(std::string& out, const RouteCounts& route) {
  for (const auto count : {route.faults, route.errors, route.throttles, route.cold_starts}) put_varint(out, count);
  route.total.encode(out);
  for (const auto& own : route.own) own.encode(out);
  put_varint(out, route.by_total.size());
  for (const auto& [index, band] : route.by_total) {
    put_varint(out, index);
    put_varint(out, band.count);
    put_shares(out, band.sums);
  }
}

RouteCounts read_route(Bytes& in) {
  RouteCounts route;
  for (auto* count : {&route.faults, &route.errors, &route.throttles, &route.cold_starts}) *count = in.varint();
  route.total = Histogram::decode(in);
  for (auto& own : route.own) own = Histogram::decode(in);
  for (auto left = in.count(2 + kParts); left > 0 && !in.bad(); --left) {
    auto& band = route.by_total[static_cast<std::uint16_t>(in.varint())];
    band.count = in.varint();
    for (auto& sum : band.sums) sum = nanoseconds{read_nanoseconds(in)};
  }
  return route;
}

}  // namespace

std::string_view to_string(Part part) {
  static constexpr std::string_view kNames[kParts] = {
      "edge", "wait for another's fetch", "origin", "authorizer", "gateway", "queue", "init", "function", "sql",
      "redis"};
  return kNames[static_cast<std::size_t>(part)];
}

Part part_of(telemetry::Hop hop) {
  using H = telemetry::Hop;
  switch (hop) {
    case H::kEdge:
    case H::kOriginApi:  // what the edge does around the gateway's own
      return Part::kEdge;
    case H::kFlight:
      return Part::kWait;
    case H::kOriginBucket:
    case H::kOriginHttp:
    case H::kUpstream:
      return Part::kOrigin;
    case H::kAuthorizer:
      return Part::kAuthorizer;
    case H::kGateway:
      return Part::kGateway;
    case H::kInvoke:
      return Part::kQueue;
    case H::kInit:
      return Part::kInit;
    case H::kFunction:
      return Part::kFunction;
    case H::kSql:
      return Part::kSql;
    case H::kCache:
      return Part::kCache;
  }
  return Part::kEdge;
}

void RouteCounts::add(const RequestTimes& request) {
  faults += request.fault;
  errors += request.error && !request.throttle;
  throttles += request.throttle;
  cold_starts += request.cold;
  total.add(request.total);
  auto& band = by_total[bucket_of(request.total)];
  ++band.count;
  for (std::size_t i = 0; i < kParts; ++i) {
    if (request.own[i].count() <= 0) continue;
    own[i].add(request.own[i]);
    band.sums[i] += request.own[i];
  }
}

void RouteCounts::merge(const RouteCounts& other) {
  faults += other.faults;
  errors += other.errors;
  throttles += other.throttles;
  cold_starts += other.cold_starts;
  total.merge(other.total);
  for (std::size_t i = 0; i < kParts; ++i) own[i].merge(other.own[i]);
  for (const auto& [index, band] : other.by_total) {
    auto& mine = by_total[index];
    mine.count += band.count;
    for (std::size_t i = 0; i < kParts; ++i) mine.sums[i] += band.sums[i];
  }
}

Shares RouteCounts::shares(double from_percent, double to_percent) const {
  Band sum;
  const double all = static_cast<double>(total.count());
  double before = 0;
  for (const auto& [index, band] : by_total) {
    const double after = before + static_cast<double>(band.count);
    // Buckets that touch the range: requests of one bucket are as good as equally slow.
    if (after > from_percent / 100 * all && before < to_percent / 100 * all) {
      sum.count += band.count;
      for (std::size_t i = 0; i < kParts; ++i) sum.sums[i] += band.sums[i];
    }
    before = after;
  }
  if (sum.count == 0) return {};
  for (auto& share : sum.sums) share /= static_cast<std::int64_t>(sum.count);
  return sum.sums;
}

void EdgeCounts::add(nanoseconds took, bool fault, bool error, bool throttle) {
  // One of four; a throttle is an error too, and a fault is the worst.
  if (fault) {
    ++faults;
  } else if (throttle) {
    ++throttles;
  } else if (error) {
    ++errors;
  } else {
    ++ok;
  }
  time += took;
  times.add(took);
}

void EdgeCounts::merge(const EdgeCounts& other) {
  ok += other.ok;
  errors += other.errors;
  throttles += other.throttles;
  faults += other.faults;
  time += other.time;
  times.merge(other.times);
}

RouteCounts& Counts::route(const std::string& name) {
  const auto found = routes.find(name);
  if (found != routes.end()) return found->second;
  return routes.size() < kMostRoutes ? routes[name] : routes["other"];
}

EdgeCounts& Counts::edge(const Node& from, const Node& to) {
  const auto found = edges.find({from, to});
  if (found != edges.end()) return found->second;
  if (edges.size() < kMostEdges) return edges[{from, to}];
  return edges[{Node{"other", "client"}, Node{"other", "remote"}}];
}

void Counts::merge(const Counts& other) {
  for (const auto& [name, counts] : other.routes) route(name).merge(counts);
  for (const auto& [between, counts] : other.edges) edge(between.first, between.second).merge(counts);
}

std::string Counts::encode() const {
  std::string out;
  put_varint(out, kCountsFormat);
  put_varint(out, routes.size());
  for (const auto& [name, route] : routes) {
    put_text(out, name);
    put_route(out, route);
  }
  put_varint(out, edges.size());
  for (const auto& [between, edge] : edges) {
    for (const auto* text : {&between.first.name, &between.first.type, &between.second.name, &between.second.type}) {
      put_text(out, *text);
    }
    for (const auto count : {edge.ok, edge.errors, edge.throttles, edge.faults}) put_varint(out, count);
    put_varint(out, static_cast<std::uint64_t>(std::max<std::int64_t>(edge.time.count(), 0)));
    edge.times.encode(out);
  }
  return out;
}

Result<Counts> Counts::decode(std::string_view bytes) {
  Bytes in(bytes);
  Counts counts;
  const auto malformed = [] { return Error{Errc::kMalformed, "counts of traces do not follow their format"}; };
  if (in.varint() != kCountsFormat) return malformed();
  for (auto left = in.count(); left > 0 && !in.bad(); --left) {
    const std::string name(in.text());
    counts.routes[name] = read_route(in);
  }
  for (auto left = in.count(); left > 0 && !in.bad(); --left) {
    Node nodes[2];
    for (auto& node : nodes) node = {std::string(in.text()), std::string(in.text())};
    EdgeCounts edge;
    for (auto* count : {&edge.ok, &edge.errors, &edge.throttles, &edge.faults}) *count = in.varint();
    edge.time = nanoseconds{read_nanoseconds(in)};
    edge.times = Histogram::decode(in);
    counts.edges[{nodes[0], nodes[1]}] = std::move(edge);
  }
  if (in.bad() || !in.at_end()) return malformed();
  return counts;
}

}  // namespace securebase::traces
