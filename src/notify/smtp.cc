#include "notify/smtp.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "net/http/message.h"
#include "net/stream.h"
#include "net/worker.h"
#include "notify/smtp_reply.h"

namespace securebase::notify {

namespace {

using net::Task;

// What ends a conversation early.
struct Failure {
  Submitted::Kind kind;
  int code;
  std::string answer;
};
template <class T>
using Step = Result<T, Failure>;

Failure later(std::string answer, int code = 0) { return {Submitted::Kind::kLater, code, std::move(answer)}; }

std::string host_name() {
  char name[256] = "localhost";
  if (::gethostname(name, sizeof name - 1) != 0) return "localhost";
  const std::string_view text(name);
  const bool fits = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
  return fits ? std::string(text) : "localhost";
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// RFC 5321 §4.5.2: a line that begins with a dot gets another; the end is a dot alone.
std::string with_dots(std::string_view message) {
  std::string out;
  out.reserve(message.size() + 64);
  bool begins = true;
  for (const char c : message) {
    if (begins && c == '.') out += '.';
    out += c;
    begins = c == '\n';
  }
  if (!out.ends_with("\r\n")) out += "\r\n";
  return out + ".\r\n";
}

class Conversation {
 public:
  Conversation(std::unique_ptr<net::Stream> stream, std::chrono::milliseconds step_time)
      : stream_(std::move(stream)), step_time_(step_time) {}

  Task<Step<SmtpReply>> reply() {
    auto got = co_await net::with_timeout(step_time_, read_reply());
    if (!got) co_return later("the mail server: " + got.error().message);
    co_return std::move(*got);
  }

  Task<Step<SmtpReply>> say(std::string line) {
    auto sent = co_await net::with_timeout(step_time_, write(std::move(line)));
    if (!sent) co_return later("the mail server: " + sent.error().message);
    co_return co_await reply();
  }

  // EHLO; remembers what the server can.
  Task<Step<SmtpReply>> greet() {
    auto answer = co_await say(fmt::format("EHLO {}\r\n", host_name()));
    if (!answer) co_return answer.error();
    if (answer->code != 250) co_return later(answer->text(), answer->code);
    abilities_ = answer->lines;
    co_return std::move(*answer);
  }

  Task<Step<Done>> start_tls(std::shared_ptr<const net::TlsClient> tls, std::string name) {
    // What came before the handshake is not protected, and must not count as said under it (CVE-2011-0411).
    if (!unread_.empty()) co_return later("the mail server went on talking before TLS");
    auto secured = co_await net::with_timeout(step_time_, tls->connect(std::move(stream_), std::move(name)));
    if (!secured) co_return later("TLS with the mail server: " + secured.error().message);
    stream_ = std::move(*secured);
    co_return Done{};
  }

  // The words behind an ability of EHLO; nullopt: it has not that one.
  std::optional<std::string> ability(std::string_view name) const {
    for (const auto& line : abilities_) {
      const auto end = std::min(line.find_first_of(" ="), line.size());
      if (http::equal_ignoring_case(std::string_view(line).substr(0, end), name)) {
        return end < line.size() ? line.substr(end + 1) : std::string();
      }
    }
    return std::nullopt;
  }

 private:
  Task<Result<SmtpReply>> read_reply() {
    for (;;) {
      std::string_view input = unread_;
      auto reply = reader_.next(input);
      unread_ = std::string(input);
      if (!reply) co_return reply.error();
      if (*reply) co_return std::move(**reply);
      auto got = co_await stream_->read(buffer_);
      if (!got) co_return got.error();
      if (*got == 0) co_return Error{Errc::kClosed, "it hung up"};
      unread_.assign(buffer_.data(), *got);
    }
  }

  Task<Result<Done>> write(std::string bytes) {
    iovec piece{bytes.data(), bytes.size()};
    auto sent = co_await stream_->write(std::span(&piece, 1));
    if (!sent) co_return sent.error();
    co_return Done{};
  }

  std::unique_ptr<net::Stream> stream_;
  const std::chrono::milliseconds step_time_;
  std::array<char, 4096> buffer_;
  std::string unread_;
  SmtpReplyReader reader_;
  std::vector<std::string> abilities_;
};

Task<Step<Done>> log_in(Conversation& talk, const Relay& relay, std::string password) {
  if (relay.user.empty()) co_return Done{};
  const auto offered = talk.ability("AUTH");
  if (!offered) co_return later("the mail server offers no AUTH, and a user is set for it");
  Step<SmtpReply> answer = later("");
  if (offered->find("PLAIN") != std::string::npos) {
    std::string secret = relay.user;  // "\0user\0password", RFC 4616
    secret.insert(0, 1, '\0');
    secret += '\0';
    secret += password;
    answer = co_await talk.say(fmt::format("AUTH PLAIN {}\r\n", base::base64(secret)));
  } else if (offered->find("LOGIN") != std::string::npos) {
    answer = co_await talk.say("AUTH LOGIN\r\n");
    if (answer && answer->code == 334) answer = co_await talk.say(base::base64(relay.user) + "\r\n");
    if (answer && answer->code == 334) answer = co_await talk.say(base::base64(password) + "\r\n");
  } else {
    co_return later(fmt::format("the mail server offers AUTH {}; PLAIN and LOGIN are done here", *offered));
  }
  if (!answer) co_return answer.error();
  // A wrong password is ours to mend, not a reason to give up the mail.
  if (answer->code != 235) co_return later("AUTH: " + answer->text(), answer->code);
  co_return Done{};
}

Task<Step<Done>> open_session(Conversation& talk, const Relay& relay, std::string password,
                              std::shared_ptr<const net::TlsClient> tls) {
  if (relay.security == Relay::Security::kTls) {
    auto secured = co_await talk.start_tls(tls, relay.host);
    if (!secured) co_return secured.error();
  }
  auto banner = co_await talk.reply();
  if (!banner) co_return banner.error();
  if (banner->code != 220) co_return later(banner->text(), banner->code);
  auto greeted = co_await talk.greet();
  if (!greeted) co_return greeted.error();
  if (relay.security == Relay::Security::kStartTls) {
    if (!talk.ability("STARTTLS")) {
      co_return later("the mail server offers no STARTTLS; set SECUREBASE_SMTP_TLS to tls or none if that is meant");
    }
    auto ready = co_await talk.say("STARTTLS\r\n");
    if (!ready) co_return ready.error();
    if (ready->code != 220) co_return later(ready->text(), ready->code);
    auto secured = co_await talk.start_tls(tls, relay.host);
    if (!secured) co_return secured.error();
    auto again = co_await talk.greet();
    if (!again) co_return again.error();
  }
  co_return co_await log_in(talk, relay, std::move(password));
}

// Replies to what is about this mail: 5xx is final.
std::optional<Failure> judged(const Step<SmtpReply>& answer, std::string_view what) {
  if (!answer) return answer.error();
  if (answer->positive()) return std::nullopt;
  return Failure{answer->code >= 500 ? Submitted::Kind::kRefused : Submitted::Kind::kLater, answer->code,
                 fmt::format("{}: {}", what, answer->text())};
}

Task<Step<SmtpReply>> hand_over(Conversation& talk, const Submission& mail) {
  const bool wide = !is_ascii(mail.from) || !is_ascii(mail.to);
  if (wide && !talk.ability("SMTPUTF8")) {
    co_return Failure{Submitted::Kind::kRefused, 0, "the mail server takes no addresses beyond ASCII (SMTPUTF8)"};
  }
  auto from = co_await talk.say(fmt::format("MAIL FROM:<{}>{}\r\n", mail.from, wide ? " SMTPUTF8" : ""));
  if (auto failed = judged(from, "MAIL FROM")) co_return *failed;
  auto to = co_await talk.say(fmt::format("RCPT TO:<{}>\r\n", mail.to));
  if (auto failed = judged(to, "RCPT TO")) co_return *failed;
  auto data = co_await talk.say("DATA\r\n");
  if (auto failed = judged(data, "DATA")) co_return *failed;
  auto taken = co_await talk.say(with_dots(mail.message));
  if (auto failed = judged(taken, "the message")) co_return *failed;
  co_return std::move(*taken);
}

Submitted as_submitted(const Failure& failure) { return {failure.kind, failure.code, failure.answer}; }

}  // namespace

Task<Submitted> submit(const Relay& relay, std::string password, Submission submission,
                       std::shared_ptr<const net::TlsClient> tls, std::chrono::milliseconds step_time) {
  net::Address address{relay.host, relay.port, {}};
  auto stream = co_await net::connect(address, step_time);
  if (!stream) co_return as_submitted(later(stream.error().message));
  Conversation talk(std::move(*stream), step_time);
  auto session = co_await open_session(talk, relay, std::move(password), std::move(tls));
  if (!session) co_return as_submitted(session.error());
  auto taken = co_await hand_over(talk, submission);
  Submitted outcome;
  if (!taken) {
    outcome = as_submitted(taken.error());
  } else {
    outcome = {Submitted::Kind::kAccepted, taken->code, taken->text()};
  }
  // Politely; what it says to that changes nothing.
  static_cast<void>((co_await talk.say("QUIT\r\n")).has_value());
  co_return outcome;
}

}  // namespace securebase::notify
