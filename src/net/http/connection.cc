#include "net/http/connection.h"

#include <fmt/format.h>

#include <cstring>

#include "base/log.h"
#include "net/http/syntax.h"
#include "telemetry/span.h"

namespace securebase::http {

using net::Task;

namespace {

constexpr std::size_t kFirstInput = 4 << 10;
constexpr std::size_t kIdleInput = 16 << 10;     // a larger one is given back between requests
constexpr std::size_t kBodyBuffer = 32 << 10;    // of a streamed request body
constexpr std::size_t kDrainedBody = 256 << 10;  // of an unread body; beyond, the connection is closed instead
constexpr std::size_t kLingeredBytes = 1 << 20;
constexpr std::chrono::seconds kLingerTime{2};

}  // namespace

std::string_view ConnectionHost::date_line() {
  if (now() >= date_until_) {
    wall_ = base::system_clock().now();
    date_line_ = "Date: " + base::http_date(wall_) + "\r\n";
    const auto next_second = std::chrono::floor<std::chrono::seconds>(wall_) + std::chrono::seconds(1);
    date_until_ = now() + (next_second - wall_);
  }
  return date_line_;
}

ConnectionHost::ConnectionHost(const ServerSettings& settings, Handler& handler)
    : settings(settings), handler(handler), loop_(net::Worker::current().loop()) {}

void Input::reallocate(std::size_t capacity) {
  auto memory = std::make_unique_for_overwrite<char[]>(capacity);
  if (end_ > begin_) std::memcpy(memory.get(), memory_.get() + begin_, end_ - begin_);
  memory_ = std::move(memory);
  capacity_ = capacity;
  end_ -= begin_;
  begin_ = 0;
}

std::span<char> Input::room() {
  if (begin_ == end_) begin_ = end_ = 0;
  if (!memory_ || (end_ == 0 && capacity_ > kIdleInput)) {
    reallocate(kFirstInput);
  } else if (end_ == capacity_) {
    reallocate(begin_ > capacity_ / 2 ? capacity_ : capacity_ * 2);  // the parser's limits end the growth
  }
  return {memory_.get() + end_, capacity_ - end_};
}

void Input::assign(std::string_view bytes) {
  begin_ = end_ = 0;
  if (capacity_ < bytes.size()) reallocate(std::max(kFirstInput, bytes.size()));
  if (!bytes.empty()) std::memmove(memory_.get(), bytes.data(), bytes.size());
  end_ = bytes.size();
}

// --- The request's body

void Connection::RequestBody::begin(const RequestParser::Framing& framing, std::string_view buffered) {
  chunked_ = framing.chunked;
  left_ = framing.content_length.value_or(0);
  done_ = !framing.has_body();
  expects_continue_ = framing.expects_continue && !done_ && buffered.empty();
  decoder_ = ChunkedDecoder();
  reads_own_ = false;
  taken_ = 0;
  failure_ = 0;
  raw_ = buffered;
}

Error Connection::RequestBody::fail(int status, Error error) {
  failure_ = status;
  return error;
}

void Connection::RequestBody::finish() {
  done_ = true;
  // From here on nothing but the response is left: a client that has gone does not wait for it.
  if (connection_.stream_->hung_up()) connection_.on_hang_up();
}

// A piece from what has come; empty at the end; nullopt: read more.
Result<std::optional<std::string_view>> Connection::RequestBody::take() {
  std::string_view piece;
  if (chunked_) {
    auto step = decoder_.next(raw_);
    if (!step) return fail(400, step.error());
    if (*step == ChunkedDecoder::Step::kNeedMore) return std::optional<std::string_view>{};
    if (*step == ChunkedDecoder::Step::kEnd) {
      finish();
      return std::optional(std::string_view{});
    }
    piece = decoder_.data();
  } else {
    if (raw_.empty()) return std::optional<std::string_view>{};
    piece = raw_.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, raw_.size())));
    raw_.remove_prefix(piece.size());
    left_ -= piece.size();
    if (left_ == 0) finish();
  }
  taken_ += piece.size();
  const auto limit = connection_.host_.settings.limits.body_bytes;
  if (taken_ > limit) {
    return fail(413, Error{Errc::kLimit, fmt::format("the request's body is longer than {} bytes", limit)});
  }
  return std::optional(piece);
}

