#include "logs/sink.h"

#include <algorithm>
#include <map>
#include <utility>

namespace securebase::logs {

namespace {

constexpr std::chrono::milliseconds kGatherLines{50};  // lines of so long are put together
constexpr std::size_t kRunLines = 10'000;              // of one append
constexpr std::size_t kRunBytes = 1 << 20;

}  // namespace

void Sink::Lines::clear() {
  text.clear();
  lines.clear();
  fields.clear();
  if (text.capacity() > (4 << 20)) text.shrink_to_fit();
}

Sink::Sink(Limits limits, Put put) : limits_(limits), put_(std::move(put)) {
  thread_ = std::thread([this] { work(); });
}

Sink::~Sink() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  news_.notify_all();
  thread_.join();
}

void Sink::write(const telemetry::LogLine& line) {
  const auto message = line.message.substr(0, limits_.message_bytes);
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.text.size() + message.size() > limits_.waiting_bytes ||
        waiting_.lines.size() >= limits_.waiting_lines || ending_) {
      dropped_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    waiting_.lines.push_back(
        {.group_bytes = static_cast<std::uint32_t>(line.group.size()),
         .stream_bytes = static_cast<std::uint32_t>(line.stream.size()),
         .message_bytes = static_cast<std::uint32_t>(message.size()),
         .fields = static_cast<std::uint32_t>(line.fields.size()),
         .time_ms = std::chrono::floor<std::chrono::milliseconds>(line.time).time_since_epoch().count(),
         .begin = waiting_.text.size(),
         .first_field = waiting_.fields.size()});
    waiting_.text.append(line.group).append(line.stream).append(message);
    for (const auto& field : line.fields) {
      waiting_.fields.push_back({static_cast<std::uint32_t>(field.name.size()),
                                 static_cast<std::uint32_t>(field.text.size()), field.number, field.is_text});
      waiting_.text.append(field.name).append(field.text);
    }
    ++written_;
    wake = std::exchange(sleeping_, false);
  }
  if (wake) news_.notify_one();
}

void Sink::flush() {
  std::unique_lock lock(mutex_);
  const auto until = written_;
  hurried_ = true;
  news_.notify_all();
  put_news_.wait(lock, [&] { return finished_ >= until; });
}

void Sink::work() {
  Lines lines;
  std::unique_lock lock(mutex_);
  for (;;) {
    sleeping_ = waiting_.lines.empty();
    news_.wait(lock, [this] { return ending_ || hurried_ || !waiting_.lines.empty(); });
    sleeping_ = false;
    news_.wait_for(lock, kGatherLines, [this] { return ending_ || hurried_; });
    hurried_ = false;
    std::swap(lines, waiting_);
    const bool last = ending_;
    const auto until = written_;
    lock.unlock();
    put_all(lines);
    lines.clear();
    lock.lock();
    finished_ = until;
    put_news_.notify_all();
    if (last) return;
  }
}

// The lines of a stream together, whatever came in between: an append then costs one write for all of a moment's lines
// rather than one for each request's.
void Sink::put_all(const Lines& lines) {
  using Name = std::pair<std::string_view, std::string_view>;
  const auto name_of = [&lines](const Lines::Line& line) {
    const auto all = std::string_view(lines.text).substr(line.begin);
    return Name(all.substr(0, line.group_bytes), all.substr(line.group_bytes, line.stream_bytes));
  };
  std::map<Name, std::size_t> places;
  std::vector<std::pair<Name, std::vector<std::size_t>>> streams;  // in the order in which they came
  std::size_t last = 0;
  for (std::size_t at = 0; at < lines.lines.size(); ++at) {
    const auto name = name_of(lines.lines[at]);
    if (streams.empty() || streams[last].first != name) {
      last = places.emplace(name, streams.size()).first->second;
      if (last == streams.size()) streams.push_back({name, {}});
    }
    streams[last].second.push_back(at);
  }
  for (const auto& [name, members] : streams) {
    for (std::size_t first = 0; first < members.size();) {
      std::size_t bytes = 0;
      auto end = first;
      while (end < members.size() && end - first < kRunLines && bytes < kRunBytes) {
        bytes += lines.lines[members[end++]].message_bytes;
      }
      put_run(lines, name.first, name.second, std::span(members).subspan(first, end - first));
      first = end;
    }
  }
}

void Sink::put_run(const Lines& lines, std::string_view group, std::string_view stream,
                   std::span<const std::size_t> run) {
  std::vector<Event> events;
  std::vector<telemetry::LogField> fields;
  std::size_t field_count = 0;
  for (const auto at : run) field_count += lines.lines[at].fields;
  events.reserve(run.size());
  fields.reserve(field_count);  // events refer to them
  for (const auto at : run) {
    const auto& line = lines.lines[at];
    auto rest = std::string_view(lines.text).substr(line.begin + line.group_bytes + line.stream_bytes);
    const auto take = [&rest](std::size_t count) {
      const auto taken = rest.substr(0, count);
      rest.remove_prefix(count);
      return taken;
    };
    Event event;
    event.time_ms = line.time_ms;
    event.message = take(line.message_bytes);
    const auto begin = fields.size();
    for (std::uint32_t i = 0; i < line.fields; ++i) {
      const auto& field = lines.fields[line.first_field + i];
      const auto name = take(field.name_bytes);
      const auto text = take(field.text_bytes);
      fields.push_back({name, text, field.number, field.is_text});
    }
    event.fields = std::span(fields).subspan(begin);
    events.push_back(event);
  }
  if (!put_(group, stream, events)) dropped_.fetch_add(events.size(), std::memory_order_relaxed);
}

}  // namespace securebase::logs
