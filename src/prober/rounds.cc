#include "prober/rounds.h"

#include <fmt/format.h>

#include "base/file.h"
#include "base/log.h"
#include "base/random.h"
#include "net/worker.h"

namespace securebase::prober {

namespace {

constexpr std::chrono::minutes kSteered{1};

std::string new_uuid() {
  const auto digits = base::random_text(32, "0123456789abcdef");
  return fmt::format("{}-{}-4{}-a{}-{}", digits.substr(0, 8), digits.substr(8, 4), digits.substr(13, 3),
                     digits.substr(17, 3), digits.substr(20));
}

CanaryRun begun(const std::string& canary, base::TimePoint now) {
  CanaryRun run;
  run.canary = canary;
  run.id = new_uuid();
  run.begin = now;
  return run;
}

}  // namespace

Rounds::Rounds(std::filesystem::path file, JournalWriter& runs, net::TaskGroup& tasks)
    : file_(std::move(file)), runs_(runs), tasks_(tasks) {}

Rounds::~Rounds() = default;

net::Task<void> Rounds::always() {
  for (;;) {
    const auto now = base::system_clock().now();
    tick(now);
    const auto past = now.time_since_epoch() % std::chrono::seconds{1};
    auto slept = co_await net::sleep_for(std::chrono::microseconds{std::chrono::seconds{1}} - past);
    if (!slept) co_return;
  }
}

void Rounds::tick(base::TimePoint now) {
  look(now);
  begin_due(now);
}

// The platform replaces the file whole, so that what is read is one state of it.
void Rounds::look(base::TimePoint now) {
  std::error_code failure;
  const auto changed = std::filesystem::last_write_time(file_, failure);
  if (failure || (seen_ && *seen_ == changed)) return;
  seen_ = changed;
  auto text = base::read_file(file_);
  if (!text) {
    base::log(base::Level::kError, "prober", "{}", text.error().message);
    return;
  }
  read(*text, now);
}

void Rounds::read(const std::string& text, base::TimePoint now) {
  auto canaries = canaries_from(text);
  if (!canaries) {
    base::log(base::Level::kError, "prober", "{}: {}", file_.native(), canaries.error().message);
    return;
  }
  workshop_ = std::move(canaries->workshop);
  std::map<std::string, Entry> before = std::move(entries_);
  entries_.clear();
  for (auto& canary : canaries->all) {
    auto schedule = Schedule::parse(canary.schedule);
    if (!schedule) {
      base::log(base::Level::kError, "prober", "{}: {}", canary.name, schedule.error().message);
      continue;
    }
    Entry entry;
    const auto kept = before.find(canary.name);
    const bool known = kept != before.end() && kept->second.canary.started == canary.started;
    entry.running = kept != before.end() && kept->second.running;
    // A run that is due at this very tick is begun behind this.
    const bool same = known && kept->second.canary.schedule == canary.schedule;
    entry.next = same || (known && schedule->runs_once()) ? kept->second.next
                 : schedule->runs_once()                  ? std::optional(now)
                                                          : schedule->next(now);
    entry.schedule = *schedule;
    const std::string name = canary.name;
    entry.canary = std::move(canary);
    entries_.insert_or_assign(name, std::move(entry));
  }
}

void Rounds::begin_due(base::TimePoint now) {
  // A clock that was set back would have a canary wait until the old time comes again. One that is steered back by some
  // milliseconds is none of these: what was begun just now would be due again, and fail for not having ended.
  if (now < last_ - kSteered) {
    for (auto& [name, entry] : entries_) {
      if (entry.next && !entry.schedule->runs_once()) entry.next = entry.schedule->next(now);
    }
  }
  last_ = now;
  for (auto& [name, entry] : entries_) {
    if (!entry.next || *entry.next > now) continue;
    entry.next = entry.schedule->next(now);
    if (entry.running) {
      auto late = begun(name, now);
      late.executed = false;
      late.reason = "the run before this one has not ended";
      keep(late);
      continue;
    }
    entry.running = true;
    tasks_.spawn(run(name));
  }
}

net::Task<void> Rounds::run(std::string name) {
  const Canary canary = entries_.at(name).canary;
  CanaryRun result = begun(name, base::system_clock().now());
  if (canary.kind == Canary::Kind::kHttp) {
    if (!tls_) {
      auto made = net::TlsClient::make({});
      if (made) tls_ = std::move(*made);
    }
    result = co_await run_http(canary, workshop_, tls_, std::move(result));
  } else {
    result = co_await run_script(canary, std::move(result));
  }
  keep(result);
  // The canaries may have been read anew meanwhile.
  if (const auto found = entries_.find(name); found != entries_.end()) found->second.running = false;
}

net::Task<CanaryRun> Rounds::run_script(Canary canary, CanaryRun run) {
  if (!supervisor_) {
    auto started = process::Supervisor::start();
    if (!started) {
      run.executed = false;
      run.reason = started.error().message;
      co_return run;
    }
    supervisor_ = std::move(*started);
    pool_ = std::make_unique<net::Pool>(kScripts, kScriptQueue);
  }
  const Workshop shop = workshop_;
  auto& supervisor = *supervisor_;
  auto done = co_await pool_->run([&] { return run_script_now(canary, shop, supervisor, run); });
  if (done) co_return std::move(*done);
  run.executed = false;
  run.reason = done.error().message;
  co_return run;
}

void Rounds::keep(const CanaryRun& run) {
  if (auto kept = runs_.append_line(to_line(run)); !kept) {
    base::log(base::Level::kError, "prober", "{}", kept.error().message);
  }
}

}  // namespace securebase::prober
