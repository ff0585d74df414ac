#include "lambda/calls.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <vector>

#include "base/json.h"
#include "base/random.h"

namespace securebase::lambda {

namespace {

using std::chrono::nanoseconds;
constexpr std::size_t kMostTold = 50;  // calls of one invocation, each a datagram

struct Call {
  Peer peer;
  const char* what;
  base::SteadyPoint begin;
  nanoseconds took;
  bool failed;
};

struct Calls {
  std::array<std::uint32_t, 2> counts{};
  std::array<nanoseconds, 2> times{};
  // Of a sampled trace.
  std::string root;
  std::string parent;
  std::vector<Call> told;
};
Calls calls;  // NOLINT: of the invocation in progress

// Connected to the daemon; -1: there is none.
int daemon_socket() {
  static const int made = [] {
    const char* address = std::getenv("AWS_XRAY_DAEMON_ADDRESS");
    const std::string text = address ? address : "";
    const auto colon = text.rfind(':');
    sockaddr_in to{};
    std::uint16_t port = 0;
    if (colon == std::string::npos || inet_pton(AF_INET, text.substr(0, colon).c_str(), &to.sin_addr) != 1) return -1;
    std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    const int one = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (one >= 0 && connect(one, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) return one;
    return -1;
  }();
  return made;
}

std::string value_of(std::string_view header, std::string_view name) {
  const auto at = header.find(name);
  if (at == std::string_view::npos) return {};
  const auto rest = header.substr(at + name.size());
  return std::string(rest.substr(0, rest.find(';')));
}

std::string subsegment(const Call& call, double now, base::SteadyPoint steady_now) {
  using base::Json;
  const double begin = now - std::chrono::duration<double>(steady_now - call.begin).count();
  const bool sql = call.peer == Peer::kSql;
  Json json = Json::object({{"trace_id", calls.root},
                            {"parent_id", calls.parent},
                            {"id", base::random_hex(16)},
                            {"type", "subsegment"},
                            {"name", sql ? "PostgreSQL" : "Redis"},
                            {"origin", sql ? "Database::SQL" : "Database::Redis"},
                            {"namespace", "remote"},
                            {"start_time", begin},
                            {"end_time", begin + std::chrono::duration<double>(call.took).count()}});
  if (sql) {
    json.set("sql", Json::object({{"database_type", "PostgreSQL"}, {"sanitized_query", call.what}}));
  } else {
    json.set("annotations", Json::object({{"command", call.what}}));
  }
  if (call.failed) json.set("fault", true);
  return json.dump();
}

}  // namespace

CallTimer::~CallTimer() {
  const nanoseconds took = std::chrono::steady_clock::now() - begin_;
  const auto at = static_cast<std::size_t>(peer_);
  ++calls.counts[at];
  calls.times[at] += took;
  if (!calls.root.empty() && calls.told.size() < kMostTold) calls.told.push_back({peer_, what_, begin_, took, failed_});
}

void begin_calls(std::string_view trace) {
  calls.counts = {};
  calls.times = {};
  calls.told.clear();
  calls.root.clear();
  if (value_of(trace, "Sampled=") != "1") return;
  calls.root = value_of(trace, "Root=");
  calls.parent = value_of(trace, "Parent=");
}

std::string calls_header() {
  std::string list;
  for (std::size_t i = 0; i < 2; ++i) {
    if (calls.counts[i] == 0) continue;
    list += fmt::format("{}{}={};{}", list.empty() ? "" : ", ", i == 0 ? "sql" : "cache", calls.counts[i],
                        calls.times[i].count());
  }
  return list.empty() ? list : fmt::format("Securebase-Runtime-Calls: {}\r\n", list);
}

void send_calls() {
  if (calls.told.empty() || daemon_socket() < 0) return;
  const double now = std::chrono::duration<double>(base::system_clock().now().time_since_epoch()).count();
  const auto steady_now = std::chrono::steady_clock::now();
  for (const auto& call : calls.told) {
    const auto datagram = "{\"format\":\"json\",\"version\":1}\n" + subsegment(call, now, steady_now);
    static_cast<void>(send(daemon_socket(), datagram.data(), datagram.size(), MSG_DONTWAIT));
  }
}

}  // namespace securebase::lambda
