#include "traces/api/xray_json.h"

#include <algorithm>
#include <map>
#include <set>

#include "traces/segment/graph.h"

namespace securebase::traces {

using base::Json;

namespace {

Json service_json(const Node& node, std::string_view account) {
  Json json = Json::object({{"Name", node.name}, {"Names", Json::array({node.name})}, {"AccountId", account}});
  if (!node.type.empty()) json.set("Type", node.type);
  return json;
}

Json annotation_json(const Annotation& annotation) {
  if (const auto* text = std::get_if<std::string>(&annotation)) return Json::object({{"StringValue", *text}});
  if (const auto* number = std::get_if<double>(&annotation)) return Json::object({{"NumberValue", *number}});
  return Json::object({{"BooleanValue", std::get<bool>(annotation)}});
}

// The way from a segment down to where it went wrong first: { Services: [{ Name, EntityPath }] }.
bool add_entity_path(const Segment& segment, bool Segment::*flag, Json& path) {
  if (!(segment.*flag)) return false;
  Json entity = Json::object({{"Name", segment.name}, {"Remote", !segment.name_space.empty()}});
  Json exceptions = Json::array();
  for (const auto& one : segment.exceptions) {
    exceptions.push_back(Json::object({{"Name", one.type}, {"Message", one.message}}));
  }
  if (!segment.exceptions.empty()) entity.set("Exceptions", std::move(exceptions));
  path.push_back(std::move(entity));
  for (const auto& inner : segment.subsegments) {
    if (add_entity_path(inner, flag, path)) break;
  }
  return true;
}

Json root_causes(const Trace& trace, bool Segment::*flag, std::string_view account) {
  Json services = Json::array();
  bool any = false;
  for (const auto& top : trace.segments) {
    Json path = Json::array();
    if (top.subsegment || !add_entity_path(top, flag, path)) continue;
    auto service = service_json(node_of(top), account);
    service.set("EntityPath", std::move(path));
    service.set("Inferred", false);
    services.push_back(std::move(service));
    any = true;
  }
  if (!any) return Json::array();
  return Json::array({Json::object({{"Services", std::move(services)}, {"ClientImpacting", true}})});
}

}  // namespace

Json statistics_json(const EdgeCounts& counts) {
  const auto errors = counts.errors + counts.throttles;
  return Json::object(
      {{"OkCount", counts.ok},
       {"ErrorStatistics",
        Json::object({{"ThrottleCount", counts.throttles}, {"OtherCount", counts.errors}, {"TotalCount", errors}})},
       {"FaultStatistics", Json::object({{"OtherCount", counts.faults}, {"TotalCount", counts.faults}})},
       {"TotalCount", counts.total()},
       {"TotalResponseTime", std::chrono::duration<double>(counts.time).count()}});
}

// Seconds; four buckets of ours to an octave in one of its, as many as a chart shows.
Json histogram_json(const Histogram& histogram) {
  std::map<std::uint16_t, std::uint64_t> wide;
  for (const auto& bucket : histogram.buckets()) {
    wide[static_cast<std::uint16_t>(bucket.index | 3)] += bucket.count;
  }
  Json all = Json::array();
  for (const auto& [index, count] : wide) {
    all.push_back(Json::object({{"Value", std::chrono::duration<double>(middle_of(index)).count()},
                                {"Count", static_cast<std::int64_t>(std::min<std::uint64_t>(count, 2147483647))}}));
  }
  return all;
}

Json summary_json(const Trace& trace, std::string_view account) {
  const auto times = times_of(trace);
  // As the API says: fault and error are the root's, and a throttle is any segment's.
  const Segment* const root = times.root ? times.root : trace.segments.empty() ? nullptr : &trace.segments.front();
  bool throttle = false;
  bool partial = false;
  std::set<Node> services;
  std::set<std::string> users;
  std::set<std::string> arns;
  std::set<std::string> instances;
  std::set<std::string> zones;
  std::map<std::string, std::vector<std::pair<Annotation, Node>>> annotations;
  for (const auto& top : trace.segments) {
    const Node service = node_of(top);
    if (!top.subsegment) services.insert(service);
    for_each_segment(top, [&](const Segment& segment) {
      throttle = throttle || segment.throttle;
      partial = partial || segment.in_progress;
      if (!segment.user.empty()) users.insert(segment.user);
      if (!segment.resource_arn.empty()) arns.insert(segment.resource_arn);
      if (!segment.instance_id.empty()) instances.insert(segment.instance_id);
      if (!segment.availability_zone.empty()) zones.insert(segment.availability_zone);
      if (!segment.name_space.empty()) services.insert({segment.name, segment.origin});
      for (const auto& [key, value] : segment.annotations) annotations[key].emplace_back(value, service);
    });
  }
  Json json = Json::object({{"Id", trace.id.text()},
                            {"StartTime", times.begin},
                            {"Duration", times.duration},
                            {"ResponseTime", times.root ? times.root->duration() : times.duration},
                            {"HasFault", root && root->fault},
                            {"HasError", root && root->error},
                            {"HasThrottle", throttle},
                            {"IsPartial", partial}});
  if (times.root) {
    const auto& http = times.root->http;
    Json told = Json::object();
    if (!http.url.empty()) told.set("HttpURL", http.url);
    if (http.status != 0) told.set("HttpStatus", http.status);
    if (!http.method.empty()) told.set("HttpMethod", http.method);
    if (!http.user_agent.empty()) told.set("UserAgent", http.user_agent);
    if (!http.client_ip.empty()) told.set("ClientIp", http.client_ip);
    json.set("Http", std::move(told));
    json.set("EntryPoint", service_json(node_of(*times.root), account));
  }
  Json told = Json::object();
  for (const auto& [key, values] : annotations) {
    Json list = Json::array();
    std::vector<Annotation> listed;
    for (const auto& [value, service] : values) {
      if (std::ranges::find(listed, value) != listed.end()) continue;
      listed.push_back(value);
      list.push_back(Json::object({{"AnnotationValue", annotation_json(value)},
                                   {"ServiceIds", Json::array({service_json(service, account)})}}));
    }
    told.set(key, std::move(list));
  }
  json.set("Annotations", std::move(told));
  Json list = Json::array();
  for (const auto& user : users) list.push_back(Json::object({{"UserName", user}}));
  json.set("Users", std::move(list));
  list = Json::array();
  for (const auto& service : services) list.push_back(service_json(service, account));
  json.set("ServiceIds", std::move(list));
  list = Json::array();
  for (const auto& arn : arns) list.push_back(Json::object({{"ARN", arn}}));
  json.set("ResourceARNs", std::move(list));
  list = Json::array();
  for (const auto& instance : instances) list.push_back(Json::object({{"Id", instance}}));
  json.set("InstanceIds", std::move(list));
  list = Json::array();
  for (const auto& zone : zones) list.push_back(Json::object({{"Name", zone}}));
  json.set("AvailabilityZones", std::move(list));
  json.set("FaultRootCauses", root_causes(trace, &Segment::fault, account));
  json.set("ErrorRootCauses", root_causes(trace, &Segment::error, account));
  json.set("Revision", 1);
  return json;
}

Json whole_json(const Trace& trace) {
  Json segments = Json::array();
  for (const auto& [id, document] : trace.documents) {
    segments.push_back(Json::object({{"Id", id}, {"Document", document}}));
  }
  return Json::object({{"Id", trace.id.text()},
                       {"Duration", times_of(trace).duration},
                       {"LimitExceeded", false},
                       {"Segments", std::move(segments)}});
}

Json services_json(const Counts& counts, double begin, double end, std::string_view account) {
  std::map<Node, int> numbers;
  std::map<Node, EdgeCounts> called;
  std::set<Node> roots;
  for (const auto& [between, edge] : counts.edges) {
    for (const auto* node : {&between.first, &between.second}) numbers.try_emplace(*node, 0);
    called[between.second].merge(edge);
    if (between.first.type == "client") roots.insert(between.second);
  }
  int number = 0;
  for (auto& [node, reference] : numbers) reference = number++;
  Json services = Json::array();
  for (const auto& [node, reference] : numbers) {
    Json edges = Json::array();
    EdgeCounts calls;
    for (const auto& [between, edge] : counts.edges) {
      if (between.first != node) continue;
      calls.merge(edge);
      edges.push_back(Json::object({{"ReferenceId", numbers[between.second]},
                                    {"StartTime", begin},
                                    {"EndTime", end},
                                    {"SummaryStatistics", statistics_json(edge)},
                                    {"ResponseTimeHistogram", histogram_json(edge.times)},
                                    {"Aliases", Json::array()}}));
    }
    const bool client = node.type == "client";
    const auto& own = client ? calls : called[node];
    auto service = service_json(node, account);
    service.set("ReferenceId", reference);
    service.set("State", "active");
    if (roots.contains(node)) service.set("Root", true);
    service.set("StartTime", begin);
    service.set("EndTime", end);
    service.set("Edges", std::move(edges));
    service.set("SummaryStatistics", statistics_json(own));
    service.set("DurationHistogram", histogram_json(own.times));
    service.set("ResponseTimeHistogram", histogram_json(own.times));
    services.push_back(std::move(service));
  }
  return services;
}

}  // namespace securebase::traces
