#include "logs/insights/execution.h"

#include <fmt/format.h>

#include <condition_variable>

#include "logs/insights/tables.h"

namespace securebase::logs::insights {

namespace {

// As long as one thread works before another query may have its turn.
constexpr std::chrono::milliseconds kTurn{50};

}  // namespace

std::string_view to_string(Status status) {
  constexpr std::string_view kNames[] = {"Scheduled", "Running", "Complete", "Failed", "Cancelled", "Timeout"};
  return kNames[static_cast<std::size_t>(status)];
}

struct Execution::Job {
  enum class Kind { kSubquery, kRight, kPrevious, kMain } kind;
  const Plan* plan;
  std::size_t after;  // how many of the plan's `after` are done to its table
  base::TimePoint begin, end;
  std::shared_ptr<ValueSet> values;  // of a subquery
};

struct Execution::Reading {
  std::unique_ptr<Part> part;
  std::uint64_t sequence;
  bool done = false;
  std::optional<Error> failed;
};

struct Execution::Worker {
  explicit Worker(const Segment& segment) : run(segment) {}
  // What it has found so far, added to `sink`. Whoever looks does not wait for more than the batch that is read now: a
  // mutex alone would be taken again by the thread that works before the one that waits is awake.
  void look(Sink& sink) {
    looking.fetch_add(1);
    {
      const std::lock_guard lock(mutex);
      sink.merge(run.sink());
      looking.fetch_sub(1);
    }
    looked.notify_all();
  }
  std::mutex mutex;  // held for a batch, or while somebody looks
  std::condition_variable looked;
  std::atomic<int> looking{0};
  SegmentRun run;
  std::size_t bytes = 0;
  std::uint64_t matched = 0;
};

namespace {

std::chrono::milliseconds shift_of(const DiffPlan& diff, base::TimePoint begin, base::TimePoint end) {
  switch (diff.against) {
    case Diff::Against::kDay:
      return std::chrono::hours{24};
    case Diff::Against::kWeek:
      return std::chrono::hours{7 * 24};
    case Diff::Against::kMonth:
      return std::chrono::hours{30 * 24};
    default:
      break;
  }
  // The whole seconds of a request, both inclusive: the window before ends where this one begins.
  return std::chrono::ceil<std::chrono::seconds>(end - begin);
}

}  // namespace

Execution::Execution(const Source& source, std::unique_ptr<Plan> plan, Settings settings, const base::Clock& clock)
    : source_(source),
      plan_(std::move(plan)),
      settings_(std::move(settings)),
      clock_(clock),
      deadline_(clock.steady() + settings_.timeout) {
  list_jobs(*plan_);
  jobs_.push_back({Job::Kind::kMain, plan_.get(), plan_->after.size(), settings_.begin, settings_.end, nullptr});
}

Execution::~Execution() = default;

// What has to be there before `plan` runs. Subqueries have none of their own: they are not nested.
void Execution::list_jobs(Plan& plan) {
  const auto add_subqueries = [this](Plan& of) {
    for (auto& subquery : of.before) {
      jobs_.push_back({Job::Kind::kSubquery, subquery.plan.get(), subquery.plan->after.size(), settings_.begin,
                       settings_.end, subquery.values});
    }
  };
  add_subqueries(plan);
  for (std::size_t i = 0; i < plan.after.size(); ++i) {
    if (auto* join = std::get_if<JoinPlan>(&plan.after[i])) {
      add_subqueries(*join->right);
      jobs_.push_back(
          {Job::Kind::kRight, join->right.get(), join->right->after.size(), settings_.begin, settings_.end, nullptr});
    } else if (const auto* diff = std::get_if<DiffPlan>(&plan.after[i])) {
      const auto shift = shift_of(*diff, settings_.begin, settings_.end);
      jobs_.push_back({Job::Kind::kPrevious, &plan, i, settings_.begin - shift, settings_.end - shift, nullptr});
    }
  }
}

bool Execution::out_of_time() const { return clock_.steady() >= deadline_; }

void Execution::end(Status status, std::string why) {
  if (status_ != Status::kScheduled && status_ != Status::kRunning) return;
  status_ = status;
  failure_ = std::move(why);
  stop_ = true;
  waiting_.clear();
}

void Execution::cancel() {
  const std::lock_guard lock(mutex_);
  end(Status::kCancelled);
}

bool Execution::work() {
  std::unique_lock lock(mutex_);
  if (status_ != Status::kScheduled && status_ != Status::kRunning) return false;
  if (phase_ == Phase::kNotBegun) return begin_job(lock);
  if (phase_ != Phase::kReading || waiting_.empty()) return false;
  auto reading = std::move(waiting_.front());
  waiting_.pop_front();
  ++busy_;
  if (idle_.empty()) {
    workers_.push_back(std::make_shared<Worker>(jobs_[job_].plan->first));
    idle_.push_back(workers_.back().get());
  }
  Worker& worker = *idle_.back();
  idle_.pop_back();
  lock.unlock();
  read(*reading, worker);
  lock.lock();
  idle_.push_back(&worker);
  --busy_;
  if (reading->failed) end(Status::kFailed, reading->failed->message);
  if (held_bytes_ > settings_.memory_bytes) {
    end(Status::kFailed, fmt::format("the query holds more than {} MiB: filter more, or group by fewer values",
                                     settings_.memory_bytes >> 20));
  }
  if (out_of_time()) end(Status::kTimeout);
  if (jobs_[job_].kind == Job::Kind::kRight && clock_.steady() >= job_deadline_) {
    end(Status::kFailed, fmt::format("the other side of the join took more than {} s", settings_.join_timeout.count()));
  }
  if (status_ != Status::kRunning) return true;
  if (!reading->done) {
    waiting_.push_front(std::move(reading));  // what is open is read to its end first
  } else if (waiting_.empty() && busy_ == 0) {
    finish_job(lock);
  }
  return true;
}

bool Execution::begin_job(std::unique_lock<std::mutex>& lock) {
  status_ = Status::kRunning;
  phase_ = Phase::kBeginning;
  job_deadline_ = clock_.steady() + settings_.join_timeout;
  const Job& job = jobs_[job_];
  lock.unlock();
  Scan scan = job.plan->hints;
  scan.groups = settings_.groups;
  if (job.plan->source) {
    scan.groups = job.plan->source->groups;
    for (const auto& prefix : job.plan->source->prefixes) scan.groups.push_back(prefix);
  }
  scan.begin = job.begin;
  scan.end = job.end;
  auto parts = source_.scan(scan);
  lock.lock();
  if (status_ != Status::kRunning) return true;
  if (!parts) {
    end(Status::kFailed, parts.error().message);
    return true;
  }
  std::uint64_t number = 0;
  for (auto& part : *parts)
    waiting_.push_back(std::make_unique<Reading>(Reading{std::move(part), number++ << 40, false, {}}));
  phase_ = Phase::kReading;
  if (waiting_.empty()) finish_job(lock);
  return true;
}

// Batch after batch, until the turn is over or somebody says stop.
void Execution::read(Reading& reading, Worker& worker) {
  const auto until = clock_.steady() + kTurn;
  Batch batch;
  while (!stop_) {
    auto more = reading.part->next(batch);
    if (!more) {
      reading.failed = more.error();
      return;
    }
    if (!*more) {
      reading.done = true;
      return;
    }
    {
      std::unique_lock lock(worker.mutex);
      worker.looked.wait(lock, [&worker] { return worker.looking.load() == 0; });
      worker.run.take(batch, reading.sequence);
      const auto bytes = worker.run.sink().bytes();
      held_bytes_ += bytes - worker.bytes;
      worker.bytes = bytes;
      matched_ += worker.run.matched() - worker.matched;
      worker.matched = worker.run.matched();
    }
    reading.sequence += batch.rows;
    scanned_ += batch.scanned_rows;
    bytes_ += batch.scanned_bytes;
    if (held_bytes_ > settings_.memory_bytes || clock_.steady() >= until) return;
  }
}

Result<Table> Execution::apply(const Plan& plan, Table table, std::size_t count) const {
  for (std::size_t i = 0; i < count; ++i) {
    if (const auto* segment = std::get_if<Segment>(&plan.after[i])) {
      SegmentRun run(*segment);
      run.take(table);
      table = run.sink().table();  // which owns its texts
    } else if (const auto* join = std::get_if<JoinPlan>(&plan.after[i])) {
      auto joined = join_tables(*join, table, *right_);
      if (!joined) return joined.error();
      table = std::move(*joined);
    } else if (const auto* totals = std::get_if<TotalsPlan>(&plan.after[i])) {
      add_totals(*totals, table);
    } else {
      const auto& diff = std::get<DiffPlan>(plan.after[i]);
      table = diff_tables(diff, table, *previous_, shift_of(diff, settings_.begin, settings_.end));
    }
  }
  return table;
}

void Execution::finish_job(std::unique_lock<std::mutex>& lock) {
  phase_ = Phase::kFinishing;
  const Job& job = jobs_[job_];
  const auto workers = workers_;
  lock.unlock();
  const auto sink = make_sink(job.plan->first);
  for (const auto& worker : workers) worker->look(*sink);
  auto table = apply(*job.plan, sink->table(), job.after);
  lock.lock();
  if (status_ != Status::kRunning) return;
  if (!table) return end(Status::kFailed, table.error().message);
  workers_.clear();
  idle_.clear();
  held_bytes_ = 0;
  switch (job.kind) {
    case Job::Kind::kSubquery:
      for (std::size_t row = 0; row < table->rows && !job.plan->shown.empty(); ++row) {
        job.values->add(table->columns[job.plan->shown[0].column][row]);
      }
      break;
    case Job::Kind::kRight:
      right_ = std::make_shared<const Table>(std::move(*table));
      break;
    case Job::Kind::kPrevious:
      previous_ = std::make_shared<const Table>(std::move(*table));
      break;
    case Job::Kind::kMain:
      final_ = std::move(*table);
      return end(Status::kComplete);
  }
  // Only what the query itself finds counts as matched.
  matched_ = 0;
  ++job_;
  phase_ = Phase::kNotBegun;
}

Status Execution::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

bool Execution::finished() const {
  const auto now = status();
  return now != Status::kScheduled && now != Status::kRunning;
}

std::string Execution::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

Statistics Execution::statistics() const { return {matched_, scanned_, bytes_}; }

Result<Results> Execution::results() const {
  std::unique_lock lock(mutex_);
  std::optional<Table> table;
  if (final_) {
    table = *final_;
  } else if (jobs_[job_].kind == Job::Kind::kMain) {
    const auto workers = workers_;
    lock.unlock();
    const auto sink = make_sink(plan_->first);
    for (const auto& worker : workers) worker->look(*sink);
    auto seen = apply(*plan_, sink->table(), plan_->after.size());
    if (!seen) return seen.error();
    table = std::move(*seen);
  }
  Results made;
  for (const auto& shown : plan_->shown) made.names.push_back(shown.name);
  if (!table) return made;
  made.rows.resize(table->rows);
  for (std::size_t row = 0; row < table->rows; ++row) {
    for (const auto& shown : plan_->shown) {
      const auto& cell = table->columns[shown.column][row];
      made.rows[row].push_back(cell.missing() ? std::nullopt : std::optional(display(cell, shown.precision)));
    }
  }
  return made;
}

}  // namespace securebase::logs::insights
