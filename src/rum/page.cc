#include "rum/page.h"

#include <algorithm>
#include <iterator>

namespace securebase::rum {

namespace {

constexpr std::size_t kSegments = 6;
constexpr std::size_t kWordBytes = 40;
constexpr std::string_view kIdentifier = "{id}";
constexpr std::string_view kDeeper = "...";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex_or_hyphen(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '-'; }

bool is_identifier(std::string_view segment) {
  if (segment.size() > kWordBytes || segment.find('%') != std::string_view::npos) return true;
  if (std::all_of(segment.begin(), segment.end(), is_digit)) return true;
  return segment.size() >= 8 && std::all_of(segment.begin(), segment.end(), is_hex_or_hyphen) &&
         std::any_of(segment.begin(), segment.end(), is_digit);
}

}  // namespace

std::string page_of(std::string_view path) {
  std::string page;
  std::size_t segments = 0;
  for (std::size_t begin = 0; begin < path.size();) {
    const auto end = std::min(path.find('/', begin), path.size());
    const auto segment = path.substr(begin, end - begin);
    begin = end + 1;
    if (segment.empty()) continue;
    if (segments++ == kSegments) {
      page.append("/").append(kDeeper);
      break;
    }
    page.append("/").append(is_identifier(segment) ? kIdentifier : segment);
  }
  return page.empty() ? "/" : page;
}

std::string Pages::admit(std::string page, base::TimePoint now) {
  if (now - round_begin_ >= kRound || now < round_begin_) {
    end_round();
    round_begin_ = now;
  }
  if (const auto known = known_.find(page); known != known_.end()) {
    ++known->second;
    return page;
  }
  if (known_.size() < most_) {
    ++made_;
    known_.emplace(page, 1);
    return page;
  }
  note_candidate(std::move(page));
  return std::string(kOther);
}

// Misra and Gries: of those with more than one visit in kMostCandidates none is missed, however many others come.
void Pages::note_candidate(std::string page) {
  if (const auto found = candidates_.find(page); found != candidates_.end()) {
    ++found->second;
  } else if (candidates_.size() < kMostCandidates) {
    candidates_.emplace(std::move(page), 1);
  } else {
    for (auto one = candidates_.begin(); one != candidates_.end();) {
      one = --one->second == 0 ? candidates_.erase(one) : std::next(one);
    }
  }
}

// The most visited candidate takes the place of the least visited page, as long as it was visited more.
void Pages::end_round() {
  const auto by_visits = [](const auto& a, const auto& b) { return a.second < b.second; };
  while (!candidates_.empty() && !known_.empty() && made_ < kNamesAPlace * most_) {
    const auto most = std::max_element(candidates_.begin(), candidates_.end(), by_visits);
    const auto least = std::min_element(known_.begin(), known_.end(), by_visits);
    if (most->second < kLeastVisits || most->second <= least->second) break;
    known_.erase(least);
    known_.emplace(most->first, most->second);
    candidates_.erase(most);
    ++made_;
  }
  candidates_.clear();
  for (auto& [page, visits] : known_) visits = 0;
}

}  // namespace securebase::rum
