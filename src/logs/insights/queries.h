// The queries that clients have started: a bounded table, and the threads that run them.
//
// Threads: all of it from any thread. Queries run on a few threads of their own, in turns, so that a short one does not
// wait for a long one.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "logs/insights/execution.h"
#include "logs/insights/lookup_table.h"
#include "logs/insights/source.h"
#include "logs/insights/syntax.h"

namespace securebase::logs::insights {

class Queries {
 public:
  struct Settings {
    std::size_t threads = 0;       // 0: as many as there are processors
    std::size_t running = 30;      // at once, as CloudWatch allows; more are refused
    std::size_t remembered = 200;  // finished ones with their results; the oldest go first
    std::chrono::seconds timeout{3600};
    std::size_t memory_bytes = std::size_t{512} << 20;  // of one query
    // Of finished ones together: beyond, the oldest go first.
    std::size_t results_bytes = std::size_t{256} << 20;
    std::filesystem::path lookup_tables;  // their directory
  };

  struct Request {
    std::vector<std::string> groups;
    base::TimePoint begin;  // inclusive, as `end`
    base::TimePoint end;
    std::string text;
    std::size_t limit = kMostRows;
  };

  struct Query {
    std::string id;
    Request request;
    base::TimePoint created;
    Status status;
  };

  struct Progress {
    Status status;
    std::string failure;  // of kFailed
    Statistics statistics;
    Results results;  // so far
  };

  // `source` and `clock` outlive it.
  Queries(const Source& source, Settings settings, const base::Clock& clock = base::system_clock());
  ~Queries();  // cancels what runs

  enum class Refusal { kMalformed, kTooMany };
  struct Refused {
    Refusal why;
    Malformed malformed;
  };
  // Gives its id.
  Result<std::string, Refused> start(Request request);
  // kNotFound: there is none, or it is forgotten.
  Result<Progress> progress(const std::string& id) const;
  // False: it had ended before.
  Result<bool> stop(const std::string& id);
  // The newest first.
  std::vector<Query> list() const;
  const Source& source() const { return source_; }

 private:
  struct Entry {
    Query query;
    std::shared_ptr<Execution> execution;  // null: finished, and `finished` has what came out
    std::shared_ptr<const Progress> finished;
    std::size_t bytes = 0;
  };

  void work();
  void settle(const std::shared_ptr<Execution>& execution);
  void forget_oldest();

  const Source& source_;
  const Settings settings_;
  const LookupTables tables_;
  const base::Clock& clock_;

  mutable std::mutex mutex_;  // all below
  std::condition_variable changed_;
  std::uint64_t changes_ = 0;  // what a thread that found nothing to do waits for
  bool ending_ = false;
  std::list<Entry> entries_;  // the newest first
  std::vector<std::shared_ptr<Execution>> running_;
  std::size_t turn_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace securebase::logs::insights
