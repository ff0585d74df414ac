// Whether a text can be where a variable of a template is: within it, or across one of its edges. Most texts that are
// looked for have a letter or a space that no value of most variables has; those are never read.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "logs/insights/find_text.h"
#include "logs/store/alphabet.h"

namespace securebase::logs {

enum class Has : std::uint8_t { kNo, kMaybe, kYes };

class Reach {
 public:
  // The variable's neighbours in the template: what stands before it, which is the message's begin if it is the first,
  // and behind it. All outlive this.
  struct Place {
    std::string_view before;
    std::string_view behind;
    bool first = false;
    bool last = false;
  };
  Reach(const insights::TextFinder& text, const Place& place, const Alphabet& alphabet);

  // No value can have any of it.
  bool impossible() const { return !within_ && before_.empty() && behind_.empty(); }
  // Whether a message with this value has the text in or across it. kMaybe: it depends on other variables.
  Has operator()(std::string_view value) const;

 private:
  // Of the text, so many bytes stand before the value (or behind it). Whole: the template has them all.
  struct Outside {
    std::size_t bytes;
    bool whole;
  };
  const insights::TextFinder& text_;
  std::vector<Outside> before_;
  std::vector<Outside> behind_;
  bool within_ = false;
};

}  // namespace securebase::logs
