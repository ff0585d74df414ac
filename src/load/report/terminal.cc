#include "load/report/terminal.h"

#include <fmt/format.h>

#include "load/scenarios/http_measures.h"
#include "load/scenarios/summary.h"

namespace securebase::load {

namespace {

std::string bytes_text(double bytes) {
  const char* unit = "B";
  for (const char* larger : {"KB", "MB", "GB", "TB"}) {
    if (bytes < 1000) break;
    bytes /= 1000;
    unit = larger;
  }
  return fmt::format("{:.{}f} {}", bytes, unit[0] == 'B' ? 0 : 1, unit);
}

std::string clock_text(std::chrono::nanoseconds time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time).count();
  if (seconds >= 3600) return fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
  return fmt::format("{:02}:{:02}", seconds / 60, seconds % 60);
}

std::string trend_row(std::string_view name, const Value& value) {
  const auto& sketch = value.sketch;
  std::string row = fmt::format("  {:<22}", name);
  for (const double percent : {50.0, 90.0, 95.0, 99.0, 99.9}) {
    row += fmt::format("{:>10}", duration_text(sketch.percentile(percent).value_or(0)));
  }
  return row + fmt::format("{:>10}{:>12}\n", duration_text(sketch.maximum().value_or(0)), sketch.count());
}

std::string latencies(const RunResult& result) {
  std::string text = fmt::format("  {:<22}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}{:>12}\n", "latency", "p50", "p90", "p95",
                                 "p99", "p99.9", "max", "samples");
  const std::pair<std::string_view, std::string_view> rows[] = {{kFromSchedule, "from schedule"},
                                                                {kServiceTime, "service time"},
                                                                {kFirstByte, "first byte"},
                                                                {kConnectTime, "connecting"},
                                                                {kTlsTime, "TLS handshake"}};
  for (const auto& [metric, name] : rows) {
    const auto found = result.measured.find(metric);
    if (found && found->sketch.count() > 0) text += trend_row(name, *found);
  }
  text += result.open
              ? "  \"from schedule\" counts from when a request should have been sent; thresholds hold against it\n"
              : "  users wait for their answers: this is service time, and a stall delays what would have come\n";
  return text;
}

std::string errors(const Summary& summary) {
  if (summary.status_4xx + summary.status_5xx + summary.transport_errors == 0) return "  errors                none\n";
  std::string text = fmt::format(
      "  errors                {:.3f} % of {} requests: {} 4xx, {} 5xx, {} without an answer\n",
      summary.error_percent(), summary.requests, summary.status_4xx, summary.status_5xx, summary.transport_errors);
  for (const auto& [status, count] : summary.codes) {
    if (status[0] >= '4') text += fmt::format("    {:<20}{:>10}\n", "status " + status, count);
  }
  for (const auto& [kind, count] : summary.errors) text += fmt::format("    {:<20}{:>10}\n", kind, count);
  return text;
}

std::string judgements(const RunResult& result) {
  std::string text;
  for (const auto& judged : result.thresholds) {
    const auto seen =
        judged.threshold.is_latency() ? duration_text(judged.measured) : fmt::format("{:.3f}", judged.measured);
    text += fmt::format("  {:<22}{:>10}   {}", judged.threshold.text(), seen, to_string(judged.verdict));
    if (judged.verdict == Verdict::kInsufficient) {
      text += judged.doubt.empty() ? fmt::format(": {} samples, {} are needed", judged.samples, judged.needed)
                                   : ": " + judged.doubt;
    }
    text += '\n';
  }
  for (const auto& check : result.checks) {
    text += fmt::format("  {:<32} {}: {}\n", check.name, to_string(check.verdict), check.seen);
  }
  return text;
}

}  // namespace

std::string duration_text(double milliseconds) {
  if (milliseconds < 1) return fmt::format("{:.0f} us", milliseconds * 1000);
  if (milliseconds < 10) return fmt::format("{:.2f} ms", milliseconds);
  if (milliseconds < 1000) return fmt::format("{:.1f} ms", milliseconds);
  return fmt::format("{:.2f} s", milliseconds / 1000);
}

std::string as_text(const RunResult& result) {
  const auto summary = summarise(result.measured.values, result.measured.duration);
  std::string text = fmt::format("{} {}  {}\n", result.scenario, result.target, clock_text(result.measured.duration));
  text += fmt::format("  answers               {} in {:.1f} s: {:.1f} a second; {} in, {} out\n", summary.responses,
                      summary.seconds, summary.answers_a_second(), bytes_text(summary.downloaded_bytes),
                      bytes_text(summary.uploaded_bytes));
  text += errors(summary);
  if (summary.unanswered > 0) {
    text += fmt::format("  unanswered            {} at the end, for up to {}: neither answers nor errors\n",
                        summary.unanswered, duration_text(summary.longest_unanswered_ms));
  }
  text += latencies(result);
  const auto& generator = result.generator;
  text += fmt::format(
      "  generator             busiest thread {:.0f} %; p99 of its own lateness {}{}\n", generator.busiest_worker * 100,
      duration_text(
          std::max(generator.lateness_ms.percentile(99).value_or(0), generator.lag_ms.percentile(99).value_or(0))),
      summary.requests ? fmt::format("; {:.1f} us of CPU a request",
                                     generator.cpu_seconds * 1e6 / static_cast<double>(summary.requests))
                       : "");
  if (generator.unfinished > 0)
    text += fmt::format("  {} users were at work when the run ended\n", generator.unfinished);
  text += judgements(result);
  if (!result.valid()) {
    text += "  INVALID: this run says nothing of the target\n";
    for (const auto& reason : result.invalid_because) text += fmt::format("    {}\n", reason);
  }
  if (result.interrupted) text += "  interrupted before its end: no verdict\n";
  return text;
}

std::string as_line(const Live& live) {
  const auto summary = summarise(live.last_second, std::chrono::seconds{1});
  // Of several machines no more is known while they run.
  if (live.last_second.empty()) {
    return fmt::format("{} of {}  {} users", clock_text(live.progress.elapsed), clock_text(live.whole),
                       live.progress.users);
  }
  std::string line = fmt::format("{} of {}  {} users  {:.0f}/s", clock_text(live.progress.elapsed),
                                 clock_text(live.whole), live.progress.users, summary.answers_a_second());
  if (live.progress.warming_up) return line + "  warming up";
  if (const auto latency = latency_of(live.last_second, live.open)) {
    line += fmt::format("  p50 {}  p95 {}  p99 {}  max {}", duration_text(latency->sketch.percentile(50).value_or(0)),
                        duration_text(latency->sketch.percentile(95).value_or(0)),
                        duration_text(latency->sketch.percentile(99).value_or(0)),
                        duration_text(latency->sketch.maximum().value_or(0)));
  }
  const auto bad = summary.status_4xx + summary.status_5xx + summary.transport_errors;
  if (bad > 0) {
    line += fmt::format("  {} 4xx {} 5xx {} failed", summary.status_4xx, summary.status_5xx, summary.transport_errors);
  }
  return line;
}

}  // namespace securebase::load
