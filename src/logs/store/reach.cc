#include "logs/store/reach.h"

#include <algorithm>

namespace securebase::logs {

namespace {

std::size_t leading(std::string_view text, const Alphabet& alphabet) {
  const auto end = std::find_if(text.begin(), text.end(), [&](char c) { return !alphabet.has(c); });
  return static_cast<std::size_t>(end - text.begin());
}

std::size_t trailing(std::string_view text, const Alphabet& alphabet) {
  const auto end = std::find_if(text.rbegin(), text.rend(), [&](char c) { return !alphabet.has(c); });
  return static_cast<std::size_t>(end - text.rbegin());
}

// Can a message go on with `text` where the template has `fixed`?
bool may_begin(std::string_view text, std::string_view fixed, bool last) {
  return fixed.starts_with(text) || (!last && text.starts_with(fixed));
}

bool may_end(std::string_view text, std::string_view fixed, bool first) {
  return fixed.ends_with(text) || (!first && text.ends_with(fixed));
}

// Can a value, and what is behind it, begin with `text`?
bool may_hold_begin(std::string_view text, const Reach::Place& place, const Alphabet& alphabet) {
  const auto most = leading(text, alphabet);
  if (most == text.size()) return true;
  for (std::size_t value = 0; value <= most; ++value) {
    if (may_begin(text.substr(value), place.behind, place.last)) return true;
  }
  return false;
}

bool may_hold_end(std::string_view text, const Reach::Place& place, const Alphabet& alphabet) {
  const auto most = trailing(text, alphabet);
  if (most == text.size()) return true;
  for (std::size_t value = 0; value <= most; ++value) {
    if (may_end(text.substr(0, text.size() - value), place.before, place.first)) return true;
  }
  return false;
}

}  // namespace

Reach::Reach(const insights::TextFinder& text, const Place& place, const Alphabet& alphabet) : text_(text) {
  const std::string_view needle = text.needle();
  within_ = leading(needle, alphabet) == needle.size();
  for (std::size_t bytes = 1; bytes < needle.size(); ++bytes) {
    const auto begin = needle.substr(0, bytes);
    if (may_end(begin, place.before, place.first) && may_hold_begin(needle.substr(bytes), place, alphabet)) {
      before_.push_back({bytes, place.before.ends_with(begin)});
    }
    const auto end = needle.substr(needle.size() - bytes);
    if (may_begin(end, place.behind, place.last) &&
        may_hold_end(needle.substr(0, needle.size() - bytes), place, alphabet)) {
      behind_.push_back({bytes, place.behind.starts_with(end)});
    }
  }
}

Has Reach::operator()(std::string_view value) const {
  const std::string_view needle = text_.needle();
  auto has = Has::kNo;
  for (const auto& outside : before_) {
    const auto rest = needle.substr(outside.bytes);
    if (outside.whole && value.starts_with(rest)) return Has::kYes;
    if (value.starts_with(rest) || rest.starts_with(value)) has = Has::kMaybe;
  }
  for (const auto& outside : behind_) {
    const auto rest = needle.substr(0, needle.size() - outside.bytes);
    if (outside.whole && value.ends_with(rest)) return Has::kYes;
    if (value.ends_with(rest) || rest.ends_with(value)) has = Has::kMaybe;
  }
  return within_ && text_.in(value) ? Has::kYes : has;
}

}  // namespace securebase::logs
