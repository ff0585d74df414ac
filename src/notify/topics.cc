#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "notify/engine.h"

namespace securebase::notify {

namespace {

constexpr std::size_t kTags = 50;

bool is_topic_name(std::string_view name) {
  return !name.empty() && name.size() <= 256 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

Result<Done, aws::Fault> check_tags(const Names& tags) {
  if (tags.size() > kTags) return aws::Fault{"TagLimitExceeded", fmt::format("at most {} tags", kTags), 400, {}};
  for (const auto& [name, value] : tags) {
    if (name.empty() || name.size() > 128 || value.size() > 256) {
      return invalid_parameter("Tags", "a tag's key has 1 to 128 characters, its value at most 256");
    }
  }
  return Done{};
}

}  // namespace

aws::Fault not_found(std::string_view message) { return {"NotFound", std::string(message), 404, {}}; }

Answered<TopicPointer> Notify::Engine::topic(std::string_view arn) const {
  const auto found = registry->get()->topic(arn);
  if (found) return found;
  if (!arn.starts_with("arn:")) {
    return invalid_parameter("TopicArn", fmt::format("\"{}\" is no ARN of a topic", arn));
  }
  return not_found("Topic does not exist");
}

Answered<std::string> Notify::Engine::create_topic(std::string_view name, Names attributes, Names tags) {
  if (name.ends_with(".fifo")) {
    return invalid_parameter("Topic Name", "FIFO topics are not done by SecureBase; leave out .fifo");
  }
  if (!is_topic_name(name)) {
    return invalid_parameter("Topic Name", "1 to 256 of the characters A-Z a-z 0-9 _ - are expected");
  }
  if (auto fits = check_tags(tags); !fits) return fits.error();
  Topic made;
  made.arn = fmt::format("arn:aws:sns:{}:{}:{}", settings.region, settings.account, name);
  made.attributes = std::move(attributes);
  made.tags = std::move(tags);
  if (auto settled = settle(made); !settled) return settled.error();
  const auto arn = made.arn;
  auto changed = registry->change([&](Registered& registered) -> Result<Done, aws::Fault> {
    if (const auto there = registered.topic(arn)) {
      // Asking again for what is there is no error (SNS API reference, CreateTopic).
      for (const auto& [key, value] : made.attributes) {
        const auto own = there->attributes.find(key);
        if (own == there->attributes.end() || own->second != value) {
          return invalid_parameter("Attributes", "Topic already exists with different attributes");
        }
      }
      if (!made.tags.empty() && made.tags != there->tags) {
        return invalid_parameter("Tags", "Topic already exists with different tags");
      }
      return Done{};
    }
    if (registered.topics.size() >= settings.limits.topics) {
      return aws::Fault{"TopicLimitExceeded",
                        fmt::format("there are {} topics, as many as may be", registered.topics.size()),
                        403,
                        {}};
    }
    registered.put(std::move(made));
    return Done{};
  });
  if (!changed) return changed.error();
  return arn;
}

Answered<Done> Notify::Engine::delete_topic(std::string_view arn) {
  if (!arn.starts_with("arn:")) return invalid_parameter("TopicArn", "it is no ARN");
  const auto before = registry->get();
  if (!before->topic(arn)) return Done{};  // deleting twice is no error
  auto changed = registry->change([&](Registered& registered) -> Result<Done, aws::Fault> {
    registered.remove_topic(std::string(arn));
    return Done{};
  });
  if (!changed) return changed;
  forget_unknown();
  return Done{};
}

Answered<Done> Notify::Engine::set_topic_attribute(std::string_view arn, std::string_view name,
                                                   std::string_view value) {
  if (auto there = topic(arn); !there) return there.error();
  return registry->change([&](Registered& registered) -> Result<Done, aws::Fault> {
    const auto there = registered.topic(arn);
    if (!there) return not_found("Topic does not exist");
    Topic changed = *there;
    changed.attributes.insert_or_assign(std::string(name), std::string(value));
    if (auto settled = settle(changed); !settled) return settled;
    if (value.empty()) changed.attributes.erase(std::string(name));
    registered.put(std::move(changed));
    return Done{};
  });
}

Answered<Done> Notify::Engine::tag_topic(std::string_view arn,
                                         const std::map<std::string, std::optional<std::string>>& tags) {
  return registry->change([&](Registered& registered) -> Result<Done, aws::Fault> {
    const auto there = registered.topic(arn);
    if (!there) return aws::Fault{"ResourceNotFound", "Resource does not exist", 404, {}};
    Topic changed = *there;
    for (const auto& [name, value] : tags) {
      if (value) {
        changed.tags.insert_or_assign(name, *value);
      } else {
        changed.tags.erase(name);
      }
    }
    if (auto fits = check_tags(changed.tags); !fits) return fits;
    if (auto settled = settle(changed); !settled) return settled;
    registered.put(std::move(changed));
    return Done{};
  });
}

// The stack is the truth for what it declares. A subscription keeps what its receiver has decided.
Result<Done> Notify::Engine::apply(std::shared_ptr<const Config> wanted_now) {
  const Config& config = *wanted_now;
  std::vector<std::string> to_ask;
  auto changed = registry->change([&](Registered& registered) -> Result<Done, aws::Fault> {
    sweep(registered);
    const auto before = registered;
    for (const auto& [arn, there] : before.topics) {
      const bool wanted =
          std::any_of(config.topics.begin(), config.topics.end(), [&](const auto& one) { return one.arn == arn; });
      if (there->declared && !wanted) registered.remove_topic(arn);
    }
    for (const auto& [arn, there] : before.subscriptions) {
      const bool wanted = std::any_of(config.subscriptions.begin(), config.subscriptions.end(),
                                      [&](const auto& one) { return one.arn == arn; });
      if (there->declared && !wanted) registered.remove_subscription(arn);
    }
    for (auto topic : config.topics) {
      topic.declared = true;
      registered.put(std::move(topic));
    }
    for (auto wanted : config.subscriptions) {
      const auto topic = registered.topic(wanted.topic_arn);
      if (!topic) return not_found(fmt::format("subscription {}: there is no topic {}", wanted.arn, wanted.topic_arn));
      if (auto settled = settle(wanted, *topic); !settled) return settled;
      wanted.declared = true;
      const auto there = registered.subscription(wanted.arn);
      if (there) {
        wanted.confirmed = there->confirmed;
        wanted.authenticated_unsubscribe = there->authenticated_unsubscribe;
        wanted.token = there->token;
        wanted.token_expires = there->token_expires;
        wanted.asked = there->asked;
      }
      if (!wanted.needs_confirmation(*topic)) wanted.confirmed = true;
      const bool gone = there && there->removed;
      if (!wanted.confirmed && (!there || gone || !there->asked || wanted.token_expires < doors.clock.now())) {
        await_confirmation(wanted);
        to_ask.push_back(wanted.arn);
      }
      registered.put(std::move(wanted));
    }
    return Done{};
  });
  if (!changed) return Error{Errc::kMalformed, changed.error().message};
  applied.set(std::move(wanted_now));
  forget_unknown();
  const auto now = registry->get();
  for (const auto& arn : to_ask) {
    if (const auto one = now->subscription(arn)) ask_to_confirm(*one, Message::Kind::kSubscriptionConfirmation);
  }
  return Done{};
}

namespace {

void compare(const Names& is, const Names& should, std::vector<stack::Change::Attribute>& drifted) {
  std::set<std::string> names;
  for (const auto* side : {&is, &should}) {
    for (const auto& [name, value] : *side) names.insert(name);
  }
  for (const auto& name : names) {
    const auto value = [&](const Names& side) {
      const auto found = side.find(name);
      return found == side.end() ? stack::Value() : stack::Value(found->second);
    };
    const auto before = value(is), after = value(should);
    if (before != after) drifted.push_back({stack::terraform_name(name), before, after, false, "", false});
  }
}

stack::Value tags_as_map(const Names& tags) {
  stack::Value::Map map;
  for (const auto& [name, value] : tags) map.emplace(name, value);
  return map;
}

}  // namespace

std::vector<stack::Drifted> Notify::Engine::drift() const {
  const auto now = registry->get();
  const auto config = applied.get();
  std::vector<stack::Drifted> all;
  const auto add = [&all](stack::Drifted one) {
    if (one.removed || !one.attributes.empty()) all.push_back(std::move(one));
  };
  for (const auto& wanted : config->topics) {
    const auto there = now->topic(wanted.arn);
    stack::Drifted one{"aws_sns_topic", wanted.arn, !there, {}};
    if (there) {
      compare(there->attributes, wanted.attributes, one.attributes);
      if (there->tags != wanted.tags) {
        one.attributes.push_back({"tags", tags_as_map(there->tags), tags_as_map(wanted.tags), false, "", false});
      }
    }
    add(std::move(one));
  }
  for (const auto& wanted : config->subscriptions) {
    const auto there = now->subscription(wanted.arn);
    stack::Drifted one{"aws_sns_topic_subscription", wanted.arn, !there || there->removed, {}};
    if (!one.removed) compare(there->attributes, wanted.attributes, one.attributes);
    add(std::move(one));
  }
  return all;
}

}  // namespace securebase::notify
