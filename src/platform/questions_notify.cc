// `securebase notify`: what the command line asks about topics, their subscribers, and what waits for them.
#include <fmt/format.h>

#include <algorithm>

#include "platform/rooms.h"

namespace securebase::platform {

namespace {

using base::Json;

Error error_of(const aws::Fault& fault) {
  const bool missing = fault.status == 404;
  return {missing ? Errc::kNotFound : fault.status >= 500 ? Errc::kUnavailable : Errc::kMalformed, fault.message};
}

Json overview(const notify::Status& status) {
  auto topics = Json::array();
  for (const auto& one : status.topics) {
    topics.push_back(Json::object({{"arn", one.arn},
                                   {"display_name", one.display_name},
                                   {"from_stack", one.declared},
                                   {"subscriptions", std::uint64_t{one.subscriptions}}}));
  }
  auto subscriptions = Json::array();
  for (const auto& one : status.subscriptions) {
    subscriptions.push_back(Json::object({{"arn", one.arn},
                                          {"topic_arn", one.topic_arn},
                                          {"protocol", one.protocol},
                                          {"endpoint", one.endpoint},
                                          {"format", one.format},
                                          {"confirmed", one.confirmed},
                                          {"from_stack", one.declared},
                                          {"waiting", std::uint64_t{one.waiting}},
                                          {"dead_letters", std::uint64_t{one.dead_letters}},
                                          {"trouble", one.trouble}}));
  }
  auto troubles = Json::array();
  for (const auto& one : status.troubles) troubles.push_back(one);
  return Json::object({{"topics", topics},
                       {"subscriptions", subscriptions},
                       {"waiting", std::uint64_t{status.waiting}},
                       {"dead_letters", std::uint64_t{status.dead_letters}},
                       {"dropped_dead_letters", status.dropped_dead_letters},
                       {"troubles", troubles}});
}

Json queued(const std::vector<notify::Waiting>& waiting) {
  auto array = Json::array();
  for (const auto& one : waiting) {
    array.push_back(Json::object({{"subscription_arn", one.subscription_arn},
                                  {"topic_arn", one.topic_arn},
                                  {"message_id", one.message_id},
                                  {"subject", one.subject.value_or("")},
                                  {"attempts", std::uint64_t{one.attempts}},
                                  {"published", base::iso8601(one.published)},
                                  {"due", base::iso8601(one.due)},
                                  {"under_way", one.under_way}}));
  }
  return Json::object({{"waiting", array}});
}

std::size_t most_of(const Json& question) {
  return static_cast<std::size_t>(std::clamp<std::int64_t>(question["most"].integer_or(20), 1, 100'000));
}

Json listed(const std::vector<notify::DeadLetter>& letters, std::string_view subscription) {
  auto array = Json::array();
  for (const auto& one : letters) {
    if (!subscription.empty() && one.subscription_arn != subscription) continue;
    array.push_back(Json::object({{"id", one.id},
                                  {"subscription_arn", one.subscription_arn},
                                  {"topic_arn", one.topic_arn},
                                  {"message_id", one.message_id},
                                  {"subject", one.subject.value_or("")},
                                  {"reason", one.reason},
                                  {"attempts", std::uint64_t{one.attempts}},
                                  {"published", base::iso8601(one.published)},
                                  {"died", base::iso8601(one.died)}}));
  }
  return Json::object({{"dead_letters", array}});
}

// A topic's ARN as it is, or that of the topic with this name.
Result<std::string> topic_arn(const notify::Status& status, std::string_view name) {
  std::string known;
  for (const auto& one : status.topics) {
    if (one.arn == name || one.arn.ends_with(fmt::format(":{}", name))) return one.arn;
    known += (known.empty() ? "" : ", ") + one.arn.substr(one.arn.rfind(':') + 1);
  }
  return Error{Errc::kNotFound,
               fmt::format("there is no topic \"{}\"; there are: {}", name, known.empty() ? "none" : known)};
}

Result<Json> send(notify::Notify& notify, const Json& question) {
  auto arn = topic_arn(notify.status(), question["topic"].string_or(""));
  if (!arn) return arn.error();
  std::optional<std::string> subject;
  if (const auto* text = question["subject"].as_string(); text && !text->empty()) subject = *text;
  auto id = notify.publish(*arn, std::move(subject), std::string(question["message"].string_or("")));
  if (!id) return error_of(id.error());
  std::uint64_t receivers = 0;
  for (const auto& one : notify.status().subscriptions) receivers += one.topic_arn == *arn && one.confirmed;
  return Json::object({{"message_id", *id}, {"topic_arn", *arn}, {"receivers", receivers}});
}

Result<Json> dead_letters(notify::Notify& notify, std::string_view what, const Json& question) {
  const auto subscription = question["subscription"].string_or("");
  if (what == "dead-letters") return listed(notify.dead_letters(), subscription);
  std::optional<std::uint64_t> id;
  if (question["id"].is_integer()) id = static_cast<std::uint64_t>(question["id"].integer_or(0));
  auto count = what == "redrive" ? notify.redrive(id, subscription) : notify.purge(id, subscription);
  if (!count) return count.error();
  return Json::object({{"count", std::uint64_t{*count}}});
}

Result<Json> deliveries(const notify::Notify& notify, const Json& question) {
  auto lines = notify.deliveries(most_of(question), question["arn"].string_or(""));
  if (!lines) return lines.error();
  return Json::object({{"deliveries", Json(std::move(*lines))}});
}

}  // namespace

Result<base::Json> Rooms::notifications(const base::Json& question) {
  const auto what = question["what"].string_or("");
  if (what == "status") return overview(notify_->status());
  if (what == "dead-letters" || what == "redrive" || what == "purge") return dead_letters(*notify_, what, question);
  if (what == "queue") return queued(notify_->waiting(most_of(question)));
  if (what == "log") return deliveries(*notify_, question);
  if (what == "send") return send(*notify_, question);
  if (what == "confirm") {
    auto done = notify_->confirm(question["subscription"].string_or(""));
    if (!done) return error_of(done.error());
    return Json::object();
  }
  return Error{Errc::kMalformed,
               "what about notifications: status, queue, dead-letters, redrive, purge, log, send or confirm?"};
}

}  // namespace securebase::platform
