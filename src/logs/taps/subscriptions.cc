#include "logs/taps/subscriptions.h"

#include <fmt/format.h>
#include <libdeflate.h>

#include <memory>

#include "base/encoding.h"
#include "base/log.h"

namespace securebase::logs {

namespace {

std::string gzipped(std::string_view bytes) {
  const std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)> compressor(
      libdeflate_alloc_compressor(6), &libdeflate_free_compressor);
  check(compressor != nullptr, "libdeflate has memory");
  std::string out(libdeflate_gzip_compress_bound(compressor.get(), bytes.size()), '\0');
  out.resize(libdeflate_gzip_compress(compressor.get(), bytes.data(), bytes.size(), out.data(), out.size()));
  return out;
}

}  // namespace

std::string event_id(const Position& at) { return fmt::format("{:020}{:036}", at.time_ms, at.sequence); }

std::string subscription_event(std::string_view account, std::string_view group, std::string_view stream,
                               const std::vector<std::string>& filters, base::Json::Array events) {
  base::Json::Array names(filters.begin(), filters.end());
  const auto data = base::Json::object({{"messageType", "DATA_MESSAGE"},
                                        {"owner", account},
                                        {"logGroup", group},
                                        {"logStream", stream},
                                        {"subscriptionFilters", base::Json(std::move(names))},
                                        {"logEvents", base::Json(std::move(events))}});
  return base::Json::object({{"awslogs", base::Json::object({{"data", base::base64(gzipped(data.dump()))}})}}).dump();
}

SubscriptionFilters::SubscriptionFilters(const GroupSettings& settings) {
  for (const auto& [name, filter] : settings.subscription_filters) {
    auto pattern = Pattern::compile(filter.pattern);
    if (!pattern) {  // it was checked when it was put
      base::log(base::Level::kWarning, "logs", "subscription filter {} of {}: {}", name, settings.name,
                pattern.error().message);
      continue;
    }
    filters_.push_back({filter, std::move(*pattern)});
  }
}

std::vector<SubscriptionFilters::Matched> SubscriptionFilters::match(std::span<const Event> events,
                                                                     std::uint64_t first_sequence) const {
  std::vector<Matched> all;
  for (const auto& one : filters_) {
    Matched matched{&one.filter, {}};
    for (std::size_t i = 0; i < events.size(); ++i) {
      if (!one.pattern.matches(events[i].message)) continue;
      matched.events.push_back(base::Json::object({{"id", event_id({events[i].time_ms, first_sequence + i})},
                                                   {"timestamp", events[i].time_ms},
                                                   {"message", events[i].message}}));
    }
    if (!matched.events.empty()) all.push_back(std::move(matched));
  }
  return all;
}

}  // namespace securebase::logs
