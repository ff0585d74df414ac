// What is known of a block's words without reading it, while it is built; and what a block must have so that it may
// have texts that are looked for.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "logs/store/plain_words.h"
#include "logs/store/tokens.h"

namespace securebase::logs {

class BlockWords {
 public:
  void add(std::string_view text) {
    for_each_word(text, [this](std::uint64_t hash, std::string_view word) {
      if (hashes.add(hash) && !is_uuid(word)) plain.add(word);
    });
  }
  void clear() {
    hashes.clear();
    plain.clear();
  }
  TokenSet hashes;
  PlainWords plain;
};

struct WordsOfTexts {
  // All of them are looked for in the text of one event.
  void add(std::string_view text) {
    for (const auto hash : whole_words(text)) hashes.push_back(hash);
    if (PlainWordsOf words(text); !words.empty()) plain.push_back(std::move(words));
  }
  std::vector<std::uint64_t> hashes;
  std::vector<PlainWordsOf> plain;
};

}  // namespace securebase::logs
