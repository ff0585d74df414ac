#include "functions/event_queue.h"

#include <fmt/format.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/random.h"

namespace securebase::functions {

using namespace std::chrono_literals;
using net::Task;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kFileCalls = 4096;
constexpr std::chrono::milliseconds kIdle{60'000};

}  // namespace

EventQueue::EventQueue(fs::path directory, Limits limits, Doors doors)
    : directory_(std::move(directory)), limits_(limits), doors_(std::move(doors)), files_(1, kFileCalls) {}

std::string EventQueue::head_of(const Entry& entry) {
  return base::Json::object({{"function", entry.function},
                             {"accepted_us", entry.accepted.time_since_epoch().count()},
                             {"failures", static_cast<std::int64_t>(entry.failures)}})
             .dump() +
         "\n";
}

Result<EventQueue::Entry> EventQueue::read_entry(const fs::path& file) const {
  auto text = base::read_file(file, limits_.event_bytes + (64 << 10));
  if (!text) return text.error();
  const auto end = text->find('\n');
  auto head = base::Json::parse(std::string_view(*text).substr(0, end));
  if (!head || end == std::string::npos) return Error{Errc::kMalformed, "it is no queued event"};
  Entry entry;
  entry.id = file.filename().native();
  entry.function = (*head)["function"].string_or("");
  entry.accepted = base::TimePoint{std::chrono::microseconds{(*head)["accepted_us"].integer_or(0)}};
  entry.failures = static_cast<unsigned>((*head)["failures"].integer_or(0));
  entry.bytes = text->size();
  return entry;
}

Result<Done> EventQueue::start() {
  if (auto made = base::make_directory(directory_, 0700); !made) return made;
  std::error_code failure;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& file : fs::directory_iterator(directory_, failure)) {
      auto entry = read_entry(file.path());
      if (!entry) {
        base::log(base::Level::kWarning, "functions", "{} is left out of the queue: {}", file.path().native(),
                  entry.error().message);
        continue;
      }
      bytes_ += entry->bytes;
      due_.emplace(doors_.clock.steady(), std::move(*entry));
    }
  }
  doors_.workers[0].post([this] { net::Worker::current().tasks().spawn(deliver()); });
  return Done{};
}

void EventQueue::stop() {
  stopping_ = true;
  news_.notify_all();
}

std::size_t EventQueue::waiting() const {
  const std::lock_guard lock(mutex_);
  return due_.size() + under_way_;
}

Result<std::string> EventQueue::put(const std::string& function, std::string_view event) {
  if (event.size() > limits_.event_bytes) {
    return Error{Errc::kLimit,
                 fmt::format("{} byte payload is too large for the Event invocation type (limit {} bytes)",
                             event.size(), limits_.event_bytes)};
  }
  Entry entry;
  entry.id = base::random_uuid();
  entry.function = function;
  entry.accepted = doors_.clock.now();
  const std::string text = head_of(entry) + std::string(event);
  entry.bytes = text.size();
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return Error{Errc::kClosed, "the platform is shutting down"};
    if (due_.size() + under_way_ >= limits_.events || bytes_ + entry.bytes > limits_.bytes) {
      return Error{Errc::kUnavailable,
                   fmt::format("{} events wait for their functions already; try again when some are done",
                               due_.size() + under_way_)};
    }
    bytes_ += entry.bytes;
  }
  if (auto written = base::replace_file(file_of(entry.id), text, 0600); !written) {
    const std::lock_guard lock(mutex_);
    bytes_ -= entry.bytes;
    return written.error().within("keeping the event");
  }
  if (const auto metrics = doors_.metrics(function); metrics.received) metrics.received->add();
  const std::string id = entry.id;
  again(std::move(entry), 0ms);
  return id;
}

void EventQueue::again(Entry entry, std::chrono::milliseconds after) {
  {
    const std::lock_guard lock(mutex_);
    due_.emplace(doors_.clock.steady() + after, std::move(entry));
  }
  news_.notify_all();
}

void EventQueue::done(const Entry& entry) {
  {
    const std::lock_guard lock(mutex_);
    bytes_ -= entry.bytes;
  }
  const auto file = file_of(entry.id);
  if (!files_.submit([file] { ::unlink(file.c_str()); })) ::unlink(file.c_str());
}

