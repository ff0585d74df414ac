#include "logs/store/troubles.h"

namespace securebase::logs {

void Troubles::failed(std::string_view whose, std::uint64_t count, std::string_view why, base::TimePoint now) {
  auto found = troubles_.find(whose);
  if (found == troubles_.end() && troubles_.size() >= kMostNames) {
    whose = kOthers;
    found = troubles_.find(whose);
  }
  if (found == troubles_.end()) {
    found = troubles_.emplace(std::string(whose), Trouble{now, 0, count, std::string(why)}).first;
    tell_({Told::When::kFirst, found->first, count, found->second.why});
  } else {
    auto& trouble = found->second;
    trouble.untold += count;
    trouble.all += count;
    trouble.why = why;
  }
  tell_again(now);
}

void Troubles::well(std::string_view whose, base::TimePoint now) {
  if (troubles_.empty()) return;
  if (const auto found = troubles_.find(whose); found != troubles_.end()) {
    tell_({Told::When::kOver, found->first, found->second.all, found->second.why});
    troubles_.erase(found);
  }
  // Nobody says when those without a name of their own are well: with all others.
  if (troubles_.size() == 1 && troubles_.begin()->first == kOthers) troubles_.clear();
  tell_again(now);
}

void Troubles::tell_again(base::TimePoint now) {
  for (auto& [whose, trouble] : troubles_) {
    if (trouble.untold == 0 || now - trouble.told < kQuiet) continue;
    tell_({Told::When::kAgain, whose, trouble.untold, trouble.why});
    trouble.untold = 0;
    trouble.told = now;
  }
}

}  // namespace securebase::logs