Task<Result<std::string_view>> Connection::RequestBody::next() {
  if (failure_) co_return Error{Errc::kClosed, "the request's body ended in an error before"};
  if (done_) co_return std::string_view{};
  if (expects_continue_) {
    expects_continue_ = false;
    connection_.output_.add_copy("HTTP/1.1 100 Continue\r\n\r\n");
    const bool sent = co_await connection_.flush();
    if (!sent) co_return fail(kGone, Error{Errc::kClosed, "the client went away"});
  }
  for (;;) {
    auto piece = take();
    if (!piece) co_return piece.error();
    if (*piece) co_return **piece;
    if (!memory_) memory_ = std::make_unique_for_overwrite<char[]>(kBodyBuffer);
    // By length, not a byte more than the body: what follows belongs to the input.
    const std::size_t wanted =
        chunked_ ? kBodyBuffer : static_cast<std::size_t>(std::min<std::uint64_t>(left_, kBodyBuffer));
    const auto phase = connection_.phase_;
    connection_.enter(Phase::kBody);
    auto read = connection_.stream_->read({memory_.get(), wanted});
    connection_.reading_ = &read;
    auto got = co_await read;
    connection_.reading_ = nullptr;
    connection_.enter(phase);
    if (!got && connection_.expired_) {
      co_return fail(408, Error{Errc::kTimeout, "the request's body stopped coming"});
    }
    if (!got) co_return fail(kGone, got.error());
    if (*got == 0) co_return fail(kGone, Error{Errc::kClosed, "the client went away within the request's body"});
    raw_ = {memory_.get(), *got};
    reads_own_ = true;
  }
}

// --- The connection

Connection::Connection(ConnectionHost& host, std::unique_ptr<net::Stream> stream)
    : host_(host),
      stream_(std::move(stream)),
      parser_({host.settings.limits.head_bytes, host.settings.limits.target_bytes, host.settings.limits.header_count}) {
  since_ = host_.now();
}

Connection::~Connection() {
  if (stream_) stream_->listen_for_hang_up(nullptr);
}

void Connection::enter(Phase phase) {
  phase_ = phase;
  since_ = host_.now();
}

void Connection::expire(base::SteadyPoint now) {
  const auto& limits = host_.settings.limits;
  const auto waited = now - since_;
  switch (phase_) {
    case Phase::kIdle:
      if (waited > limits.idle_time || host_.draining) stream_->close();
      break;
    case Phase::kHead:
    case Phase::kBody:
      if (waited > (phase_ == Phase::kHead ? limits.head_time : limits.body_time) && reading_) {
        expired_ = true;
        reading_->cancel();
      }
      break;
    case Phase::kWrite:  // one write may be a whole large response: as long as some of it goes, it goes on
      if (stream_->written() != written_) {
        written_ = stream_->written();
        since_ = now;
      } else if (waited > limits.body_time) {
        stream_->close();
      }
      break;
    case Phase::kLinger:
      if (waited > kLingerTime) stream_->close();
      break;
    case Phase::kHandshake:  // has a limit of its own
    case Phase::kHandler:
      break;
  }
}

void Connection::on_hang_up() {
  // Requests that are pipelined behind this one, or a body that is not read yet, end when reading comes to their end.
  if (handler_cancellation_ && body_.is_done() && body_.beyond().empty()) handler_cancellation_->request();
}

Task<bool> Connection::shake_hands() {
  const auto& tls = host_.settings.tls;
  if (!tls) co_return true;
  auto secured = co_await tls->accept(std::move(stream_));
  if (!secured) co_return false;
  stream_ = std::move(*secured);
  co_return true;
}

Task<void> Connection::run() {
  const bool ready = co_await shake_hands();
  if (!ready) co_return;
  stream_->listen_for_hang_up(this);
  request_.scheme = host_.settings.tls ? "https" : "http";
  request_.peer_address = stream_->peer_address();
  request_.peer_port = stream_->peer_port();
  request_.connection = ++host_.connections;
  request_.tls_version = stream_->tls_version();
  enter(Phase::kIdle);
  for (;;) {
    const auto status = parser_.parse(input_.unread(), request_);
    if (status == RequestParser::Status::kRefused) {
      co_await refuse(parser_.refusal(), parser_.reason());
      co_return;
    }
    if (status == RequestParser::Status::kDone) {
      begin_request();
      if (parser_.framing().content_length.value_or(0) > host_.settings.limits.body_bytes) {
        co_await refuse(413, "the body is too long");
        co_return;
      }
      const bool answered = host_.handler.answer_now(request_, response_);
      if (answered && body_.is_done() && queue_whole_response()) {
        const bool keep = parser_.framing().keep_alive && !host_.draining;
        end_request();
        if (keep && pipelined_ < host_.settings.limits.pipelined && !output_.is_full()) continue;
        const bool sent = co_await flush();
        if (!sent || !keep) co_return;
        continue;
      }
      const auto after = answered ? co_await send_response(After::kKeep) : co_await answer_slowly();
      if (after == After::kLinger) co_await linger();
      if (after != After::kKeep) co_return;
      end_request();
      continue;
    }
    // More is needed. What is ready goes out first.
    if (!output_.empty()) {
      enter(Phase::kWrite);
      auto sent = co_await stream_->write(output_.gather(), output_.last_in());
      output_.clear();
      pipelined_ = 0;
      if (!sent) co_return;
      phase_ = Phase::kHead;
    }
    const bool idle = input_.empty();
    if (idle && host_.draining) co_return;
    if (idle) {
      phase_ = Phase::kIdle;
      since_ = host_.now();
    } else if (phase_ != Phase::kHead) {
      enter(Phase::kHead);
    }
    auto read = stream_->read(input_.room());
    reading_ = &read;
    auto got = co_await read;
    reading_ = nullptr;
    if (!got && expired_) {
      co_await refuse(408, "the request did not come in time");
      co_return;
    }
    if (!got || *got == 0) co_return;
    input_.took(*got);
    if (idle) {
      enter(Phase::kHead);
      request_.received = since_;
    }
  }
}