void EventQueue::give_up(const Entry& entry, std::string_view why) {
  base::log(base::Level::kWarning, "functions", "event {} for {} is given up: {}", entry.id, entry.function, why);
  if (const auto metrics = doors_.metrics(entry.function); metrics.dropped) metrics.dropped->add();
  done(entry);
}

Task<void> EventQueue::deliver() {
  while (!stopping_) {
    const auto ticket = news_.ticket();
    std::vector<Entry> now;
    auto wait = std::chrono::duration_cast<std::chrono::steady_clock::duration>(kIdle);
    {
      const std::lock_guard lock(mutex_);
      while (!due_.empty() && under_way_ < limits_.at_once && due_.begin()->first <= doors_.clock.steady()) {
        now.push_back(std::move(due_.begin()->second));
        due_.erase(due_.begin());
        ++under_way_;
      }
      if (!due_.empty() && under_way_ < limits_.at_once) wait = due_.begin()->first - doors_.clock.steady();
    }
    for (auto& entry : now) net::Worker::current().tasks().spawn(attempt(std::move(entry)));
    if (!now.empty()) continue;
    auto told = co_await net::with_timeout(wait, wait_for_news(ticket));
    if (!told && told.error().code == Errc::kCancelled) co_return;
  }
}

Task<Result<Done>> EventQueue::wait_for_news(std::uint64_t ticket) {
  auto told = co_await news_.after(ticket);
  co_return told;
}

Task<Result<std::string>> EventQueue::event_of(std::string id) {
  const auto read = [file = file_of(id), limit = limits_.event_bytes + (64 << 10)] {
    return base::read_file(file, limit);
  };
  auto text = co_await files_.run(read);
  if (!text) co_return text.error();
  if (!*text) co_return text->error();
  co_return (**text).substr((*text)->find('\n') + 1);
}

Task<void> EventQueue::attempt(Entry entry) {
  using Kind = InvokeOutcome::Kind;
  const auto policy = doors_.policy(entry.function);
  const auto age = doors_.clock.now() - entry.accepted;
  auto event = co_await event_of(entry.id);
  if (!event && event.error().code == Errc::kLimit) {  // too many reads wait already
    again(std::move(entry), 1s);
  } else if (!event) {
    give_up(entry, event.error().message);
  } else if (age > policy.age) {
    give_up(entry, "it is older than its function's configuration allows");
  } else {
    if (const auto metrics = doors_.metrics(entry.function); metrics.age) {
      metrics.age->record(static_cast<double>(age.count()) / 1000);
    }
    InvokeOptions options;
    options.request_id = entry.id;
    const auto outcome = co_await doors_.invoker.invoke(entry.function, std::move(*event), std::move(options));
    if (outcome.kind == Kind::kOk) {
      done(entry);
    } else if (outcome.kind == Kind::kNotFound || outcome.kind == Kind::kTooLarge) {
      give_up(entry, outcome.payload);
    } else if (outcome.kind == Kind::kFunctionError) {
      if (entry.failures++ >= policy.retries) {
        give_up(entry, fmt::format("it ended in {} {} times", outcome.error_type, entry.failures));
      } else {
        const auto file = file_of(entry.id);
        const std::string head = head_of(entry);
        const auto count = [file, head]() -> Result<Done> {
          auto text = base::read_file(file);
          if (!text) return text.error();
          return base::replace_file(file, head + text->substr(text->find('\n') + 1), 0600);
        };
        auto counted = co_await files_.run(count);
        if (!counted || !*counted) {
          base::log(base::Level::kWarning, "functions", "the failure of event {} was not noted on disk", entry.id);
        }
        const auto after = limits_.retry_after * (entry.failures == 1 ? 1 : 2);
        again(std::move(entry), after);
      }
    } else if (!stopping_) {  // throttled, or not to be run now: this is no failure of the function
      entry.back_off = std::clamp(entry.back_off * 2, std::chrono::milliseconds{1000}, limits_.longest_back_off);
      const auto after = entry.back_off;
      again(std::move(entry), after);
    }
  }
  {
    const std::lock_guard lock(mutex_);
    --under_way_;
  }
  news_.notify_all();
}

}  // namespace securebase::functions
