#include "monitoring/exports/verdict.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <string>

namespace securebase::monitoring::exports {

namespace {

constexpr std::chrono::seconds kLongestRetryAfter{300};

std::optional<base::TimePoint> parse_http_date(std::string_view text) {
  std::tm parts{};
  const std::string copy(text);
  const char* const end = strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (!end || *end != '\0') return std::nullopt;
  return base::TimePoint{std::chrono::seconds{timegm(&parts)}};
}

}  // namespace

std::string_view to_string(Protocol protocol) { return protocol == Protocol::kRemoteWrite ? "remote-write" : "otlp"; }

Verdict verdict_of(Protocol protocol, int status) {
  if (status >= 200 && status < 300) return Verdict::kTaken;
  const bool again = protocol == Protocol::kRemoteWrite ? status >= 500 : status >= 502 && status <= 504;
  return again || status == 429 ? Verdict::kAgain : Verdict::kRefused;
}

std::optional<std::chrono::milliseconds> retry_after(std::string_view value, base::TimePoint now) {
  std::int64_t seconds = 0;
  const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (failure != std::errc{} || end != value.data() + value.size()) {
    const auto date = parse_http_date(value);
    if (!date) return std::nullopt;
    seconds = std::chrono::ceil<std::chrono::seconds>(*date - now).count();
  }
  return std::chrono::seconds{std::clamp<std::int64_t>(seconds, 0, kLongestRetryAfter.count())};
}

std::chrono::milliseconds pause_after(std::size_t failures, const Pauses& pauses, std::uint64_t random) {
  const auto doublings = std::min<std::size_t>(failures == 0 ? 0 : failures - 1, 20);
  const auto pause = std::min(pauses.first * (std::int64_t{1} << doublings), pauses.longest);
  const auto half = static_cast<std::uint64_t>(pause.count()) / 2;
  return pause - std::chrono::milliseconds{half == 0 ? 0 : random % half};
}

}  // namespace securebase::monitoring::exports
