#include "edge/range.h"

#include <algorithm>
#include <charconv>

#include "net/http/syntax.h"

namespace securebase::edge {

namespace {

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || end != text.data() + text.size()) return std::nullopt;
  if (failure == std::errc::result_out_of_range) return UINT64_MAX;
  if (failure != std::errc{}) return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::vector<ByteRange>> parse_range(std::string_view value, std::uint64_t size) {
  if (value.size() < 6 || !http::equal_ignoring_case(value.substr(0, 6), "bytes=")) return std::nullopt;
  std::vector<ByteRange> ranges;
  bool good = true;
  std::size_t count = 0;
  http::for_each_element(value.substr(6), [&](std::string_view element) {
    const auto dash = element.find('-');
    if (++count > kMostRanges || dash == std::string_view::npos) {
      good = false;
      return;
    }
    const auto from = element.substr(0, dash);
    const auto to = element.substr(dash + 1);
    if (from.empty()) {  // the last so many
      const auto suffix = number(to);
      good = good && suffix.has_value();
      if (suffix.value_or(0) > 0 && size > 0) ranges.push_back({size - std::min(*suffix, size), size - 1});
      return;
    }
    const auto first = number(from);
    const auto last = to.empty() ? std::optional<std::uint64_t>(UINT64_MAX) : number(to);
    good = good && first && last && *first <= *last;
    if (good && *first < size) ranges.push_back({*first, std::min(*last, size - 1)});
  });
  if (!good || count == 0) return std::nullopt;
  auto sorted = ranges;
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    if (sorted[i].first <= sorted[i - 1].last) return std::nullopt;
  }
  return ranges;
}

bool range_holds(const http::Headers& request, std::string_view etag, std::string_view last_modified) {
  const auto condition = request.get("If-Range");
  if (!condition) return true;
  if (condition->starts_with("W/")) return false;
  if (condition->starts_with('"')) return *condition == etag;
  return !last_modified.empty() && *condition == last_modified;
}

}  // namespace securebase::edge
