// What functions print, and Lambda's own lines about them, to the log group /aws/lambda/FUNCTION, a stream for each
// instance. One thread reads the pipes and writes to the sink; those who submit never wait: when too much waits, lines
// are dropped and counted.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>

#include "base/clock.h"
#include "base/result.h"
#include "net/event.h"
#include "telemetry/log.h"

namespace securebase::functions {

class LogWriter {
 public:
  struct Stream;
  using StreamPointer = std::shared_ptr<Stream>;

  // `sink` outlives it; null: nobody keeps the lines.
  LogWriter(telemetry::LogSink* sink, const base::Clock& clock);
  ~LogWriter();  // writes what was submitted
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // A stream "2026/11/24/[$LATEST]0123..." of a function; reads lines from `pipe`, which it owns from now on.
  StreamPointer open(std::string_view function, const std::string& name, int pipe);
  // Where the memory that REPORT tells is found; see Report::memory_peak.
  void measure(const StreamPointer& stream, std::string memory_peak, int pid);

  enum class Order {
    kBeforeOutput,  // START: before what the function prints from now on
    kAfterOutput,   // END, REPORT: after all that it has printed
  };
  // In `text`, "{max_memory}" becomes the megabytes used most. Each line of it is an event; but "XRAY ..." belongs to
  // the REPORT before it, as Lambda has it. Any thread, never waits.
  void submit(const StreamPointer& stream, Order order, std::string text);
  // From the next text on, the last 4 KB are kept until take_tail().
  void keep_tail(const StreamPointer& stream);
  // Gives what was kept, after what was submitted and printed.
  void take_tail(const StreamPointer& stream, net::Reply<std::string> into);
  // After what was submitted and printed.
  void close(const StreamPointer& stream);

  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  struct Item {
    StreamPointer stream;
    Order order;
    std::string text;
    bool close = false;
    bool keep_tail = false;
    std::optional<net::Reply<std::string>> tail;
  };
  void push(Item item);
  void work();
  bool handle_items();
  void measure_memory(Stream& stream);
  void read_pipe(Stream& stream);
  void append_lines(Stream& stream, std::string_view text);
  static void trim_tail(Stream& stream);
  void finish(Stream& stream);

  telemetry::LogSink* const sink_;
  const base::Clock& clock_;
  const int poll_;
  const int wake_;
  std::atomic<std::uint64_t> dropped_{0};
  std::mutex mutex_;
  // Guarded by mutex_.
  std::deque<Item> items_;
  bool sleeping_ = true;  // as work() begins: with a wait for whatever comes first
  bool stopping_ = false;
  std::unordered_map<std::uint64_t, StreamPointer> streams_;
  std::uint64_t next_id_ = 1;
  std::thread thread_;
};

}  // namespace securebase::functions
