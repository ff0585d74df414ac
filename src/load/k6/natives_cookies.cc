// Cookie jars, and what answers say of cookies.
#include "base/clock.h"
#include "k6/cookie_jar.h"
#include "k6/js.h"
#include "k6/natives.h"
#include "k6/user.h"

namespace securebase::k6 {

struct CookieNatives {
  static JSValueRef new_jar(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef[],
                            JSValueRef* e) {
    User& user = current_user();
    if (user.jars_.size() >= 10'000)
      return js::fail(context, e, "a user has at most 10000 cookie jars: make them outside of the default function");
    user.jars_.emplace_back();
    return JSValueMakeNumber(context, static_cast<double>(user.jars_.size() - 1));
  }

  struct JarCall {
    CookieJar* jar;
    Url url;
  };
  static std::optional<JarCall> jar_call(JSContextRef context, const JSValueRef a[], JSValueRef* e) {
    User& user = current_user();
    const auto index = static_cast<std::size_t>(js::to_number(context, a[0]));
    auto url = parse_url(js::to_text(context, a[1]));
    if (!url) {
      js::fail(context, e, url.error().message);
      return std::nullopt;
    }
    if (index >= user.jars_.size()) return std::nullopt;
    return JarCall{&user.jars_[index], std::move(*url)};
  }

  static JSValueRef jar_cookies(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[],
                                JSValueRef* e) {
    std::string text;
    if (const auto call = jar_call(context, a, e)) {
      for (const Cookie* cookie : call->jar->for_url(call->url, base::system_clock().now())) {
        text += cookie->name + "\n" + cookie->value + "\n";
      }
    }
    return js::make_string(context, text);
  }

  static JSValueRef jar_set(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[],
                            JSValueRef* e) {
    const auto call = jar_call(context, a, e);
    if (!call) return JSValueMakeUndefined(context);
    const auto now = base::system_clock().now();
    auto cookie = parse_set_cookie(call->url, js::to_text(context, a[2]), now);
    if (cookie) call->jar->put(std::move(*cookie), now);
    return JSValueMakeBoolean(context, cookie.has_value());
  }

  static JSValueRef jar_clear(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[],
                              JSValueRef* e) {
    if (const auto call = jar_call(context, a, e)) call->jar->clear(call->url);
    return JSValueMakeUndefined(context);
  }

  static JSValueRef jar_delete(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[],
                               JSValueRef* e) {
    if (const auto call = jar_call(context, a, e)) call->jar->erase(call->url, js::to_text(context, a[2]));
    return JSValueMakeUndefined(context);
  }

  // A cookie of an answer, as Response.cookies shows it.
  static JSValueRef parse_cookie(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[],
                                 JSValueRef*) {
    auto url = parse_url(js::to_text(context, a[0]));
    if (!url) return JSValueMakeUndefined(context);
    const auto cookie = parse_set_cookie(*url, js::to_text(context, a[1]), base::system_clock().now());
    if (!cookie) return JSValueMakeUndefined(context);
    const JSObjectRef object = JSObjectMake(context, nullptr, nullptr);
    js::set(context, object, "name", js::make_string(context, cookie->name));
    js::set(context, object, "value", js::make_string(context, cookie->value));
    js::set(context, object, "domain", js::make_string(context, cookie->host_only ? "" : cookie->domain));
    js::set(context, object, "path", js::make_string(context, cookie->path));
    js::set(context, object, "http_only", JSValueMakeBoolean(context, cookie->http_only));
    js::set(context, object, "secure", JSValueMakeBoolean(context, cookie->secure));
    js::set(context, object, "max_age", JSValueMakeNumber(context, static_cast<double>(cookie->max_age.value_or(0))));
    const auto expires = cookie->expires ? cookie->expires->time_since_epoch().count() / 1000 : 0;
    js::set(context, object, "expires", JSValueMakeNumber(context, static_cast<double>(expires)));
    return object;
  }
};

void add_cookie_natives(JSContextRef context, JSObjectRef natives) {
  struct Entry {
    const char* name;
    JSObjectCallAsFunctionCallback function;
  };
  static constexpr Entry kEntries[] = {
      {"newJar", CookieNatives::new_jar},       {"jarCookies", CookieNatives::jar_cookies},
      {"jarSet", CookieNatives::jar_set},       {"jarClear", CookieNatives::jar_clear},
      {"jarDelete", CookieNatives::jar_delete}, {"parseCookie", CookieNatives::parse_cookie}};
  for (const auto& entry : kEntries)
    js::set(context, natives, entry.name, js::make_function(context, entry.name, entry.function));
}

}  // namespace securebase::k6
