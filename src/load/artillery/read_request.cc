// A request of a flow, with what it captures and expects.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/encoding.h"
#include "load/artillery/endpoint.h"
#include "load/artillery/reading.h"

namespace securebase::load::artillery {
namespace {

const std::vector<std::string_view> kRequestKeys = {
    "url",     "uri",   "name",     "headers",       "cookie",         "qs",          "json",
    "body",    "form",  "formData", "auth",          "followRedirect", "gzip",        "ifTrue",
    "capture", "match", "expect",   "beforeRequest", "afterResponse",  "probability", "setContentLengthHeader"};

std::vector<FormPart> read_form_data(const Node& node, const std::string& where, Reading& reading) {
  std::vector<FormPart> parts;
  if (!reading.expect_map(node, where)) return parts;
  for (const auto& member : node.members) {
    const std::string at = fmt::format("{}.{}", where, member.key);
    FormPart part;
    part.name = member.key;
    const Node* file = member.value.is_map() ? member.value.find("fromFile") : nullptr;
    const Node* value = member.value.is_map() ? member.value.find("value") : nullptr;
    const Node* type = member.value.is_map() ? member.value.find("contentType") : nullptr;
    if (file != nullptr) part.file = reading.as_template(*file, at + ".fromFile");
    if (type != nullptr) part.content_type = reading.as_template(*type, at + ".contentType");
    if (file == nullptr) part.value = reading.as_template_value(value != nullptr ? *value : member.value, at);
    parts.push_back(std::move(part));
  }
  return parts;
}

void read_body(const Node& node, const std::string& where, Reading& reading, RequestStep& step) {
  const auto value_of = [&](const char* key) -> std::optional<TemplateValue> {
    const Node* found = node.find(key);
    if (found == nullptr) return std::nullopt;
    return reading.as_template_value(*found, fmt::format("{}.{}", where, key));
  };
  step.json = value_of("json");
  step.body = value_of("body");
  step.query = value_of("qs");
  step.form = value_of("form");
  if (step.query && !node.find("qs")->is_map())
    reading.error(node.find("qs")->place, fmt::format("{}.qs: expected a map", where));
  if (step.form && !node.find("form")->is_map())
    reading.error(node.find("form")->place, fmt::format("{}.form: expected a map", where));
  if (const Node* form_data = node.find("formData"))
    step.form_data = read_form_data(*form_data, where + ".formData", reading);
}

void read_condition(const Node& node, const std::string& where, Reading& reading, RequestStep& step) {
  const auto text = reading.text(node, where, "ifTrue");
  if (!text) return;
  const bool name = !text->empty() && std::all_of(text->begin(), text->end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$';
  });
  auto parsed = Expression::parse(*text);
  // One word may be a function of the processor or a variable: whoever runs it sees which.
  if (name) {
    step.if_true = *text;
  } else if (parsed) {
    step.if_true = std::move(*parsed);
  } else {
    reading.error(node.find("ifTrue")->place, fmt::format("{}.ifTrue: {}", where, parsed.error().message));
  }
}

}  // namespace

RequestStep read_request(const std::string& method, const Node& node, const std::string& where, Reading& reading,
                         const Config& config) {
  RequestStep step;
  step.place = node.place;
  step.method = method;
  if (!reading.expect_map(node, where)) return step;
  reading.check_keys(node, where, kRequestKeys);
  auto url = reading.text(node, where, "url");
  if (!url) url = reading.text(node, where, "uri");
  if (!url || url->empty()) {
    reading.error(node.place, fmt::format("{}: expected a url", where));
    return step;
  }
  const std::string name = reading.text(node, where, "name").value_or("");
  const std::string full = url->starts_with('/') ? config.target + *url : *url;
  step.endpoint = endpoint_name(config.endpoints, config.target, full, name);
  step.url = reading.as_template(Node(full, node.place), where + ".url");
  step.name = reading.as_template(Node(name, node.place), where + ".name");
  step.source = node.to_json();
  step.source.set("url", full);
  step.source.set("method", method);
  if (step.url.constant() && !full.starts_with("http://") && !full.starts_with("https://")) {
    reading.error(node.find("url") != nullptr ? node.find("url")->place : node.place,
                  fmt::format("{}.url: expected /path or http://..., and \"{}\" came", where, *url));
  }
  if (const Node* headers = node.find("headers"))
    step.headers = reading.as_template_list(*headers, where + ".headers", true);
  if (const Node* cookie = node.find("cookie"))
    step.cookies = reading.as_template_list(*cookie, where + ".cookie", false);
  read_body(node, where, reading, step);
  if (const Node* auth = node.find("auth"); auth != nullptr && reading.expect_map(*auth, where + ".auth")) {
    reading.check_keys(*auth, where + ".auth", {"user", "pass"});
    const Node none(std::string(), auth->place);
    const Node* user = auth->find("user");
    const Node* password = auth->find("pass");
    step.auth.emplace(reading.as_template(user != nullptr ? *user : none, where + ".auth.user"),
                      reading.as_template(password != nullptr ? *password : none, where + ".auth.pass"));
  }
  step.follow_redirect = reading.boolean(node, where, "followRedirect").value_or(true);
  step.decompress = reading.boolean(node, where, "gzip").value_or(true);
  step.probability = reading.number(node, where, "probability");
  read_condition(node, where, reading, step);
  read_captures(node, where, reading, step);
  read_expectations(node, where, reading, step);
  step.before_request = reading.texts(node, where, "beforeRequest");
  step.after_response = reading.texts(node, where, "afterResponse");
  return step;
}

}  // namespace securebase::load::artillery
