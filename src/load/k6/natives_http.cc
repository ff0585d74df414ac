#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/encoding.h"
#include "base/random.h"
#include "k6/body_coding.h"
#include "k6/digest_auth.h"
#include "k6/failures.h"
#include "k6/js.h"
#include "k6/natives.h"
#include "k6/user.h"

namespace securebase::k6 {

namespace {

// Places in the numbers that js/http.js reads.
enum NumberOfAnswer {
  kStatus,
  kErrorCode,
  kBlocked,
  kLookingUp,
  kConnecting,
  kTls,
  kSending,
  kWaiting,
  kReceiving,
  kRedirected
};

// "a\nb\n..." in pieces of `width` lines.
template <class Take>
void for_each_row(std::string_view flat, std::size_t width, Take take) {
  std::vector<std::string_view> row;
  while (!flat.empty()) {
    const auto end = flat.find('\n');
    if (end == std::string_view::npos) return;
    row.push_back(flat.substr(0, end));
    flat.remove_prefix(end + 1);
    if (row.size() == width) {
      take(row);
      row.clear();
    }
  }
}

bool has_field(const Fields& fields, std::string_view name) {
  return std::any_of(fields.begin(), fields.end(), [&](const auto& field) {
    return field.first.size() == name.size() && strncasecmp(field.first.data(), name.data(), name.size()) == 0;
  });
}

void drop_field(Fields& fields, std::string_view name) {
  std::erase_if(fields, [&](const auto& field) {
    return field.first.size() == name.size() && strncasecmp(field.first.data(), name.data(), name.size()) == 0;
  });
}

bool redirects(int status) { return status == 301 || status == 302 || status == 303 || status == 307 || status == 308; }

}  // namespace

struct HttpNatives {
  // The arguments of request(), batchAdd() and asyncStart(), as js/http.js's prepare() makes them.
  static std::optional<Transfer> transfer_from(JSContextRef context, std::size_t count, const JSValueRef a[],
                                               JSValueRef* e) {
    User& user = current_user();
    if (!user.client_) {
      js::fail(context, e,
               "requests cannot be made in the init context: make them in setup() or in the default function");
      return std::nullopt;
    }
    if (count < 14) {
      js::fail(context, e, "http: too few arguments");
      return std::nullopt;
    }
    const auto& options = user.shared_.options;
    Transfer t;
    t.method = js::to_text(context, a[0]);
    t.given_url = js::to_text(context, a[1]);
    t.name = js::to_text(context, a[2]);
    if (!JSValueIsNull(context, a[3])) {
      t.has_body = true;
      t.body = js::to_data(context, a[3]);
    }
    for_each_row(js::to_text(context, a[4]), 2, [&](const auto& row) { t.fields.emplace_back(row[0], row[1]); });
    if (!JSValueIsUndefined(context, a[5])) {
      for_each_row(js::to_text(context, a[5]), 2, [&](const auto& row) { t.tags.emplace_back(row[0], row[1]); });
    }
    if (!JSValueIsUndefined(context, a[6])) {
      for_each_row(js::to_text(context, a[6]), 3, [&](const auto& row) {
        t.cookies.push_back({std::string(row[0]), std::string(row[1]), row[2] == "1"});
      });
    }
    t.jar = static_cast<std::size_t>(js::to_number(context, a[7]));
    if (t.jar >= user.jars_.size()) {
      js::fail(context, e, "the cookie jar was made in an earlier iteration: make it in the init context to keep it");
      return std::nullopt;
    }
    const double timeout_ms = js::to_number(context, a[8]);
    t.timeout = timeout_ms > 0
                    ? std::chrono::nanoseconds(static_cast<std::int64_t>(std::min(timeout_ms, 3.15e11) * 1e6))
                    : std::chrono::nanoseconds(std::chrono::seconds{60});
    const double redirects = js::to_number(context, a[9]);
    t.redirects_left =
        redirects >= 0 ? static_cast<std::int64_t>(std::min(redirects, 1000.0)) : options.max_redirects.value_or(10);
    const int type = static_cast<int>(js::to_number(context, a[10]));
    t.response_type =
        type < 0 ? (options.discard_response_bodies.value_or(false) ? Transfer::Body::kNone : Transfer::Body::kText)
                 : static_cast<Transfer::Body>(std::min(type, 2));
    t.expected = static_cast<int>(js::to_number(context, a[11]));
    if (!JSValueIsUndefined(context, a[12])) t.auth = js::to_text(context, a[12]);
    if (!JSValueIsUndefined(context, a[13]) && t.has_body) {
      const std::string codings = js::to_text(context, a[13]);
      auto coded = encode_body(codings, std::move(t.body));
      if (!coded) {
        js::fail(context, e, coded.error().message);
        return std::nullopt;
      }
      t.body = std::move(*coded);
      if (!codings.empty() && !has_field(t.fields, "content-encoding"))
        t.fields.emplace_back("Content-Encoding", codings);
    }
    const bool known = t.given_url == user.last_url_text_;
    if (!known) {
      auto url = parse_url(t.given_url);
      if (!url) {
        t.response.error_code = failures::kInvalidUrl;
        t.response.error = "invalid URL";
        if (options.throw_errors.value_or(false)) {
          js::fail(context, e, url.error().message);
          return std::nullopt;
        }
        user.shared_.console.repeated(Console::kWarning, fmt::format("Request Failed: {}", url.error().message));
        return t;
      }
      user.last_url_text_ = t.given_url;
      user.last_url_ = std::move(*url);
    }
    t.url = user.last_url_;
    if (!has_field(t.fields, "user-agent")) t.fields.emplace_back("User-Agent", user.shared_.user_agent);
    return t;
  }

