#include "synthetics/synthetics.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "prober/schedule.h"

namespace securebase::synthetics {

namespace {

namespace fs = std::filesystem;
using base::Json;

constexpr std::size_t kAtOnce = 1024;           // runs
constexpr std::size_t kStepsBytes = 256 << 10;  // of a file of HTTP checks

Json time_json(const std::optional<base::TimePoint>& time) {
  return time ? Json(std::int64_t{time->time_since_epoch().count()}) : Json();
}
std::optional<base::TimePoint> time_from(const Json& json) {
  if (!json.is_integer()) return std::nullopt;
  return base::TimePoint{std::chrono::microseconds{json.integer_or(0)}};
}

}  // namespace

std::vector<Sample> samples_of(const prober::CanaryRun& run) {
  std::vector<Sample> samples;
  const auto add = [&](std::string_view metric, std::string_view unit, const std::string& step, double value) {
    samples.push_back({metric, unit, run.canary, step, run.begin, value});
  };
  add("SuccessPercent", "Percent", "", run.passed ? 100 : 0);
  add("Failed", "Count", "", run.executed ? 0 : 1);
  if (run.executed) {
    add("Duration", "Milliseconds", "", static_cast<double>(run.duration.count()));
    add("2xx", "Count", "", run.answers_2xx);
    add("4xx", "Count", "", run.answers_4xx);
    add("5xx", "Count", "", run.answers_5xx);
    add("Failed requests", "Count", "", run.failed_requests);
  }
  for (const auto& step : run.steps) {
    add("SuccessPercent", "Percent", step.name, step.passed ? 100 : 0);
    add("Duration", "Milliseconds", step.name, static_cast<double>(step.duration.count()));
  }
  return samples;
}

Synthetics::Synthetics(Settings settings, FetchObject fetch)
    : settings_([&settings] {
        settings.workshop.work = settings.directory / "work";
        return std::move(settings);
      }()),
      fetch_(std::move(fetch)),
      packages_(settings_.directory / "packages") {}

Result<std::unique_ptr<Synthetics>> Synthetics::open(Settings settings, FetchObject fetch) {
  std::unique_ptr<Synthetics> made(new Synthetics(std::move(settings), std::move(fetch)));
  const auto& directory = made->settings_.directory;
  for (const auto& each : {directory, directory / "packages", directory / "work", directory / "objects"}) {
    if (auto done = base::make_directory(each); !done) return done.error();
  }
  made->packages_.clean();
  made->recall();
  prober::JournalReader all(directory, {}, prober::kRuns);
  for (;;) {
    auto lines = all.read_lines(kAtOnce);
    if (!lines) return lines.error();
    if (lines->empty()) break;
    for (const auto& line : *lines) {
      if (const auto run = prober::run_from(line)) made->keep(*run);
    }
  }
  made->kept_ = prober::read_position(directory / "position");
  made->journal_.emplace(directory, made->kept_, prober::kRuns);
  return made;
}

// What was told last: of a canary that is not there any more too, for it may come back.
void Synthetics::recall() {
  const auto text = base::read_file(settings_.directory / "states.json");
  if (!text) return;
  const auto json = Json::parse(*text);
  const auto* members = json ? json->as_object() : nullptr;
  if (!members) {
    base::log(base::Level::kWarning, "synthetics", "{} is not readable; canaries begin as the stack says",
              (settings_.directory / "states.json").native());
    return;
  }
  for (const auto& [name, one] : *members) {
    memories_[name] = {one["running"].bool_or(false),
                       one["wanted"].bool_or(false),
                       time_from(one["created"]).value_or(base::TimePoint{}),
                       time_from(one["modified"]).value_or(base::TimePoint{}),
                       time_from(one["started"]),
                       time_from(one["stopped"])};
  }
}

Result<Done> Synthetics::remember() const {
  auto json = Json::object();
  for (const auto& [name, memory] : memories_) {
    json.set(name, Json::object({{"running", memory.running},
                                 {"wanted", memory.wanted},
                                 {"created", time_json(memory.created)},
                                 {"modified", time_json(memory.modified)},
                                 {"started", time_json(memory.started)},
                                 {"stopped", time_json(memory.stopped)}}));
  }
  return base::replace_file(settings_.directory / "states.json", json.dump(1) + "\n");
}

Result<fs::path> Synthetics::unpacked(const CanaryConfig& config) {
  if (config.bucket.empty()) return packages_.unpack(config.code);
  auto bytes = fetch_(config.bucket, config.key);
  if (!bytes) return bytes.error().within(fmt::format("s3://{}/{}", config.bucket, config.key));
  const auto zip = settings_.directory / "objects" / (config.name + ".zip");
  if (auto written = base::replace_file(zip, *bytes); !written) return written.error();
  return packages_.unpack(zip);
}

Result<prober::Canary> Synthetics::made(const CanaryConfig& config) {
  auto code = unpacked(config);
  if (!code) return code.error();
  prober::Canary canary;
  canary.name = config.name;
  canary.schedule = config.schedule;
  canary.code = *code;
  canary.handler = config.handler;
  canary.environment = config.environment;
  canary.timeout = config.timeout;
  canary.memory_mb = config.memory_mb;
  canary.kind = config.kind();
  if (canary.kind == prober::Canary::Kind::kScript) return canary;
  const fs::path file(config.handler);
  if (file.is_absolute() || *file.lexically_normal().begin() == "..") {
    return Error{Errc::kDenied, fmt::format("the handler {} leaves the package", config.handler)};
  }
  if (canary.kind == prober::Canary::Kind::kLoad) {
    std::error_code failure;
    if (fs::is_regular_file(*code / file, failure)) return canary;
    return Error{Errc::kNotFound, fmt::format("the handler {} is no file of the package", config.handler)};
  }
  auto text = base::read_file(*code / file, kStepsBytes);
  if (!text) return text.error();
  auto steps = prober::parse_steps(*text);
  if (!steps) return steps.error().within(config.handler);
  canary.steps = std::move(*steps);
  return canary;
}

Result<Done> Synthetics::apply(const Config& config) {
  std::map<std::string, prober::Canary, std::less<>> made_now;
  std::map<std::string, CanaryConfig, std::less<>> configs_now;
  std::set<fs::path> used;
  for (const auto& one : config.canaries) {
    auto canary = made(one);
    if (!canary) return canary.error().within("the canary " + one.name);
    used.insert(canary->code);
    configs_now.emplace(one.name, one);
    made_now.emplace(one.name, std::move(*canary));
  }
  const auto now = settings_.clock.now();
  const std::lock_guard lock(mutex_);
  for (const auto& [name, one] : configs_now) {
    auto& memory = memories_[name];
    const bool is_new = memory.created == base::TimePoint{};
    const auto before = configs_.find(name);
    if (is_new) memory.created = memory.modified = now;
    if (before != configs_.end() && !(before->second == one)) memory.modified = now;
    // What the stack says counts when it says something else than last time; between, the API decides.
    if (is_new || memory.wanted != one.start) {
      if (one.start && !memory.running) memory.started = now;
      if (!one.start && memory.running) memory.stopped = now;
      memory.running = one.start;
      memory.wanted = one.start;
    }
  }
  configs_ = std::move(configs_now);
  made_ = std::move(made_now);
  std::erase_if(memories_, [this](const auto& one) { return !configs_.contains(one.first); });
  if (auto kept = remember(); !kept) return kept;
  if (auto told = tell_prober(); !told) return told;
  packages_.collect(used);
  return Done{};
}

Result<Done> Synthetics::tell_prober() const {
  prober::Canaries canaries;
  canaries.workshop = settings_.workshop;
  for (const auto& [name, canary] : made_) {
    const auto& memory = memories_.at(name);
    if (!memory.running) continue;
    canaries.all.push_back(canary);
    canaries.all.back().started = memory.started.value_or(memory.created);
  }
  return base::replace_file(file(), prober::to_text(canaries), 0600);
}

Result<Done> Synthetics::change(std::string_view name, bool running) {
  const std::lock_guard lock(mutex_);
  const auto found = memories_.find(name);
  if (found == memories_.end()) return Error{Errc::kNotFound, fmt::format("there is no canary {}", name)};
  auto& memory = found->second;
  if (memory.running == running) {
    return Error{Errc::kConflict, fmt::format("the canary {} is {} already", name, running ? "running" : "stopped")};
  }
  memory.running = running;
  (running ? memory.started : memory.stopped) = settings_.clock.now();
  if (auto kept = remember(); !kept) return kept;
  return tell_prober();
}

Result<Done> Synthetics::start(std::string_view name) { return change(name, true); }
Result<Done> Synthetics::stop(std::string_view name) { return change(name, false); }

void Synthetics::keep(const prober::CanaryRun& run) {
  auto& kept = runs_[run.canary];
  const bool known = std::any_of(kept.begin(), kept.end(), [&run](const auto& one) { return one.id == run.id; });
  if (known) return;
  kept.push_back(run);
  if (kept.size() > kKeptRuns) kept.pop_front();
}

Result<Done> Synthetics::catch_up(const Record& record, const Persist& persist) {
  const std::lock_guard lock(mutex_);
  for (;;) {
    if (waiting_.empty()) {
      auto lines = journal_->read_lines(kAtOnce);
      if (!lines) return lines.error();
      if (lines->empty()) break;
      for (const auto& line : *lines) {
        const auto run = prober::run_from(line);
        if (!run) continue;
        keep(*run);
        auto& names = step_names_[run->canary];
        for (auto& sample : samples_of(*run)) {
          if (names.size() >= kStepNames && !sample.step.empty() && !names.contains(sample.step)) continue;
          if (!sample.step.empty()) names.insert(sample.step);
          waiting_.push_back(std::move(sample));
        }
      }
    }
    if (auto recorded = record(waiting_); !recorded) return recorded.error().within("what canaries saw");
    waiting_.clear();
  }
  const auto position = journal_->position();
  if (position == kept_) return Done{};
  if (auto persisted = persist(); !persisted) return persisted.error().within("what canaries saw");
  if (auto written = prober::write_position(settings_.directory / "position", position); !written) return written;
  kept_ = position;
  return Done{};
}

std::vector<Canary> Synthetics::canaries() const {
  const auto now = settings_.clock.now();
  const std::lock_guard lock(mutex_);
  std::vector<Canary> all;
  for (const auto& [name, config] : configs_) {
    const auto& memory = memories_.at(name);
    Canary canary;
    canary.config = config;
    canary.state = memory.running ? State::kRunning : memory.started ? State::kStopped : State::kReady;
    if (const auto schedule = prober::Schedule::parse(config.schedule)) canary.interval = schedule->interval(now);
    canary.created = memory.created;
    canary.modified = memory.modified;
    canary.started = memory.started;
    canary.stopped = memory.stopped;
    all.push_back(std::move(canary));
  }
  return all;
}

std::vector<prober::CanaryRun> Synthetics::runs(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = runs_.find(name);
  if (found == runs_.end()) return {};
  return {found->second.rbegin(), found->second.rend()};
}

}  // namespace securebase::synthetics
