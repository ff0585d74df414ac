#include "store/freshness.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "net/http/syntax.h"

namespace securebase::store {

namespace {

using http::equal_ignoring_case;
using http::trim_blanks;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// delta-seconds (RFC 9111 §1.2.2): digits and nothing else; too many of them are kLongest.
std::optional<seconds> delta_seconds(std::string_view text) {
  if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit)) return std::nullopt;
  std::int64_t count = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (failure != std::errc{}) return kLongest;
  return std::min(seconds{count}, kLongest);
}

void take_smaller(std::optional<seconds>& member, std::optional<std::string_view> argument) {
  const seconds given = argument ? delta_seconds(*argument).value_or(seconds{0}) : seconds{0};
  member = member ? std::min(*member, given) : given;
}

void take_directive(std::string_view name, std::optional<std::string_view> argument, CacheControl& into) {
  const auto is = [name](std::string_view word) { return equal_ignoring_case(name, word); };
  if (is("max-age")) return take_smaller(into.max_age, argument);
  if (is("s-maxage")) return take_smaller(into.s_maxage, argument);
  if (is("stale-while-revalidate")) return take_smaller(into.stale_while_revalidate, argument);
  if (is("stale-if-error")) return take_smaller(into.stale_if_error, argument);
  if (is("min-fresh")) return take_smaller(into.min_fresh, argument);
  if (is("max-stale")) {
    into.max_stale = argument ? delta_seconds(*argument).value_or(seconds{0}) : kLongest;
    return;
  }
  if (is("no-store")) into.no_store = true;
  if (is("no-cache")) into.no_cache = true;
  if (is("private")) into.is_private = true;
  if (is("public")) into.is_public = true;
  if (is("must-revalidate")) into.must_revalidate = true;
  if (is("proxy-revalidate")) into.proxy_revalidate = true;
  if (is("must-understand")) into.must_understand = true;
  if (is("no-transform")) into.no_transform = true;
  if (is("immutable")) into.immutable = true;
  if (is("only-if-cached")) into.only_if_cached = true;
}

// The length of a quoted string at the front, its quotes included; all of it when it never closes.
std::size_t quoted_length(std::string_view text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return text.size();
}

// Statuses that may be kept by default TTLs (RFC 9110 §15.1); others only when the origin says how long.
bool heuristic(int status) {
  switch (status) {
    case 200:
    case 203:
    case 204:
    case 300:
    case 301:
    case 308:
      return true;
    default:
      return false;
  }
}

bool storable_when_told(int status) { return heuristic(status) || status == 302 || status == 303 || status == 307; }

// CloudFront developer guide, "How CloudFront processes HTTP 4xx and 5xx status codes from your origin".
bool error_always_kept(int status) { return status == 404 || status == 414 || (status >= 500 && status <= 504); }
bool error_kept_when_told(int status) {
  return error_always_kept(status) || status == 400 || status == 403 || status == 405 || status == 410 ||
         status == 412 || status == 415;
}

// What the origin itself says, counted from the value's birth.
std::optional<seconds> declared_lifetime(const CacheControl& control, const http::Headers& headers,
                                         base::TimePoint now) {
  if (control.s_maxage) return control.s_maxage;
  if (control.max_age) return control.max_age;
  const auto expires = headers.get("Expires");
  if (!expires) return std::nullopt;
  const auto until = parse_http_date(*expires);
  if (!until) return seconds{0};  // RFC 9111 §5.3: invalid, "0" above all, is in the past
  const auto date = headers.get("Date");
  const auto from = date ? parse_http_date(*date).value_or(now) : now;
  return std::clamp(std::chrono::floor<seconds>(*until - from), seconds{0}, kLongest);
}

bool varies_by_everything(const http::Headers& headers) {
  bool star = false;
  for (const auto& field : headers.fields()) {
    if (!equal_ignoring_case(field.name, "Vary")) continue;
    http::for_each_element(field.value, [&](std::string_view name) { star = star || name == "*"; });
  }
  return star;
}

}  // namespace

void parse_cache_control(std::string_view line, CacheControl& into) {
  while (!line.empty()) {
    line = line.substr(std::min(line.find_first_not_of(" \t,"), line.size()));
    if (line.empty()) return;
    const std::size_t name_end = std::min(line.find_first_of("=,"), line.size());
    const auto name = line.substr(0, name_end);
    line.remove_prefix(name_end);
    std::optional<std::string_view> argument;
    if (!line.empty() && line.front() == '=') {
      line.remove_prefix(1);
      const std::size_t length = !line.empty() && line.front() == '"' ? quoted_length(line) : 0;
      if (length >= 2) {
        argument = line.substr(1, length - 2);
        line.remove_prefix(length);
        // Something between the closing quote and the comma: not a number any more.
        const auto rest = line.substr(0, std::min(line.find(','), line.size()));
        if (!trim_blanks(rest).empty()) argument = "";
      } else {
        argument = trim_blanks(line.substr(0, std::min(line.find(','), line.size())));
        // "max-age= 60" is no argument by the grammar.
        if (!line.empty() && (line.front() == ' ' || line.front() == '\t')) argument = "";
      }
      line.remove_prefix(std::min(line.find(','), line.size()));
      // "max-age =60" neither.
      if (!name.empty() && (name.back() == ' ' || name.back() == '\t')) argument = "";
    }
    take_directive(trim_blanks(name), argument, into);
  }
}

CacheControl parse_cache_control(const http::Headers& headers) {
  CacheControl control;
  for (const auto& field : headers.fields()) {
    if (equal_ignoring_case(field.name, "Cache-Control")) parse_cache_control(field.value, control);
  }
  return control;
}

