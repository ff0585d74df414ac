#include "logs/insights/queries.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/random.h"

namespace securebase::logs::insights {

namespace {

std::size_t bytes_of(const Results& results) {
  std::size_t total = 0;
  for (const auto& row : results.rows) {
    for (const auto& value : row) total += sizeof value + (value ? value->size() : 0);
  }
  return total;
}

}  // namespace

Queries::Queries(const Source& source, Settings settings, const base::Clock& clock)
    : source_(source), settings_(std::move(settings)), tables_(settings_.lookup_tables), clock_(clock) {
  const auto count = settings_.threads != 0 ? settings_.threads : std::max(1u, std::thread::hardware_concurrency());
  for (std::size_t i = 0; i < count; ++i) threads_.emplace_back([this] { work(); });
}

Queries::~Queries() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    for (const auto& one : running_) one->cancel();
  }
  changed_.notify_all();
  for (auto& thread : threads_) thread.join();
}

Result<std::string, Queries::Refused> Queries::start(Request request) {
  const auto parsed = parse_query(request.text);
  if (!parsed) return Refused{Refusal::kMalformed, parsed.error()};
  const auto now = clock_.now();
  PlanSettings plan_settings;
  plan_settings.now_seconds =
      static_cast<double>(std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());
  plan_settings.limit = request.limit;
  plan_settings.tables = &tables_;
  auto plan = make_plan(*parsed, plan_settings);
  if (!plan) return Refused{Refusal::kMalformed, plan.error()};
  Execution::Settings settings;
  settings.groups = request.groups;
  settings.begin = request.begin;
  settings.end = request.end;
  settings.timeout = settings_.timeout;
  settings.memory_bytes = settings_.memory_bytes;
  auto execution = std::make_shared<Execution>(source_, std::move(*plan), std::move(settings), clock_);
  const auto id = base::random_uuid();
  {
    const std::lock_guard lock(mutex_);
    if (running_.size() >= settings_.running) {
      return Refused{Refusal::kTooMany, {fmt::format("{} queries run, as many as may at once", running_.size()), 0, 0}};
    }
    entries_.push_front({{id, std::move(request), now, Status::kScheduled}, execution, nullptr, 0});
    running_.push_back(std::move(execution));
    ++changes_;
    forget_oldest();
  }
  changed_.notify_all();
  return id;
}

// Each thread takes the next query's turn.
void Queries::work() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    const auto seen = changes_;
    bool worked = false;
    for (std::size_t tried = 0; tried < running_.size() && !worked && !ending_;) {
      const auto execution = running_[turn_++ % running_.size()];
      ++tried;
      lock.unlock();
      worked = execution->work();
      const bool finished = execution->finished();
      if (finished) settle(execution);
      lock.lock();
      if (worked || finished) {
        ++changes_;
        changed_.notify_all();
      }
    }
    if (!worked) changed_.wait(lock, [&] { return ending_ || changes_ != seen; });
  }
}

// Keeps what a finished query found, and lets go of what it was found by.
void Queries::settle(const std::shared_ptr<Execution>& execution) {
  auto progress = std::make_shared<Progress>();
  progress->status = execution->status();
  progress->failure = execution->failure();
  progress->statistics = execution->statistics();
  if (auto results = execution->results()) progress->results = std::move(*results);
  const std::lock_guard lock(mutex_);
  const auto at = std::find(running_.begin(), running_.end(), execution);
  if (at == running_.end()) return;  // another thread was faster
  running_.erase(at);
  for (auto& entry : entries_) {
    if (entry.execution != execution) continue;
    entry.bytes = bytes_of(progress->results);
    entry.query.status = progress->status;
    entry.finished = std::move(progress);
    entry.execution = nullptr;
    break;
  }
  forget_oldest();
}

void Queries::forget_oldest() {
  std::size_t count = 0;
  std::size_t bytes = 0;
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const bool finished = entry->execution == nullptr;
    count += finished ? 1 : 0;
    bytes += entry->bytes;
    // The newest one stays, however large.
    const bool too_many = count > settings_.remembered || (bytes > settings_.results_bytes && count > 1);
    entry = finished && too_many ? entries_.erase(entry) : std::next(entry);
  }
}

Result<Queries::Progress> Queries::progress(const std::string& id) const {
  std::shared_ptr<Execution> execution;
  {
    const std::lock_guard lock(mutex_);
    const auto at =
        std::find_if(entries_.begin(), entries_.end(), [&](const Entry& one) { return one.query.id == id; });
    if (at == entries_.end()) return Error{Errc::kNotFound, fmt::format("there is no query {}", id)};
    if (at->finished) return *at->finished;
    execution = at->execution;
  }
  Progress made;
  made.status = execution->status();
  made.failure = execution->failure();
  made.statistics = execution->statistics();
  auto results = execution->results();
  if (results) made.results = std::move(*results);
  return made;
}

Result<bool> Queries::stop(const std::string& id) {
  std::shared_ptr<Execution> execution;
  {
    const std::lock_guard lock(mutex_);
    const auto at =
        std::find_if(entries_.begin(), entries_.end(), [&](const Entry& one) { return one.query.id == id; });
    if (at == entries_.end()) return Error{Errc::kNotFound, fmt::format("there is no query {}", id)};
    execution = at->execution;
  }
  if (!execution || execution->finished()) return false;
  execution->cancel();
  settle(execution);
  const std::lock_guard lock(mutex_);
  ++changes_;
  changed_.notify_all();
  return true;
}

std::vector<Queries::Query> Queries::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<Query> made;
  for (const auto& entry : entries_) {
    made.push_back(entry.query);
    if (entry.execution) made.back().status = entry.execution->status();
  }
  return made;
}

}  // namespace securebase::logs::insights
