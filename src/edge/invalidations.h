// The invalidations that CreateInvalidation made: to be listed, and to be known again by their caller's reference. Kept
// in one file that is replaced as a whole; the oldest go when there are too many. What they did to the caches does not
// rest on it. Any thread.
#pragma once

#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace securebase::edge {

struct Invalidation {
  std::string id;
  std::string distribution;
  std::string caller_reference;
  base::TimePoint created;
  std::vector<std::string> paths;  // as they were given, tags ("#customer:42") among them
};

class Invalidations {
 public:
  static constexpr std::size_t kMost = 1000;         // of all distributions
  static constexpr std::size_t kMostPaths = 30'000;  // of all of them together

  // `directory` is made when first needed; empty: nothing is written. A file that cannot be read is a line in the log,
  // and the list begins anew.
  explicit Invalidations(std::filesystem::path directory);

  // On disk when this returns. Blocking.
  Result<Done> add(Invalidation made);
  std::optional<Invalidation> find(std::string_view distribution, std::string_view id) const;
  std::optional<Invalidation> find_reference(std::string_view distribution, std::string_view caller_reference) const;
  std::vector<Invalidation> of(std::string_view distribution) const;  // the newest first

 private:
  void read();

  const std::filesystem::path directory_;
  mutable std::mutex mutex_;
  std::vector<Invalidation> all_;  // guarded by mutex_, as it was added
};

// One of the file's; for tests.
std::optional<Invalidation> invalidation_from(const base::Json& json);

}  // namespace securebase::edge
