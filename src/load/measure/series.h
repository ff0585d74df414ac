// What a load test measures has names: a series is a metric's name with tags. Names and units are those of the tool
// whose script runs (Artillery's "http.response_time", k6's "http_req_duration"), so every front end makes its own.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace securebase::load {

enum class Kind : std::uint8_t {
  kCounter,  // a sum of what was added
  kGauge,    // a level: the latest, the lowest and the highest value
  kRate,     // how many of how many were true: add 1 or 0
  kTrend,    // values, kept as a histogram (telemetry/sketch.h): durations in milliseconds, sizes in bytes
};
std::string_view to_string(Kind kind);

// In rising order of name, no name twice; make_tags sees to both.
using Tags = std::vector<std::pair<std::string, std::string>>;
Tags make_tags(Tags tags);

struct Key {
  std::string metric;
  Tags tags;
  auto operator<=>(const Key&) const = default;
  bool operator==(const Key&) const = default;
};

// A series of one Catalogue. Cheap to copy; get it once and keep it.
struct Series {
  std::uint32_t index = 0;
  Kind kind = Kind::kCounter;
};

// The series of one run. Any thread; takes a lock.
class Catalogue {
 public:
  // At most `limit` series: tags come from scripts, and a script may put an id into one. What comes after that is
  // counted in the metric's series with the one tag {"__other__", ""}.
  explicit Catalogue(std::size_t limit = 10'000) : limit_(limit) {}

  // The same series for the same name and tags, whatever `kind` says the second time: the first wins, and a front end
  // that cares compares series.kind.
  Series series(Kind kind, std::string_view metric, Tags tags = {});

  struct Entry {
    Key key;
    Kind kind;
  };
  // Those that exist now, by index.
  std::vector<Entry> entries() const;
  // Those from `first` on: what came since somebody looked.
  std::vector<Entry> entries_from(std::size_t first) const;

 private:
  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::map<Key, std::uint32_t> indices_;
  std::vector<Entry> entries_;
};

}  // namespace securebase::load
