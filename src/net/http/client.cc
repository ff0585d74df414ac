#include "net/http/client.h"

#include <fmt/format.h>

#include <list>

#include "net/http/chunked.h"
#include "net/http/output.h"
#include "net/http/response_parser.h"
#include "net/http/syntax.h"
#include "net/loop.h"
#include "net/task_group.h"

namespace securebase::http {

using net::Task;

namespace {

constexpr std::size_t kInput = 16 << 10;

// Ends one operation when its time is over. Costs no allocation and, as a rule, no system call.
class Deadline final : private net::Worker::Loop::TimerEntry {
 public:
  Deadline(net::IoOperation& operation, std::chrono::milliseconds limit)
      : loop_(net::Worker::current().loop()), operation_(operation), limit_(limit) {
    loop_.arm(*this, loop_.now() + limit);
  }
  ~Deadline() override { loop_.disarm(*this); }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  // What the operation's failure was, seen from outside.
  Error explain(const Error& error) const { return expired_ ? net::timeout_error(limit_) : error; }

 private:
  void on_expired() override {
    expired_ = true;
    operation_.cancel();
  }
  net::Worker::Loop& loop_;
  net::IoOperation& operation_;
  const std::chrono::milliseconds limit_;
  bool expired_ = false;
};

// One connection to an origin, and what came on it that is not used up.
struct Channel {
  std::unique_ptr<net::Stream> stream;
  std::string memory = std::string(kInput, '\0');
  std::size_t begin = 0;
  std::size_t end = 0;
  bool used_before = false;
  bool has_answered = false;  // a byte of the response has come
  base::SteadyPoint idle_since{};

  std::string_view unread() const { return std::string_view(memory).substr(begin, end - begin); }

  Task<Result<std::size_t>> read_more(std::chrono::milliseconds limit) {
    if (begin == end) begin = end = 0;
    if (end == memory.size()) {
      memory.erase(0, begin);
      end -= begin;
      begin = 0;
      memory.resize(std::max(memory.size() * 2, kInput));
    }
    auto read = stream->read(std::span(memory).subspan(end));
    const Deadline deadline(read, limit);
    auto got = co_await read;
    if (!got) co_return deadline.explain(got.error());
    if (*got > 0) has_answered = true;
    end += *got;
    co_return got;
  }

  Task<Result<Done>> write(Output& output, std::chrono::milliseconds limit) {
    auto write = stream->write(output.gather());
    const Deadline deadline(write, limit);
    auto sent = co_await write;
    output.clear();
    if (!sent) co_return deadline.explain(sent.error());
    co_return Done{};
  }

  // Whether an idle connection can carry another request: the origin has neither closed it nor sent what nobody asked
  // for, which would be taken for the next answer.
  bool is_usable() const { return begin == end && stream->is_quiet(); }
};

bool is_idempotent(Method method) {
  return method != Method::kPost && method != Method::kPatch && method != Method::kConnect && method != Method::kOther;
}

}  // namespace

struct Client::Impl {
  Impl(ClientLimits limits, std::shared_ptr<const net::TlsClient> tls)
      : limits(limits), tls(std::move(tls)), timer(net::Worker::current()) {}

  const ClientLimits limits;
  const std::shared_ptr<const net::TlsClient> tls;
  std::map<std::string, std::list<std::unique_ptr<Channel>>> idle;  // by origin, the last used first
  net::Timer timer;
  bool sweeping = false;

  std::unique_ptr<Channel> take(const std::string& key) {
    const auto found = idle.find(key);
    if (found == idle.end()) return nullptr;
    while (!found->second.empty()) {
      auto channel = std::move(found->second.front());
      found->second.pop_front();
      if (channel->is_usable()) return channel;
    }
    idle.erase(found);
    return nullptr;
  }

  void keep(const std::string& key, std::unique_ptr<Channel> channel) {
    auto& list = idle[key];
    channel->used_before = true;
    channel->has_answered = false;
    channel->idle_since = std::chrono::steady_clock::now();
    list.push_front(std::move(channel));
    if (list.size() > limits.idle_connections) list.pop_back();
    if (!sweeping) arm();
  }

  void arm() {
    sweeping = true;
    timer.start(limits.idle_time / 2, [this] { sweep(); });
  }