  // The next hop of a transfer, as it goes on the wire.
  static HttpRequest hop_of(User& user, Transfer& t) {
    HttpRequest request;
    request.method = t.method;
    request.url = t.url;
    request.fields = t.fields;
    request.body = t.body;
    request.has_body = t.has_body;
    request.timeout = t.timeout;
    request.keep_body = t.response_type != Transfer::Body::kNone;
    add_cookies(user, t, request.fields);
    if (!t.authorization.empty()) {
      request.fields.emplace_back("Authorization", t.authorization);
    } else if (!t.url.user.empty() && t.auth != "digest" && !has_field(request.fields, "authorization")) {
      request.fields.emplace_back("Authorization", "Basic " + base::base64(t.url.user + ":" + t.url.password));
    }
    if (user.shared_.options.no_connection_reuse.value_or(false)) request.fields.emplace_back("Connection", "close");
    debug_request(user, request);
    return request;
  }

  static void add_cookies(User& user, const Transfer& t, Fields& fields) {
    const CookieJar& jar = user.jars_[t.jar];
    if (jar.empty() && t.cookies.empty()) return;
    std::string field;
    const auto add = [&field](std::string_view name, std::string_view value) {
      field += fmt::format("{}{}={}", field.empty() ? "" : "; ", name, value);
    };
    for (const Cookie* cookie : jar.for_url(t.url, base::system_clock().now())) {
      const bool replaced = std::any_of(t.cookies.begin(), t.cookies.end(),
                                        [&](const auto& mine) { return mine.replace && mine.name == cookie->name; });
      if (!replaced) add(cookie->name, cookie->value);
    }
    for (const auto& cookie : t.cookies) add(cookie.name, cookie.value);
    if (field.empty()) return;
    const auto given = std::find_if(fields.begin(), fields.end(),
                                    [](const auto& f) { return strcasecmp(f.first.c_str(), "cookie") == 0; });
    if (given != fields.end()) {
      given->second += "; " + field;
    } else {
      fields.emplace_back("Cookie", field);
    }
  }

  // Takes the answer of a hop, records it, and says whether another hop follows.
  static bool take(User& user, Transfer& t, HttpResponse response) {
    t.response = std::move(response);
    if (t.response.interrupted) return false;
    debug_response(user, t.response);
    const auto now = base::system_clock().now();
    if (t.response.status != 0) {
      for (const auto& [name, value] : t.response.fields) {
        if (strcasecmp(name.c_str(), "set-cookie") != 0) continue;
        if (auto cookie = parse_set_cookie(t.url, value, now)) user.jars_[t.jar].put(std::move(*cookie), now);
      }
      decode(t.response);
    }
    if (t.response.error_code == 0) t.response.error_code = failures::of_status(t.response.status);
    record(user, t);
    if (t.auth == "digest" && t.response.status == 401 && !t.digest_answered) return answer_challenge(t);
    if (!redirects(t.response.status) || t.redirects_left <= 0) {
      if (redirects(t.response.status) && t.redirects_left <= 0 && t.redirected) {
        user.shared_.console.repeated(
            Console::kWarning,
            fmt::format("stopped following redirects at {}: there were more than allowed", t.url.text()));
      }
      if (t.response.status == 0) {
        user.shared_.console.repeated(
            Console::kWarning, fmt::format("Request Failed: {} \"{}\": {}", t.method, t.url.text(), t.response.error));
      }
      return false;
    }
    return redirect(t);
  }

