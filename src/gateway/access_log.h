// The format in which a stage wants its access log.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/call.h"

namespace securebase::gateway {

// What is known when a request has been answered.
struct Answered {
  int status = 0;
  std::optional<std::uint64_t> length;  // nullopt: a stream
  std::chrono::microseconds latency{0};
  std::optional<int> integration_status;
  std::optional<std::chrono::microseconds> integration_latency;
  std::string_view error_message;
  std::string_view error_type;
};

// A format with its $context variables found. Values are escaped as in JSON strings, so that no client writes lines.
class LogFormat {
 public:
  explicit LogFormat(std::string_view format);
  std::string line(const Call& call, const Answered& answered) const;

 private:
  struct Piece {
    std::string text;
    bool variable = false;
  };
  std::vector<Piece> pieces_;
};

}  // namespace securebase::gateway