  void sweep() {
    const auto oldest = std::chrono::steady_clock::now() - limits.idle_time;
    for (auto entry = idle.begin(); entry != idle.end();) {
      std::erase_if(entry->second, [&](const auto& channel) { return channel->idle_since < oldest; });
      entry = entry->second.empty() ? idle.erase(entry) : std::next(entry);
    }
    sweeping = false;
    if (!idle.empty()) arm();
  }

  Task<Result<std::unique_ptr<Channel>>> open(const ClientRequest& request) {
    auto stream = co_await net::connect(request.origin, limits.connect_time);
    for (std::size_t attempt = 1; !stream && attempt < limits.connect_attempts; ++attempt) {
      if (stream.error().code == Errc::kCancelled) break;
      stream = co_await net::connect(request.origin, limits.connect_time);
    }
    if (!stream) co_return unavailable(stream.error());
    if (request.tls) {
      if (!tls) co_return Error{Errc::kUnsupported, "this client was made without TLS settings"};
      const std::string name = request.server_name.empty() ? request.origin.host : request.server_name;
      auto secured = co_await net::with_timeout(limits.connect_time, tls->connect(std::move(*stream), name));
      if (!secured) co_return secured.error().within("TLS with " + request.origin.to_string());
      stream = std::move(secured);
    }
    auto channel = std::make_unique<Channel>();
    channel->stream = std::move(*stream);
    co_return channel;
  }

  static Error unavailable(const Error& error) {
    const bool kept = error.code == Errc::kTimeout || error.code == Errc::kCancelled || error.code == Errc::kLimit;
    return Error{kept ? error.code : Errc::kUnavailable, error.message};
  }
};

namespace {

// The body of a response. At its end the connection goes back to the client that made it, if that still is.
class ClientBody final : public BodyReader {
 public:
  ClientBody(std::weak_ptr<Client::Impl> client, std::string key, std::unique_ptr<Channel> channel,
             const ResponseParser::Head& head, std::chrono::milliseconds read_time);

  Task<Result<std::string_view>> next() override {
    if (!channel_) co_return std::string_view{};
    for (;;) {
      auto piece = take();
      if (!piece) co_return give_up(piece.error());
      if (*piece && (*piece)->empty()) finish();
      if (*piece) co_return **piece;
      auto got = co_await channel_->read_more(read_time_);
      if (!got) co_return give_up(got.error());
      if (*got > 0) continue;
      if (kind_ != ResponseParser::Body::kUntilClose) {
        co_return give_up(Error{Errc::kClosed, "the origin closed within the response's body"});
      }
      channel_.reset();
      co_return std::string_view{};
    }
  }

 private:
  // Empty at the end; nullopt: more is needed.
  Result<std::optional<std::string_view>> take() {
    auto unread = channel_->unread();
    std::optional<std::string_view> piece;
    if (kind_ == ResponseParser::Body::kChunked) {
      auto step = decoder_.next(unread);
      if (!step) return step.error();
      if (*step == ChunkedDecoder::Step::kData) piece = decoder_.data();
      if (*step == ChunkedDecoder::Step::kEnd) piece = std::string_view{};
    } else if (kind_ == ResponseParser::Body::kLength && left_ == 0) {
      piece = std::string_view{};
    } else if (!unread.empty()) {
      piece = unread.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, unread.size())));
      unread.remove_prefix(piece->size());
      if (kind_ == ResponseParser::Body::kLength) left_ -= piece->size();
    }
    channel_->begin = channel_->end - unread.size();
    return piece;
  }

  Error give_up(Error error) {
    channel_.reset();
    return error;
  }
  void finish();

  std::weak_ptr<Client::Impl> client_;
  const std::string key_;
  std::unique_ptr<Channel> channel_;  // null: over
  const ResponseParser::Body kind_;
  const bool keep_;
  const std::chrono::milliseconds read_time_;
  std::uint64_t left_;
  ChunkedDecoder decoder_;
};

// One request on one connection.
class Exchange {
 public:
  Exchange(const ClientLimits& limits, ClientRequest& request, Channel& channel)
      : limits_(limits), request_(request), channel_(channel), parser_({limits.head_bytes, limits.header_count}) {}

