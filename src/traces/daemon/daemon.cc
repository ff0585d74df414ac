#include "traces/daemon/daemon.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "traces/daemon/datagram.h"

namespace securebase::traces {

namespace {

constexpr std::size_t kDatagramBytes = 65'536;
constexpr int kReceiveBytes = 4 << 20;  // as far as the kernel lets (net.core.rmem_max)
constexpr std::size_t kQuestionBytes = 256 << 10;

http::Response json_answer(int status, std::string text) {
  http::Response response;
  response.status = status;
  response.headers.add("Content-Type", "application/json");
  response.body = std::move(text);
  return response;
}

}  // namespace

Result<std::string_view> document_of(std::string_view datagram) {
  const auto line = datagram.find('\n');
  if (line == std::string_view::npos || line > 256) {
    return Error{Errc::kMalformed, "a datagram has a header line and a document"};
  }
  const auto header = base::Json::parse(datagram.substr(0, line));
  if (!header || (*header)["format"].string_or("") != "json" || (*header)["version"].integer_or(0) != 1) {
    return Error{Errc::kMalformed, R"(a datagram's first line is {"format": "json", "version": 1})"};
  }
  return datagram.substr(line + 1);
}

Result<std::unique_ptr<Daemon>> Daemon::start(const std::string& host, std::uint16_t port, Collector& collector,
                                              const base::Clock& clock) {
  const std::string named = fmt::format("{}:{}", host, port);
  sockaddr_storage address{};
  socklen_t length = 0;
  if (auto* four = reinterpret_cast<sockaddr_in*>(&address); inet_pton(AF_INET, host.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(port);
    length = sizeof *four;
  } else if (auto* six = reinterpret_cast<sockaddr_in6*>(&address);
             inet_pton(AF_INET6, host.c_str(), &six->sin6_addr) == 1) {
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    length = sizeof *six;
  } else {
    return Error{Errc::kMalformed,
                 fmt::format("\"{}\" is no address for the X-Ray daemon: expected an IP address", host)};
  }
  const int made = socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (made < 0) return system_error(errno, "socket", "the X-Ray daemon");
  setsockopt(made, SOL_SOCKET, SO_RCVBUF, &kReceiveBytes, sizeof kReceiveBytes);
  if (bind(made, reinterpret_cast<const sockaddr*>(&address), length) != 0) {
    const auto error = system_error(errno, "bind", "UDP " + named);
    close(made);
    return error;
  }
  const int end = eventfd(0, EFD_CLOEXEC);
  if (end < 0) {
    const auto error = system_error(errno, "eventfd", "the X-Ray daemon");
    close(made);
    return error;
  }
  return std::unique_ptr<Daemon>(new Daemon(made, end, collector, clock));
}

Daemon::Daemon(int socket, int end, Collector& collector, const base::Clock& clock)
    : socket_(socket), end_(end), collector_(collector), clock_(clock), thread_([this] { run(); }) {}

Daemon::~Daemon() {
  const std::uint64_t one = 1;
  static_cast<void>(write(end_, &one, sizeof one));
  thread_.join();
  close(socket_);
  close(end_);
}

void Daemon::run() {
  std::string buffer(kDatagramBytes, '\0');
  pollfd watched[2] = {{socket_, POLLIN, 0}, {end_, POLLIN, 0}};
  for (;;) {
    if (poll(watched, 2, -1) < 0 && errno != EINTR) return;
    if (watched[1].revents != 0) return;
    // So many at a time: who floods us must not keep us from ending.
    for (int left = 256; left > 0; --left) {
      const auto got = recv(socket_, buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (got < 0) break;
      take({buffer.data(), static_cast<std::size_t>(got)});
    }
  }
}

void Daemon::take(std::string_view datagram) {
  datagrams_.fetch_add(1, std::memory_order_relaxed);
  const auto document = document_of(datagram);
  std::string why;
  if (document) {
    auto parsed = parse_segment(*document, clock_.now());
    if (parsed) {
      const WallTime begin{std::chrono::nanoseconds{static_cast<std::int64_t>(parsed->segment.begin * 1e9)}};
      collector_.submit({{parsed->trace, begin, std::string(*document)}, std::move(parsed->segment)});
      return;
    }
    why = fmt::format("{}: {}", parsed.error().code, parsed.error().message);
  } else {
    why = document.error().message;
  }
  // Nobody is told by UDP; the first of them is said, the others are counted.
  if (refused_.fetch_add(1, std::memory_order_relaxed) == 0) {
    base::log(base::Level::kWarning, "traces", "a datagram to the X-Ray daemon is not taken: {}", why);
  }
}

net::Task<http::Response> DaemonQuestions::answer(http::Request& request) {
  std::string body;
  if (request.body) {
    auto read = co_await http::read_all(*request.body, kQuestionBytes);
    if (!read) co_return json_answer(413, base::Json::object({{"message", read.error().message}}).dump());
    body = std::move(*read);
  }
  if (request.method == http::Method::kPost && request.path == "/GetSamplingRules") {
    co_return json_answer(200, rules_.list().dump());
  }
  if (request.method == http::Method::kPost && request.path == "/SamplingTargets") {
    const auto input = base::Json::parse(body);
    if (!input) co_return json_answer(400, base::Json::object({{"message", input.error().message}}).dump());
    co_return json_answer(200, rules_.targets(*input).dump());
  }
  co_return json_answer(404, R"({"message":"The X-Ray daemon answers POST /GetSamplingRules and /SamplingTargets"})");
}

}  // namespace securebase::traces