  static bool answer_challenge(Transfer& t) {
    t.digest_answered = true;
    const std::string* const challenge = t.response.field("www-authenticate");
    if (!challenge) return false;
    const auto answer =
        answer_digest(*challenge, t.url.user, t.url.password, t.method, t.url.target, base::random_hex(16));
    if (!answer) return false;
    t.authorization = *answer;
    return true;
  }

  static bool redirect(Transfer& t) {
    const std::string* const location = t.response.field("location");
    if (!location) return false;
    auto target = resolve(t.url, *location);
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
    if (target->host != t.url.host) {
      drop_field(t.fields, "authorization");
      drop_field(t.fields, "cookie");
    } else if (target->user.empty()) {
      target->user = t.url.user;
      target->password = t.url.password;
    }
    drop_field(t.fields, "host");
    t.authorization.clear();
    t.url = std::move(*target);
    return true;
  }

  static void decode(HttpResponse& response) {
    const std::string* const coding = response.field("content-encoding");
    if (!coding || coding->empty() || response.body.empty()) return;
    auto decoded = decode_body(*coding, response.body);
    if (decoded) {
      response.body = std::move(*decoded);
      return;
    }
    response.error_code = failures::kDecompression;
    response.error = decoded.error().message;
  }

  static bool expected(User& user, const Transfer& t) {
    const int status = t.response.status;
    if (t.expected <= 0) return status >= 200 && status < 400;
    auto& statuses = user.shared_.statuses;
    const std::lock_guard lock(statuses.mutex);
    const auto index = static_cast<std::size_t>(t.expected - 1);
    if (index >= statuses.sets.size()) return false;
    return std::any_of(statuses.sets[index].begin(), statuses.sets[index].end(),
                       [status](const auto& range) { return status >= range.first && status <= range.second; });
  }

