// The platform's own way to its Redis: RESP2 over the private Unix socket. Blocking; one thread.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace securebase::cache {

// A reply as far as the platform's commands have them.
struct Reply {
  enum class Kind { kText, kInteger, kNull, kArray, kError };
  Kind kind = Kind::kNull;
  std::string text;  // of text and errors
  std::int64_t integer = 0;
  std::vector<Reply> elements;
};

// Cuts replies from bytes. Incomplete: nullopt, and nothing is taken. Limits: 64 MiB a text, 1,000,000 elements, 8
// levels.
Result<std::optional<Reply>> take_reply(std::string_view& bytes);

// The platform's own user in Redis; clients are "default".
constexpr const char* kOwnUser = "securebase";

class Client {
 public:
  // As kOwnUser.
  static Result<Client> connect(const std::filesystem::path& socket, const std::string& password,
                                std::chrono::milliseconds timeout);
  ~Client();
  Client(Client&& other) noexcept;
  Client& operator=(Client&&) = delete;

  // A reply of kind kError is an error here.
  Result<Reply> ask(const std::vector<std::string>& words);

 private:
  explicit Client(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
  std::string received_;
};

}  // namespace securebase::cache
