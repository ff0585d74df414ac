#include "logs/sink.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace securebase::logs {
namespace {

struct PutEvents {
  std::mutex mutex;
  std::vector<std::string> all;  // "group stream message"
  int puts = 0;
  Sink::Put put() {
    return [this](std::string_view group, std::string_view stream, std::span<const Event> events) {
      const std::lock_guard lock(mutex);
      ++puts;
      for (const auto& event : events) {
        auto& text = all.emplace_back(fmt::format("{} {} {}", group, stream, event.message));
        for (const auto& field : event.fields) text += fmt::format(" {}={}{}", field.name, field.text, field.number);
      }
      return group != "full";
    };
  }
};

TEST(LogSink, PutsAStreamsLinesTogetherInOrderAndWithTheirFields) {
  PutEvents put;
  Sink sink({}, put.put());
  const telemetry::LogField fields[] = {{.name = "path", .text = "/x"},
                                        {.name = "@duration", .number = 2.5, .is_text = false}};
  sink.write({"g", "s", {}, "one", fields});
  sink.write({"g", "s", {}, "two"});
  sink.write({"g", "t", {}, "three"});
  sink.write({"g", "s", {}, "four"});
  sink.flush();
  EXPECT_EQ(put.all, (std::vector<std::string>{"g s one path=/x0 @duration=2.5", "g s two", "g s four", "g t three"}));
  EXPECT_EQ(put.puts, 2);
}

TEST(LogSink, CountsWhatFindsNoPlace) {
  PutEvents put;
  Sink sink({.waiting_lines = 3}, put.put());
  for (int i = 0; i < 5; ++i) sink.write({"g", "s", {}, "x"});
  EXPECT_EQ(sink.dropped(), 2U);
  sink.flush();
  sink.write({"full", "s", {}, "x"});
  sink.flush();
  EXPECT_EQ(sink.dropped(), 3U);
}

TEST(LogSink, CutsWhatIsTooLong) {
  PutEvents put;
  {
    Sink sink({.message_bytes = 4}, put.put());
    sink.write({"g", "s", {}, "123456"});
  }
  EXPECT_EQ(put.all, (std::vector<std::string>{"g s 1234"})) << "and puts what waits at its end";
}

}  // namespace
}  // namespace securebase::logs
