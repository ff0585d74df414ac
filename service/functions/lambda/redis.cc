#include "lambda/redis.h"

#include <fmt/format.h>

#include <algorithm>

#include "lambda/calls.h"

namespace securebase::lambda {

Redis::Redis(RedisSettings settings, Dial dial, const base::Clock& clock)
    : settings_(std::move(settings)), dial_(std::move(dial)), clock_(clock), next_pause_(settings_.first_pause) {}

Result<std::optional<std::string>> Redis::get(std::string_view key) {
  std::string command;
  append_command(command, {"GET", key});
  auto replies = exchange("GET", command, 1);
  if (!replies) return replies.error();
  const RespValue& reply = replies->front();
  if (reply.is_nil()) return std::optional<std::string>();
  if (const auto* failure = reply.as_failure()) return Error{Errc::kUnavailable, failure->message};
  if (const auto* text = reply.as_string()) return std::optional(*text);
  return Error{Errc::kMalformed, "GET: Redis answered neither a string nor nil"};
}

Result<Done> Redis::add(std::string_view key, std::string_view value, std::chrono::seconds ttl) {
  std::string command;
  append_command(command, {"SET", key, value, "EX", std::to_string(ttl.count()), "NX"});
  return expect_success(exchange("SET", command, 1));
}

Result<Done> Redis::overwrite(std::span<const std::string> keys, std::string_view value, std::chrono::seconds ttl) {
  std::string commands;
  for (const std::string& key : keys) append_command(commands, {"SETEX", key, std::to_string(ttl.count()), value});
  return expect_success(exchange("SETEX", commands, keys.size()));
}

Result<Done> Redis::remove(std::span<const std::string> keys) {
  std::string commands;
  for (const std::string& key : keys) append_command(commands, {"DEL", key});
  return expect_success(exchange("DEL", commands, keys.size()));
}

Result<Done> Redis::ping() {
  std::string command;
  append_command(command, {"PING"});
  return expect_success(exchange("PING", command, 1));
}

Result<Done> Redis::expect_success(Result<std::vector<RespValue>> replies) {
  if (!replies) return replies.error();
  for (const RespValue& reply : *replies) {
    if (const auto* failure = reply.as_failure()) return Error{Errc::kUnavailable, failure->message};
  }
  return Done{};
}

Result<std::vector<RespValue>> Redis::exchange(const char* what, std::string_view commands, std::size_t count) {
  if (count == 0) return std::vector<RespValue>();
  if (clock_.steady() < paused_until_) {
    return Error{Errc::kUnavailable, "Redis failed a moment ago and is left alone for a while"};
  }
  CallTimer timer(Peer::kCache, what);
  const bool kept = stream_ != nullptr;
  auto replies = exchange_once(commands, count);
  if (!replies && kept && replies.error().code == Errc::kClosed) replies = exchange_once(commands, count);
  if (replies) {
    next_pause_ = settings_.first_pause;
  } else {
    timer.fail();
    paused_until_ = clock_.steady() + next_pause_;
    next_pause_ = std::min(next_pause_ * 2, settings_.longest_pause);
  }
  return replies;
}

Result<std::vector<RespValue>> Redis::exchange_once(std::string_view commands, std::size_t count) {
  std::string bytes;
  bool signing_in = false;
  if (!stream_) {
    auto stream = dial_(clock_.steady() + settings_.connect_timeout);
    if (!stream) return stream.error().within("connecting to Redis");
    stream_ = std::move(*stream);
    buffer_.clear();
    signing_in = !settings_.password.empty();
    if (signing_in) append_command(bytes, {"AUTH", settings_.password});
  }
  bytes += commands;

  // Until all replies are read, the connection is in no state to be used again.
  std::unique_ptr<Stream> stream = std::move(stream_);
  const auto deadline = clock_.steady() + settings_.read_timeout;
  if (auto written = stream->write_all(bytes, deadline); !written) return written.error().within("writing to Redis");
  std::vector<RespValue> replies;
  while (replies.size() < count || signing_in) {
    auto reply = take_reply(buffer_);
    if (!reply) return reply.error();
    if (!*reply) {
      if (auto read = stream->read_some(buffer_, deadline); !read) return read.error().within("reading from Redis");
    } else if (signing_in) {
      signing_in = false;
      if (const auto* failure = (*reply)->as_failure()) {
        return Error{Errc::kDenied, fmt::format("Redis refused REDIS_AUTH_TOKEN: {}", failure->message)};
      }
    } else {
      replies.push_back(std::move(**reply));
    }
  }
  if (!buffer_.empty()) return Error{Errc::kMalformed, "Redis answered more than it was asked"};
  stream_ = std::move(stream);
  return replies;
}

}  // namespace securebase::lambda
