// What a receiver's answer means for a body, and how long to wait before the next attempt.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/clock.h"

namespace securebase::monitoring::exports {

enum class Protocol { kRemoteWrite, kOtlp };
std::string_view to_string(Protocol protocol);  // "remote-write", "otlp"

enum class Verdict { kTaken, kAgain, kRefused };
// Remote write repeats 429 and all 5xx and nothing else (specification, "Retries & Backoff"); OTLP/HTTP 429, 502, 503
// and 504 (specification, "Retryable Response Codes").
Verdict verdict_of(Protocol protocol, int status);

// Seconds or a date (RFC 9110 §10.2.3), at most five minutes; nullopt: neither.
std::optional<std::chrono::milliseconds> retry_after(std::string_view value, base::TimePoint now);

struct Pauses {
  std::chrono::milliseconds first{1000};
  std::chrono::milliseconds longest{30'000};
};
// Before attempt `failures` + 1: twice as long each time, of which a random half is waited at most less, so that many
// senders do not come back at once. `random` is any number.
std::chrono::milliseconds pause_after(std::size_t failures, const Pauses& pauses, std::uint64_t random);

}  // namespace securebase::monitoring::exports
