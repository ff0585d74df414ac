// Which page a path is of. Metrics have a series for each page, so paths that differ by an identifier are one page, and
// pages are few.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace securebase::rum {

// "/invoices/42/lines" and "/invoices/7/lines/" are "/invoices/{id}/lines". A segment is an identifier when it is a
// number, has a digit among eight or more characters of hexadecimal and hyphens, is escaped, or is longer than words
// are. What lies deeper than six segments is "...".
std::string page_of(std::string_view path);

// The pages of one application: `most` are themselves, all others are kOther. Who comes first has a place until others
// are visited more: anybody can send a beacon of a page that is none, but must go on to send it to keep the place.
class Pages {
 public:
  static constexpr std::string_view kOther = "(other)";
  static constexpr std::chrono::minutes kRound{10};    // how often places change hands
  static constexpr std::size_t kLeastVisits = 5;       // in a round, for a place
  static constexpr std::size_t kMostCandidates = 500;  // of one round; those that are visited most are among them
  static constexpr std::size_t kNamesAPlace = 4;  // each is a series for good: `most` times as many, then none is new

  explicit Pages(std::size_t most) : most_(most) {}
  // The page itself or kOther. `now`: of the visit.
  std::string admit(std::string page, base::TimePoint now);

 private:
  void end_round();
  void note_candidate(std::string page);

  const std::size_t most_;
  std::size_t made_ = 0;  // names that ever had a place
  base::TimePoint round_begin_{};
  std::map<std::string, std::size_t> known_;       // to its visits in this round
  std::map<std::string, std::size_t> candidates_;  // likewise
};

}  // namespace securebase::rum