void Connection::begin_request() {
  const auto unread = input_.unread();
  const auto rest = unread.subspan(parser_.head_bytes());
  body_.begin(parser_.framing(), {rest.data(), rest.size()});
  request_.body = parser_.framing().has_body() || parser_.framing().chunked ? &body_ : nullptr;
  phase_ = Phase::kHandler;
  response_.status = 200;
  response_.headers.clear();
  response_.body = Body();
  response_.prepared.reset();
  if (!host_.settings.trace_requests) return;
  request_.trace = {};
  if (const auto header = request_.headers.get("X-Amzn-Trace-Id"))
    request_.trace = telemetry::from_xray_header(*header);
  if (!request_.trace.known()) {
    if (const auto header = request_.headers.get("traceparent")) {
      request_.trace = telemetry::from_traceparent(*header);
    }
  }
  if (!request_.trace.known()) {
    host_.date_line();  // brings host_.wall() up to date
    request_.trace = telemetry::new_trace(host_.wall());
  }
}

void Connection::end_request() {
  ++pipelined_;
  if (body_.beyond_is_in_input()) {
    input_.drop(input_.unread().size() - body_.beyond().size());
  } else {
    input_.assign(body_.beyond());
    body_.release();
  }
  parser_.reset();
  request_.received = since_ = host_.now();
}

ResponseFraming Connection::response_framing(bool close) {
  const bool old = request_.version_minor == 0;
  return {.head_only = request_.method == Method::kHead,
          .close = close,
          .keep_alive = old && !close,
          .may_chunk = !old,
          .date_line = host_.date_line()};
}

// The quick way: a response that is there whole, to a request that is over.
bool Connection::queue_whole_response() {
  if (!response_.prepared && response_.body.is_stream()) return false;
  const bool close = !parser_.framing().keep_alive || host_.draining;
  const auto framing = add_head(output_, response_, response_framing(close));
  if (!framing) return false;
  if (response_.prepared) {
    if (*framing == BodyFraming::kWhole) output_.add_body_of(*response_.prepared);
    output_.hold(std::move(response_.prepared));
  } else if (*framing == BodyFraming::kWhole) {
    output_.add_body(std::move(response_.body));
  }
  return true;
}

Task<Connection::After> Connection::answer_slowly() {
  // Answers to earlier requests do not wait for this one.
  const bool sent = co_await flush();
  if (!sent) co_return After::kClose;
  phase_ = Phase::kHandler;
  net::Cancellation* outer = co_await net::this_cancellation();
  net::Cancellation cancellation(outer);
  handler_cancellation_ = &cancellation;
  if (stream_->hung_up()) on_hang_up();
  response_ = co_await host_.handler.answer(request_).under(cancellation);
  const auto after = co_await send_response(After::kKeep);
  handler_cancellation_ = nullptr;
  co_return after;
}

