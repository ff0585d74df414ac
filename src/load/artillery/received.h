// An answer as captures and expectations look at it: its body decoded and its JSON parsed once, when somebody asks.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "load/engine/exchange.h"

namespace securebase::load::artillery {

class Received {
 public:
  // `answer` outlives it. A body in gzip, deflate or br is decoded, up to `most_bytes`; what cannot be decoded stays.
  Received(const Answer& answer, bool decompress, std::size_t most_bytes = std::size_t{64} << 20);

  int status() const { return answer_.status; }
  const std::string& body() const { return body_; }
  // The first field of that name, in any case; nullopt: none.
  std::optional<std::string_view> header(std::string_view name) const { return answer_.header(name); }
  const Answer& answer() const { return answer_; }
  // Null: the body is no JSON.
  const base::Json* json() const;
  // Content-Type says JSON.
  bool says_json() const;

 private:
  const Answer& answer_;
  std::string body_;
  mutable bool tried_ = false;
  mutable std::optional<base::Json> json_;
};

// nullopt: not in that encoding, or more than `most_bytes`. `encoding` is Content-Encoding's value; identity and
// unknown ones are nullopt, too.
std::optional<std::string> decoded_body(std::string_view encoding, std::string_view bytes, std::size_t most_bytes);

}  // namespace securebase::load::artillery
