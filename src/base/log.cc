#include "base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace securebase::base {

namespace {

spdlog::level::level_enum translate(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

spdlog::logger& logger() {
  static const auto made = [] {
    auto logger = spdlog::stderr_color_mt("securebase");
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v", spdlog::pattern_time_type::utc);
    logger->flush_on(spdlog::level::info);
    return logger;
  }();
  return *made;
}

}  // namespace

void set_log_level(Level least) { logger().set_level(translate(least)); }

bool logs(Level level) { return logger().should_log(translate(level)); }

void log_line(Level level, std::string_view room, std::string_view text) {
  logger().log(translate(level), "{}: {}", room, text);
}

}  // namespace securebase::base
