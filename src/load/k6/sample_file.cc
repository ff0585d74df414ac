#include "k6/sample_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/clock.h"
#include "base/json.h"

namespace securebase::k6 {

namespace {

// The columns of CSV that are tags; other tags stand together in one.
constexpr std::string_view kColumns[] = {
    "check",    "error",   "error_code", "expected_response", "group",       "method", "name", "proto",
    "scenario", "service", "status",     "subproto",          "tls_version", "url"};

// RFC 4180 §2: what has a comma, a quote or a line's end stands in quotes, with each quote twice.
void append_cell(std::string& line, std::string_view text) {
  line += ',';
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    line += text;
    return;
  }
  line += '"';
  for (const char c : text) {
    if (c == '"') line += '"';
    line += c;
  }
  line += '"';
}

// take(name, value) for each tag, once.
template <class Take>
void for_each_tag(const SampleTags& tags, Take take) {
  for (const auto* list : tags.lists) {
    if (!list) continue;
    for (const auto& [name, value] : *list) {
      if (tags.find(name) == &value) take(name, value);
    }
  }
}

}  // namespace

std::string_view to_string(Contains contains) {
  return contains == Contains::kTime ? "time" : contains == Contains::kData ? "data" : "default";
}

Result<std::unique_ptr<SampleFile>> SampleFile::open(std::string_view output) {
  const auto equals = std::min(output.find('='), output.size());
  const auto kind = output.substr(0, equals);
  const std::string path(output.substr(std::min(equals + 1, output.size())));
  if (kind != "json" && kind != "csv") {
    return Error{Errc::kUnsupported, fmt::format("--out: expected json=FILE or csv=FILE, found '{}'", output)};
  }
  if (path.ends_with(".gz")) {
    return Error{Errc::kUnsupported,
                 fmt::format("--out {}: files are written as they are: compress it afterwards", output)};
  }
  std::FILE* const file = path.empty() || path == "-" ? fdopen(dup(1), "w") : std::fopen(path.c_str(), "we");
  if (!file) return system_error(errno, "open", path);
  const Format format = kind == "json" ? Format::kJson : Format::kCsv;
  if (format == Format::kCsv) {
    std::string head = "metric_name,timestamp,metric_value";
    for (const auto column : kColumns) append_cell(head, column);
    std::fputs((head + ",extra_tags,metadata\n").c_str(), file);
  }
  return std::unique_ptr<SampleFile>(new SampleFile(format, file));
}

SampleFile::~SampleFile() { std::fclose(file_); }

void SampleFile::write(const Metrics::Metric& metric, double value, const SampleTags& tags) {
  format_ == Format::kJson ? write_json(metric, value, tags) : write_csv(metric, value, tags);
}

void SampleFile::write_csv(const Metrics::Metric& metric, double value, const SampleTags& tags) {
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(base::system_clock().now().time_since_epoch()).count();
  std::string line = fmt::format("{},{},{:.6f}", metric.name, seconds, value);
  for (const auto column : kColumns) {
    const std::string* const found = tags.find(column);
    append_cell(line, found ? std::string_view(*found) : std::string_view{});
  }
  std::string others;
  for_each_tag(tags, [&](const std::string& name, const std::string& text) {
    if (std::find(std::begin(kColumns), std::end(kColumns), name) != std::end(kColumns)) return;
    others += fmt::format("{}{}={}", others.empty() ? "" : "&", name, text);
  });
  append_cell(line, others);
  line += ",\n";
  const std::lock_guard lock(mutex_);
  std::fwrite(line.data(), 1, line.size(), file_);
}

void SampleFile::write_json(const Metrics::Metric& metric, double value, const SampleTags& tags) {
  base::Json all = base::Json::object();
  for_each_tag(tags, [&](const std::string& name, const std::string& text) { all.set(name, text); });
  const std::string now = base::iso8601_millis(base::system_clock().now());
  const base::Json point =
      base::Json::object({{"metric", metric.name},
                          {"type", "Point"},
                          {"data", base::Json::object({{"time", now}, {"value", value}, {"tags", std::move(all)}})}});
  const std::string line = point.dump() + "\n";
  const std::lock_guard lock(mutex_);
  const std::size_t index = metric.series.index;
  if (index >= described_.size()) described_.resize(index + 1, false);
  if (!described_[index]) {
    described_[index] = true;
    base::Json thresholds = base::Json::array();
    for (const auto& threshold : metric.thresholds) thresholds.push_back(threshold.source);
    base::Json parts = base::Json::array();
    for (const auto& part : metric.parts) parts.push_back(base::Json::object({{"name", part.name}}));
    const base::Json declared =
        base::Json::object({{"type", "Metric"},
                            {"data", base::Json::object({{"name", metric.name},
                                                         {"type", to_string(metric.kind)},
                                                         {"contains", to_string(metric.contains)},
                                                         {"thresholds", std::move(thresholds)},
                                                         {"submetrics", std::move(parts)}})},
                            {"metric", metric.name}});
    const std::string head = declared.dump() + "\n";
    std::fwrite(head.data(), 1, head.size(), file_);
  }
  std::fwrite(line.data(), 1, line.size(), file_);
}

}  // namespace securebase::k6