seconds age_on_arrival(const http::Headers& headers, base::TimePoint now, std::chrono::nanoseconds travel) {
  seconds told{0};
  if (const auto field = headers.get("Age")) {
    // The first member of what should not be a list; what is no number is ignored (RFC 9111 §5.1).
    told = delta_seconds(trim_blanks(field->substr(0, field->find(',')))).value_or(seconds{0});
  }
  told += std::chrono::floor<seconds>(travel);
  seconds apparent{0};
  if (const auto field = headers.get("Date")) {
    if (const auto date = parse_http_date(*field)) apparent = std::chrono::floor<seconds>(now - *date);
  }
  return std::clamp(std::max(told, apparent), seconds{0}, kLongest);
}

Freshness judge(const Judged& response, const Ttl& ttl, seconds error_minimum, base::TimePoint now) {
  Freshness freshness;
  const auto& headers = response.headers;
  const bool everybody = response.audience == Audience::kEverybody;
  const bool error = response.status >= 400;
  CacheControl control = parse_cache_control(headers);
  const bool understood = error ? error_kept_when_told(response.status) : storable_when_told(response.status);
  if (!understood) return freshness;
  if (control.must_understand) control.no_store = false;  // RFC 9111 §5.2.2.3: we do understand
  // A cookie is set for one viewer, whatever Cache-Control says.
  if (headers.has("Set-Cookie") || headers.has("Content-Range") || varies_by_everything(headers)) return freshness;
  if (response.request_authorization && everybody && !control.is_public && !control.s_maxage &&
      !control.must_revalidate) {
    return freshness;  // RFC 9111 §3.5
  }

  const bool validator = headers.has("ETag") || headers.has("Last-Modified");
  const auto declared = declared_lifetime(control, headers, now);
  freshness.must_revalidate = control.must_revalidate || control.proxy_revalidate;
  if (!freshness.must_revalidate) {
    freshness.stale_while_revalidate = control.stale_while_revalidate.value_or(seconds{0});
    freshness.stale_if_error = control.stale_if_error.value_or(seconds{0});
  }
  freshness.worth_keeping =
      !error && (validator || freshness.stale_while_revalidate > seconds{0} || freshness.stale_if_error > seconds{0});

  if (control.no_store || control.no_cache || control.is_private) {
    // CloudFront keeps them for a minimum TTL above zero. What is private never becomes everybody's, there or here.
    if (error || (control.is_private && everybody)) return freshness;
    if (ttl.minimum > seconds{0}) {
      freshness.storable = true;
      freshness.remaining = ttl.minimum;
    } else if (!control.no_store && !control.is_private && validator) {
      freshness.storable = true;  // no-cache: kept to be revalidated
      freshness.must_revalidate = true;
      freshness.stale_while_revalidate = seconds{0};
    }
    return freshness;
  }

  if (error) {
    if (!declared && !error_always_kept(response.status)) return freshness;
    const auto left = declared ? std::min(ttl.maximum, *declared - response.age) : seconds{0};
    freshness.remaining = std::max(error_minimum, left);
    freshness.storable = freshness.remaining > seconds{0};
    return freshness;
  }

  if (declared) {
    freshness.remaining = std::max(ttl.minimum, std::min(ttl.maximum, *declared - response.age));
  } else if (heuristic(response.status)) {
    freshness.remaining = std::min(std::max(ttl.minimum, ttl.standard), ttl.maximum) - response.age;
    freshness.remaining = std::max(freshness.remaining, ttl.minimum);
  } else {
    freshness.remaining = ttl.minimum;
  }
  freshness.remaining = std::max(freshness.remaining, seconds{0});
  freshness.storable = freshness.remaining > seconds{0} || freshness.worth_keeping;
  return freshness;
}

bool request_accepts(const CacheControl& request, seconds age, seconds remaining) {
  if (request.no_cache || request.no_store) return false;
  if (request.max_age && age > *request.max_age) return false;
  if (request.min_fresh && remaining < *request.min_fresh) return false;
  if (remaining <= seconds{0}) return request.max_stale && -remaining <= *request.max_stale;
  return true;
}

bool not_modified(const http::Headers& request, std::string_view etag, std::string_view last_modified) {
  const auto opaque = [](std::string_view tag) { return tag.starts_with("W/") ? tag.substr(2) : tag; };
  if (request.has("If-None-Match")) {
    bool found = false;
    for (const auto& field : request.fields()) {
      if (!equal_ignoring_case(field.name, "If-None-Match")) continue;
      std::string_view list = field.value;
      // Entity tags are quoted and may hold commas.
      while (!list.empty()) {
        list = list.substr(std::min(list.find_first_not_of(" \t,"), list.size()));
        if (list.empty()) break;
        if (list.front() == '*') {
          found = true;
          break;
        }
        const std::size_t quote = list.starts_with("W/") ? 2 : 0;
        std::size_t end =
            quote < list.size() && list[quote] == '"' ? list.find('"', quote + 1) : std::string_view::npos;
        end = end == std::string_view::npos ? std::min(list.find(','), list.size()) : end + 1;
        const auto tag = trim_blanks(list.substr(0, end));
        if (!etag.empty() && opaque(tag) == opaque(etag)) found = true;
        list.remove_prefix(end);
      }
    }
    return found;
  }
  const auto since = request.get("If-Modified-Since");
  if (!since || last_modified.empty()) return false;
  const auto asked = parse_http_date(*since);
  const auto changed = parse_http_date(last_modified);
  return asked && changed && *changed <= *asked;
}

}  // namespace securebase::store
