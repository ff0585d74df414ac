#include "k6/platform_hops.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "load/report/result_view.h"
#include "load/report/terminal.h"

namespace securebase::k6 {

namespace {

constexpr std::chrono::seconds kAnswersWithin{15};
constexpr std::size_t kMostAnswerBytes = 4 << 20;
constexpr double kSmallestShare = 0.005;  // of a route's time: hops with less are left out

}  // namespace

base::Json ask_for_hops(int socket, std::chrono::milliseconds duration, double requests) {
  if (socket < 0) return {};
  const auto question =
      base::Json::object({{"duration_ms", std::int64_t{duration.count()}}, {"requests", requests}}).dump() + "\n";
  if (::send(socket, question.data(), question.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(question.size()))
    return {};
  const auto until = std::chrono::steady_clock::now() + kAnswersWithin;
  std::string answer;
  while (!answer.ends_with('\n') && answer.size() <= kMostAnswerBytes) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
    pollfd readable{socket, POLLIN, 0};
    if (left <= 0) return {};
    if (poll(&readable, 1, static_cast<int>(left)) <= 0) continue;  // late, or a signal
    char piece[16 << 10];
    const auto got = ::recv(socket, piece, sizeof piece, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return {};
    answer.append(piece, static_cast<std::size_t>(got));
  }
  auto hops = base::Json::parse(answer);
  return hops ? std::move(*hops) : base::Json();
}

std::string hops_text(const base::Json& hops) {
  const auto routes = load::routes_of(hops);
  if (routes.empty()) return "";
  std::string text = "\n  WHERE THE TIME WENT IN SECUREBASE (of requests around each route's p95)\n";
  std::size_t width = 0;
  for (const auto& route : routes) width = std::max(width, route.name.size());
  for (const auto& route : routes) {
    double whole = 0;
    for (const auto& [name, seconds] : route.hops_s) whole += seconds;
    std::string way;
    for (const auto& [name, seconds] : route.hops_s) {
      if (!(seconds > kSmallestShare * whole)) continue;
      way += fmt::format("{}{} {}", way.empty() ? "" : ", ", name, load::duration_text(seconds * 1000));
    }
    text += fmt::format("  {:.<{}}: {:.0f} requests, p50 {}, p95 {}: {}\n", route.name, width + 3, route.requests,
                        load::duration_text(route.p50_s * 1000), load::duration_text(route.p95_s * 1000),
                        way.empty() ? "no hops are known" : way);
  }
  return text + "\n";
}

}  // namespace securebase::k6
