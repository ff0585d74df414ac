#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "k6/body_coding.h"
#include "k6/failures.h"
#include "k6/hops.h"
#include "k6/js.h"
#include "k6/natives.h"
#include "k6/user.h"

namespace securebase::k6 {

namespace {

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

}  // namespace

struct HttpNatives {
  // The arguments of request(), batchAdd() and asyncStart(), as js/http.js's prepare() makes them; undefined is what
  // is usual: GET, the URL of the request before, nothing.
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
    // Most arguments are undefined most of the time, and asking for that costs nothing; taking a value takes the
    // engine's lock.
    const auto given = [&](std::size_t i) { return !JSValueIsUndefined(context, a[i]); };
    Transfer t;
    t.method = given(0) ? js::to_text(context, a[0]) : std::string("GET");
    if (given(2)) t.name = js::to_text(context, a[2]);
    if (given(3)) {
      t.has_body = true;
      t.body = js::to_data(context, a[3]);
    }
    if (given(4)) {
      for_each_row(js::to_text(context, a[4]), 2, [&](const auto& row) { t.fields.emplace_back(row[0], row[1]); });
    }
    if (given(5)) {
      for_each_row(js::to_text(context, a[5]), 2, [&](const auto& row) { t.tags.emplace_back(row[0], row[1]); });
    }
    if (given(6)) {
      for_each_row(js::to_text(context, a[6]), 3, [&](const auto& row) {
        t.cookies.push_back({std::string(row[0]), std::string(row[1]), row[2] == "1"});
      });
    }
    if (given(7)) t.jar = static_cast<std::size_t>(js::to_number(context, a[7]));
    if (t.jar >= user.jars_.size()) {
      js::fail(context, e, "the cookie jar was made in an earlier iteration: make it in the init context to keep it");
      return std::nullopt;
    }
    const double timeout_ms = given(8) ? js::to_number(context, a[8]) : 0;
    t.timeout = timeout_ms > 0
                    ? std::chrono::nanoseconds(static_cast<std::int64_t>(std::min(timeout_ms, 3.15e11) * 1e6))
                    : std::chrono::nanoseconds(std::chrono::seconds{60});
    const double redirects = given(9) ? js::to_number(context, a[9]) : -1;
    t.redirects_left =
        redirects >= 0 ? static_cast<std::int64_t>(std::min(redirects, 1000.0)) : options.max_redirects.value_or(10);
    if (given(10)) {
      t.response_type = static_cast<Transfer::Body>(std::clamp(static_cast<int>(js::to_number(context, a[10])), 0, 2));
    } else if (options.discard_response_bodies.value_or(false)) {
      t.response_type = Transfer::Body::kNone;
    }
    if (given(11)) t.expected = static_cast<int>(js::to_number(context, a[11]));
    if (given(12)) t.auth = js::to_text(context, a[12]);
    if (given(13) && t.has_body) {
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
    if (given(1)) {
      user.last_url_ = nullptr;
      auto url = parse_url(js::to_text(context, a[1]));
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
      user.last_url_ = std::make_shared<const Url>(std::move(*url));
    }
    if (!user.last_url_) {
      js::fail(context, e, "http: there is no URL");
      return std::nullopt;
    }
    t.url = user.last_url_;
    return t;
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

  static JSValueRef answer(JSContextRef context, User& user, Transfer& t) {
    return user.answers_.make(context, user, t);
  }

  static JSValueRef request(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t count, const JSValueRef a[],
                            JSValueRef* e) {
    User& user = current_user();
    auto t = transfer_from(context, count, a, e);
    if (!t) return JSValueMakeUndefined(context);
    if (t->response.error_code != failures::kInvalidUrl) {
      do {
        if (!wait_for_turn(user)) return js::fail(context, e, "interrupted");
      } while (Hops::take(user, *t, user.client_->send(Hops::next(user, *t))));
    }
    if (t->response.interrupted) return js::fail(context, e, "interrupted");
    return answer(context, user, *t);
  }

  // The most usual request: (URL, expected), both undefined for what they were before and by default.
  static JSValueRef get(JSContextRef context, JSObjectRef function, JSObjectRef self, std::size_t count,
                        const JSValueRef a[], JSValueRef* e) {
    std::array<JSValueRef, 14> all;
    all.fill(JSValueMakeUndefined(context));
    if (count > 0) all[1] = a[0];
    if (count > 1) all[11] = a[1];
    return request(context, function, self, all.size(), all.data(), e);
  }

  // What an earlier batch left behind, whose answers were not all taken because one threw.
  static JSValueRef batch_begin(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef[],
                                JSValueRef*) {
    current_user().batch_.clear();
    return JSValueMakeUndefined(context);
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
        requests.push_back(Hops::next(user, user.batch_[i]));
      }
      auto responses =
          user.client_->send_all(requests, static_cast<std::size_t>(user.shared_.options.batch.value_or(20)),
                                 static_cast<std::size_t>(user.shared_.options.batch_per_host.value_or(6)));
      std::vector<std::size_t> again;
      for (std::size_t k = 0; k < left.size(); ++k) {
        if (Hops::take(user, user.batch_[left[k]], std::move(responses[k]))) again.push_back(left[k]);
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
      return js::fail(context, e, fmt::format("invalid URL '{}'", js::to_text(context, a[1])));
    const auto id = user.next_transfer_++;
    Transfer& kept = user.started_[id] = std::move(*t);
    user.hops_[user.client_->start(Hops::next(user, kept))] = id;
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
      if (Hops::take(user, t, std::move(response))) {
        user.hops_[user.client_->start(Hops::next(user, t))] = id;
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
      {"request", HttpNatives::request},          {"get", HttpNatives::get},
      {"batchBegin", HttpNatives::batch_begin},   {"batchAdd", HttpNatives::batch_add},
      {"batchRun", HttpNatives::batch_run},       {"batchAnswer", HttpNatives::batch_answer},
      {"asyncStart", HttpNatives::async_start},   {"takeReady", HttpNatives::take_ready},
      {"readyAnswer", HttpNatives::ready_answer}, {"expected", HttpNatives::expected_set},
      {"resolveUrl", HttpNatives::resolve_url}};
  for (const auto& entry : kEntries)
    js::set(context, natives, entry.name, js::make_function(context, entry.name, entry.function));
  Answers::add_natives(context, natives);
}

}  // namespace securebase::k6
