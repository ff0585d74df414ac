// Replies of an SMTP server (RFC 5321 §4.2): three digits, and text, on one or several lines.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace securebase::notify {

struct SmtpReply {
  int code = 0;
  std::vector<std::string> lines;  // without code

  bool positive() const { return code >= 200 && code < 400; }
  std::string text() const;  // "550 no such user"
};

// Takes bytes as they come. Strict about codes, lenient about bare LF, which some servers send.
class SmtpReplyReader {
 public:
  struct Limits {
    std::size_t line_bytes = 2048;  // RFC 5321 §4.5.3.1.5 has 512; servers write longer ones
    std::size_t lines = 128;
  };
  // nullopt: not complete; all is taken. After an error: close.
  Result<std::optional<SmtpReply>> next(std::string_view& input);

 private:
  Result<bool> take_line();

  const Limits limits_{};
  std::string line_;
  SmtpReply reply_;
};

}  // namespace securebase::notify
