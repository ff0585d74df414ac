#include "functions/log_writer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <thread>

namespace securebase::functions {
namespace {

class CountedLines final : public telemetry::LogSink {
 public:
  void write(const telemetry::LogLine& line) override {
    const std::lock_guard lock(mutex_);
    ++lines_[std::string(line.group)];
    changed_.notify_all();
  }
  bool has_soon(const std::string& group) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds{20}, [&] { return lines_[group] > 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::size_t> lines_;
};

TEST(LogWriter, HearsOthersWhileOnePrintsOnAndOn) {
  CountedLines lines;
  std::atomic<bool> enough = false;
  int loud[2], quiet[2];
  ASSERT_EQ(pipe(loud), 0);
  ASSERT_EQ(pipe(quiet), 0);
  std::thread printing([&, text = std::string((64 << 10) - 1, 'x') + "\n"] {
    while (!enough && write(loud[1], text.data(), text.size()) > 0) {
    }
    close(loud[1]);
  });
  {
    LogWriter writer(&lines, base::system_clock());
    writer.open("loud", "stream", loud[0]);
    const auto stream = writer.open("quiet", "stream", quiet[0]);
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
    writer.submit(stream, LogWriter::Order::kAfterOutput, "END RequestId: 1");
    EXPECT_TRUE(lines.has_soon("/aws/lambda/quiet"));
    enough = true;
    printing.join();
    close(quiet[1]);
  }
}

}  // namespace
}  // namespace securebase::functions