  bool body_begun() const { return body_begun_; }
  // The origin can be left with half a request: its connection is not used again.
  bool cut_short() const { return cut_short_; }

  Task<Result<ResponseParser::Head>> run() {
    add_request_head();
    if (!stream_) {
      output_.add_view(request_.body.bytes());
      auto sent = co_await channel_.write(output_, limits_.read_time);
      // An origin that answers early and closes may make the write fail: its answer counts if it is there.
      if (!sent) cut_short_ = true;
      if (!sent && (sent.error().code != Errc::kClosed || request_.body.bytes().empty())) co_return sent.error();
      co_return co_await read_head();
    }
    // Both at once: an answer that comes before the body is sent stops the sending.
    net::Cancellation* outer = co_await net::this_cancellation();
    net::TaskGroup sending;
    UploadStop stop(sending, outer);
    sending.spawn(upload());
    auto head = co_await read_head();
    if (!uploaded_) cut_short_ = true;
    co_await sending.close();
    if (!head && upload_error_) co_return *upload_error_;
    co_return head;
  }

 private:
  // Cancelling the request cancels the sending too.
  struct UploadStop final : net::Cancellation::Hook {
    UploadStop(net::TaskGroup& group, net::Cancellation* outer) : group(group) {
      if (outer && !outer->requested()) outer->add(*this);
    }
    void on_cancel() override { group.cancellation().request(); }
    net::TaskGroup& group;
  };

  void add_request_head() {
    output_.add_copy(to_string(request_.method));
    output_.add_copy(" ");
    output_.add_copy(request_.target);
    output_.add_copy(" HTTP/1.1\r\n");
    if (!request_.headers.has("Host")) {
      const auto& origin = request_.origin;
      const auto port = request_.tls ? 443 : 80;
      const std::string name = !request_.server_name.empty() ? request_.server_name
                               : !origin.path.empty()        ? "localhost"
                                                             : origin.host;
      const std::string bracketed = name.find(':') == std::string::npos ? name : "[" + name + "]";
      output_.add_copy(origin.port == port || !origin.path.empty()
                           ? fmt::format("Host: {}\r\n", bracketed)
                           : fmt::format("Host: {}:{}\r\n", bracketed, origin.port));
    }
    for (const auto& field : request_.headers.fields()) {
      if (is_framing(field.name) || equal_ignoring_case(field.name, "Expect")) continue;
      output_.add_copy(field.name);
      output_.add_copy(": ");
      output_.add_copy(field.value);
      output_.add_copy("\r\n");
    }
    const auto length = request_.body.length();
    const bool usual = request_.method == Method::kPost || request_.method == Method::kPut ||
                       request_.method == Method::kPatch;  // RFC 9110 §8.6: these say 0 too
    if (!length) {
      output_.add_copy("Transfer-Encoding: chunked\r\n");
    } else if (*length > 0 || usual) {
      output_.add_copy(fmt::format("Content-Length: {}\r\n", *length));
    }
    output_.add_copy("\r\n");
    if (request_.body.is_stream()) {
      length_ = length;
      stream_ = true;
    }
  }

  Task<void> upload() {
    auto head_sent = co_await channel_.write(output_, limits_.read_time);
    if (!head_sent) {
      upload_error_ = head_sent.error();
      co_return;
    }
    body_begun_ = true;
    const auto body = request_.body.take_stream();
    std::uint64_t total = 0;
    for (;;) {
      auto piece = co_await body->next();
      if (!piece) {
        // Only the end of the connection tells the origin that the body is not whole.
        upload_error_ = piece.error();
        channel_.stream->close();
        co_return;
      }
      total += piece->size();
      if (length_ ? (total > *length_ || (piece->empty() && total < *length_)) : false) {
        upload_error_ = Error{Errc::kMalformed, "the request's body is not as long as was said"};
        channel_.stream->close();
        co_return;
      }
      if (!length_) output_.add_copy(fmt::format("{:x}\r\n", piece->size()));
      output_.add_view(*piece);
      if (!length_) output_.add_copy("\r\n");
      if (!output_.empty()) {
        auto sent = co_await channel_.write(output_, limits_.read_time);
        if (!sent) {
          // The origin may have answered before it closed: read_head() finds out.
          if (sent.error().code != Errc::kClosed) upload_error_ = sent.error();
          co_return;
        }
      }
      if (piece->empty()) break;
    }
    uploaded_ = true;
  }

