#include "lambda/environment.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>

namespace securebase::lambda {

Result<std::string> required_variable(const char* name) {
  const char* value = std::getenv(name);
  if (value && *value) return std::string(value);
  return Error{Errc::kNotFound,
               fmt::format("environment variable {} is not set; give it in the function's environment", name)};
}

std::string variable_or(const char* name, const std::string& fallback) {
  const char* value = std::getenv(name);
  return value && *value ? std::string(value) : fallback;
}

Result<std::uint16_t> port_variable_or(const char* name, std::uint16_t fallback) {
  const std::string text = variable_or(name, "");
  if (text.empty()) return fallback;
  std::uint16_t port = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (failure != std::errc{} || end != text.data() + text.size() || port == 0) {
    return Error{Errc::kMalformed, fmt::format("environment variable {}: expected a port, came '{}'", name, text)};
  }
  return port;
}

}  // namespace securebase::lambda
