// Policies come from clients, and so do the bodies they are held against: text up to the first NUL is the policy, the
// rest the body.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "notify/filter_policy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace securebase::notify;  // NOLINT
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto cut = bytes.find('\0');
  const auto policy_text = bytes.substr(0, cut);
  const auto body = cut == std::string_view::npos ? std::string_view("{}") : bytes.substr(cut + 1);
  Message message;
  message.attributes["body"] = {"String", std::string(body.substr(0, 1000))};
  for (const auto scope : {FilterScope::kMessageAttributes, FilterScope::kMessageBody}) {
    auto policy = FilterPolicy::parse(policy_text, scope);
    if (!policy) continue;
    const auto verdict = policy->judge(message, body);
    securebase::check(verdict == policy->judge(message, body), "a verdict does not change");
    if (scope == FilterScope::kMessageAttributes) {
      securebase::check(verdict != FilterPolicy::Verdict::kInvalidBody, "attributes have no body");
    }
  }
  return 0;
}
