// Substring search over many short texts: what a filter on @message spends its time with.
#pragma once

#include <string>
#include <string_view>

namespace securebase::logs::insights {

// One needle, looked for in many haystacks. Immutable: any thread.
class TextFinder {
 public:
  explicit TextFinder(std::string needle);
  bool in(std::string_view haystack) const { return find(haystack) != std::string_view::npos; }
  std::size_t find(std::string_view haystack) const;
  const std::string& needle() const { return needle_; }

 private:
  std::string needle_;
  // The two of its bytes that logs have least often, and where they stand in it.
  std::size_t first_ = 0;
  std::size_t second_ = 0;
};

}  // namespace securebase::logs::insights
