#include "cache/client.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

namespace securebase::cache {

namespace {

constexpr std::int64_t kTextBytes = 64 << 20;
constexpr std::int64_t kElements = 1'000'000;
constexpr int kLevels = 8;
constexpr std::size_t kLineBytes = 64 << 10;

const Error kNoReply{Errc::kMalformed, "Redis answered what is no RESP2 reply"};

// A line up to CRLF, without it.
Result<std::optional<std::string_view>> take_line(std::string_view& bytes) {
  const auto end = bytes.find("\r\n");
  if (end == std::string_view::npos) {
    if (bytes.size() > kLineBytes) return kNoReply;
    return std::optional<std::string_view>();
  }
  const std::string_view line = bytes.substr(0, end);
  bytes.remove_prefix(end + 2);
  return std::optional(line);
}

Result<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size()) return kNoReply;
  return value;
}

Result<std::optional<Reply>> take(std::string_view& bytes, int level) {
  if (level > kLevels) return kNoReply;
  auto line = take_line(bytes);
  if (!line) return line.error();
  if (!*line) return std::optional<Reply>();
  if ((*line)->empty()) return kNoReply;
  const char type = (**line)[0];
  const std::string_view rest = (*line)->substr(1);
  Reply reply;
  if (type == '+' || type == '-') {
    reply.kind = type == '+' ? Reply::Kind::kText : Reply::Kind::kError;
    reply.text = rest;
    return std::optional(std::move(reply));
  }
  auto value = number(rest);
  if (!value) return value.error();
  if (type == ':') {
    reply.kind = Reply::Kind::kInteger;
    reply.integer = *value;
    return std::optional(std::move(reply));
  }
  if ((type != '$' && type != '*') || *value < -1 || *value > (type == '$' ? kTextBytes : kElements)) return kNoReply;
  if (*value == -1) return std::optional(std::move(reply));
  if (type == '$') {
    const auto length = static_cast<std::size_t>(*value);
    if (bytes.size() < length + 2) return std::optional<Reply>();
    if (bytes.substr(length, 2) != "\r\n") return kNoReply;
    reply.kind = Reply::Kind::kText;
    reply.text = bytes.substr(0, length);
    bytes.remove_prefix(length + 2);
    return std::optional(std::move(reply));
  }
  reply.kind = Reply::Kind::kArray;
  for (std::int64_t i = 0; i < *value; ++i) {
    auto element = take(bytes, level + 1);
    if (!element) return element.error();
    if (!*element) return std::optional<Reply>();
    reply.elements.push_back(std::move(**element));
  }
  return std::optional(std::move(reply));
}

}  // namespace

Result<std::optional<Reply>> take_reply(std::string_view& bytes) {
  std::string_view rest = bytes;
  auto reply = take(rest, 1);
  if (reply && *reply) bytes = rest;
  return reply;
}

Result<Client> Client::connect(const std::filesystem::path& socket, const std::string& password,
                               std::chrono::milliseconds timeout) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket.native().size() >= sizeof address.sun_path) {
    return Error{Errc::kLimit,
                 fmt::format("the path of a Unix socket is too long: {}; choose a shorter --state", socket.native())};
  }
  std::memcpy(address.sun_path, socket.c_str(), socket.native().size());
  Client client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (client.descriptor_ < 0) return system_error(errno, "socket", "");
  const timeval limit{timeout.count() / 1000, timeout.count() % 1000 * 1000};
  setsockopt(client.descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(client.descriptor_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (::connect(client.descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return Error{Errc::kUnavailable, system_error(errno, "connect", socket.native()).message};
  }
  auto welcome = client.ask({"AUTH", kOwnUser, password});
  if (!welcome) return welcome.error();
  return client;
}

Client::~Client() {
  if (descriptor_ >= 0) close(descriptor_);
}

Client::Client(Client&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), received_(std::move(other.received_)) {}

Result<Reply> Client::ask(const std::vector<std::string>& words) {
  std::string text = fmt::format("*{}\r\n", words.size());
  for (const auto& word : words) text += fmt::format("${}\r\n{}\r\n", word.size(), word);
  std::string_view left = text;
  while (!left.empty()) {
    const ssize_t sent = send(descriptor_, left.data(), left.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return system_error(errno, "send", "to Redis");
    left.remove_prefix(static_cast<std::size_t>(sent));
  }
  for (;;) {
    std::string_view bytes = received_;
    auto reply = take_reply(bytes);
    if (!reply) return reply.error();
    if (*reply) {
      received_.erase(0, received_.size() - bytes.size());
      if ((*reply)->kind == Reply::Kind::kError) return Error{Errc::kDenied, "Redis: " + (*reply)->text};
      return std::move(**reply);
    }
    char piece[64 << 10];
    const ssize_t got = recv(descriptor_, piece, sizeof piece, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(errno, "recv", "from Redis");
    if (got == 0) return Error{Errc::kClosed, "Redis closed the connection"};
    received_.append(piece, static_cast<std::size_t>(got));
  }
}

}  // namespace securebase::cache
