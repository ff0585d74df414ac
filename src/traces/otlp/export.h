// Kept traces to somebody else's collector, by OTLP/HTTP: in batches, tried again while the collector is away, with a
// bound on what waits. What is lost is counted; the traces' own store is not held up by it.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "traces/record/record.h"
#include "traces/traces.h"

namespace securebase::traces::otlp {

struct ExportStatistics {
  std::uint64_t sent = 0;  // records: traces and documents
  std::uint64_t lost = 0;  // the queue was full, or the collector refused them
  std::uint64_t failures = 0;
  std::uint64_t rejected_spans = 0;  // of batches that were taken otherwise
};

class Exporter {
 public:
  struct Limits {
    std::size_t queue = 5'000;  // records that wait
    std::size_t batch = 200;
    std::chrono::milliseconds gather{1'000};  // how long a batch waits for more
    std::chrono::milliseconds first_pause{1'000};
    std::chrono::milliseconds longest_pause{60'000};
    std::chrono::milliseconds longest_asked{600'000};  // of a pause that the collector asks for by Retry-After
  };
  // Posts a body of application/x-protobuf. Blocks, with a deadline of its own.
  using Post = std::function<Result<OtlpAnswer>(std::string body)>;

  Exporter(Limits limits, Post post);
  ~Exporter();  // end()
  // What still waits is lost. Idempotent.
  void end();

  // Any thread; never waits.
  void add(const Records& records);
  ExportStatistics statistics() const;

 private:
  void run();
  bool send(const std::string& body, std::unique_lock<std::mutex>& lock);
  void note_rejected(const std::string& answer);

  const Limits limits_;
  const Post post_;
  mutable std::mutex mutex_;
  // Under mutex_.
  std::deque<Records> waiting_;  // of one record each
  ExportStatistics statistics_;
  bool ending_ = false;
  bool rejects_ = false;  // said once until all of a batch is taken
  bool fails_ = false;    // said once until one is taken again: a collector may refuse every batch
  std::condition_variable bell_;
  std::thread thread_;  // last
};

}  // namespace securebase::traces::otlp
