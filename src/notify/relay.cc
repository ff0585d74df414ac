// The relay's settings from the environment.
#include <fmt/format.h>

#include <charconv>

#include "notify/endpoint.h"
#include "notify/notify.h"

namespace securebase::notify {

namespace {

std::string setting_of(const std::map<std::string, std::string>& environment, std::string_view name) {
  const auto found = environment.find("SECUREBASE_SMTP_" + std::string(name));
  return found == environment.end() ? std::string() : found->second;
}

Error bad_setting(std::string text) { return {Errc::kMalformed, std::move(text)}; }

Result<Relay::Security> security_from(std::string_view text, std::uint16_t port) {
  if (text.empty()) return port == 465 ? Relay::Security::kTls : Relay::Security::kStartTls;
  if (text == "starttls") return Relay::Security::kStartTls;
  if (text == "tls") return Relay::Security::kTls;
  if (text == "none") return Relay::Security::kNone;
  return bad_setting(fmt::format("SECUREBASE_SMTP_TLS: expected starttls, tls or none, got \"{}\"", text));
}

}  // namespace

Result<std::optional<Relay>> relay_from(const std::map<std::string, std::string>& environment,
                                        std::function<Result<std::string>(std::string_view name)> secret) {
  Relay relay;
  relay.host = setting_of(environment, "HOST");
  if (relay.host.empty()) return std::optional<Relay>{};
  if (const auto port = setting_of(environment, "PORT"); !port.empty()) {
    const auto [end, failure] = std::from_chars(port.data(), port.data() + port.size(), relay.port);
    if (failure != std::errc{} || end != port.data() + port.size() || relay.port == 0) {
      return bad_setting(fmt::format("SECUREBASE_SMTP_PORT: expected 1 to 65535, got \"{}\"", port));
    }
  }
  auto security = security_from(setting_of(environment, "TLS"), relay.port);
  if (!security) return security.error();
  relay.security = *security;
  relay.from = setting_of(environment, "FROM");
  if (auto address = check_endpoint(Protocol::kEmail, relay.from); !address) {
    return bad_setting(fmt::format("SECUREBASE_SMTP_FROM: {}; mail needs a sender, such as alerts@example.com",
                                   address.error().message));
  }
  relay.user = setting_of(environment, "USER");
  const auto password = setting_of(environment, "PASSWORD");
  const auto name = setting_of(environment, "PASSWORD_SECRET");
  if (!password.empty() && !name.empty()) {
    return bad_setting(
        "SECUREBASE_SMTP_PASSWORD and SECUREBASE_SMTP_PASSWORD_SECRET are both set; one would win by chance");
  }
  if (!name.empty()) {
    relay.password = [secret = std::move(secret), name] { return secret(name); };
  } else if (!password.empty()) {
    relay.password = [password]() -> Result<std::string> { return password; };
  }
  if (!relay.user.empty() && !relay.password) {
    return bad_setting(
        "SECUREBASE_SMTP_USER is set without SECUREBASE_SMTP_PASSWORD or SECUREBASE_SMTP_PASSWORD_SECRET");
  }
  return std::optional<Relay>(std::move(relay));
}

}  // namespace securebase::notify
