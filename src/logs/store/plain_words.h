// The words of a block that have no digit, as a list: "refused", "ERROR", "café_au_lait". A filter of hashes knows
// whole words only; in the list a part of a word is found, so that a search for one word skips blocks as well.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "logs/insights/find_text.h"

namespace securebase::logs {

// Made while a block is built; cleared for the next one.
class PlainWords {
 public:
  // Of what is long or random letters a list helps nobody: then there is none.
  static constexpr std::size_t kMostBytes = 32 << 10;

  // The runs without digits of a word that is none of a UUID. The same word twice costs, and changes nothing.
  void add(std::string_view word);
  void clear();
  // Sorted, between line ends. Empty: there is no list.
  std::string list();

 private:
  std::string text_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> runs_;  // begin in text_ and length
  bool too_many_ = false;
};

// What the list of a block must have so that the block may have a text.
class PlainWordsOf {
 public:
  explicit PlainWordsOf(std::string_view text);
  bool empty() const { return needed_.empty(); }
  // `list` is not empty.
  bool may_be_in(std::string_view list) const;

 private:
  std::vector<insights::TextFinder> needed_;
};

}  // namespace securebase::logs
