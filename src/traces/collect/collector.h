// The thread that reads what hops record: assembles traces, counts every one of them, keeps those that the tail keeps,
// and writes both to the store. Documents that others send come in here too, for the graph that they are part of.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "traces/collect/assembler.h"
#include "traces/collect/tail.h"
#include "traces/counts/counts.h"
#include "traces/segment/segment.h"
#include "traces/store/store.h"

namespace securebase::traces {

struct CollectorStatistics {
  std::uint64_t traces = 0;  // complete ones
  std::uint64_t kept = 0;
  std::uint64_t spans_lost = 0;   // buffers or traces that were full
  std::uint64_t over_budget = 0;  // would have been kept, beyond so many a second
  std::uint64_t documents = 0;
  std::uint64_t documents_lost = 0;  // the daemon's queue was full
};

// A document on its way, checked already.
struct Document {
  DocumentRecord record;
  Segment segment;
};

class Collector {
 public:
  // What is kept, as it is written; called from the collector's thread, and from keep()'s.
  using Kept = std::function<void(const Records&)>;

  // All outlive it.
  Collector(telemetry::Spans& spans, Store& store, const base::Clock& clock, Kept kept);
  ~Collector();  // stop()
  // Takes what was recorded last, and writes it.
  void stop();

  // Any thread. What ended before is counted, and readable in the store, when this returns.
  void refresh();
  // Of the daemon: never waits for the disk. False: the queue is full, the document is lost and counted.
  bool submit(Document document);
  // Of the API: on the disk when this returns.
  Result<Done> keep(std::vector<Document> documents);
  // What was counted in [from, to], in whole pieces of ten seconds.
  Counts counts(WallTime from, WallTime to) const;
  // The same piece by piece, each of about ten seconds, with its beginning; in no order.
  void each_counts(WallTime from, WallTime to, const std::function<void(const Counts&, WallTime)>& visit) const;
  CollectorStatistics statistics() const;

 private:
  // A trace that documents belong to: what is known of it, until nothing comes any more.
  struct Settling {
    std::vector<std::pair<std::uint64_t, Node>> hops;
    std::vector<Segment> segments;
    base::SteadyPoint first;
    base::SteadyPoint last;
  };

  void run();
  void round();  // with round_mutex_
  void complete(std::span<const telemetry::Span> spans, const telemetry::Span* entry);
  void keep_hops(std::span<const telemetry::Span> spans, std::uint8_t reasons);
  void remember_hops(std::span<const telemetry::Span> spans);
  Settling* settling_of(const TraceId& id);
  void take_documents();
  void settle(base::SteadyPoint now, bool all);
  void write_records();
  void write_counts(WallTime now);

  telemetry::Spans& spans_;
  Store& store_;
  const base::Clock& clock_;
  const Kept kept_;

  std::mutex round_mutex_;
  // Under round_mutex_: one round at a time, the thread's own or refresh()'s.
  Assembler assembler_;
  Tail tail_;
  std::vector<telemetry::Span> taken_;
  std::vector<Document> taken_documents_;
  std::unordered_map<TraceId, Settling, TraceIdHash> settling_;
  Records pending_;
  std::string route_;
  base::SteadyPoint steady_now_{};
  WallTime wall_now_{};
  base::SteadyPoint written_{};
  base::SteadyPoint counted_{};
  base::SteadyPoint settled_{};
  bool store_fails_ = false;

  mutable std::mutex mutex_;
  // Under mutex_.
  Counts counts_;
  WallTime counts_since_{};
  std::deque<Document> documents_;
  std::size_t document_bytes_ = 0;
  CollectorStatistics statistics_;
  bool stopping_ = false;
  std::condition_variable bell_;
  std::thread thread_;  // last: it uses the others
};

}  // namespace securebase::traces
