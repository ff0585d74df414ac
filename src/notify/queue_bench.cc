// What an acknowledgement costs: a message of 1 KB on disk, by one publisher and by eight that share the writes.
#include <benchmark/benchmark.h>

#include <filesystem>

#include "base/random.h"
#include "notify/queue.h"

namespace securebase::notify {
namespace {

std::unique_ptr<Queue> queue;
std::filesystem::path directory;

void open_queue(const benchmark::State&) {
  directory = std::filesystem::temp_directory_path() / ("notify-bench-" + base::random_hex(12));
  Limits limits;
  limits.queue_length = limits.lane_length = 100'000'000;
  limits.queue_bytes = std::size_t{4} << 30;
  queue = *Queue::open(
      directory, limits, [](const std::string&) { return std::optional(Queue::LaneRule{}); }, base::system_clock());
}

void close_queue(const benchmark::State&) {
  queue.reset();
  std::filesystem::remove_all(directory);
}

void add_and_deliver(benchmark::State& state) {
  auto message = std::make_shared<Message>();
  message->id = base::random_uuid();
  message->topic_arn = "arn:aws:sns:us-east-1:123456789012:t";
  message->text = std::string(1024, 'x');
  const std::vector<std::string> to{"a"};
  for (auto _ : state) {
    message->published = base::TimePoint{};
    if (!queue->add(message, to)) state.SkipWithError("the queue refused a message");
    for (const auto& one : queue->take(100)) queue->delivered(one.id);
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(add_and_deliver)->Setup(open_queue)->Teardown(close_queue)->Threads(1)->Threads(8)->UseRealTime();

}  // namespace
}  // namespace securebase::notify
