#include "load/artillery/expect.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <charconv>

namespace securebase::load::artillery {
namespace {

std::string as_text(const base::Json& value) {
  std::string out;
  if (const auto* list = value.as_array()) {
    for (const auto& one : *list) {
      if (!out.empty()) out += ",";
      append_as_text(&one, out);
    }
  } else {
    append_as_text(&value, out);
  }
  return out;
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

bool is_status(const base::Json& wanted, int status) {
  if (wanted.is_number()) return wanted.number_or(0) == status;
  int number = 0;
  const auto text = wanted.string_or("");
  const auto got = std::from_chars(text.data(), text.data() + text.size(), number);
  return got.ec == std::errc{} && got.ptr == text.data() + text.size() && number == status;
}

bool any_status(const base::Json& wanted, int status) {
  if (const auto* list = wanted.as_array()) {
    return std::any_of(list->begin(), list->end(), [&](const base::Json& one) { return is_status(one, status); });
  }
  return is_status(wanted, status);
}

void check_property(const base::Json& wanted, bool has, const Received& received, Expected& result) {
  const std::string path = as_text(wanted);
  const base::Json* body = received.says_json() ? received.json() : nullptr;
  result.expected = path;
  if (body == nullptr || !(body->is_object() || body->is_array())) {
    result.got = "response body is not an object";
    return;
  }
  const bool there = body->find(path) != nullptr || descend(body, parse_path(path).steps) != nullptr;
  result.ok = there == has;
  result.got = result.ok ? path : fmt::format("response body has {}{} property", has ? "no " : "", path);
}

void check_content_type(const base::Json& wanted, const Received& received, Expected& result) {
  result.expected = as_text(wanted);
  const auto type = received.header("content-type");
  if (result.expected == "json") {
    const base::Json* body = received.says_json() ? received.json() : nullptr;
    result.ok = body != nullptr && (body->is_object() || body->is_array());
    if (result.ok) {
      result.got = "json";
    } else if (received.says_json()) {
      result.got = "could not parse response body as JSON";
    } else {
      result.got = fmt::format("content-type is {}", type.value_or("undefined"));
    }
    return;
  }
  result.ok = type && lower_case(*type) == lower_case(result.expected);
  result.got = std::string(type.value_or("content-type header not set"));
}

void check_header_equals(const base::Json& wanted, const Received& received, Expected& result) {
  const auto* pair = wanted.as_array();
  const std::string name = pair != nullptr && !pair->empty() ? as_text(pair->front()) : as_text(wanted);
  const std::string value = pair != nullptr && pair->size() > 1 ? as_text((*pair)[1]) : "";
  result.type = fmt::format("header {} values equals", name);
  const auto field = received.header(name);
  result.expected = field ? value : fmt::format("response to have {} header", name);
  result.got = field ? std::string(*field) : fmt::format("response has no {} header", name);
  result.ok = field && *field == value;
}

void check_cdn_hit(const base::Json& wanted, const Received& received, Expected& result) {
  const bool hit = wanted.bool_or(wanted.string_or("") == "true");
  result.expected = fmt::format("a cache header indicating a cache {}", hit ? "hit" : "miss");
  result.got = "cache status header not found";
  for (const char* name : {"cf-cache-status", "x-cache", "x-vercel-cache"}) {
    const auto field = received.header(name);
    if (!field) continue;
    const std::string value = lower_case(*field);
    const bool fits = hit ? value.starts_with("hit") || value.starts_with("stale") : value.starts_with("miss");
    if (fits || !result.ok) result.got = fmt::format("{} is {}", name, *field);
    result.ok = result.ok || fits;
  }
}

}  // namespace

Expected check_expectation(const Expectation& expectation, const Variables& variables, const Received& received) {
  const base::Json wanted = expectation.value.value(variables);
  Expected result;
  result.type = to_string(expectation.kind);
  switch (expectation.kind) {
    case Expectation::Kind::kStatusCode:
      result.expected = as_text(wanted);
      result.got = std::to_string(received.status());
      result.ok = any_status(wanted, received.status());
      break;
    case Expectation::Kind::kNotStatusCode:
      result.expected = fmt::format("Status code different than {}", as_text(wanted));
      result.got = std::to_string(received.status());
      result.ok = !any_status(wanted, received.status());
      break;
    case Expectation::Kind::kContentType:
      check_content_type(wanted, received, result);
      break;
    case Expectation::Kind::kHasProperty:
    case Expectation::Kind::kNotHasProperty:
      check_property(wanted, expectation.kind == Expectation::Kind::kHasProperty, received, result);
      break;
    case Expectation::Kind::kEquals: {
      result.expected = "all values to be equal";
      result.ok = true;
      std::optional<std::string> first;
      if (const auto* values = wanted.as_array()) {
        for (const auto& value : *values) {
          std::string text = as_text(value);
          result.got += (first ? ", " : "") + text;
          if (first && *first != text) result.ok = false;
          if (!first) first = std::move(text);
        }
      }
      result.ok = result.ok && first;
      break;
    }
    case Expectation::Kind::kHasHeader: {
      const std::string name = as_text(wanted);
      result.expected = name;
      const auto field = received.header(name);
      result.ok = field && !field->empty();
      result.got = result.ok ? name : fmt::format("response has no {} header", name);
      break;
    }
    case Expectation::Kind::kHeaderEquals:
      check_header_equals(wanted, received, result);
      break;
    case Expectation::Kind::kMatchesRegexp: {
      const re2::RE2 pattern(as_text(wanted), re2::RE2::Quiet);
      result.expected = "true";
      result.ok = pattern.ok() && re2::RE2::PartialMatch(received.body(), pattern);
      result.got = pattern.ok() ? (result.ok ? "true" : "false") : pattern.error();
      break;
    }
    case Expectation::Kind::kCdnHit:
      check_cdn_hit(wanted, received, result);
      break;
  }
  return result;
}

std::string format_expectations(ExpectPlugin::Format format, const std::vector<Expected>& results,
                                const RequestStep& step, std::string_view name, std::string_view url,
                                const Variables& variables, const Received& received, bool colour) {
  using Format = ExpectPlugin::Format;
  const bool failed = std::any_of(results.begin(), results.end(), [](const Expected& one) { return !one.ok; });
  if (format == Format::kSilent || results.empty() || (format == Format::kPrettyError && !failed)) return {};
  const auto after_host = url.find('/', url.find("//") == std::string_view::npos ? 0 : url.find("//") + 2);
  const std::string_view path = after_host == std::string_view::npos ? std::string_view("/") : url.substr(after_host);
  if (format == Format::kJson) {
    base::Json::Array list;
    for (const auto& one : results) {
      list.push_back(
          base::Json::object({{"ok", one.ok}, {"expected", one.expected}, {"type", one.type}, {"got", one.got}}));
    }
    return base::Json::object({{"name", name}, {"url", path}, {"results", std::move(list)}}).dump() + "\n";
  }
  const auto painted = [&](const char* code, std::string_view text) {
    return colour ? fmt::format("\x1b[{}m{}\x1b[39m", code, text) : std::string(text);
  };
  std::string out = fmt::format("{}{}\n\n", painted("34", fmt::format("* {} {}", step.method, path)),
                                name.empty() ? " " : fmt::format(" - {}", name));
  for (const auto& one : results) {
    out += fmt::format("  {} {} {} \n", one.ok ? painted("32", "ok") : painted("31", "not ok"), one.type, one.got);
    if (!one.ok) out += fmt::format("  expected: {}\n       got: {}\n", one.expected, one.got);
  }
  if (!failed) return out;
  out += fmt::format("{}\n    {}\n", painted("33", "  Request params:"), url);
  out += painted("33", "  Headers:") + "\n";
  for (const auto& [field, value] : received.answer().headers())
    out += fmt::format("  {}: {}\n", lower_case(field), value);
  out += fmt::format("{}\n{}\n{}\n", painted("33", "  Body:"), received.body().substr(0, 512),
                     painted("33", "  User variables:"));
  const auto all = variables.to_json();
  for (const auto& [variable, value] : *all.as_object()) out += fmt::format("    {}: {}\n", variable, as_text(value));
  return out;
}

}  // namespace securebase::load::artillery