Task<Connection::After> Connection::send_response(After after) {
  if (body_.failure() == RequestBody::kGone) co_return After::kClose;
  if (body_.failure()) {
    co_await refuse(body_.failure(), "the body did not come as announced");
    co_return After::kClose;
  }
  if (!parser_.framing().keep_alive || host_.draining) after = After::kClose;
  const bool unread = !body_.is_done();
  // Alone, a head can still be taken back when its body fails at once.
  if (!response_.prepared && response_.body.is_stream() && !output_.empty()) {
    const bool sent = co_await flush();
    if (!sent) co_return After::kClose;
  }
  if (unread && (body_.is_withheld() || body_.bytes_left().value_or(0) > kDrainedBody)) after = After::kLinger;
  auto framing = add_head(output_, response_, response_framing(after != After::kKeep));
  if (!framing) {
    base::log(base::Level::kError, "net", "a response with status {} or a malformed field becomes a 500 for {} {}",
              response_.status, request_.method_name, request_.path.substr(0, 200));
    response_ = Response{};
    response_.status = 500;
    framing = add_head(output_, response_, response_framing(after != After::kKeep));
  }
  if (*framing == BodyFraming::kUntilClose) after = After::kClose;
  if (response_.prepared && *framing == BodyFraming::kWhole) output_.add_body_of(*response_.prepared);
  if (!response_.prepared && *framing == BodyFraming::kWhole) output_.add_body(std::move(response_.body));
  const bool streams =
      *framing == BodyFraming::kLength || *framing == BodyFraming::kChunked || *framing == BodyFraming::kUntilClose;
  if (streams) {
    const auto length = response_.body.length();
    const auto stream = response_.body.take_stream();
    const bool whole = co_await send_stream(*stream, *framing, length);
    if (!whole && !output_.empty()) {
      output_.clear();
      co_await refuse(502, "the response's body could not be made");
    }
    if (!whole) co_return After::kClose;
  }
  const bool sent = co_await flush();
  if (!sent) co_return After::kClose;
  if (unread && after != After::kLinger) {
    const bool drained = co_await drain_body();
    if (!drained) co_return After::kLinger;
  }
  co_return after;
}

// False: the body could not be sent as announced, and only the end of the connection can say so.
Task<bool> Connection::send_stream(BodyReader& body, BodyFraming framing, std::optional<std::uint64_t> length) {
  std::uint64_t total = 0;
  for (;;) {
    if (phase_ != Phase::kHandler) enter(Phase::kHandler);
    // A client that has gone stops whoever makes the body, not only the writes.
    net::Cancellation never;
    auto piece = co_await body.next().under(handler_cancellation_ ? *handler_cancellation_ : never);
    if (!piece) {
      base::log(base::Level::kWarning, "net", "a response to {} {} broke off: {}", request_.method_name,
                request_.path.substr(0, 200), piece.error().message);
      co_return false;
    }
    if (piece->empty()) break;
    total += piece->size();
    if (length && total > *length) co_return false;
    if (framing == BodyFraming::kChunked) {
      char size[20];
      const auto end = fmt::format_to_n(size, sizeof size, "{:x}\r\n", piece->size()).size;
      output_.add_copy({size, end});
    }
    output_.add_view(*piece);
    if (framing == BodyFraming::kChunked) output_.add_copy("\r\n");
    const bool sent = co_await flush();
    if (!sent) co_return false;
  }
  if (framing == BodyFraming::kChunked) output_.add_copy("0\r\n\r\n");
  co_return !length || total == *length;
}

// What the handler left unread is read away, so that the connection can go on.
Task<bool> Connection::drain_body() {
  std::size_t dropped = 0;
  while (!body_.is_done()) {
    auto piece = co_await body_.next();
    if (!piece) co_return false;
    dropped += piece->size();
    if (dropped > kDrainedBody) co_return false;
  }
  co_return true;
}

Task<void> Connection::refuse(int status, std::string_view reason) {
  Response response;
  response.status = status;
  response.headers.add_view("Content-Type", "text/plain; charset=utf-8");
  const std::string text = fmt::format("{} {}: {}\n", status, reason_phrase(status), reason);
  response.body = Body(text);
  ResponseFraming framing = {.close = true, .date_line = host_.date_line()};
  add_head(output_, response, framing);
  output_.add_copy(text);
  const bool sent = co_await flush();
  if (sent) co_await linger();
}

// Closing while bytes are unread makes the kernel reset the connection, and the client may lose the response. So: say
// that no more comes, and read away what does until the client has closed too.
Task<void> Connection::linger() {
  enter(Phase::kLinger);
  auto ended = co_await stream_->shut_down();
  if (!ended) co_return;
  const auto memory = std::make_unique_for_overwrite<char[]>(kBodyBuffer);
  for (std::size_t dropped = 0; dropped < kLingeredBytes;) {
    auto got = co_await stream_->read({memory.get(), kBodyBuffer});
    if (!got || *got == 0) co_return;
    dropped += *got;
  }
}

Task<bool> Connection::flush() {
  pipelined_ = 0;
  if (output_.empty()) co_return true;
  const auto phase = phase_;
  enter(Phase::kWrite);
  auto sent = co_await stream_->write(output_.gather(), output_.last_in());
  output_.clear();
  enter(phase);
  co_return sent.has_value();
}

}  // namespace securebase::http
