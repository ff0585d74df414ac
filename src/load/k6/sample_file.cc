#include "k6/sample_file.h"

#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/json.h"

namespace securebase::k6 {

namespace {

constexpr unsigned kBufferBytes = 128 << 10;
// In the order of SampleFile::Time.
constexpr std::string_view kTimeFormats[] = {"unix",      "unix_milli", "unix_micro",
                                             "unix_nano", "rfc3339",    "rfc3339_nano"};

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

Result<SampleFile::Output> SampleFile::output_from(std::string_view text) {
  const auto equals = std::min(text.find('='), text.size());
  const auto kind = text.substr(0, equals);
  auto rest = text.substr(std::min(equals + 1, text.size()));
  Output output;
  if (kind == "json") {
    output.path = std::string(rest);
  } else if (kind == "csv") {
    output.format = Format::kCsv;
  } else {
    return Error{Errc::kUnsupported, fmt::format("--out: expected json=FILE or csv=FILE, found '{}'", text)};
  }
  if (output.format == Format::kCsv && rest.find('=') == std::string_view::npos) {
    output.path = std::string(rest);
    rest = {};
  }
  while (output.format == Format::kCsv && !rest.empty()) {
    const auto pair = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    const auto mark = std::min(pair.find('='), pair.size());
    const auto name = pair.substr(0, mark);
    const auto value = pair.substr(std::min(mark + 1, pair.size()));
    const auto* const format = std::find(std::begin(kTimeFormats), std::end(kTimeFormats), value);
    if (name == "fileName" && !value.empty()) {
      output.path = std::string(value);
    } else if (name == "timeFormat" && format != std::end(kTimeFormats)) {
      output.time = static_cast<Time>(format - std::begin(kTimeFormats));
    } else if (name != "saveInterval") {  // which has no meaning here: samples are written as they come
      return Error{
          Errc::kMalformed,
          fmt::format("--out csv: expected fileName=FILE or timeFormat=unix, unix_milli, unix_micro, unix_nano, "
                      "rfc3339 or rfc3339_nano, found '{}'",
                      pair)};
    }
  }
  if (output.path == "-") output.path.clear();
  return output;
}

Result<std::unique_ptr<SampleFile>> SampleFile::open(std::string_view output, const SystemTags& tags) {
  auto what = output_from(output);
  if (!what) return what.error();
  // zlib writes plain files too ("T"), so that there is one way to write.
  const bool packed = what->path.ends_with(".gz");
  const gzFile file = what->path.empty() ? gzdopen(dup(1), "wbT") : gzopen(what->path.c_str(), packed ? "wbe" : "wbeT");
  if (!file) return system_error(errno, "open", what->path);
  gzbuffer(file, kBufferBytes);
  std::unique_ptr<SampleFile> made(new SampleFile(std::move(*what), tags, file));
  if (made->output_.format == Format::kCsv) {
    std::string head = "metric_name,timestamp,metric_value";
    for (const auto column : made->columns_) append_cell(head, column);
    made->put(head + ",extra_tags,metadata\n");
  }
  return made;
}

SampleFile::~SampleFile() { (void)finish(); }

Result<Done> SampleFile::finish() {
  const std::lock_guard lock(mutex_);
  if (!file_) return Done{};
  complete_ = gzclose_w(std::exchange(file_, nullptr)) == Z_OK && complete_;
  if (complete_) return Done{};
  return Error{Errc::kIo, fmt::format("--out: samples are missing in {}: it could not be written, its disk may be full",
                                      output_.path.empty() ? "standard output" : output_.path)};
}

void SampleFile::put(const std::string& text) {
  if (!file_ || text.empty()) return;
  if (gzwrite(file_, text.data(), static_cast<unsigned>(text.size())) == 0) complete_ = false;
}

std::string SampleFile::time_text(base::TimePoint at) const {
  const auto micros = at.time_since_epoch().count();
  switch (output_.time) {
    case Time::kUnix:
      return fmt::format("{}", micros / 1'000'000);
    case Time::kUnixMilli:
      return fmt::format("{}", micros / 1000);
    case Time::kUnixMicro:
      return fmt::format("{}", micros);
    case Time::kUnixNano:
      return fmt::format("{}000", micros);
    case Time::kRfc3339:
      return base::iso8601(at);
    case Time::kRfc3339Nano:
      return base::iso8601_millis(at);
  }
  return "";
}

void SampleFile::write(const Metrics::Metric& metric, double value, const SampleTags& tags) {
  output_.format == Format::kJson ? write_json(metric, value, tags) : write_csv(metric, value, tags);
}

void SampleFile::write_csv(const Metrics::Metric& metric, double value, const SampleTags& tags) {
  std::string line = fmt::format("{},{},{:.6f}", metric.name, time_text(base::system_clock().now()), value);
  for (const auto column : columns_) {
    const std::string* const found = tags.find(column);
    append_cell(line, found ? std::string_view(*found) : std::string_view{});
  }
  std::string others, metadata;
  for_each_tag(tags, [&](const std::string& name, const std::string& text) {
    if (!tags_.shows(name) || std::find(columns_.begin(), columns_.end(), name) != columns_.end()) return;
    std::string& into = tags_.has(name) && SystemTags::is_metadata(name) ? metadata : others;
    into += fmt::format("{}{}={}", into.empty() ? "" : "&", name, text);
  });
  append_cell(line, others);
  append_cell(line, metadata);
  line += '\n';
  const std::lock_guard lock(mutex_);
  put(line);
}

void SampleFile::write_json(const Metrics::Metric& metric, double value, const SampleTags& tags) {
  base::Json all = base::Json::object();
  base::Json metadata = base::Json::object();
  for_each_tag(tags, [&](const std::string& name, const std::string& text) {
    if (!tags_.shows(name)) return;
    (tags_.has(name) && SystemTags::is_metadata(name) ? metadata : all).set(name, text);
  });
  const std::string now = base::iso8601_millis(base::system_clock().now());
  base::Json data = base::Json::object({{"time", now}, {"value", value}, {"tags", std::move(all)}});
  if (!metadata.as_object()->empty()) data.set("metadata", std::move(metadata));
  const base::Json point = base::Json::object({{"metric", metric.name}, {"type", "Point"}, {"data", std::move(data)}});
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
    put(head);
  }
  put(line);
}

}  // namespace securebase::k6
