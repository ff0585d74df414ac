#include "logs/logs.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "logs/engine.h"
#include "logs/taps/embedded.h"

namespace securebase::logs {

namespace {

constexpr std::size_t kMostTaps = 10'000;  // of groups that are deleted, too, until they are all made anew

void tell_of_lost_lines(const Troubles::Told& told) {
  switch (told.when) {
    case Troubles::Told::When::kFirst:
      return base::log(base::Level::kWarning, "logs", "{}: {} lines are lost: {}", told.whose, told.count, told.why);
    case Troubles::Told::When::kAgain:
      return base::log(base::Level::kWarning, "logs", "{}: {} more lines are lost: {}", told.whose, told.count,
                       told.why);
    case Troubles::Told::When::kOver:
      return base::log(base::Level::kInfo, "logs", "{}: lines are kept again; {} were lost", told.whose, told.count);
  }
}

void tell_of_lost_metrics(const Troubles::Told& told) {
  if (told.when == Troubles::Told::When::kOver) {
    base::log(base::Level::kInfo, "logs", "{}: metrics of its events are kept again; {} measurements were lost",
              told.whose, told.count);
  } else {
    base::log(base::Level::kWarning, "logs", "{}: {}{} measurements of its events are lost: {}", told.whose, told.count,
              told.when == Troubles::Told::When::kAgain ? " more" : "", told.why);
  }
}

}  // namespace

Logs::Engine::Engine(Settings given, telemetry::Registry& metrics, const base::Clock& time,
                     std::unique_ptr<Store> opened, std::unique_ptr<SubscriptionQueue> queue)
    : settings(std::move(given)),
      registry(metrics),
      clock(time),
      store(std::move(opened)),
      source(*store, settings.account),
      subscriptions(std::move(queue)),
      lost_metrics(tell_of_lost_metrics),
      lost_lines(tell_of_lost_lines) {
  auto& dropped = registry.counter(kDroppedLines);
  sink.emplace(Sink::Limits{},
               [this, &dropped](std::string_view group, std::string_view stream, std::span<const Event> events) {
                 auto done = put(group, stream, events);
                 if (!done) dropped.add(events.size());
                 if (done) {
                   lost_lines.well(group, clock.now());
                 } else {
                   lost_lines.failed(group, events.size(), done.error().message, clock.now());
                 }
                 return done.has_value();
               });
}

Logs::Engine::~Engine() {
  sink.reset();
  subscriptions->stop();
  store->stop();
}

std::string Logs::Engine::group_arn(std::string_view name) const {
  return fmt::format("arn:aws:logs:{}:{}:log-group:{}", settings.region, settings.account, name);
}

Result<Done> Logs::Engine::put(std::string_view group, std::string_view stream, std::span<const Event> events) {
  auto there = store->group_or_new(group);
  if (!there) return there.error();
  return put(**there, stream, events);
}

Result<Done> Logs::Engine::put(Group& group, std::string_view stream, std::span<const Event> events) {
  auto first = group.append(stream, store->now_ms(), events);
  if (!first) return first.error();
  tell(taps_of(group.settings()), stream, events, *first);
  return Done{};
}

Logs::Engine::Taps Logs::Engine::taps_of(const std::shared_ptr<const GroupSettings>& group) {
  const std::lock_guard lock(taps_mutex);
  if (taps.size() >= kMostTaps) taps.clear();
  auto found = taps.find(group->name);
  if (found != taps.end() && found->second.made_of == group) return found->second;
  const bool is_new = found == taps.end();
  auto& made = is_new ? taps[group->name] : found->second;
  if (is_new) {
    made.events = &registry.counter(kIncomingEvents, {{"LogGroupName", group->name}});
    made.bytes = &registry.counter(kIncomingBytes, {{"LogGroupName", group->name}});
  }
  // Settings change when streams are made, too: filters keep what they know unless they changed themselves.
  const auto same = [](const auto& a, const auto& b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](const auto& x, const auto& y) {
             return x.first == y.first && x.second.pattern == y.second.pattern &&
                    x.second.created_ms == y.second.created_ms;
           });
  };
  if (!made.made_of || !same(made.made_of->metric_filters, group->metric_filters)) {
    made.metrics = std::make_shared<MetricFilters>(*group);
  }
  made.subscriptions = std::make_shared<const SubscriptionFilters>(*group);
  made.made_of = group;
  return made;
}

void Logs::Engine::tell(const Taps& group, std::string_view stream, std::span<const Event> events,
                        std::uint64_t first_sequence) {
  std::size_t bytes = 0;
  for (const auto& event : events) bytes += event.message.size();
  group.events->add(events.size());
  group.bytes->add(bytes);
  if (!connected) return;
  if (connections.put_metrics) {
    std::vector<Measurement> measured;
    for (const auto& event : events) {
      if (!may_be_embedded(event.message)) continue;
      for (auto& one : embedded_metrics(event.message)) measured.push_back(std::move(one));
    }
    if (!group.metrics->empty()) group.metrics->measure(events, measured);
    if (!measured.empty()) {
      const auto done = connections.put_metrics(measured);
      const std::lock_guard lock(lost_metrics_mutex);
      if (done) {
        lost_metrics.well(group.made_of->name, clock.now());
      } else {
        lost_metrics.failed(group.made_of->name, measured.size(), done.error().message, clock.now());
      }
    }
  }
  if (connections.invoke && !group.subscriptions->empty()) {
    for (auto& matched : group.subscriptions->match(events, first_sequence)) {
      subscriptions->push(matched.filter->destination_arn,
                          subscription_event(settings.account, group.made_of->name, stream, {matched.filter->name},
                                             std::move(matched.events)));
    }
  }
}

