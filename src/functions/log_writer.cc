#include "functions/log_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

namespace securebase::functions {
namespace {

constexpr std::size_t kWaitingItems = 65'536;
constexpr std::size_t kLineBytes = 256 << 10;  // CloudWatch's limit of one event; longer lines are cut into several
// What is read of one pipe at a time. It is as much as a pipe can hold (fs.pipe-max-size for users without privilege),
// so that all that was printed before a look is seen by it; whoever prints on and on gets no more than the others.
constexpr std::size_t kBytesAtOnce = 1 << 20;
constexpr int kTickMilliseconds = 20;  // while there is work: submitters need not wake us

std::size_t megabytes_used(const std::string& peak_file, int pid) {
  std::size_t bytes = 0;
  if (!peak_file.empty()) {
    std::ifstream(peak_file) >> bytes;
  } else if (pid > 0) {
    pid_t program = 0;
    std::ifstream(fmt::format("/proc/{0}/task/{0}/children", pid)) >> program;
    std::ifstream status(fmt::format("/proc/{}/status", program));
    for (std::string word; status >> word;) {
      if (word == "VmHWM:" && status >> bytes) {
        bytes <<= 10;
        break;
      }
    }
  }
  return (bytes + (1 << 20) - 1) >> 20;
}

}  // namespace

struct LogWriter::Stream {
  std::uint64_t id = 0;
  std::string group;
  std::string name;
  // The writer's thread only.
  int pipe = -1;
  std::string partial;  // a line that has not ended
  std::size_t last_megabytes = 0;
  bool keeps_tail = false;
  std::string tail;
  // Guarded by the writer's mutex.
  std::string memory_peak;
  int pid = 0;
};

LogWriter::LogWriter(telemetry::LogSink* sink, const base::Clock& clock)
    : sink_(sink), clock_(clock), poll_(epoll_create1(EPOLL_CLOEXEC)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  epoll_event event{EPOLLIN, {.u64 = 0}};
  epoll_ctl(poll_, EPOLL_CTL_ADD, wake_, &event);
  thread_ = std::thread([this] { work(); });
}

LogWriter::~LogWriter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  eventfd_write(wake_, 1);
  thread_.join();
  ::close(poll_);
  ::close(wake_);
}

LogWriter::StreamPointer LogWriter::open(std::string_view function, const std::string& name, int pipe) {
  auto stream = std::make_shared<Stream>();
  stream->group = fmt::format("/aws/lambda/{}", function);
  stream->name = name;
  stream->pipe = pipe;
  fcntl(pipe, F_SETFL, O_NONBLOCK);
  {
    const std::lock_guard lock(mutex_);
    stream->id = next_id_++;
    streams_.emplace(stream->id, stream);
  }
  epoll_event event{EPOLLIN, {.u64 = stream->id}};
  epoll_ctl(poll_, EPOLL_CTL_ADD, pipe, &event);
  return stream;
}

void LogWriter::measure(const StreamPointer& stream, std::string memory_peak, int pid) {
  const std::lock_guard lock(mutex_);
  stream->memory_peak = std::move(memory_peak);
  stream->pid = pid;
}

void LogWriter::submit(const StreamPointer& stream, Order order, std::string text) {
  push({.stream = stream, .order = order, .text = std::move(text), .tail = {}});
}
void LogWriter::keep_tail(const StreamPointer& stream) {
  push({.stream = stream, .order = Order::kBeforeOutput, .text = {}, .keep_tail = true, .tail = {}});
}
void LogWriter::take_tail(const StreamPointer& stream, net::Reply<std::string> into) {
  push({.stream = stream, .order = Order::kAfterOutput, .text = {}, .tail = std::move(into)});
}
void LogWriter::close(const StreamPointer& stream) {
  push({.stream = stream, .order = Order::kAfterOutput, .text = {}, .close = true, .tail = {}});
}

void LogWriter::push(Item item) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (items_.size() >= kWaitingItems && !item.close) {
      dropped_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    // START needs no wake-up: it is looked at before the pipe that follows it.
    if (sleeping_ && item.order == Order::kAfterOutput) {
      sleeping_ = false;
      wake = true;
    }
    items_.push_back(std::move(item));
  }
  if (wake) eventfd_write(wake_, 1);
}

