#include "load/engine/connection.h"

#include <sys/socket.h>

#include <array>

namespace securebase::load {

namespace {

using Clock = std::chrono::steady_clock;

// Between two requests that follow each other at once there is no time to send anything unasked, and to look would cost
// each of them a system call.
constexpr std::chrono::milliseconds kIdle{1};

// What a read or a write reports, of a connection that stood.
Failure failure_on_wire(const Error& error, bool answer_begun) {
  switch (error.code) {
    case Errc::kClosed:
      return answer_begun ? Failure::kEndedEarly : Failure::kReset;
    case Errc::kTimeout:  // the kernel gave up resending
      return Failure::kTimeout;
    case Errc::kMalformed:
      return Failure::kTls;
    case Errc::kCancelled:
      return Failure::kCancelled;
    case Errc::kUnavailable:
      return Failure::kUnreachable;
    default:
      return Failure::kOther;
  }
}

Connection::Opened not_opened(const Error& error, bool during_tls) {
  Connection::Opened opened;
  opened.failure = failure_of(error, during_tls);
  opened.explanation = error.message;
  opened.connected = opened.secured = Clock::now();
  return opened;
}

}  // namespace

net::Task<Connection::Opened> Connection::open(WorkerContext& worker, Origin origin, std::chrono::milliseconds limit) {
  const auto begun = Clock::now();
  net::Address address;
  address.host = origin.host;
  if (const auto known = worker.addresses.find(origin.host); known != worker.addresses.end()) {
    address.host = known->second;
  }
  address.port = origin.port;
  auto stream = co_await net::connect(std::move(address), limit);
  if (!stream) {
    worker.addresses.erase(origin.host);
    co_return not_opened(stream.error(), false);
  }
  const auto peer = (*stream)->peer_address();
  // Another user's failure may have made it forgotten meanwhile.
  if (!peer.empty()) worker.addresses.try_emplace(origin.host, peer);
  Opened opened;
  opened.connected = opened.secured = Clock::now();
  if (origin.tls) {
    if (!worker.tls) co_return not_opened(Error{Errc::kMalformed, "no TLS was set up"}, true);
    const auto left = std::max(limit - std::chrono::duration_cast<std::chrono::milliseconds>(opened.connected - begun),
                               std::chrono::milliseconds{1});
    auto secured = co_await net::with_timeout(left, worker.tls->connect(std::move(*stream), origin.host));
    if (!secured) co_return not_opened(secured.error(), true);
    stream = std::move(secured);
    opened.secured = Clock::now();
  }
  opened.connection = std::make_unique<Connection>(worker, std::move(*stream));
  co_return opened;
}

Connection::Connection(WorkerContext& worker, std::unique_ptr<net::Stream> stream)
    : worker_(worker), stream_(std::move(stream)) {
  worker_.sweeper.watch(*this);
}

Connection::~Connection() = default;

void Connection::on_deadline() {
  if (!waiting_) return;
  expired_ = true;
  waiting_->cancel();
}

// Not of TLS: there tickets and key updates come unasked, and an answer between them is no weaker than the peer itself.
bool Connection::spoke_unasked() const {
  if (!stream_->tls_version().empty() || Clock::now() - kIdle < last_byte_) return false;
  char byte = 0;
  return ::recv(stream_->descriptor(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

net::Task<void> Connection::exchange(const Request& request, Keep keep, const Limits& limits, Answer& answer) {
  reader_.begin(request.is_head, keep, limits.head_bytes, limits.body_bytes);
  reusable_ = expired_ = false;
  std::array<iovec, 2> pieces;
  pieces[0] = {const_cast<char*>(request.head.data()), request.head.size()};
  pieces[1] = {const_cast<char*>(request.body.data()), request.body.size()};
  answer.times.sent = Clock::now();
  deadline_ = answer.times.sent + std::min(limits.first_byte, limits.whole);
  {
    auto write = stream_->write(std::span(pieces).first(request.body.empty() ? 1 : 2));
    waiting_ = &write;
    auto written = co_await write;
    waiting_ = nullptr;
    if (!written) answer.failure = expired_ ? Failure::kTimeout : failure_on_wire(written.error(), false);
  }
  if (answer.ok()) answer.sent_bytes = request.head.size() + request.body.size();
  while (answer.ok()) {
    auto read = stream_->read({worker_.scratch.get(), WorkerContext::kScratch});
    waiting_ = &read;
    auto got = co_await read;
    waiting_ = nullptr;
    answer.times.last_byte = Clock::now();
    const bool begun = answer.received_bytes != 0;
    if (!got) {
      answer.failure = expired_ ? Failure::kTimeout : failure_on_wire(got.error(), begun);
      break;
    }
    auto outcome = ResponseReader::Outcome::kComplete;
    if (*got == 0) {
      if (reader_.end() != outcome) {
        answer.failure = begun ? Failure::kEndedEarly : Failure::kReset;
        break;
      }
    } else {
      if (!begun) {
        answer.times.first_byte = answer.times.last_byte;
        deadline_ = answer.times.sent + limits.whole;
      }
      answer.received_bytes += *got;
      std::string_view bytes(worker_.scratch.get(), *got);
      outcome = reader_.take(bytes);
      if (outcome == ResponseReader::Outcome::kMore) continue;
      // Bytes that nobody asked for: the answer stands, but what would come next is anybody's guess.
      reusable_ =
          outcome == ResponseReader::Outcome::kComplete && reader_.keep_alive() && bytes.empty() && !request.closes;
    }
    if (outcome == ResponseReader::Outcome::kGarbage) answer.failure = Failure::kGarbage;
    if (outcome == ResponseReader::Outcome::kTooLarge) answer.failure = Failure::kTooLarge;
    if (!answer.ok()) break;
    answer.status = reader_.status();
    answer.body_bytes = reader_.body_bytes();
    if (keep != Keep::kNothing) answer.head = reader_.take_head();
    if (keep == Keep::kAll) answer.body = reader_.take_body();
    break;
  }
  deadline_ = base::SteadyPoint::max();
  last_byte_ = answer.times.last_byte;
  if (answer.ok()) co_return;
  answer.times.last_byte = Clock::now();
  stream_->close();
}

}  // namespace securebase::load
