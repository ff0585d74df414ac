// What goes wrong again and again, as a full disk does, is told once, then once a minute with a count, and once more
// when it is over: a warning for each time would bury all others.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace securebase::logs {

// One thread.
class Troubles {
 public:
  struct Told {
    enum class When : std::uint8_t { kFirst, kAgain, kOver };
    When when = When::kFirst;
    std::string_view whose;
    std::uint64_t count = 0;  // since it was told last; of kOver: in all
    std::string_view why;     // of kOver: the last reason
  };
  using Tell = std::function<void(const Told&)>;

  static constexpr std::chrono::minutes kQuiet{1};
  static constexpr std::size_t kMostNames = 1000;  // more are told of together
  static constexpr std::string_view kOthers = "other log groups";

  explicit Troubles(Tell tell) : tell_(std::move(tell)) {}

  void failed(std::string_view whose, std::uint64_t count, std::string_view why, base::TimePoint now);
  // Whoever is not there any more has no trouble.
  template <class IsThere>
  void keep_those(IsThere is_there) {
    std::erase_if(troubles_, [&](const auto& one) { return one.first != kOthers && !is_there(one.first); });
  }
  // Costs nothing as long as nobody has trouble.
  void well(std::string_view whose, base::TimePoint now);

 private:
  struct Trouble {
    base::TimePoint told;
    std::uint64_t untold = 0;
    std::uint64_t all = 0;
    std::string why;
  };
  // Of those that have not failed lately, too: who has no lines any more would never be heard of.
  void tell_again(base::TimePoint now);

  const Tell tell_;
  std::map<std::string, Trouble, std::less<>> troubles_;
};

}  // namespace securebase::logs
