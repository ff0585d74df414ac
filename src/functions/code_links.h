// Links under which a function's or a layer's zip is fetched: Code.Location of GetFunction, as the presigned links of
// S3 that Lambda gives. Whoever has one may fetch it, for ten minutes.
//
//   http://127.0.0.1:4566/_securebase/code/function/thumbnails/3?Expires=1764208800&Signature=<64 hex digits>
//
// Any thread; answer() on a worker.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "net/event.h"
#include "net/http/message.h"
#include "stack/registry.h"

namespace securebase::functions {

class CodeLinks {
 public:
  struct Settings {
    std::string public_url;  // of port 4566
    std::string key;         // signs; the same in every run, so that a link outlives a restart
  };
  enum class Kind { kFunction, kLayer };
  static constexpr std::chrono::minutes kValid{10};

  // All outlive it.
  CodeLinks(Settings settings, const stack::Changes& changes, net::Pool& pool,
            const base::Clock& clock = base::system_clock());

  // `version`: "$LATEST" or a number. Whether there is a zip is asked when it is fetched.
  std::string link(Kind kind, std::string_view name, std::string_view version) const;

  bool recognises(const http::Request& request) const;
  // The zip, or S3's errors: 403 for a link that is not ours or too old, 404 for code that is there no more.
  net::Task<http::Response> answer(http::Request& request);

 private:
  std::string signature(std::string_view path, std::string_view expires) const;
  Result<std::filesystem::path, int> allowed(const http::Request& request) const;  // else the status

  const Settings settings_;
  const stack::Changes& changes_;
  net::Pool& pool_;
  const base::Clock& clock_;
};

// Where the zip of a version lies; nullopt: there is no such version, or its code is no zip.
std::optional<std::filesystem::path> function_zip(const stack::Stack& stack, std::string_view name,
                                                  std::string_view version);
std::optional<std::filesystem::path> layer_zip(const stack::Stack& stack, std::string_view name,
                                               std::string_view version);

}  // namespace securebase::functions
