#include "k6/http_client.h"

#include <fmt/format.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "k6/failures.h"
#include "k6/http_exchange.h"

namespace securebase::k6 {

namespace {

constexpr std::size_t kReadBytes = 64 << 10;
constexpr std::size_t kMostIdle = 100;

}  // namespace

std::string_view HttpResponse::status_text() const {
  const auto space = status_line.find(' ');
  return space == std::string::npos ? std::string_view{} : std::string_view(status_line).substr(space + 1);
}

std::optional<std::string_view> HttpResponse::field(std::string_view name) const {
  std::optional<std::string_view> found;
  for_each_field([&](std::string_view key, std::string_view value) {
    if (!found && key.size() == name.size() && strncasecmp(key.data(), name.data(), name.size()) == 0) found = value;
  });
  return found;
}

struct HttpClient::Started {
  std::uint64_t id;
  HttpRequest request;
  std::unique_ptr<Exchange> exchange;
};

HttpClient::HttpClient(HttpShared& shared, const Interruption& interruption, std::int64_t user)
    : shared_(shared),
      interruption_(interruption),
      local_ip_(shared.settings().local_addresses.of_user(user)),
      buffer_(kReadBytes, '\0') {}

HttpClient::~HttpClient() {
  started_.clear();
  idle_.clear();
  for (auto& [key, session] : sessions_) SSL_SESSION_free(session);
}

std::unique_ptr<HttpClient::Connection> HttpClient::take_idle(const std::string& key) {
  const auto found = idle_.find(key);
  if (found == idle_.end() || found->second.empty()) return nullptr;
  auto connection = std::move(found->second.back());
  found->second.pop_back();
  return connection;
}

void HttpClient::keep(std::unique_ptr<Connection> connection) {
  if (connection->ssl && SSL_SESSION_is_resumable(SSL_get0_session(connection->ssl))) {
    // A ticket serves one resumption in TLS 1.3; the latest is kept, and the connection carries most requests anyway.
    auto& session = sessions_[connection->key];
    if (session) SSL_SESSION_free(session);
    session = SSL_get1_session(connection->ssl);
  }
  auto& idle = idle_[connection->key];
  if (idle.size() < kMostIdle) idle.push_back(std::move(connection));
}

void HttpClient::close_idle() { idle_.clear(); }

bool HttpClient::wait_for_any(const std::vector<Exchange*>& exchanges, Steady::time_point until) {
  std::vector<pollfd> waiting;
  waiting.reserve(exchanges.size() + 1);
  waiting.push_back({interruption_.wake_fd(), POLLIN, 0});
  until = std::min(until, interruption_.deadline());
  for (const auto* exchange : exchanges) {
    waiting.push_back({exchange->fd(), exchange->wanted(), 0});
    until = std::min(until, exchange->deadline());
  }
  const auto left = std::max<std::int64_t>(0, std::chrono::nanoseconds(until - Steady::now()).count());
  const timespec timeout{static_cast<time_t>(left / 1'000'000'000), static_cast<long>(left % 1'000'000'000)};
  ppoll(waiting.data(), waiting.size(), &timeout, nullptr);
  return !interruption_.due();
}

HttpResponse HttpClient::send(const HttpRequest& request) {
  Exchange exchange(*this, request);
  exchange.step();
  while (!exchange.done()) {
    const auto until = std::min(exchange.deadline(), interruption_.deadline());
    const auto left = until - Steady::now();
    bool late = left.count() <= 0;
    if (left > 2 * kNap && exchange.can_wait()) {
      // One call for waiting and taking; whether to end is asked when it comes back empty.
      late = !exchange.wait_and_step();
    } else {
      pollfd waiting[2] = {{exchange.fd(), exchange.wanted(), 0}, {interruption_.wake_fd(), POLLIN, 0}};
      const auto nanoseconds = std::max<std::int64_t>(0, std::chrono::nanoseconds(left).count());
      const timespec timeout{static_cast<time_t>(nanoseconds / 1'000'000'000),
                             static_cast<long>(nanoseconds % 1'000'000'000)};
      const int ready = ppoll(waiting, 2, &timeout, nullptr);
      if (ready > 0 && waiting[0].revents) exchange.step();
      late = ready <= 0 || waiting[1].revents;
    }
    if (!late || exchange.done()) continue;
    if (interruption_.due()) {
      exchange.interrupt();
    } else if (Steady::now() >= exchange.deadline()) {
      exchange.expire();
    }
  }
  return exchange.take();
}

std::vector<HttpResponse> HttpClient::send_all(const std::vector<HttpRequest>& requests, std::size_t most,
                                               std::size_t most_per_host) {
  std::vector<HttpResponse> responses(requests.size());
  std::vector<bool> begun(requests.size(), false);
  std::vector<std::pair<std::size_t, std::unique_ptr<Exchange>>> active;
  std::map<std::string, std::size_t> by_host;
  std::size_t left = requests.size();
  most = std::max<std::size_t>(1, most);
  while (left > 0) {
    for (std::size_t i = 0; i < requests.size() && active.size() < most; ++i) {
      if (begun[i] || (most_per_host > 0 && by_host[requests[i].url->host] >= most_per_host)) continue;
      begun[i] = true;
      ++by_host[requests[i].url->host];
      active.emplace_back(i, std::make_unique<Exchange>(*this, requests[i]));
      active.back().second->step();
    }
    for (auto entry = active.begin(); entry != active.end();) {
      auto& exchange = *entry->second;
      if (!exchange.done() && Steady::now() >= exchange.deadline()) exchange.expire();
      if (!exchange.done()) {
        ++entry;
        continue;
      }
      responses[entry->first] = exchange.take();
      --by_host[requests[entry->first].url->host];
      --left;
      entry = active.erase(entry);
    }
    if (active.empty()) continue;
    if (active.size() < most && left > active.size()) {
      const bool room = [&] {
        for (std::size_t i = 0; i < requests.size(); ++i) {
          if (!begun[i] && (most_per_host == 0 || by_host[requests[i].url->host] < most_per_host)) return true;
        }
        return false;
      }();
      if (room) continue;
    }
    std::vector<Exchange*> waiting;
    for (auto& [index, exchange] : active) waiting.push_back(exchange.get());
    if (!wait_for_any(waiting, Steady::time_point::max())) {
      for (auto& [index, exchange] : active) {
        exchange->interrupt();
        responses[index] = exchange->take();
      }
      for (std::size_t i = 0; i < requests.size(); ++i) {
        if (!begun[i]) responses[i].interrupted = true;
      }
      return responses;
    }
    for (auto* exchange : waiting) exchange->step();
  }
  return responses;
}

std::uint64_t HttpClient::start(HttpRequest request) {
  auto started = std::make_unique<Started>();
  started->id = next_id_++;
  started->request = std::move(request);
  started->exchange = std::make_unique<Exchange>(*this, started->request);
  started->exchange->step();
  const auto id = started->id;
  started_.push_back(std::move(started));
  return id;
}

void HttpClient::work_until(Steady::time_point until) {
  const auto collect = [this] {
    for (auto entry = started_.begin(); entry != started_.end();) {
      auto& exchange = *(*entry)->exchange;
      if (!exchange.done() && Steady::now() >= exchange.deadline()) exchange.expire();
      if (!exchange.done()) {
        ++entry;
        continue;
      }
      ready_.emplace_back((*entry)->id, exchange.take());
      entry = started_.erase(entry);
    }
  };
  collect();
  if (!ready_.empty()) return;
  std::vector<Exchange*> waiting;
  for (auto& started : started_) waiting.push_back(started->exchange.get());
  if (!wait_for_any(waiting, until)) return;
  for (auto* exchange : waiting) exchange->step();
  collect();
}

std::vector<std::pair<std::uint64_t, HttpResponse>> HttpClient::take_ready() { return std::exchange(ready_, {}); }

void HttpClient::drop_started() {
  started_.clear();
  ready_.clear();
}

}  // namespace securebase::k6
