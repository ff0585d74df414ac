// What our JavaScript (js/) calls in C++. Every function finds its user by the thread that it is called on.
#pragma once

#include <JavaScriptCore/JavaScript.h>

namespace securebase::k6 {

class User;

// The object `native`. The thread belongs to `user` until forget_user().
JSObjectRef make_natives(JSContextRef context, User& user);
void forget_user();
User& current_user();

// natives_http.cc, natives_cookies.cc, natives_data.cc
void add_http_natives(JSContextRef context, JSObjectRef natives);
void add_cookie_natives(JSContextRef context, JSObjectRef natives);
void add_data_natives(JSContextRef context, JSObjectRef natives);

}  // namespace securebase::k6
