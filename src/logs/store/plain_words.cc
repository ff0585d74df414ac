#include "logs/store/plain_words.h"

#include <algorithm>

#include "logs/store/tokens.h"

namespace securebase::logs {

namespace {

constexpr std::size_t kLeastRun = 2;

bool is_letter(char c) { return kWordBytes.is_word[static_cast<unsigned char>(c)] && (c < '0' || c > '9'); }

// Calls `visit` with begin and end of each run.
template <class Visit>
void for_each_run(std::string_view text, Visit visit) {
  for (std::size_t begin = 0; begin < text.size();) {
    auto end = begin;
    while (end < text.size() && is_letter(text[end])) ++end;
    if (end >= begin + kLeastRun) visit(begin, end);
    begin = end + 1;
  }
}

constexpr std::string_view kLettersOfUuid = "abcdef";

}  // namespace

void PlainWords::add(std::string_view word) {
  if (too_many_) return;
  for_each_run(word, [&](std::size_t begin, std::size_t end) {
    if (text_.size() + (end - begin) > 4 * kMostBytes) {
      too_many_ = true;
      return;
    }
    runs_.emplace_back(static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(end - begin));
    text_.append(word.substr(begin, end - begin));
  });
}

void PlainWords::clear() {
  text_.clear();
  runs_.clear();
  too_many_ = false;
}

std::string PlainWords::list() {
  if (too_many_ || runs_.empty()) return {};
  const auto run_at = [this](const auto& run) { return std::string_view(text_).substr(run.first, run.second); };
  std::sort(runs_.begin(), runs_.end(), [&](const auto& a, const auto& b) { return run_at(a) < run_at(b); });
  std::string list = "\n";
  std::string_view last;
  for (const auto& run : runs_) {
    if (run_at(run) == last) continue;
    last = run_at(run);
    list.append(last).push_back('\n');
    if (list.size() > kMostBytes) return {};
  }
  return list;
}

// At an edge of the text a word may go on; and what looks like letters of a UUID, of which the list has nothing, may be
// the end or the begin of one.
PlainWordsOf::PlainWordsOf(std::string_view text) {
  for_each_run(text, [&](std::size_t begin, std::size_t end) {
    const auto run = text.substr(begin, end - begin);
    const auto first = run.find_first_not_of(kLettersOfUuid);
    if (first == std::string_view::npos) return;
    const auto last = run.find_last_not_of(kLettersOfUuid);
    std::string needed(run.substr(first, last + 1 - first));
    if (needed.size() < kLeastRun) return;
    if (begin > 0 && first == 0) needed.insert(0, 1, '\n');
    if (end < text.size() && last + 1 == run.size()) needed.push_back('\n');
    needed_.emplace_back(std::move(needed));
  });
}

bool PlainWordsOf::may_be_in(std::string_view list) const {
  return std::all_of(needed_.begin(), needed_.end(), [list](const auto& needed) { return needed.in(list); });
}

}  // namespace securebase::logs