  Task<Result<ResponseParser::Head>> read_head() {
    for (;;) {
      auto head = parser_.parse(channel_.unread(), request_.method);
      if (!head) co_return head.error();
      if (*head) {
        channel_.begin += parser_.head_bytes();
        parser_.reset();
        if ((*head)->status < 200) continue;  // interim: 100, 103
        co_return std::move(**head);
      }
      auto got = co_await channel_.read_more(limits_.read_time);
      // An upload is progress too, and has its own deadline.
      if (!got && got.error().code == Errc::kTimeout && stream_ && !uploaded_ && !upload_error_) continue;
      if (!got) co_return got.error();
      if (*got == 0) co_return Error{Errc::kClosed, "the origin closed without an answer"};
    }
  }

  const ClientLimits& limits_;
  ClientRequest& request_;
  Channel& channel_;
  ResponseParser parser_;
  Output output_;
  bool stream_ = false;
  std::optional<std::uint64_t> length_;
  bool body_begun_ = false;
  bool uploaded_ = false;
  bool cut_short_ = false;
  std::optional<Error> upload_error_;
};

Result<Done> check_request(const ClientRequest& request) {
  const auto malformed = [](std::string_view what) {
    return Error{Errc::kMalformed, fmt::format("a request to an origin {}", what)};
  };
  if (request.method == Method::kOther) return malformed("has a method that is not known");
  if (request.target.empty() || !all_are(request.target, classes::kTarget)) return malformed("has a malformed target");
  for (const auto& field : request.headers.fields()) {
    if (!is_token(field.name) || !is_field_value(field.value)) return malformed("has a malformed field");
  }
  return Done{};
}

ClientBody::ClientBody(std::weak_ptr<Client::Impl> client, std::string key, std::unique_ptr<Channel> channel,
                       const ResponseParser::Head& head, std::chrono::milliseconds read_time)
    : client_(std::move(client)),
      key_(std::move(key)),
      channel_(std::move(channel)),
      kind_(head.body),
      keep_(head.keep_alive),
      read_time_(read_time),
      left_(head.body == ResponseParser::Body::kLength ? head.content_length : UINT64_MAX) {}

void ClientBody::finish() {
  const auto client = client_.lock();
  if (client && keep_ && channel_->begin == channel_->end) client->keep(key_, std::move(channel_));
  channel_.reset();
}

Task<Result<ClientResponse>> send_by(std::shared_ptr<Client::Impl> client, ClientRequest request) {
  auto checked = check_request(request);
  if (!checked) co_return checked.error();
  const std::string key =
      fmt::format("{}{}|{}", request.tls ? "https://" : "http://", request.origin.to_string(), request.server_name);
  for (bool again = true;; again = false) {
    auto channel = client->take(key);
    if (!channel) {
      auto opened = co_await client->open(request);
      if (!opened) co_return opened.error();
      channel = std::move(*opened);
    }
    Exchange exchange(client->limits, request, *channel);
    auto head = co_await exchange.run();
    if (!head) {
      const bool stale = channel->used_before && !channel->has_answered && head.error().code == Errc::kClosed;
      if (again && stale && !exchange.body_begun() && is_idempotent(request.method)) continue;
      co_return head.error();
    }
    ClientResponse response;
    response.status = head->status;
    response.headers = std::move(head->headers);
    if (exchange.cut_short()) head->keep_alive = false;
    if (head->body == ResponseParser::Body::kNone) {
      if (head->keep_alive && channel->begin == channel->end) client->keep(key, std::move(channel));
    } else {
      const auto read_time = client->limits.read_time;
      response.body = std::make_unique<ClientBody>(client, key, std::move(channel), *head, read_time);
    }
    co_return response;
  }
}

}  // namespace

Client::Client(ClientLimits limits, std::shared_ptr<const net::TlsClient> tls)
    : impl_(std::make_shared<Impl>(limits, std::move(tls))) {}

Client::~Client() = default;

Task<Result<ClientResponse>> Client::send(ClientRequest request) { return send_by(impl_, std::move(request)); }

}  // namespace securebase::http