  static void record(User& user, Transfer& t) {
    const HttpResponse& r = t.response;
    Metrics& metrics = user.shared_.metrics;
    const bool good = expected(user, t);
    TagList own;
    if (t.expected >= 0) own.emplace_back("expected_response", good ? "true" : "false");
    if (metrics.wants_tags()) {
      const std::string url = t.url.text();
      own.emplace_back("url", t.name.empty() ? url : t.name);
      own.emplace_back("name", t.name.empty() ? url : t.name);
      own.emplace_back("method", t.method);
      own.emplace_back("status", fmt::format("{}", r.status));
      own.emplace_back("proto", r.protocol.empty() ? "" : r.protocol);
      if (!r.tls_version.empty()) own.emplace_back("tls_version", r.tls_version);
      if (r.error_code != 0) own.emplace_back("error_code", fmt::format("{}", r.error_code));
      if (!r.error.empty()) own.emplace_back("error", r.error);
      if (!r.remote_ip.empty()) own.emplace_back("ip", r.remote_ip);
    }
    const SampleTags tags = user.sample_tags(&t.tags, &own);
    load::Recorder::Batch batch(user.recorder_);
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

  static void debug_request(User& user, const HttpRequest& request) {
    const auto& mode = user.shared_.options.http_debug;
    if (!mode) return;
    std::string text =
        fmt::format("Request:\n{} {} HTTP/1.1\nHost: {}\n", request.method, request.url.target, request.url.authority);
    for (const auto& [name, value] : request.fields) text += fmt::format("{}: {}\n", name, value);
    if (*mode == "full") text += "\n" + request.body;
    user.shared_.console.say(Console::kInfo, text);
  }

  static void debug_response(User& user, const HttpResponse& response) {
    const auto& mode = user.shared_.options.http_debug;
    if (!mode) return;
    std::string text = response.status == 0
                           ? fmt::format("Response: none: {}", response.error)
                           : fmt::format("Response:\n{} {}\n", response.protocol, response.status_text);
    for (const auto& [name, value] : response.fields) text += fmt::format("{}: {}\n", name, value);
    if (*mode == "full") text += "\n" + response.body;
    user.shared_.console.say(Console::kInfo, text);
  }

  // With options.rps: waits for this request's turn.
  static bool wait_for_turn(User& user) {
    const double rps = user.shared_.options.rps.value_or(0);
    if (!(rps > 0)) return true;
    const auto interval = static_cast<std::int64_t>(1e9 / rps);
    const std::int64_t now = Steady::now().time_since_epoch().count();
    std::int64_t turn = user.shared_.next_request.load();
    std::int64_t mine = 0;
    do {
      mine = std::max(turn, now);
    } while (!user.shared_.next_request.compare_exchange_weak(turn, mine + interval));
    return user.interruption_.sleep_until(Steady::time_point{Steady::duration{mine}});
  }

  // [body, text of the rest]; numbers go into the shared place.
  static JSValueRef answer(JSContextRef context, User& user, Transfer& t) {
    const HttpResponse& r = t.response;
    double* const n = user.numbers_;
    n[kStatus] = r.status;
    n[kErrorCode] = r.error_code;
    n[kBlocked] = r.timings.blocked;
    n[kLookingUp] = r.timings.looking_up;
    n[kConnecting] = r.timings.connecting;
    n[kTls] = r.timings.tls_handshaking;
    n[kSending] = r.timings.sending;
    n[kWaiting] = r.timings.waiting;
    n[kReceiving] = r.timings.receiving;
    n[kRedirected] = t.redirected ? 1 : 0;
    std::string rest;
    rest.reserve(512);
    const auto line = [&rest](std::string_view text) {
      rest += text;
      rest += '\n';
    };
    line(r.status_text);
    line(r.protocol);
    line(t.redirected ? t.url.text() : std::string());
    line(r.remote_ip);
    line(fmt::format("{}", r.remote_port));
    line(r.tls_version);
    line(r.tls_cipher_suite);
    line(r.error);
    for (const auto& [name, value] : r.fields) {
      line(name);
      line(value);
    }
    JSValueRef body = JSValueMakeNull(context);
    if (r.status != 0 && t.response_type == Transfer::Body::kText) body = js::make_string(context, r.body);
    if (r.status != 0 && t.response_type == Transfer::Body::kBinary) body = js::make_bytes(context, r.body);
    const JSValueRef values[2] = {body, js::make_string(context, rest)};
    return JSObjectMakeArray(context, 2, values, nullptr);
  }

  static JSValueRef request(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t count, const JSValueRef a[],
                            JSValueRef* e) {
    User& user = current_user();
    auto t = transfer_from(context, count, a, e);
    if (!t) return JSValueMakeUndefined(context);
    if (t->response.error_code != failures::kInvalidUrl) {
      do {
        if (!wait_for_turn(user)) return js::fail(context, e, "interrupted");
      } while (take(user, *t, user.client_->send(hop_of(user, *t))));
    }
    if (t->response.interrupted) return js::fail(context, e, "interrupted");
    return answer(context, user, *t);
  }

  static JSValueRef batch_add(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t count, const JSValueRef a[],
                              JSValueRef* e) {
    auto t = transfer_from(context, count, a, e);
    if (t) current_user().batch_.push_back(std::move(*t));
    return JSValueMakeUndefined(context);
  }

  static JSValueRef batch_run(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef[],
                              JSValueRef* e) {
    User& user = current_user();
    std::vector<std::size_t> left;
    for (std::size_t i = 0; i < user.batch_.size(); ++i) {
      if (user.batch_[i].response.error_code != failures::kInvalidUrl) left.push_back(i);
    }
    while (!left.empty()) {
      std::vector<HttpRequest> requests;
      for (const auto i : left) {
        if (!wait_for_turn(user)) return js::fail(context, e, "interrupted");
        requests.push_back(hop_of(user, user.batch_[i]));
      }
      auto responses =
          user.client_->send_all(requests, static_cast<std::size_t>(user.shared_.options.batch.value_or(20)),
                                 static_cast<std::size_t>(user.shared_.options.batch_per_host.value_or(6)));
      std::vector<std::size_t> again;
      for (std::size_t k = 0; k < left.size(); ++k) {
        if (take(user, user.batch_[left[k]], std::move(responses[k]))) again.push_back(left[k]);
        if (user.batch_[left[k]].response.interrupted) return js::fail(context, e, "interrupted");
      }
      left = std::move(again);
    }
    return JSValueMakeUndefined(context);
  }

  static JSValueRef batch_answer(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[],
                                 JSValueRef* e) {
    User& user = current_user();
    const auto index = static_cast<std::size_t>(js::to_number(context, a[0]));
    if (index >= user.batch_.size()) return js::fail(context, e, "batch: no such answer");
    const JSValueRef value = answer(context, user, user.batch_[index]);
    if (index + 1 == user.batch_.size()) user.batch_.clear();
    return value;
  }

  static JSValueRef async_start(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t count, const JSValueRef a[],
                                JSValueRef* e) {
    User& user = current_user();
    auto t = transfer_from(context, count, a, e);
    if (!t) return JSValueMakeUndefined(context);
    if (t->response.error_code == failures::kInvalidUrl)
      return js::fail(context, e, fmt::format("invalid URL '{}'", t->given_url));
    const auto id = user.next_transfer_++;
    Transfer& kept = user.started_[id] = std::move(*t);
    user.hops_[user.client_->start(hop_of(user, kept))] = id;
    return JSValueMakeNumber(context, static_cast<double>(id));
  }

  // The number of a transfer that is done; 0: none now.
  static JSValueRef take_ready(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef[],
                               JSValueRef*) {
    User& user = current_user();
    for (auto& [hop, response] : user.client_->take_ready()) {
      const auto id = user.hops_[hop];
      user.hops_.erase(hop);
      Transfer& t = user.started_[id];
      if (take(user, t, std::move(response))) {
        user.hops_[user.client_->start(hop_of(user, t))] = id;
        continue;
      }
      user.ready_[id] = std::move(t);
      user.started_.erase(id);
      user.ready_order_.push_back(id);
    }
    if (user.ready_order_.empty()) return JSValueMakeNumber(context, 0);
    const auto id = user.ready_order_.front();
    user.ready_order_.erase(user.ready_order_.begin());
    return JSValueMakeNumber(context, static_cast<double>(id));
  }

  static JSValueRef ready_answer(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[],
                                 JSValueRef* e) {
    User& user = current_user();
    const auto found = user.ready_.find(static_cast<std::uint64_t>(js::to_number(context, a[0])));
    if (found == user.ready_.end()) return js::fail(context, e, "asyncRequest: no such answer");
    const JSValueRef value = answer(context, user, found->second);
    user.ready_.erase(found);
    return value;
  }

  // "200-299,404-404" to a number.
  static JSValueRef expected_set(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[],
                                 JSValueRef* e) {
    auto& statuses = current_user().shared_.statuses;
    const std::string text = js::to_text(context, a[0]);
    const std::lock_guard lock(statuses.mutex);
    if (const auto known = statuses.ids.find(text); known != statuses.ids.end())
      return JSValueMakeNumber(context, known->second);
    if (statuses.ids.size() >= 10'000) {
      return js::fail(context, e, "the script has made more than 10000 different sets of expected statuses");
    }
    std::vector<std::pair<int, int>> set;
    for (std::string_view rest = text; !rest.empty();) {
      const auto comma = rest.find(',');
      const auto one = rest.substr(0, comma);
      rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
      int low = 0, high = 0;
      const auto dash = one.find('-');
      std::from_chars(one.data(), one.data() + dash, low);
      std::from_chars(one.data() + dash + 1, one.data() + one.size(), high);
      set.emplace_back(low, high);
    }
    statuses.sets.push_back(std::move(set));
    const int id = static_cast<int>(statuses.sets.size());
    statuses.ids[text] = id;
    return JSValueMakeNumber(context, id);
  }

  static JSValueRef resolve_url(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[],
                                JSValueRef* e) {
    auto from = parse_url(js::to_text(context, a[0]));
    if (!from) return js::fail(context, e, from.error().message);
    auto to = resolve(*from, js::to_text(context, a[1]));
    if (!to) return js::fail(context, e, to.error().message);
    return js::make_string(context, to->text());
  }
};

void add_http_natives(JSContextRef context, JSObjectRef natives) {
  struct Entry {
    const char* name;
    JSObjectCallAsFunctionCallback function;
  };
  static constexpr Entry kEntries[] = {
      {"request", HttpNatives::request},          {"batchAdd", HttpNatives::batch_add},
      {"batchRun", HttpNatives::batch_run},       {"batchAnswer", HttpNatives::batch_answer},
      {"asyncStart", HttpNatives::async_start},   {"takeReady", HttpNatives::take_ready},
      {"readyAnswer", HttpNatives::ready_answer}, {"expected", HttpNatives::expected_set},
      {"resolveUrl", HttpNatives::resolve_url}};
  for (const auto& entry : kEntries)
    js::set(context, natives, entry.name, js::make_function(context, entry.name, entry.function));
}

}  // namespace securebase::k6
