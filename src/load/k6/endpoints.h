// Requests by their name for the page (`--html`): the tag `name`, which is the URL unless the script says something
// else. Not series of the collector: those are exchanged each second and kept over time, which two hundred names are
// not worth.
//
// A shard belongs to a recorder and is guarded by that recorder's batch: users that record in one place count in one
// place.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "load/measure/recorder.h"
#include "telemetry/sketch.h"

namespace securebase::k6 {

class Endpoints {
 public:
  static constexpr std::size_t kMost = 200;           // names; the rest is one more, "others"
  static constexpr std::size_t kMostNameBytes = 500;  // the rest of a name is cut off

  class Shard {
   public:
    // Within a batch of the shard's recorder. `failed`: as http_req_failed has it.
    void add(std::size_t endpoint, double duration_ms, bool failed);

   private:
    friend class Endpoints;
    struct Counted {
      std::uint64_t requests = 0;
      std::uint64_t failed = 0;
      load::Histogram duration_ms;
    };
    std::vector<std::unique_ptr<Counted>> counted_;  // by number of the endpoint
  };

  // What a user knows of names, so that it asks nobody for those that it has seen. Not shared between threads.
  class Names {
   public:
    explicit Names(Endpoints& all) : all_(all) {}
    std::size_t number_of(std::string_view name);

   private:
    struct Hash {
      using is_transparent = void;
      std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
    };
    Endpoints& all_;
    bool complete_ = false;  // it has all names that there will be
    std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> known_;
  };

  struct Total {
    std::string name;  // "": all that have no name of their own here
    std::uint64_t requests = 0;
    std::uint64_t failed = 0;
    telemetry::Sketch duration_ms;
  };

  // Any thread; the same one for a recorder always. It lives as long as this.
  Shard& shard_of(const load::Recorder& recorder);
  // When nobody records any more. In the order in which names came, the others last.
  std::vector<Total> totals() const;

 private:
  // kMost: of the others.
  std::size_t number_of(std::string_view name);

  mutable std::mutex mutex_;
  std::map<std::string, std::size_t, std::less<>> numbers_;  // these three: guarded by mutex_
  std::vector<std::string> names_;                           // by number
  std::map<const load::Recorder*, std::unique_ptr<Shard>> by_recorder_;
};

}  // namespace securebase::k6
