// Takes the rooms' lines without ever making them wait, and puts them into the store a moment later.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "logs/store/event.h"
#include "telemetry/log.h"

namespace securebase::logs {

class Sink final : public telemetry::LogSink {
 public:
  struct Limits {
    std::size_t waiting_bytes = 64 << 20;
    std::size_t waiting_lines = 500'000;
    std::size_t message_bytes = (1 << 20) - 26;  // CloudWatch's of an event; longer lines are cut
  };
  // Puts events of one stream. False: they could not be kept.
  using Put = std::function<bool(std::string_view group, std::string_view stream, std::span<const Event> events)>;

  Sink(Limits limits, Put put);
  ~Sink() override;  // puts what waits
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  void write(const telemetry::LogLine& line) override;
  // Returns when all that was written before has been put.
  void flush();
  // Lines that found no place, or that the store did not take.
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  // Texts of lines in one piece of memory.
  struct Lines {
    struct Line {
      std::uint32_t group_bytes;
      std::uint32_t stream_bytes;
      std::uint32_t message_bytes;
      std::uint32_t fields;
      std::int64_t time_ms;
      std::size_t begin;
      std::size_t first_field;
    };
    struct Field {
      std::uint32_t name_bytes;
      std::uint32_t text_bytes;
      double number;
      bool is_text;
    };
    std::string text;
    std::vector<Line> lines;
    std::vector<Field> fields;
    void clear();
  };
  void work();
  void put_all(const Lines& lines);
  // Lines of one stream.
  void put_run(const Lines& lines, std::string_view group, std::string_view stream, std::span<const std::size_t> run);

  const Limits limits_;
  const Put put_;
  std::atomic<std::uint64_t> dropped_{0};
  std::mutex mutex_;
  std::condition_variable news_;
  std::condition_variable put_news_;
  // Guarded by mutex_.
  Lines waiting_;
  bool sleeping_ = false;
  bool ending_ = false;
  bool hurried_ = false;
  std::uint64_t written_ = 0;
  std::uint64_t finished_ = 0;
  std::thread thread_;
};

}  // namespace securebase::logs
