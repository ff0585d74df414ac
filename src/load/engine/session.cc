#include "load/engine/session.h"

#include "net/worker.h"

namespace securebase::load {

using Clock = std::chrono::steady_clock;

Session::Session(WorkerContext& worker, Arrival arrival, base::SteadyPoint intended, Connections* shared)
    : worker_(worker), arrival_(arrival), intended_(intended), own_(worker), connections_(shared ? *shared : own_) {}

Session::~Session() = default;

net::Task<Answer> Session::send(const Request& request, Keep keep, const Limits& limits) {
  Answer answer;
  answer.times.begun = answer.times.connected = answer.times.secured = Clock::now();
  auto connection = connections_.take_kept(request.origin);
  if (!connection) {
    auto opened = co_await connections_.get(request.origin, limits.connect);
    connection = std::move(opened.connection);
    if (!connection) {
      answer.failure = opened.failure;
      answer.explanation = std::move(opened.explanation);
      answer.times.sent = answer.times.first_byte = answer.times.last_byte = Clock::now();
      if (is_generators_own(answer.failure)) ++worker_.own_failures;
      co_return answer;
    }
    answer.times.new_connection = opened.connected != base::SteadyPoint{};
    if (answer.times.new_connection) {
      answer.times.connected = opened.connected;
      answer.times.secured = opened.secured;
    }
  }
  co_await connection->exchange(request, keep, limits, answer);
  connections_.put_back(request.origin, std::move(connection));
  co_return answer;
}

net::Task<Result<Done>> Session::think(std::chrono::nanoseconds duration) {
  if (stopping()) co_return Error{Errc::kCancelled, "the run ends"};
  co_return co_await net::sleep_for(duration);
}

}  // namespace securebase::load