void LogWriter::work() {
  bool active = false;
  for (;;) {
    epoll_event events[64];
    const int count = epoll_wait(poll_, events, 64, active ? kTickMilliseconds : -1);
    bool stopping = false;
    {
      const std::lock_guard lock(mutex_);
      stopping = stopping_;
      sleeping_ = false;
    }
    active = handle_items();
    for (int i = 0; i < count; ++i) {
      if (events[i].data.u64 == 0) {
        eventfd_t ignored;
        eventfd_read(wake_, &ignored);
        continue;
      }
      StreamPointer stream;
      {
        const std::lock_guard lock(mutex_);
        const std::uint64_t id = events[i].data.u64;  // epoll_event is packed: no reference may bind to its members
        const auto found = streams_.find(id);
        if (found != streams_.end()) stream = found->second;
      }
      if (!stream || stream->pipe < 0) continue;
      read_pipe(*stream);
      active = true;
    }
    if (stopping) {
      while (handle_items()) {
      }
      const std::lock_guard lock(mutex_);
      for (auto& [id, stream] : streams_) finish(*stream);
      return;
    }
    const std::lock_guard lock(mutex_);
    if (!active && items_.empty()) {
      sleeping_ = true;
    } else {
      active = true;
    }
  }
}

void LogWriter::measure_memory(Stream& stream) {
  std::string peak;
  int pid = 0;
  {
    const std::lock_guard lock(mutex_);
    peak = stream.memory_peak;
    pid = stream.pid;
  }
  // After a crash the file is gone; what was seen last stands.
  if (const auto now = megabytes_used(peak, pid); now > 0) stream.last_megabytes = now;
}

bool LogWriter::handle_items() {
  std::deque<Item> items;
  {
    const std::lock_guard lock(mutex_);
    items.swap(items_);
  }
  // What was printed before any of these items was submitted is in the pipe by now: one look for each stream and batch.
  struct Looked {
    bool at_pipe = false;
    bool at_memory = false;
  };
  std::unordered_map<Stream*, Looked> touched;
  for (auto& item : items) {
    Stream& stream = *item.stream;
    auto& looked = touched[&stream];
    if (item.order == Order::kAfterOutput && !std::exchange(looked.at_pipe, true)) read_pipe(stream);
    if (const auto hole = item.text.find("{max_memory}"); hole != std::string::npos) {
      if (!std::exchange(looked.at_memory, true)) measure_memory(stream);
      item.text.replace(hole, 12, std::to_string(stream.last_megabytes));
    }
    if (!item.text.empty()) append_lines(stream, item.text + "\n");
    if (item.keep_tail) stream.keeps_tail = true;
    if (item.tail) {
      item.tail->answer(std::exchange(stream.tail, {}));
      stream.keeps_tail = false;
    }
    if (!item.close) continue;
    finish(stream);
    touched.erase(&stream);
    const std::lock_guard lock(mutex_);
    streams_.erase(stream.id);
  }
  return !items.empty();
}

void LogWriter::read_pipe(Stream& stream) {
  char buffer[64 << 10];
  std::size_t taken = 0;
  while (stream.pipe >= 0 && taken < kBytesAtOnce) {
    const ssize_t count = read(stream.pipe, buffer, sizeof buffer);
    if (count > 0) {
      taken += static_cast<std::size_t>(count);
      stream.partial.append(buffer, static_cast<std::size_t>(count));
      const auto end = stream.partial.size() > kLineBytes ? stream.partial.size() : stream.partial.rfind('\n') + 1;
      if (end == 0) continue;
      append_lines(stream, std::string_view(stream.partial).substr(0, end));
      stream.partial.erase(0, end);
      if (static_cast<std::size_t>(count) < sizeof buffer) return;
      continue;
    }
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    ::close(stream.pipe);  // the last writer is gone; epoll forgets it with that
    stream.pipe = -1;
  }
}

void LogWriter::append_lines(Stream& stream, std::string_view text) {
  const auto now = clock_.now();
  while (!text.empty()) {
    auto end = std::min(text.find('\n'), text.size());
    if (text.starts_with("REPORT ") && text.substr(std::min(end + 1, text.size())).starts_with("XRAY ")) {
      end = std::min(text.find('\n', end + 1), text.size());
    }
    const auto line = text.substr(0, end);
    // CloudWatch has no empty events.
    if (sink_ && !line.empty()) sink_->write({stream.group, stream.name, now, line});
    if (stream.keeps_tail) stream.tail.append(line).append("\n");
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  trim_tail(stream);
}

void LogWriter::trim_tail(Stream& stream) {
  constexpr std::size_t kTailBytes = 4096;  // what X-Amz-Log-Result gives
  if (stream.tail.size() > kTailBytes) stream.tail.erase(0, stream.tail.size() - kTailBytes);
}

void LogWriter::finish(Stream& stream) {
  read_pipe(stream);
  if (!stream.partial.empty()) append_lines(stream, stream.partial);
  stream.partial.clear();
  if (stream.pipe >= 0) ::close(stream.pipe);
  stream.pipe = -1;
}

}  // namespace securebase::functions
