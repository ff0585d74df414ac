// A request of a flow with its templates filled for one user, as Artillery makes it: body, query, form, cookies, auth.
#pragma once

#include <map>
#include <string>

#include "load/artillery/script.h"
#include "load/engine/cookies.h"
#include "load/engine/exchange.h"

namespace securebase::load::artillery {

struct Outgoing {
  std::string method;
  std::string url_text;
  Url url;
  HeaderList headers;  // names in lower case
  std::string body;
};

// Files that forms send, read once. Worker only; the first reading of a file blocks.
class FormFiles {
 public:
  Result<const std::string*> read(const std::filesystem::path& path);

 private:
  std::map<std::filesystem::path, std::string> files_;
};

// `jar`: the user's cookies, when it has any or the script sets some; null: none are sent. The error is what Artillery
// counts: "Invalid URL - ...".
Result<Outgoing> fill_request(const Config& config, const RequestStep& step, const Variables& variables, CookieJar* jar,
                              const std::filesystem::path& beside, FormFiles& files);

// Whether all users send the same bytes: then they are made once.
bool same_for_all(const Config& config, const RequestStep& step);

// What an answer that redirects asks for next, as got 11 has it, which Artillery sends by: 303 becomes GET, a POST that
// is answered 301 or 302 is sent again as it is; credentials stay with their host. The error: Location is missing or no
// URL.
Result<Outgoing> redirected(const Outgoing& request, int status, std::string_view location);

// "W3C Trace Context" §3.2: version 00, a new trace and parent.
std::string traceparent(const Tracing& tracing);

}  // namespace securebase::load::artillery
