#include <fmt/format.h>

#include "k6/options.h"

namespace securebase::k6 {

namespace {

// "region:eu,build:17", as k6 reads maps.
Result<Done> take_tags(std::string_view text, std::map<std::string, std::string>& tags) {
  while (true) {
    const auto comma = text.find(',');
    const auto pair = text.substr(0, comma);
    const auto colon = pair.find(':');
    if (colon == 0 || colon == std::string_view::npos || pair.find(':', colon + 1) != std::string_view::npos) {
      return Error{Errc::kMalformed,
                   fmt::format("the environment variable K6_TAGS has '{}': expected name:value,name:value", pair)};
    }
    tags[std::string(pair.substr(0, colon))] = pair.substr(colon + 1);
    if (comma == std::string_view::npos) return Done{};
    text.remove_prefix(comma + 1);
  }
}

}  // namespace

Result<Options> options_from_environment(const char* (*get)(const char*)) {
  base::Json made = base::Json::object();
  const auto put = [&](const char* variable, const char* option, bool quoted) -> Result<Done> {
    const char* const text = get(variable);
    if (!text || !*text) return Done{};
    if (quoted) {
      made.set(option, text);
      return Done{};
    }
    auto parsed = base::Json::parse(text);
    if (!parsed) {
      return Error{
          Errc::kMalformed,
          fmt::format("the environment variable {} is '{}': expected a number, or true or false", variable, text)};
    }
    made.set(option, std::move(*parsed));
    return Done{};
  };
  struct Variable {
    const char* variable;
    const char* option;
    bool quoted;
  };
  static constexpr Variable kVariables[] = {{"K6_VUS", "vus", false},
                                            {"K6_DURATION", "duration", true},
                                            {"K6_ITERATIONS", "iterations", false},
                                            {"K6_SETUP_TIMEOUT", "setupTimeout", true},
                                            {"K6_TEARDOWN_TIMEOUT", "teardownTimeout", true},
                                            {"K6_MIN_ITERATION_DURATION", "minIterationDuration", true},
                                            {"K6_SUMMARY_TREND_STATS", "summaryTrendStats", true},
                                            {"K6_SUMMARY_TIME_UNIT", "summaryTimeUnit", true},
                                            {"K6_SYSTEM_TAGS", "systemTags", true},
                                            {"K6_USER_AGENT", "userAgent", true},
                                            {"K6_HTTP_DEBUG", "httpDebug", true},
                                            {"K6_INSECURE_SKIP_TLS_VERIFY", "insecureSkipTLSVerify", false},
                                            {"K6_NO_CONNECTION_REUSE", "noConnectionReuse", false},
                                            {"K6_NO_VU_CONNECTION_REUSE", "noVUConnectionReuse", false},
                                            {"K6_DISCARD_RESPONSE_BODIES", "discardResponseBodies", false},
                                            {"K6_THROW", "throw", false},
                                            {"K6_NO_SETUP", "noSetup", false},
                                            {"K6_NO_TEARDOWN", "noTeardown", false},
                                            {"K6_MAX_REDIRECTS", "maxRedirects", false},
                                            {"K6_BATCH", "batch", false},
                                            {"K6_BATCH_PER_HOST", "batchPerHost", false},
                                            {"K6_RPS", "rps", false},
                                            {"K6_BLACKLIST_IPS", "blacklistIPs", true},
                                            {"K6_TLS_CIPHER_SUITES", "tlsCipherSuites", true},
                                            {"K6_DNS", "dns", true},
                                            {"K6_HANDLE_SUMMARY_TIMEOUT", "handleSummaryTimeout", true},
                                            {"K6_NO_COOKIES_RESET", "noCookiesReset", false},
                                            {"K6_PAUSED", "paused", false},
                                            {"K6_BLOCK_HOSTNAMES", "blockHostnames", true}};
  for (const auto& variable : kVariables) {
    if (auto taken = put(variable.variable, variable.option, variable.quoted); !taken) return taken.error();
  }
  auto options = options_from(made);
  if (!options) return options.error().within("the environment's K6_ variables");
  if (const char* const stages = get("K6_STAGES"); stages && *stages) {
    auto parsed = parse_stages(stages);
    if (!parsed) return parsed.error().within("the environment variable K6_STAGES");
    options->stages = std::move(*parsed);
  }
  if (const char* const tags = get("K6_TAGS"); tags && *tags) {
    if (auto taken = take_tags(tags, options->tags); !taken) return taken.error();
  }
  return options;
}

}  // namespace securebase::k6
