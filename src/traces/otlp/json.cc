#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "traces/otlp/spans.h"

namespace securebase::traces::otlp {

using base::Json;

namespace {

// 64 bits are a string in OTLP's JSON, and a number in that of many senders.
std::uint64_t integer_of(const Json& json) {
  if (const auto* text = json.as_string()) {
    std::uint64_t value = 0;
    std::from_chars(text->data(), text->data() + text->size(), value);
    return value;
  }
  return static_cast<std::uint64_t>(std::max<std::int64_t>(json.integer_or(0), 0));
}

std::optional<Annotation> annotation_of(const Json& value) {
  if (const auto* text = value["stringValue"].as_string()) return Annotation(*text);
  if (value["boolValue"].is_bool()) return Annotation(value["boolValue"].bool_or(false));
  if (value["doubleValue"].is_number()) return Annotation(value["doubleValue"].number_or(0));
  if (const auto* whole = value.find("intValue")) {
    if (whole->is_number()) return Annotation(whole->number_or(0));
    const auto text = whole->string_or("");
    std::int64_t number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure == std::errc{} && end == text.data() + text.size()) return Annotation(static_cast<double>(number));
  }
  return std::nullopt;
}

Attributes attributes_of(const Json& list, std::size_t most_bytes = SpanLimits::kSpanBytes) {
  Attributes attributes;
  if (const auto* all = list.as_array()) {
    for (const auto& one : *all) {
      auto value = annotation_of(one["value"]);
      if (value) add_attribute(attributes, one["key"].string_or(""), std::move(*value), most_bytes);
    }
  }
  return attributes;
}

std::string text_of(const Attributes& attributes, std::string_view key) {
  for (const auto& [name, value] : attributes) {
    if (const auto* text = std::get_if<std::string>(&value); text && name == key) return *text;
  }
  return {};
}

Kind kind_of(const Json& json) {
  static constexpr std::string_view kNames[] = {"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER",
                                                "SPAN_KIND_CLIENT",      "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER"};
  std::int64_t number = json.integer_or(0);
  for (std::size_t i = 0; i < std::size(kNames); ++i) {
    if (json.string_or("") == kNames[i]) number = static_cast<std::int64_t>(i);
  }
  return number >= 0 && number <= 5 ? static_cast<Kind>(number) : Kind::kUnspecified;
}

std::string lower_hex(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

bool is_zeros(std::string_view hex) { return hex.find_first_not_of('0') == std::string_view::npos; }

std::string xray_id(const std::string& id) {
  return id.size() == 32 ? fmt::format("1-{}-{}", id.substr(0, 8), id.substr(8)) : id;
}

OtlpSpan span_of(const Json& json) {
  OtlpSpan span;
  span.trace_id = lower_hex(json["traceId"].string_or(""));
  span.span_id = lower_hex(json["spanId"].string_or(""));
  span.parent_id = lower_hex(json["parentSpanId"].string_or(""));
  span.name = json["name"].string_or("");
  span.kind = kind_of(json["kind"]);
  span.start_ns = integer_of(json["startTimeUnixNano"]);
  span.end_ns = integer_of(json["endTimeUnixNano"]);
  span.attributes = attributes_of(json["attributes"]);
  const auto& status = json["status"];
  span.failed = status["code"].integer_or(0) == 2 || status["code"].string_or("") == "STATUS_CODE_ERROR";
  span.message = status["message"].string_or("");
  if (const auto* events = json["events"].as_array()) {
    for (const auto& event : *events) {
      if (event["name"].string_or("") != "exception") continue;
      if (span.exceptions.size() >= SpanLimits::kExceptions) break;
      const auto attributes = attributes_of(event["attributes"]);
      span.exceptions.push_back(
          {text_of(attributes, "exception.type"), text_of(attributes, "exception.message"), false});
    }
  }
  if (const auto* links = json["links"].as_array()) {
    for (const auto& link : *links) {
      if (span.links.size() >= SpanLimits::kLinks) break;
      span.links.push_back({lower_hex(link["traceId"].string_or("")), lower_hex(link["spanId"].string_or(""))});
    }
  }
  return span;
}

// The first of several names that an attribute has had (semantic conventions, before and after 1.20).
std::string first_text(const Attributes& attributes, std::initializer_list<std::string_view> keys) {
  for (const auto key : keys) {
    if (auto text = text_of(attributes, key); !text.empty()) return text;
  }
  return {};
}

std::int64_t status_of(const Attributes& attributes) {
  for (const auto& [name, value] : attributes) {
    if (name != "http.response.status_code" && name != "http.status_code") continue;
    if (const auto* number = std::get_if<double>(&value); number && *number >= 0 && *number < 1000) {
      return static_cast<std::int64_t>(*number);
    }
  }
  return 0;
}

Json http_of(const Attributes& attributes) {
  Json http = Json::object();
  Json request = Json::object();
  const auto set = [&](const char* name, std::string text) {
    if (!text.empty()) request.set(name, std::move(text));
  };
  set("method", first_text(attributes, {"http.request.method", "http.method"}));
  set("url", first_text(attributes, {"url.full", "http.url", "url.path", "http.target"}));
  set("user_agent", first_text(attributes, {"user_agent.original", "http.user_agent"}));
  set("client_ip", first_text(attributes, {"client.address", "http.client_ip"}));
  if (!request.as_object()->empty()) http.set("request", std::move(request));
  if (const auto status = status_of(attributes)) http.set("response", Json::object({{"status", status}}));
  return http;
}

}  // namespace

Result<std::vector<OtlpSpan>> read_json(std::string_view body) {
  const auto json = Json::parse(body);
  if (!json) return json.error();
  if (!json->is_object()) return Error{Errc::kMalformed, "the body is no ExportTraceServiceRequest"};
  std::vector<OtlpSpan> spans;
  const auto* resources = (*json)["resourceSpans"].as_array();
  for (const auto& resource : resources ? *resources : Json::Array()) {
    const auto attributes = std::make_shared<const Attributes>(
        attributes_of(resource["resource"]["attributes"], SpanLimits::kResourceBytes));
    const auto service = text_of(*attributes, "service.name").substr(0, SpanLimits::kServiceBytes);
    const auto* scopes = resource["scopeSpans"].as_array();
    for (const auto& scope : scopes ? *scopes : Json::Array()) {
      const auto* list = scope["spans"].as_array();
      for (const auto& span : list ? *list : Json::Array()) {
        if (spans.size() >= kMostSpans) {
          return Error{Errc::kLimit, fmt::format("a request has at most {} spans", kMostSpans)};
        }
        auto& read = spans.emplace_back(span_of(span));
        read.service = service;
        read.resource = attributes;
      }
    }
  }
  return spans;
}

void add_attribute(Attributes& attributes, std::string_view key, Annotation value, std::size_t most_bytes) {
  const auto bytes_of = [](std::string_view name, const Annotation& of) {
    const auto* text = std::get_if<std::string>(&of);
    return name.size() + (text ? text->size() : sizeof(double));
  };
  std::size_t bytes = bytes_of(key, value);
  for (const auto& [name, each] : attributes) bytes += bytes_of(name, each);
  if (attributes.size() >= SpanLimits::kAttributes || bytes > most_bytes) return;
  attributes.emplace_back(key, std::move(value));
}

std::string answer_json(std::uint64_t rejected, std::string_view why) {
  if (rejected == 0) return "{}";
  return Json::object(
             {{"partialSuccess", Json::object({{"rejectedSpans", std::to_string(rejected)}, {"errorMessage", why}})}})
      .dump();
}

bool has_ids(const OtlpSpan& span) { return !is_zeros(span.trace_id) && !is_zeros(span.span_id); }

Json document_of(const OtlpSpan& span) {
  const bool root = is_zeros(span.parent_id);  // no digit at all, or none but zeros
  const bool own = span.kind == Kind::kServer || span.kind == Kind::kConsumer || root;
  const bool outside = !own && (span.kind == Kind::kClient || span.kind == Kind::kProducer);
  Json json = Json::object({{"trace_id", xray_id(span.trace_id)},
                            {"id", span.span_id},
                            {"start_time", static_cast<double>(span.start_ns) / 1e9},
                            {"end_time", static_cast<double>(std::max(span.end_ns, span.start_ns)) / 1e9}});
  if (!root) json.set("parent_id", span.parent_id);
  const auto database = first_text(span.attributes, {"db.system", "db.system.name"});
  std::string name = span.name;
  if (own) {
    name = span.service.empty() ? std::string("unknown_service") : span.service;
  } else {
    json.set("type", "subsegment");
  }
  if (outside) {
    json.set("namespace", "remote");
    const auto peer = first_text(span.attributes, {"peer.service", "server.address", "net.peer.name"});
    if (!peer.empty()) name = peer;
    if (!database.empty()) {
      name = database;
      json.set("origin", database == "redis" ? "Database::Redis" : "Database::SQL");
      if (database != "redis") json.set("sql", Json::object({{"database_type", database}}));
    }
  }
  json.set("name", std::move(name));
  if (auto http = http_of(span.attributes); !http.as_object()->empty()) json.set("http", std::move(http));
  const auto status = status_of(span.attributes);
  if (span.failed && !(status >= 400 && status < 500)) json.set("fault", true);
  if (const auto user = first_text(span.attributes, {"enduser.id", "user.id"}); !user.empty()) json.set("user", user);
  Json annotations = Json::object();
  if (own) annotations.set("operation", span.name);
  for (const auto& [key, value] : span.attributes) {
    std::visit([&, &key = key](const auto& one) { annotations.set(key, one); }, value);
  }
  // Behind the span's own, of which the segment takes fifty.
  if (own && span.resource) {
    for (const auto& [key, value] : *span.resource) {
      if (key == "service.name") continue;
      std::visit([&, &key = key](const auto& one) { annotations.set("otel.resource." + key, one); }, value);
    }
  }
  json.set("annotations", std::move(annotations));
  if (!span.links.empty()) {
    Json links = Json::array();
    for (const auto& link : span.links) {
      links.push_back(Json::object({{"trace_id", xray_id(link.trace_id)}, {"id", link.span_id}}));
    }
    json.set("links", std::move(links));
  }
  if (!span.exceptions.empty() || !span.message.empty()) {
    Json exceptions = Json::array();
    for (const auto& one : span.exceptions) {
      exceptions.push_back(Json::object({{"type", one.type}, {"message", one.message}}));
    }
    if (span.exceptions.empty()) exceptions.push_back(Json::object({{"type", "error"}, {"message", span.message}}));
    json.set("cause", Json::object({{"exceptions", std::move(exceptions)}}));
  }
  return json;
}

}  // namespace securebase::traces::otlp
