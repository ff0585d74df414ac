// Regular expressions that are a sequence of texts and repeated classes, as most that parse log lines are:
//
//   tenant=(?<tenant>\S+) .*took (?<ms>\d+) ms
//
// RE2 needs several passes to find groups; here a sequence is followed once, and gone back in where a class was greedy.
// What is found is what RE2 finds: the leftmost match, by the preferences of the expression.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "logs/insights/find_text.h"

namespace securebase::logs::insights {

class SequenceRegex {
 public:
  // nullopt: it is no such sequence (alternatives, repeated groups, flags, anchors within), or RE2 would not take it.
  static std::optional<SequenceRegex> compile(std::string_view pattern);
  static constexpr std::size_t kMostGroups = 64;

  enum class Found : std::uint8_t { kNo, kYes, kAskOther };
  // `groups[0]` is the whole match; those behind are the groups. kAskOther: a text beyond ASCII, where a byte is no
  // character, or one that would take too many steps.
  Found match(std::string_view text, std::span<std::string_view> groups) const;

  // What every match begins with, if that is a text.
  const std::optional<TextFinder>& lead() const { return lead_; }
  // The bytes of the longest match, its lead among them, where whether there is one is seen in those bytes alone.
  std::optional<std::size_t> most_bytes() const { return most_bytes_; }

 private:
  using Class = std::bitset<128>;
  struct Element {
    enum class Kind : std::uint8_t { kText, kClass, kGroupBegin, kGroupEnd };
    Kind kind = Kind::kText;
    std::string text;
    Class characters;
    std::uint32_t least = 1;
    std::uint32_t most = 1;
    bool lazy = false;
    bool exclusive = false;  // nothing of the class can begin what follows: as many as there are, or none at all
    std::size_t group = 0;
  };
  struct Reader;
  struct Attempt;

  void finish();

  std::vector<Element> elements_;
  std::size_t groups_ = 0;
  bool from_begin_ = false;  // ^
  bool to_end_ = false;      // $
  std::optional<TextFinder> lead_;
  std::optional<std::size_t> most_bytes_;
};

}  // namespace securebase::logs::insights
