#include "k6/hops.h"

#include <fmt/format.h>

#include <strings.h>
#include <algorithm>

#include "base/encoding.h"
#include "base/random.h"
#include "k6/body_coding.h"
#include "k6/digest_auth.h"
#include "k6/failures.h"
#include "k6/user.h"

namespace securebase::k6 {

namespace {

bool same_field(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

void drop_field(Fields& fields, std::string_view name) {
  std::erase_if(fields, [&](const auto& field) { return same_field(field.first, name); });
}

bool redirects(int status) { return status == 301 || status == 302 || status == 303 || status == 307 || status == 308; }

void decode(HttpResponse& response) {
  if (response.body.empty()) return;
  const auto coding = response.field("content-encoding");
  if (!coding || coding->empty()) return;
  auto decoded = decode_body(*coding, response.body);
  if (decoded) {
    response.body = std::move(*decoded);
    return;
  }
  response.error_code = failures::kDecompression;
  response.error = decoded.error().message;
}

void debug_request(const std::string& mode, Console& console, const HttpRequest& request) {
  console.say(Console::kInfo,
              fmt::format("Request:\n{}{}", request.head, mode == "full" ? request.body : std::string_view{}));
}

void debug_response(const std::string& mode, Console& console, const HttpResponse& response) {
  if (response.status == 0) return console.say(Console::kInfo, fmt::format("Response: none: {}", response.error));
  console.say(Console::kInfo, fmt::format("Response:\n{}\n{}\n{}", response.status_line, response.head,
                                          mode == "full" ? response.body : std::string()));
}

}  // namespace

bool has_field(const Fields& fields, std::string_view name) {
  return std::any_of(fields.begin(), fields.end(), [&](const auto& field) { return same_field(field.first, name); });
}

HttpRequest Hops::next(User& user, const Transfer& t) {
  const auto& options = user.shared_.options;
  HttpRequest request;
  request.url = t.url.get();
  request.body = t.body;
  request.is_head = t.method == "HEAD";
  request.idempotent = t.method != "POST" && t.method != "PATCH";
  request.timeout = t.timeout;
  request.keep_body = t.response_type != Transfer::Body::kNone;

  std::string& head = request.head;
  head.reserve(256 + t.url->target.size());
  const auto line = [&head](std::string_view name, std::string_view value) {
    head.append(name).append(": ").append(value).append("\r\n");
  };
  head.append(t.method).append(" ").append(t.url->target).append(" HTTP/1.1\r\n");
  std::string_view host = t.url->authority;
  std::string cookies = cookies_for(user, t);
  bool agent = false, authorization = false, transfer_coding = false;
  for (const auto& [name, value] : t.fields) {
    if (same_field(name, "host")) host = value;
  }
  line("Host", host);
  for (const auto& [name, value] : t.fields) {
    if (same_field(name, "host") || same_field(name, "content-length")) continue;
    if (same_field(name, "transfer-encoding")) {
      transfer_coding = true;  // the body is sent with its length, whatever the script says
      continue;
    }
    if (same_field(name, "cookie") && !cookies.empty()) {
      line(name, value + "; " + cookies);
      cookies.clear();
      continue;
    }
    agent = agent || same_field(name, "user-agent");
    authorization = authorization || same_field(name, "authorization");
    line(name, value);
  }
  if (!agent) line("User-Agent", user.shared_.user_agent);
  if (!cookies.empty()) line("Cookie", cookies);
  if (!t.authorization.empty()) {
    line("Authorization", t.authorization);
  } else if (!t.url->user.empty() && t.auth != "digest" && !authorization) {
    line("Authorization", "Basic " + base::base64(t.url->user + ":" + t.url->password));
  }
  if (options.no_connection_reuse.value_or(false)) line("Connection", "close");
  const bool usual = t.method == "POST" || t.method == "PUT" || t.method == "PATCH";
  if (t.has_body || usual || transfer_coding) line("Content-Length", fmt::format("{}", t.body.size()));
  head += "\r\n";
  if (options.http_debug) debug_request(*options.http_debug, user.shared_.console, request);
  return request;
}

std::string Hops::cookies_for(User& user, const Transfer& t) {
  std::string field;
  const CookieJar& jar = user.jars_[t.jar];
  if (jar.empty() && t.cookies.empty()) return field;
  const auto add = [&field](std::string_view name, std::string_view value) {
    field += fmt::format("{}{}={}", field.empty() ? "" : "; ", name, value);
  };
  for (const Cookie* cookie : jar.for_url(*t.url, base::system_clock().now())) {
    const bool replaced = std::any_of(t.cookies.begin(), t.cookies.end(),
                                      [&](const auto& mine) { return mine.replace && mine.name == cookie->name; });
    if (!replaced) add(cookie->name, cookie->value);
  }
  for (const auto& cookie : t.cookies) add(cookie.name, cookie.value);
  return field;
}

bool Hops::take(User& user, Transfer& t, HttpResponse response) {
  t.response = std::move(response);
  if (t.response.interrupted) return false;
  if (const auto& mode = user.shared_.options.http_debug) debug_response(*mode, user.shared_.console, t.response);
  if (t.response.status != 0) {
    t.response.for_each_field([&](std::string_view name, std::string_view value) {
      if (!same_field(name, "set-cookie")) return;
      const auto now = base::system_clock().now();
      if (auto cookie = parse_set_cookie(*t.url, value, now)) user.jars_[t.jar].put(std::move(*cookie), now);
    });
    decode(t.response);
  }
  if (t.response.error_code == 0) t.response.error_code = failures::of_status(t.response.status);
  record(user, t);
  if (t.auth == "digest" && t.response.status == 401 && !t.digest_answered) return answer_challenge(t);
  if (!redirects(t.response.status) || t.redirects_left <= 0) {
    if (redirects(t.response.status) && t.redirects_left <= 0 && t.redirected) {
      user.shared_.console.repeated(
          Console::kWarning,
          fmt::format("stopped following redirects at {}: there were more than allowed", t.url->text()));
    }
    if (t.response.status == 0) {
      user.shared_.console.repeated(
          Console::kWarning, fmt::format("Request Failed: {} \"{}\": {}", t.method, t.url->text(), t.response.error));
    }
    return false;
  }
  return redirect(t);
}

bool Hops::answer_challenge(Transfer& t) {
  t.digest_answered = true;
  const auto challenge = t.response.field("www-authenticate");
  if (!challenge) return false;
  const auto answer =
      answer_digest(*challenge, t.url->user, t.url->password, t.method, t.url->target, base::random_hex(16));
  if (!answer) return false;
  t.authorization = *answer;
  return true;
}

bool Hops::redirect(Transfer& t) {
  const auto location = t.response.field("location");
  if (!location) return false;
  auto target = resolve(*t.url, *location);
  if (!target) {
    t.response.error = target.error().message;
    t.response.error_code = failures::kInvalidUrl;
    return false;
  }
  --t.redirects_left;
  t.redirected = true;
  const int status = t.response.status;
  if (status == 303 || ((status == 301 || status == 302) && t.method != "GET" && t.method != "HEAD")) {
    if (t.method != "HEAD") t.method = "GET";
    t.body.clear();
    t.has_body = false;
    for (const char* name : {"content-type", "content-encoding", "content-length"}) drop_field(t.fields, name);
  }
  // As Go's client, which k6's requests are made by: what says who one is goes to the first host and to those below it,
  // and once left out it stays out. Beyond that, nothing goes in clear that went encrypted before.
  const bool uncovered = t.url->tls && !target->tls;
  if (t.first_host.empty()) t.first_host = t.url->host;
  if (!is_or_is_below(target->host, t.first_host) || uncovered) drop_field(t.fields, "authorization");
  // k6 puts them together anew for each hop: of the jar and of params.cookies.
  drop_field(t.fields, "cookie");
  if (uncovered) t.cookies.clear();
  if (target->host == t.url->host && !uncovered && target->user.empty()) {
    target->user = t.url->user;
    target->password = t.url->password;
  }
  drop_field(t.fields, "host");
  t.authorization.clear();
  t.url = std::make_shared<const Url>(std::move(*target));
  return true;
}

bool Hops::expected(User& user, const Transfer& t) {
  const int status = t.response.status;
  if (t.expected <= 0) return status >= 200 && status < 400;
  auto& statuses = user.shared_.statuses;
  const std::lock_guard lock(statuses.mutex);
  const auto index = static_cast<std::size_t>(t.expected - 1);
  if (index >= statuses.sets.size()) return false;
  return std::any_of(statuses.sets[index].begin(), statuses.sets[index].end(),
                     [status](const auto& range) { return status >= range.first && status <= range.second; });
}

void Hops::record(User& user, Transfer& t) {
  const HttpResponse& r = t.response;
  Metrics& metrics = user.shared_.metrics;
  const bool good = expected(user, t);
  static const TagList kGood{{"expected_response", "true"}};
  static const TagList kBad{{"expected_response", "false"}};
  static const TagList kUnjudged;
  const TagList& judged = t.expected < 0 ? kUnjudged : good ? kGood : kBad;
  TagList own;
  if (metrics.wants_tags()) {
    own = judged;
    const std::string url = t.url->text();
    own.emplace_back("url", t.name.empty() ? url : t.name);
    own.emplace_back("name", t.name.empty() ? url : t.name);
    own.emplace_back("method", t.method);
    own.emplace_back("status", fmt::format("{}", r.status));
    own.emplace_back("proto", r.protocol());
    if (!r.peer.tls_version.empty()) own.emplace_back("tls_version", r.peer.tls_version);
    if (r.error_code != 0) own.emplace_back("error_code", fmt::format("{}", r.error_code));
    if (!r.error.empty()) own.emplace_back("error", r.error);
    if (!r.peer.ip.empty()) own.emplace_back("ip", r.peer.ip);
  }
  const SampleTags tags = user.sample_tags(&t.tags, own.empty() ? &judged : &own);
  const std::size_t endpoint = user.endpoints_ ? user.endpoint_of(t) : 0;
  load::Recorder::Batch batch(user.recorder_);
  user.take_tallies(batch);
  if (user.endpoints_) user.endpoints_->add(endpoint, r.timings.duration(), t.expected >= 0 && !good);
  metrics.add(batch, Metrics::kHttpReqs, 1, tags);
  if (t.expected >= 0) metrics.add(batch, Metrics::kHttpReqFailed, good ? 0 : 1, tags);
  metrics.add(batch, Metrics::kHttpReqDuration, r.timings.duration(), tags);
  metrics.add(batch, Metrics::kHttpReqBlocked, r.timings.blocked, tags);
  metrics.add(batch, Metrics::kHttpReqConnecting, r.timings.connecting, tags);
  metrics.add(batch, Metrics::kHttpReqTlsHandshaking, r.timings.tls_handshaking, tags);
  metrics.add(batch, Metrics::kHttpReqSending, r.timings.sending, tags);
  metrics.add(batch, Metrics::kHttpReqWaiting, r.timings.waiting, tags);
  metrics.add(batch, Metrics::kHttpReqReceiving, r.timings.receiving, tags);
  metrics.add(batch, Metrics::kDataSent, static_cast<double>(r.bytes_sent), tags);
  metrics.add(batch, Metrics::kDataReceived, static_cast<double>(r.bytes_received), tags);
  if (user.due_ && r.sent_at != Steady::time_point{}) {
    const auto end = r.sent_at + std::chrono::nanoseconds(static_cast<std::int64_t>(r.timings.duration() * 1e6));
    metrics.add(batch, Metrics::kLatencyFromSchedule,
                std::chrono::duration<double, std::milli>(end - *user.due_).count(), tags);
    user.due_.reset();
  }
}

}  // namespace securebase::k6
