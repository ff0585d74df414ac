#include "notify/smtp_reply.h"

#include <fmt/format.h>

#include <utility>

namespace securebase::notify {

std::string SmtpReply::text() const {
  std::string text = std::to_string(code);
  for (const auto& line : lines) text += " " + line;
  return text;
}

// True: it was the last of a reply.
Result<bool> SmtpReplyReader::take_line() {
  if (line_.ends_with('\r')) line_.pop_back();
  const auto digit = [&](std::size_t i) { return i < line_.size() && line_[i] >= '0' && line_[i] <= '9'; };
  const bool separated = line_.size() == 3 || (line_.size() > 3 && (line_[3] == ' ' || line_[3] == '-'));
  if (!digit(0) || !digit(1) || !digit(2) || !separated || line_[0] < '2' || line_[0] > '5') {
    return Error{Errc::kMalformed, "the mail server's answer is no SMTP reply"};
  }
  const int code = (line_[0] - '0') * 100 + (line_[1] - '0') * 10 + (line_[2] - '0');
  if (!reply_.lines.empty() && code != reply_.code) {
    return Error{Errc::kMalformed, "the mail server's reply changes its code from line to line"};
  }
  if (reply_.lines.size() >= limits_.lines) {
    return Error{Errc::kLimit, fmt::format("the mail server's reply has more than {} lines", limits_.lines)};
  }
  reply_.code = code;
  reply_.lines.push_back(line_.size() > 4 ? line_.substr(4) : std::string());
  return line_.size() == 3 || line_[3] == ' ';
}

Result<std::optional<SmtpReply>> SmtpReplyReader::next(std::string_view& input) {
  while (!input.empty()) {
    const char c = input.front();
    input.remove_prefix(1);
    if (c != '\n') {
      if (line_.size() >= limits_.line_bytes) {
        return Error{Errc::kLimit,
                     fmt::format("a line of the mail server is longer than {} bytes", limits_.line_bytes)};
      }
      line_ += c;
      continue;
    }
    auto last = take_line();
    line_.clear();
    if (!last) return last.error();
    if (*last) return std::optional(std::exchange(reply_, {}));
  }
  return std::optional<SmtpReply>{};
}

}  // namespace securebase::notify
