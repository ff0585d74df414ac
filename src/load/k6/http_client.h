// HTTP/1.1 as a virtual user speaks it: requests one after the other or several at once, on one thread, over
// connections that are kept. Blocking: it returns when the answers are there, time is up or the user is interrupted.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "k6/interruption.h"
#include "k6/ip_range.h"
#include "k6/options.h"
#include "k6/tls_contexts.h"
#include "k6/url.h"
#include "net/http/syntax.h"

namespace securebase::k6 {

using Fields = std::vector<std::pair<std::string, std::string>>;

// As it goes on the wire. What it points to outlives the exchange.
struct HttpRequest {
  const Url* url = nullptr;
  std::string head;       // request line and fields, with the empty line
  std::string_view body;  // its length is in the head
  bool is_head = false;   // a HEAD: the answer has no body
  // Making it twice is the same as making it once (RFC 9110 §9.2.2).
  bool idempotent = true;
  std::chrono::nanoseconds timeout = std::chrono::seconds{60};
  bool keep_body = true;
};

// Milliseconds, as k6 has them; their sum from sending on is the duration.
struct Timings {
  double blocked = 0;
  double looking_up = 0;
  double connecting = 0;
  double tls_handshaking = 0;
  double sending = 0;
  double waiting = 0;
  double receiving = 0;
  double duration() const { return sending + waiting + receiving; }
};

// Whom the answer came from.
struct Peer {
  std::string ip;
  int port = 0;
  std::string tls_version;  // "tls1.3"; empty without TLS
  std::string tls_cipher_suite;
};

struct HttpResponse {
  int status = 0;           // 0: there was no answer; `error` says why
  std::string status_line;  // "HTTP/1.1 200 OK"
  std::string head;         // fields as they came, each line with its CRLF
  std::string body;
  Peer peer;
  Timings timings;
  int error_code = 0;  // as k6 numbers them
  std::string error;
  bool interrupted = false;  // the user was told to end
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  Steady::time_point sent_at{};  // when its first byte was sent

  std::string_view protocol() const { return std::string_view(status_line).substr(0, status_line.find(' ')); }
  std::string_view status_text() const;  // "200 OK"
  // The first field of that name; nullopt: none. The view lives as long as the response is not changed.
  std::optional<std::string_view> field(std::string_view name) const;
  // take(name, value) for each field, in their order.
  template <class Take>
  void for_each_field(Take take) const {
    for (std::string_view rest = head; !rest.empty();) {
      const auto line = rest.substr(0, rest.find("\r\n"));
      rest.remove_prefix(std::min(line.size() + 2, rest.size()));
      const auto colon = std::min(line.find(':'), line.size());
      take(line.substr(0, colon), http::trim_blanks(line.substr(std::min(colon + 1, line.size()))));
    }
  }
};

// Shared by the users of a run: settings, certificates that are trusted, addresses that were looked up. Any thread.
class HttpShared {
 public:
  struct Settings {
    bool keep_connections = true;
    TlsContexts::Settings tls;
    std::string dns_policy = "preferIPv4";
    std::string dns_select = "roundRobin";
    std::chrono::nanoseconds dns_ttl = std::chrono::minutes{5};  // the largest: for ever
    LocalAddresses local_addresses;                              // none: the system's choice
    std::map<std::string, std::string> hosts;
    std::vector<std::string> blacklist_ips;
    std::vector<std::string> block_hostnames;
  };
  // An error: a certificate or an address that cannot be read.
  static Result<std::unique_ptr<HttpShared>> make(Settings settings);

  struct Address {
    std::string ip;
    std::uint16_t port;
  };
  struct Failure {
    int code;
    std::string message;
  };
  // Blocks while it asks the resolver; answers are kept as dns_ttl says.
  Result<Address, Failure> look_up(const Url& url);
  const Settings& settings() const { return settings_; }
  // For a connection to that host.
  SSL_CTX* tls_context(const std::string& host) const { return tls_->for_host(host); }

 private:
  struct Known {
    std::vector<std::string> ips;
    Steady::time_point until;
    std::size_t turn = 0;
  };
  explicit HttpShared(Settings settings) : settings_(std::move(settings)) {}
  Result<Done> prepare();
  Result<std::string, Failure> address_of(const std::string& host);
  std::string choose(Known& known) const;
  Result<std::vector<std::string>, Failure> resolve_name(const std::string& host);

  const Settings settings_;
  std::optional<TlsContexts> tls_;    // made by prepare(), constant since
  std::vector<IpRange> blacklisted_;  // the same
  std::mutex mutex_;
  std::map<std::string, Known> known_;  // guarded by mutex_
};

class HttpClient {
 public:
  // `user`: its number, which decides on its local address.
  HttpClient(HttpShared& shared, const Interruption& interruption, std::int64_t user);
  ~HttpClient();

  HttpResponse send(const HttpRequest& request);
  // At most `most` at a time, and `most_per_host` to one host. Answers in the order of the requests.
  std::vector<HttpResponse> send_all(const std::vector<HttpRequest>& requests, std::size_t most,
                                     std::size_t most_per_host);

  // One of several that run while the script goes on. `ready()` gives those that are done.
  std::uint64_t start(HttpRequest request);
  bool anything_started() const { return !started_.empty(); }
  // Works on what was started, at most until then.
  void work_until(Steady::time_point until);
  std::vector<std::pair<std::uint64_t, HttpResponse>> take_ready();
  void drop_started();

  void close_idle();

 private:
  struct Connection;
  class Exchange;
  struct Started;

  std::unique_ptr<Connection> take_idle(const std::string& key);
  void keep(std::unique_ptr<Connection> connection);
  // Waits until one of them can go on, at most until `until`. False: interrupted.
  bool wait_for_any(const std::vector<Exchange*>& exchanges, Steady::time_point until);

  HttpShared& shared_;
  const Interruption& interruption_;
  const std::string local_ip_;                                            // "": the system's choice
  std::map<std::string, std::vector<std::unique_ptr<Connection>>> idle_;  // by origin
  std::map<std::string, SSL_SESSION*> sessions_;                          // by origin
  std::vector<std::unique_ptr<Started>> started_;
  std::vector<std::pair<std::uint64_t, HttpResponse>> ready_;
  std::uint64_t next_id_ = 1;
  std::string buffer_;
};

}  // namespace securebase::k6
