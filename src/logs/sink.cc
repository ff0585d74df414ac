#include "logs/sink.h"

#include <algorithm>
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

void Sink::put_all(const Lines& lines) {
  std::vector<Event> events;
  std::vector<telemetry::LogField> fields;
  for (std::size_t first = 0; first < lines.lines.size();) {
    const auto names_of = [&](const Lines::Line& line) {
      const auto all = std::string_view(lines.text).substr(line.begin);
      return std::pair(all.substr(0, line.group_bytes), all.substr(line.group_bytes, line.stream_bytes));
    };
    const auto [group, stream] = names_of(lines.lines[first]);
    // A run of one stream.
    auto end = first;
    std::size_t bytes = 0;
    std::size_t field_count = 0;
    while (end < lines.lines.size() && end - first < kRunLines && bytes < kRunBytes &&
           names_of(lines.lines[end]) == std::pair(group, stream)) {
      bytes += lines.lines[end].message_bytes;
      field_count += lines.lines[end].fields;
      ++end;
    }
    events.clear();
    fields.clear();
    fields.reserve(field_count);  // events refer to them
    for (auto at = first; at < end; ++at) {
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
    first = end;
  }
}

}  // namespace securebase::logs
