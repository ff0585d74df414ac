// What measures, judges and tells: metrics, notifications, the prober, the operator's port.
#include <fmt/format.h>

#include <algorithm>

#include "advisor/advisor.h"
#include "platform/otlp_post.h"
#include "platform/probes.h"
#include "platform/rooms.h"

namespace securebase::platform {

namespace {

constexpr std::chrono::hours kLongestWindow{24 * 455};  // as long as metrics are kept

}  // namespace

Result<Done> Rooms::make_instruments() {
  auto relay = notify::relay_from(process_environment(), [this](std::string_view name) -> Result<std::string> {
    auto found = secrets_->value(name);
    if (!found) return found.error();
    return found->reveal();
  });
  if (!relay) return relay.error().within("the mail server");
  notify::Settings told;
  told.directory = state_.of("notify");
  told.logs = state_.of("logs");
  told.public_url = settings_.url("http", settings_.aws_port);
  told.authority = authority_->authority();
  told.relay = std::move(*relay);
  auto notify = notify::Notify::make(
      std::move(told),
      {.worker = (*workers_)[0], .pool = *pool_, .functions = functions_.get(), .registry = &registry_});
  if (!notify) return notify.error().within("notifications");
  notify_ = std::move(*notify);

  traces::Settings traced{.directory = state_.of("traces")};
  if (!settings_.otlp_traces.empty()) {
    auto post = OtlpPost::make(settings_.otlp_traces, (*workers_)[0]);
    if (!post) return post.error();
    traced.post_otlp = [post = std::move(*post)](std::string body) { return post->post(std::move(body)); };
  }
  auto traces = traces::Traces::open(std::move(traced), spans_);
  if (!traces) return traces.error().within("the traces' store");
  traces_ = std::move(*traces);
  auto metrics = monitoring::Metrics::open({.directory = state_.of("metrics")}, registry_);
  if (!metrics) return metrics.error().within("the metrics' store");
  metrics_ = std::move(*metrics);
  const auto& wanted = settings_.exports;
  monitoring::ExportSettings exports{wanted.remote_write_url, wanted.remote_write_headers, wanted.otlp_metrics_url,
                                     wanted.otlp_metrics_headers, wanted.interval};
  exports.queues = state_.of("metrics") / "exports";
  if (auto started = metrics_->start_exports(exports, (*workers_)[0], *pool_); !started) {
    return started.error().within("exports of metrics");
  }
  connect_logs();
  auto dashboards = monitoring::Dashboards::open(state_.of("dashboards"));
  if (!dashboards) return dashboards.error().within("dashboards");
  dashboards_ = std::move(*dashboards);
  alarm_actions_ = std::make_unique<AlarmActions>(*notify_, *functions_, (*workers_)[0]);
  auto alarms = monitoring::Alarms::open({.directory = state_.of("alarms")}, metrics_->series(), *alarm_actions_);
  if (!alarms) return alarms.error().within("alarms");
  alarms_ = std::move(*alarms);
  operator_port_ = std::make_unique<OperatorPort>(operator_answers(), *pool_);
  return Done{};
}

Result<Done> Rooms::probe(const stack::Stack& stack) {
  auto targets = targets_of(stack, settings_.url("http", settings_.http_port));
  // Canaries are told to a running prober by their file. Once there were some, the prober stays: they may come again.
  const auto all = synthetics_->canaries();
  if (targets == probed_ && (uptime_ || all.empty())) return Done{};
  uptime_.reset();  // an orderly stop: the moment without a prober is no outage
  probed_.clear();
  if (targets.empty() && all.empty()) return Done{};  // nothing that viewers could ask for
  Uptime::Canaries canaries;
  canaries.file = synthetics_->file();
  for (const auto& canary : all) {
    const bool often = canary.state == synthetics::State::kRunning && canary.interval.count() > 0;
    if (often) canaries.every.emplace_back(canary.config.name, canary.interval);
  }
  const auto persist = [this] { return metrics_->write(); };
  canaries.catch_up = [this, persist] {
    return synthetics_->catch_up(
        [this](std::span<const synthetics::Sample> samples) {
          return metrics_->put(recordable(samples, base::system_clock().now()));
        },
        persist);
  };
  auto started = Uptime::start(
      state_.of("uptime"), state_.of("logs") / "prober.log", targets, std::move(canaries), *supervisor_,
      base::system_clock(),
      [this](std::span<const UptimeSample> samples) {
        return metrics_->put(recordable(samples, base::system_clock().now()));
      },
      persist);
  if (!started) return started.error().within("the prober");
  uptime_ = std::move(*started);
  probed_ = std::move(targets);
  return Done{};
}

OperatorAnswers Rooms::operator_answers() const {
  OperatorAnswers answers;
  answers.health = [this] {
    OperatorAnswers::Health health{true, base::Json::object()};
    // Servers that the stack does not ask for are stopped, and that is well.
    const auto add = [&health](std::string_view name, const process::Status& status) {
      const bool well = status.state == process::State::kReady || status.state == process::State::kStopped;
      health.healthy = health.healthy && well;
      health.report.set(name, process::to_string(status.state));
    };
    add("database", database_->status());
    add("cache", cache_->status());
    auto report = base::Json::object({{"status", health.healthy ? "ok" : "degraded"}});
    for (const auto& [name, state] : *health.report.as_object()) report.set(name, state);
    health.report = std::move(report);
    return health;
  };
  answers.metrics = [this](std::string_view accept) {
    OperatorAnswers::Text text;
    text.text = metrics_->exposition(accept, text.content_type);
    return text;
  };
  answers.otlp_metrics = [this](const std::string& body, const std::string& content_type, const std::string& encoding) {
    return metrics_->take_otlp(body, content_type, encoding);
  };
  answers.otlp_traces = [this](const std::string& body, const std::string& content_type, const std::string& encoding) {
    return traces_->take_otlp(body, content_type, encoding);
  };
  return answers;
}

// How often each canary is tried: the prober's targets each second, the others by their schedules.
Result<base::Json> Rooms::uptime(const base::Json& question) const {
  const std::chrono::seconds window{question["window_seconds"].integer_or(30 * 86'400)};
  const double objective = question["objective"].number_or(99.95);
  if (window < std::chrono::seconds{60} || window > kLongestWindow) {
    return Error{Errc::kMalformed,
                 fmt::format("a window lies between 1 minute and {} days, the time that metrics are kept",
                             kLongestWindow.count() / 24)};
  }
  if (!(objective > 0 && objective < 100)) {
    return Error{Errc::kMalformed, "an objective lies between 0 and 100 percent"};
  }
  std::map<std::string, std::chrono::seconds> intervals;
  for (const auto& canary : synthetics_->canaries()) {
    if (canary.interval.count() > 0) intervals[canary.config.name] = canary.interval;
  }
  const auto now = base::system_clock().now();
  const auto budgets = advisor::uptime(metrics_->series(), intervals, now, window, objective);
  return base::Json::object({{"text", advisor::render(budgets, window, objective)},
                             {"report", advisor::to_json(budgets, now, window, objective)}});
}

Result<base::Json> Rooms::page_views(const base::Json& question) const {
  const auto most = question["most"].integer_or(20);
  if (most < 0) return Error{Errc::kMalformed, "how many page views? A number from 0"};
  const auto order = question["slowest"].bool_or(false) ? rum::Order::kSlowest : rum::Order::kNewest;
  const auto views = rum_->views();
  const auto shown = static_cast<std::size_t>(most);
  auto report = rum::to_json(views, order, shown);
  const auto counts = rum_->statistics();
  report.set("counts",
             base::Json::object({{"views", counts.views}, {"refused", counts.refused}, {"dropped", counts.dropped}}));
  return base::Json::object({{"text", rum::render(views, order, shown)}, {"report", std::move(report)}});
}

// Scores of Lighthouse's runs on one page, as samples: their median is the metric's p50.
Result<base::Json> Rooms::take_lighthouse(const base::Json& question) {
  constexpr std::size_t kMostRuns = 100;
  constexpr std::size_t kUrlBytes = 1024;  // as long as a dimension may be
  const std::string url(question["url"].string_or(""));
  const auto* scores = question["scores"].as_array();
  if (url.empty() || url.size() > kUrlBytes || !scores || scores->empty() || scores->size() > kMostRuns) {
    return Error{Errc::kMalformed,
                 fmt::format("expected a URL of at most {} bytes and 1 to {} scores", kUrlBytes, kMostRuns)};
  }
  monitoring::MetricSamples samples;
  samples.metric = {"SecureBase/Performance", "LighthousePerformance", {{"Url", url}}};
  samples.unit = "None";
  samples.time = base::system_clock().now();
  for (const auto& score : *scores) {
    const double value = score.number_or(-1);
    if (!(value >= 0 && value <= 100)) return Error{Errc::kMalformed, "a score is a number from 0 to 100"};
    samples.values.push_back({value, 1});
  }
  if (auto put = metrics_->put({&samples, 1}); !put) return put.error();
  return base::Json::object();
}

Result<base::Json> Rooms::targets(const base::Json& question) const {
  const std::chrono::seconds window{question["window_seconds"].integer_or(3600)};
  if (window < std::chrono::seconds{1} || window > kLongestWindow) {
    return Error{Errc::kMalformed, fmt::format("a window lies between 1 second and {} days, the time that metrics are "
                                               "kept; asked for were {} s",
                                               kLongestWindow.count() / 24, window.count())};
  }
  const auto now = base::system_clock().now();
  const auto rows = advisor::targets(metrics_->series(), now, window);
  return base::Json::object({{"text", advisor::render(rows, window)}, {"report", advisor::to_json(rows, now, window)}});
}

Result<base::Json> Rooms::traces(const base::Json& question) const {
  const std::chrono::seconds window{question["window_seconds"].integer_or(3600)};
  const auto what = question["what"].string_or("list");
  if (what == "show") return traces_->show(question["id"].string_or(""));
  if (what == "routes") return traces_->routes(window);
  if (what == "slow") return traces_->slow(question["route"].string_or(""), window);
  return traces_->list(window, question["filter"].string_or(""),
                       static_cast<std::size_t>(std::clamp<std::int64_t>(question["most"].integer_or(20), 1, 1000)));
}

}  // namespace securebase::platform
