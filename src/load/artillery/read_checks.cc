// What a request captures, matches and expects.
#include <fmt/format.h>

#include "load/artillery/capture.h"
#include "load/artillery/reading.h"

namespace securebase::load::artillery {
namespace {

constexpr std::pair<std::string_view, Expectation::Kind> kExpectations[] = {
    {"statusCode", Expectation::Kind::kStatusCode},         {"notStatusCode", Expectation::Kind::kNotStatusCode},
    {"contentType", Expectation::Kind::kContentType},       {"hasProperty", Expectation::Kind::kHasProperty},
    {"notHasProperty", Expectation::Kind::kNotHasProperty}, {"equals", Expectation::Kind::kEquals},
    {"hasHeader", Expectation::Kind::kHasHeader},           {"headerEquals", Expectation::Kind::kHeaderEquals},
    {"matchesRegexp", Expectation::Kind::kMatchesRegexp},   {"cdnHit", Expectation::Kind::kCdnHit},
};

std::optional<Capture> read_capture(const Node& node, const std::string& where, Reading& reading, bool match) {
  if (!reading.expect_map(node, where)) return std::nullopt;
  reading.check_keys(node, where,
                     {"json", "xpath", "regexp", "header", "selector", "as", "strict", "group", "flags", "attr",
                      "index", "multiple", "value", "expr"});
  Capture capture;
  const Node* expression = nullptr;
  if (const Node* json = node.find("json"))
    expression = json, capture.kind = Capture::Kind::kJson;
  else if (const Node* xpath = node.find("xpath"))
    expression = xpath, capture.kind = Capture::Kind::kXpath;
  else if (const Node* regexp = node.find("regexp"))
    expression = regexp, capture.kind = Capture::Kind::kRegexp;
  else if (const Node* header = node.find("header"))
    expression = header, capture.kind = Capture::Kind::kHeader;
  if (node.find("selector") != nullptr) {
    reading.error(
        node.find("selector")->place,
        fmt::format("{}.selector: CSS selectors are not supported; use regexp, or xpath where the answer is XML",
                    where));
    return std::nullopt;
  }
  if (expression == nullptr) {
    reading.error(
        node.place,
        fmt::format("{}: expected json, xpath, regexp or header: what is to be taken from the answer", where));
    return std::nullopt;
  }
  capture.expression = reading.as_template(*expression, where);
  capture.as = reading.text(node, where, "as").value_or("");
  capture.group = reading.text(node, where, "group").value_or("");
  capture.flags = reading.text(node, where, "flags").value_or("");
  capture.attribute = reading.text(node, where, "attr").value_or("");
  capture.multiple = reading.boolean(node, where, "multiple").value_or(true);
  capture.strict = reading.boolean(node, where, "strict");
  if (const Node* value = node.find("value")) capture.value = reading.as_template_value(*value, where + ".value");
  if (match && !capture.value) reading.error(node.place, fmt::format("{}: expected a value to compare with", where));
  if (!match && capture.as.empty())
    reading.error(node.place, fmt::format("{}: expected as: the name of the variable", where));
  if (!capture.expression.constant()) return capture;
  if (auto compiled = compile_capture(capture, capture.expression.source()); !compiled) {
    reading.error(expression->place, fmt::format("{}: {}", where, compiled.error().message));
  }
  return capture;
}

void read_capture_list(const Node& request, std::string_view key, const std::string& where, Reading& reading,
                       std::vector<Capture>& into) {
  const Node* node = request.find(key);
  if (node == nullptr || node->is_null()) return;
  const std::string at = fmt::format("{}.{}", where, key);
  const bool match = key == "match";
  if (!node->is_list()) {
    if (auto capture = read_capture(*node, at, reading, match)) into.push_back(std::move(*capture));
    return;
  }
  for (std::size_t i = 0; i < node->items.size(); ++i) {
    if (auto capture = read_capture(node->items[i], fmt::format("{}[{}]", at, i), reading, match))
      into.push_back(std::move(*capture));
  }
}

void read_expectation(const Node::Member& member, const std::string& where, Reading& reading, RequestStep& step) {
  for (const auto& [name, kind] : kExpectations) {
    if (member.key == name) {
      step.expectations.push_back({kind, reading.as_template_value(member.value, fmt::format("{}.{}", where, name))});
      return;
    }
  }
  if (member.key == "jmespath" || member.key == "jpath") {
    return reading.error(
        member.place,
        fmt::format("{}.{}: JMESPath is not supported; capture with json and compare with equals", where, member.key));
  }
  std::vector<std::string_view> known;
  for (const auto& one : kExpectations) known.push_back(one.first);
  Node map = Node::map(member.place);
  map.members.push_back(member);
  reading.check_keys(map, where, known);
}

}  // namespace

std::string_view to_string(Expectation::Kind kind) {
  for (const auto& one : kExpectations) {
    if (one.second == kind) return one.first;
  }
  return "";
}

void read_captures(const Node& request, const std::string& where, Reading& reading, RequestStep& step) {
  read_capture_list(request, "capture", where, reading, step.captures);
  read_capture_list(request, "match", where, reading, step.matches);
}

void read_expectations(const Node& request, const std::string& where, Reading& reading, RequestStep& step) {
  const Node* node = request.find("expect");
  if (node == nullptr || node->is_null()) return;
  const std::string at = where + ".expect";
  const auto take = [&](const Node& map) {
    if (!reading.expect_map(map, at)) return;
    for (const auto& member : map.members) {
      if (member.key != "description") read_expectation(member, at, reading, step);
    }
  };
  if (node->is_list()) {
    for (const auto& one : node->items) take(one);
  } else {
    take(*node);
  }
}

}  // namespace securebase::load::artillery