// What the stack declares is as it says. What it declared once and does not any more is given back: a group keeps its
// events, since they cannot be had again.
Result<Done> Logs::Engine::apply(const Config& config) {
  const std::lock_guard one(applying);
  for (const auto& [name, wanted] : config.groups) {
    if (store->refusal(name)) continue;  // said at the start: the rest of the stack is worth having
    auto group = store->group_or_new(name);
    if (!group) return group.error().within(name);
    auto changed = (*group)->change([&wanted = wanted, this](GroupSettings& settings) -> Result<Done> {
      settings.declared = wanted.declared;
      if (wanted.declared) {
        settings.retention_days = wanted.retention_days;
        settings.tags = wanted.tags;
        settings.log_class = wanted.log_class;
      }
      const auto now = store->now_ms();
      const auto replace = [now](auto& have, const auto& declared) {
        std::erase_if(have,
                      [&](const auto& filter) { return filter.second.declared && !declared.contains(filter.first); });
        for (const auto& [filter_name, filter] : declared) {
          const auto created = have.contains(filter_name) ? have.at(filter_name).created_ms : now;
          auto& kept = have[filter_name] = filter;
          kept.created_ms = created;
          kept.declared = true;
        }
      };
      replace(settings.metric_filters, wanted.metric_filters);
      replace(settings.subscription_filters, wanted.subscription_filters);
      return Done{};
    });
    if (!changed) return changed.error().within(name);
    for (const auto& [stream, created] : wanted.empty_streams) {
      if ((*group)->has_stream(stream)) continue;
      auto made = (*group)->create_stream(stream, store->now_ms());
      if (!made && made.error().code != Errc::kConflict) return made.error().within(name);
    }
  }
  for (const auto& [name, group] : store->groups()) {
    if (config.groups.contains(name)) continue;
    const auto before = group->settings();
    const auto is_declared = [](const auto& filter) { return filter.second.declared; };
    const bool has_declared =
        before->declared || std::any_of(before->metric_filters.begin(), before->metric_filters.end(), is_declared) ||
        std::any_of(before->subscription_filters.begin(), before->subscription_filters.end(), is_declared);
    if (!has_declared) continue;
    auto changed = group->change([&](GroupSettings& settings) -> Result<Done> {
      if (std::exchange(settings.declared, false)) {
        settings.retention_days.reset();
        settings.tags.clear();
      }
      std::erase_if(settings.metric_filters, is_declared);
      std::erase_if(settings.subscription_filters, is_declared);
      return Done{};
    });
    if (!changed) return changed.error().within(name);
  }
  return Done{};
}

// --- the door -----------------------------------------------------------------------------------------------------

Result<std::unique_ptr<Logs>> Logs::open(Settings settings, telemetry::Registry& registry, const base::Clock& clock) {
  StoreSettings kept;
  kept.directory = settings.directory;
  kept.disk_bytes = settings.disk_bytes;
  auto store = Store::open(std::move(kept), clock);
  if (!store) return store.error();
  auto queue = SubscriptionQueue::open(settings.directory.parent_path() / "subscriptions");
  if (!queue) return queue.error();
  return std::unique_ptr<Logs>(
      new Logs(std::make_unique<Engine>(std::move(settings), registry, clock, std::move(*store), std::move(*queue))));
}

Logs::Logs(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}
Logs::~Logs() = default;

void Logs::connect(Connections connections) { engine_->connections = std::move(connections); }

void Logs::start() {
  engine_->sink->flush();  // after it, the sink's thread sees the connections
  engine_->connected = true;
  if (engine_->connections.invoke) {
    engine_->subscriptions->start(engine_->connections.invoke, engine_->registry.counter(kDeliveredBatches),
                                  engine_->registry.counter(kDroppedBatches));
  }
  engine_->store->start();
}

void Logs::stop_calls() { engine_->subscriptions->stop(); }

void Logs::stop() {
  engine_->sink->flush();
  engine_->subscriptions->stop();
  engine_->connected = false;
  engine_->sink->flush();  // after it, nobody is within tell() who has seen it connected
  engine_->store->stop();
}

telemetry::LogSink& Logs::sink() { return *engine_->sink; }
void Logs::flush() { engine_->sink->flush(); }
Result<Done> Logs::apply(std::shared_ptr<const Config> config) { return engine_->apply(*config); }
const insights::Source& Logs::source() const { return engine_->source; }

Result<bool> Logs::knows(std::string_view name) const {
  const auto groups = engine_->store->resolve(name);
  if (!groups) return groups.error();
  return !groups->empty();
}

std::vector<GroupStatus> Logs::groups() const {
  std::vector<GroupStatus> all;
  for (const auto& [name, group] : engine_->store->groups()) {
    const auto settings = group->settings();
    all.push_back({.name = name,
                   .streams = group->streams().size(),
                   .message_bytes = group->stored_bytes(),
                   .disk_bytes = group->disk_bytes(),
                   .retention_days = settings->retention_days,
                   .declared = settings->declared,
                   .damaged_blocks = group->damaged_blocks(),
                   .repaired = group->repaired()});
  }
  for (const auto& [name, group] : engine_->store->unopened()) all.push_back({.name = name, .unopened = group.reason});
  return all;
}

}  // namespace securebase::logs
